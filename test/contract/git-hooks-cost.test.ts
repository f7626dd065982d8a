/** What git hooks cost, counted in starts of the runtime; and that they leave other hooks' world alone. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** Every git verb that runs one of our hooks. */
async function workday(repo: ScratchRepo): Promise<void> {
  repo.write("a.txt", "1\n");
  await repo.mustGit("commit", "-qam", "one");
  await repo.mustGit("commit", "-q", "--amend", "-m", "amended");
  await repo.mustGit("commit", "-qn", "--allow-empty", "-m", "unverified");
  await repo.mustGit("switch", "-q", "-c", "topic", "HEAD~1");
  for (let i = 0; i < 5; i++) {
    repo.write(`t${i}.txt`, "x");
    await repo.mustGit("add", ".");
    await repo.mustGit("commit", "-qm", `t${i}`);
  }
  await repo.mustGit("rebase", "-q", "main");
  await repo.mustGit("switch", "-q", "main");
  await repo.mustGit("merge", "-q", "topic");
  await repo.mustGit("init", "-q", "--bare", "../remote.git");
  await repo.mustGit("push", "-q", "../remote.git", "main");
}

test("with nobody live, no git verb starts a runtime or writes to the log", async (t) => {
  const repo = await makeScratch(t);
  const { starts } = repo.countStarts();
  await workday(repo);
  assert.deepEqual(starts(), []);
  assert.deepEqual(repo.events(), []);
});

test("after the last session ended, neither", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  await ada.end();
  const { starts } = repo.countStarts();
  const count = repo.events().length;
  await workday(repo);
  assert.deepEqual(starts(), []);
  assert.equal(repo.events().length, count);
});

test("alone, a session's own commit starts one runtime, to record it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  const { starts } = repo.countStarts();
  await ada.mustGit("commit", "-qam", "m");
  assert.deepEqual(starts(), ["git post-commit"]);
});

test("a person's rebase of five commits starts at most three runtimes, with sessions live", async (t) => {
  const repo = await makeScratch(t);
  await repo.startSession("ada");
  await repo.startSession("bob");
  await repo.mustGit("switch", "-q", "-c", "topic");
  for (let i = 0; i < 5; i++) {
    repo.write(`t${i}.txt`, "x");
    await repo.mustGit("add", ".");
    await repo.mustGit("commit", "-qm", `t${i}`);
  }
  await repo.mustGit("switch", "-q", "main");
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "m");
  await repo.mustGit("switch", "-q", "topic");
  const { starts } = repo.countStarts();
  await repo.mustGit("rebase", "-q", "main");
  assert.ok(starts().length <= 3, `started: ${starts().join(", ")}`);
  assert.ok(starts().includes("git post-rewrite"));
});

test("alone, a session's checkout of files starts none, nor does a person's", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  repo.write("a.txt", "x\n");
  const { starts } = repo.countStarts();
  await ada.mustGit("checkout", "-q", "--", "a.txt");
  repo.write("a.txt", "x\n");
  await repo.mustGit("checkout", "-q", "HEAD", "--", "a.txt");
  assert.deepEqual(starts(), []);
  assert.equal(await repo.mustGit("status", "--porcelain"), "");
});

test("reading never starts a runtime", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const { starts } = repo.countStarts();
  for (const args of [
    ["status"],
    ["diff"],
    ["log"],
    ["show"],
    ["grep", "1"],
    ["fetch", "--all"],
    ["branch", "x"],
  ])
    await bob.mustGit(...args);
  assert.deepEqual(starts(), []);
});

test("SIGNALBOX=0 turns every hook off for one command", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const count = repo.events().length;
  const { starts } = repo.countStarts();
  const off = bob.at({ env: { ...repo.env, SIGNALBOX: "0" } });
  assert.equal((await off.ask("a.txt")).denied, undefined);
  assert.equal((await off.git("commit", "-qam", "m")).code, 0);
  assert.deepEqual(starts(), []);
  assert.equal(repo.events().length, count);
});

test("the environment that git gives a hook reaches the user's own hook unchanged", async (t) => {
  const repo = await makeScratch(t, { install: false });
  const file = join(repo.dir, "seen");
  const own = repo.path(".git/hooks/pre-commit");
  const script = `#!/bin/sh\nenv | grep -v '^\\(_\\|PWD\\|OLDPWD\\|SHLVL\\)=' | sort >'${file}'\ngit diff --cached --name-only >>'${file}'\n`;
  writeFileSync(own, script);
  chmodSync(own, 0o755);
  const nodeVariables = { NODE_OPTIONS: "--no-warnings", NODE_EXTRA_CA_CERTS: "/dev/null", GIT_PREFIX: "" };
  const commit = async () => {
    repo.write("a.txt", `${Math.random()}\n`);
    const session = repo.session("bob", nodeVariables);
    await session.mustGit("commit", "-qm", "m", "--", "a.txt");
    const seen = readFileSync(file, "utf8").replaceAll(/next-index-\d+/g, "next-index-N");
    return seen.replaceAll(/^(CLAUDE_PID|GIT_AUTHOR_DATE)=.*\n/gm, "");
  };
  const without = await commit();
  await repo.mustSignalbox("init");
  await repo.startSession("ada");
  const { starts } = repo.countStarts();
  const withIt = await commit();
  assert.deepEqual(starts(), ["git pre-commit", "git post-commit"], "ours ran as well");
  assert.match(without, /^GIT_INDEX_FILE=.*next-index/m);
  assert.match(without, /^a\.txt$/m);
  assert.equal(withIt.replace(/^SIGNALBOX_GIT_PID=.*\n/m, ""), without);
});

test("a commit with our hooks leaves git's stdout as it is, and no lock behind", async (t) => {
  const repo = await makeScratch(t);
  await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await bob.edit("b.txt");
  const { code, stdout } = await bob.git("commit", "-am", "m");
  assert.equal(code, 0);
  assert.match(stdout, /1 file changed/, "git's own words alone are on stdout");
  assert.equal(existsSync(repo.path(".git/index.lock")), false);
});
