/**
 * `npm run test:client`: the tests on the real Claude Code CLI, with a scripted model and no network.
 * No CLI is a failure: a test run that quietly tested nothing would be worse than a red one.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { $ } from "zx";
import { CLAUDE_VERSION, fetchClaude } from "./fetch-claude.ts";

const DIR = "test/client";

process.chdir(join(import.meta.dirname, ".."));
try {
  process.exitCode = await runTests(await fetchClaude());
} catch (error) {
  console.error(`Cannot test on the Claude Code CLI ${CLAUDE_VERSION}: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function runTests(claude: string): Promise<number> {
  const only = process.argv.slice(2);
  const files = readdirSync(DIR)
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `${DIR}/${name}`)
    .sort();
  if (files.length === 0) throw new Error(`${DIR} has no tests`);
  const env: NodeJS.ProcessEnv = { ...process.env, CLAUDE_BIN: claude };
  // Either makes every Node start slower or different, in hooks too.
  delete env["NODE_EXTRA_CA_CERTS"];
  delete env["NODE_OPTIONS"];
  const flags = ["--import", "tsx", "--test", "--test-reporter=spec", "--test-concurrency=1"];
  const tests = await $({
    env,
    stdio: "inherit",
    nothrow: true,
  })`${process.execPath} ${flags} ${only.length ? only : files}`;
  return tests.exitCode ?? 1;
}
