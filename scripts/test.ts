/**
 * `npm test`: node:test under c8, from sources run by tsx; all but the real client. Words are passed on:
 * `npm test -- test/unit/claims.test.ts` runs one file, `npm test -- --test-name-pattern lease` some tests.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { $, chalk, echo } from "zx";

const ROOT = join(import.meta.dirname, "..");
/** Node 20 finds no `.ts` by itself, runs nothing and says all is well; so the files are listed here. */
const FOLDERS = ["unit", "log", "golden", "contract", "cli", "scenario", "crash"];
/**
 * Percent of lines that a full run must reach in the folders that tests run from source: a little below the 99 it
 * did reach. Hooks and commands run bundled, in processes of their own; their lines are reported, and don't count.
 */
const LINES_COVERED = 97;
const COUNTED = ["events", "src/log", "src/domain", "src/policy"];
/** What node:test closes with, for the end of the output: coverage comes after it. */
const CLOSING = join("coverage", `closing-${process.pid}.tap`);

const words = process.argv.slice(2);
const files = words.filter((word) => word.endsWith(".ts"));
const flags = words.filter((word) => !word.endsWith(".ts"));
const chosen = files.length > 0 ? files : FOLDERS.flatMap(testsIn);
if (chosen.length === 0) throw new Error("no test file found");
const whole = words.length === 0;

// The first makes Node start 2.5 times slower; the second is the caller's.
const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
const including = (folders: readonly string[]) => folders.map((folder) => `--include=${folder}/**`);
// Thousands of processes leave their coverage: all at once it does not fit into Node's memory.
const MERGE = "--merge-async";
const c8 = [
  MERGE,
  ...including(["src", "events", "hooks"]),
  ...(whole ? ["--all"] : []),
  "--reporter=text-summary",
  "--reporter=lcov",
];
const reporters = [
  ["spec", "stdout"],
  ["tap", CLOSING],
].flatMap(([reporter, to]) => [`--test-reporter=${reporter}`, `--test-reporter-destination=${to}`]);
const node = ["--import", "tsx", "--test", "--test-concurrency=2", ...reporters, ...flags];

const run = $({ cwd: ROOT, env, stdio: "inherit", nothrow: true });
mkdirSync(join(ROOT, "coverage"), { recursive: true });
// What is installed in the tests' repositories is what a user would build.
const built = files.length > 0 ? 0 : (await run`npx tsx scripts/build.ts`).exitCode;
if (built !== 0) throw new Error("the build failed: nothing was tested");
const passed = await run`npx c8 ${c8} node ${node} ${chosen}`;
// Killed by a signal, it has none.
const exitCode = passed.exitCode ?? 1;
const covered = whole
  ? await run`npx c8 report --check-coverage ${MERGE} --reporter=none --all ${including(COUNTED)} --lines=${LINES_COVERED}`
  : undefined;
echo(closingLines());
if (exitCode !== 0) echo(chalk.red(`the tests failed (exit ${exitCode})`));
else if (covered?.exitCode)
  echo(chalk.red(`less than ${LINES_COVERED} % of ${COUNTED.join(", ")} is covered`));
process.exitCode = exitCode || covered?.exitCode || 0;

function testsIn(folder: string): string[] {
  if (!existsSync(join(ROOT, "test", folder))) return [];
  return readdirSync(join(ROOT, "test", folder), { withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".test.ts"))
    .map((entry) => join("test", folder, entry.name))
    .sort();
}

/** The counts of node:test, which are the last lines of its report: "# tests 812", "# pass 812", … */
function closingLines(): string {
  const file = join(ROOT, CLOSING);
  if (!existsSync(file)) return "no test was run";
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  rmSync(file);
  return lines.slice(lines.findLastIndex((line) => !line.startsWith("# ")) + 1).join("\n");
}
