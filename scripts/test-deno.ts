/** `npm run test:deno`: the same tests of the log, the events and the pure core, under Deno. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { $ } from "zx";

const ROOT = join(import.meta.dirname, "..");
/** Folders whose tests use nothing but node: builtins that Deno has; golden tests of what they store. */
const FOLDERS = ["log", "unit", "golden"];

const files = FOLDERS.flatMap((folder) =>
  readdirSync(join(ROOT, "test", folder))
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => join("test", folder, name)),
);
if (files.length === 0) throw new Error("no test file found");
const { exitCode } = await $({
  cwd: ROOT,
  stdio: "inherit",
  nothrow: true,
})`npx deno test --allow-all --no-check --quiet ${files}`;
process.exitCode = exitCode ?? 1;
