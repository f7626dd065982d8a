/** `npm run test:deno`: the same tests of the log, the events and the pure core, unchanged, under Deno. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { $ } from "zx";

const ROOT = join(import.meta.dirname, "..");
/** Folders whose tests use nothing but node: builtins that Deno has; golden tests of what they store. */
const FOLDERS = ["log", "unit", "golden"];

const words = process.argv.slice(2);
const chosen = words.length > 0 ? words : FOLDERS.flatMap(testsIn);
if (chosen.length === 0) throw new Error("no test file found");

const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
const deno = join(ROOT, "node_modules", ".bin", "deno");
const run = $({ cwd: ROOT, env, stdio: "inherit", nothrow: true });
const { exitCode } = await run`${deno} test --allow-all --no-check --quiet ${chosen}`;
process.exitCode = exitCode ?? 1;

function testsIn(folder: string): string[] {
  return readdirSync(join(ROOT, "test", folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", folder, name))
    .sort();
}
