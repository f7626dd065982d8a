import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
const CACHE = join(ROOT, "node_modules/.cache/signalbox-test");
const SOURCES = ["events", "hooks", "src", "scripts/build.ts", "package.json"];
const OLD_MS = 60 * 60_000;

let dir: string | undefined;

/** The folder of what `npm run build` makes of the sources as they are now; built once, by whichever test is first. */
export function built(): string {
  dir ??= build(join(CACHE, digest()));
  return dir;
}

/** The built `signalbox` command. */
export function builtCommand(): string {
  return join(built(), "signalbox.cjs");
}

function build(target: string): string {
  if (existsSync(target)) return target;
  sweep();
  const temporary = `${target}.${process.pid}`;
  mkdirSync(temporary, { recursive: true });
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, NODE_TEST_CONTEXT: ___, ...env } = process.env;
  const args = ["--import", "tsx", "scripts/build.ts", "--out", temporary];
  execFileSync(process.execPath, args, { cwd: ROOT, env, stdio: ["ignore", "ignore", "pipe"] });
  try {
    renameSync(temporary, target);
  } catch {
    // Another test file's process was first, with the same sources.
    rmSync(temporary, { recursive: true, force: true });
  }
  return target;
}

function digest(): string {
  const hash = createHash("sha256");
  for (const file of SOURCES.flatMap((name) => filesIn(join(ROOT, name))))
    hash.update(file).update("\0").update(readFileSync(file));
  return hash.digest("hex").slice(0, 16);
}

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== "hooks.json")
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function sweep(): void {
  if (!existsSync(CACHE)) return;
  for (const name of readdirSync(CACHE)) {
    const path = join(CACHE, name);
    // Another test file's process may rename or remove it at any time.
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (made !== undefined && Date.now() - made > OLD_MS) rmSync(path, { recursive: true, force: true });
  }
}
