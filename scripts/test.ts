/**
 * `npm test`: node:test under c8, from sources run by tsx; all but the real client. Words are passed on:
 * `npm test -- test/unit/claims.test.ts` runs one file, `npm test -- --test-name-pattern lease` some tests.
 */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { $, chalk, echo } from "zx";

const ROOT = join(import.meta.dirname, "..");
/** Node 20 finds no `.ts` by itself, runs nothing and says all is well; so the files are listed here. */
const FOLDERS = ["unit", "log", "golden", "contract", "cli", "scenario", "crash"];

const words = process.argv.slice(2);
const files = words.filter((word) => word.endsWith(".ts"));
const flags = words.filter((word) => !word.endsWith(".ts"));
const chosen = files.length > 0 ? files : FOLDERS.flatMap(testsIn);
if (chosen.length === 0) throw new Error("no test file found");

const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
const c8 = [
  "--include=src/**",
  "--include=events/**",
  "--include=hooks/**",
  "--reporter=text-summary",
  "--reporter=lcov",
];
const node = ["--import", "tsx", "--test", "--test-concurrency=2", "--test-reporter=spec", ...flags];

const run = $({ cwd: ROOT, env, stdio: "inherit", nothrow: true });
// What is installed in the tests' repositories is what a user would build.
if (files.length === 0) await run`npx tsx scripts/build.ts`;
const { exitCode } = await run`npx c8 ${c8} node ${node} ${chosen}`;
if (exitCode !== 0) echo(chalk.red(`the tests failed (exit ${exitCode})`));
process.exitCode = exitCode ?? 1;

function testsIn(folder: string): string[] {
  if (!existsSync(join(ROOT, "test", folder))) return [];
  return readdirSync(join(ROOT, "test", folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join("test", folder, entry.name))
    .sort();
}
