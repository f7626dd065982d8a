/** What others do and concerns a session reaches it at its next tool call, once, and only that. */
import assert from "node:assert/strict";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch } from "../support/repo/mod.ts";

const FILES = { "a.txt": "1\n", "b.txt": "1\n", "src/c.txt": "1\n" };
const three = async (t: Parameters<typeof makeScratch>[0], env: Record<string, string> = {}) => {
  const repo = await makeScratch(t, { files: FILES, env });
  const [ada, bob, eve] = [
    await repo.startSession("ada"),
    await repo.startSession("bob"),
    await repo.startSession("eve"),
  ];
  return { repo, ada: ada, bob: bob, eve: eve };
};

test("who has read a file hears that it was committed, at the next tool call, whichever; who has not does not", async (t) => {
  for (const tool of ["read", "ask", "bash"] as const) {
    const { ada, bob, eve } = await three(t);
    assert.equal((await bob.read("a.txt")).stdout, "");
    await eve.read("b.txt");
    await ada.edit("a.txt");
    await ada.mustGit("commit", "-qm", "mine", "--", "a.txt");
    const next = {
      read: () => bob.read("b.txt"),
      ask: () => bob.ask("src/c.txt"),
      bash: () => bob.bash("true", "post-bash"),
    };
    assert.match(
      (await next[tool]()).told,
      /^signalbox:\n- \d\d:\d\d session ada committed a\.txt \([0-9a-f]{8}\); what you have read of it may be old$/,
      tool,
    );
    assert.equal((await next[tool]()).told, "", "once");
    assert.equal((await eve.read("a.txt")).told, "");
    assert.equal((await ada.read("a.txt")).told, "", "not who made it");
  }
});

test("by another name of it, in a folder, and after many reads", async (t) => {
  const { repo, ada, bob } = await three(t);
  await bob.at({ cwd: repo.path("src") }).read("c.txt");
  for (let i = 0; i < 30; i += 1) await bob.read(`other${i}.txt`);
  await ada.edit("src/c.txt");
  await ada.mustGit("commit", "-qam", "mine");
  assert.match((await bob.read("x")).told, /committed src\/c\.txt/);
});

test("a person's commit of what a session has read or changed is told too", async (t) => {
  const { repo, bob } = await three(t);
  await bob.read("a.txt");
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "nothing of it");
  assert.equal((await bob.read("b.txt")).told, "");
  repo.write("a.txt", "a person's\n");
  await repo.mustGit("commit", "-qam", "theirs");
  assert.match((await bob.read("b.txt")).told, /a person committed a\.txt/);
});

test("many at once are a few lines, the newest, and how many came before", async (t) => {
  const { ada, bob } = await three(t);
  for (let i = 0; i < 8; i += 1) await bob.read(`n${i}.txt`);
  for (let i = 0; i < 8; i += 1) {
    await ada.edit(`n${i}.txt`);
    await ada.mustGit("add", `n${i}.txt`);
    await ada.mustGit("commit", "-qm", `n${i}`);
  }
  const lines = (await bob.read("b.txt")).told.split("\n");
  assert.equal(lines.length, 7);
  assert.match(lines[1] ?? "", /^- 3 earlier/);
  assert.match(lines.at(-1) ?? "", /n7\.txt/);
});

test("a subagent's tool call does not take its session's news", async (t) => {
  const { ada, bob } = await three(t);
  await bob.read("a.txt");
  await ada.edit("a.txt");
  await ada.mustGit("commit", "-qm", "mine", "--", "a.txt");
  assert.equal((await bob.agent("ae1").read("b.txt")).told, "");
  assert.match((await bob.read("b.txt")).told, /committed a\.txt/);
});

test("a commit that resolved a conflict is told later (SYS-4)", async (t) => {
  const { repo, ada, bob } = await three(t, { SIGNALBOX_ANNOUNCE_RESOLVED_SECONDS: "3" });
  await repo.mustGit("branch", "side");
  await repo.mustGit("worktree", "add", "-q", repo.path("../side"), "side");
  await repo.mustGit("-C", repo.path("../side"), "commit", "-q", "--allow-empty", "-m", "empty");
  repo.write("../side/a.txt", "theirs\n");
  await repo.mustGit("-C", repo.path("../side"), "commit", "-qam", "side");
  await ada.edit("a.txt");
  await ada.mustGit("commit", "-qm", "mine", "--", "a.txt");
  await bob.read("a.txt");
  await ada.git("merge", "-q", "side");
  repo.write("a.txt", "both\n");
  await ada.mustGit("add", "a.txt");
  await ada.mustGit("commit", "-qm", "resolved");
  const at = Date.now();
  assert.equal(repo.eventsOf("commit.recorded").at(-1)?.resolved, true);
  assert.equal((await bob.read("b.txt")).told, "");
  while (Date.now() < at + 3500) await new Promise((done) => setTimeout(done, 100));
  assert.match((await bob.read("b.txt")).told, /session ada committed a\.txt/);
});

test("what is told grows with what concerns, not with sessions times files", async (t) => {
  const repo = await makeScratch(t, { files: FILES });
  const sessions = await Promise.all(Array.from({ length: 6 }, (_, i) => repo.startSession(`s${i}`)));
  for (const [i, session] of sessions.entries())
    for (let j = 0; j < 4; j += 1) await session.edit(`own${i}-${j}.txt`);
  await sessions[1]!.read("own0-0.txt");
  await sessions[0]!.mustGit("add", "own0-0.txt", "own0-1.txt");
  await sessions[0]!.mustGit("commit", "-qm", "two");
  assert.deepEqual(
    repo.eventsOf("commit.announced").map(({ to }) => to),
    [["s1"]],
    "1 message; 6 sessions hold 22 reservations",
  );
});

test("whatever stands in the way of the hints: edits are gated, commits recorded, and prompts tell", async (t) => {
  const { repo, ada, bob } = await three(t);
  for (const name of ["views/news", "views/waits", "spool/read", "spool/wake"]) {
    rmSync(join(repo.boxDir, name), { recursive: true, force: true });
    repo.write(`.git/signalbox/${name}`, "garbage");
  }
  rmSync(join(repo.boxDir, "views/together"), { recursive: true, force: true });
  mkdirSync(join(repo.boxDir, "views/together"));
  await ada.edit("a.txt");
  const refused = await bob.ask("a.txt");
  assert.match(refused.denied ?? "", /reserved by session ada/);
  assert.equal(refused.shown, "");
  await bob.read("a.txt");
  await ada.mustGit("commit", "-qm", "mine", "--", "a.txt");
  assert.match((await ada.prompt()).told, /session bob wanted a\.txt/);
  assert.deepEqual(repo.eventsOf("guard.failed"), []);
  assert.equal(repo.eventsOf("commit.recorded").length, 1);
});
