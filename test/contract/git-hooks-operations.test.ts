/** The commit gate where pre-commit does not run, or where git itself has changed the files already. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

async function two(t: TestContext): Promise<{ repo: ScratchRepo; ada: FakeSession; bob: FakeSession }> {
  const repo = await makeScratch(t);
  return { repo, ada: await repo.startSession("ada"), bob: await repo.startSession("bob") };
}

/** A branch `other` with one commit that changes these files; `main` is checked out, a commit further on. */
async function diverge(
  repo: ScratchRepo,
  changes: Record<string, string>,
  meanwhile: Record<string, string>,
) {
  await repo.mustGit("switch", "-q", "-c", "other");
  for (const [name, text] of Object.entries(changes)) repo.write(name, text);
  await repo.mustGit("commit", "-qam", "on other");
  await repo.mustGit("switch", "-q", "main");
  for (const [name, text] of Object.entries(meanwhile)) repo.write(name, text);
  await repo.mustGit("commit", "-qam", "on main");
}

test("commit -n of another's file is refused for a session, and on record as a bypass", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  const before = await repo.head();
  for (const args of [["--no-verify", "-a"], ["-n", "a.txt"], ["-n"]]) {
    if (args.length === 1) await bob.mustPlainGit("add", "a.txt");
    const { code, stderr } = await bob.plainGit("commit", "-m", "m", ...args);
    assert.equal(code, 1, args.join(" "));
    assert.match(stderr, /a\.txt: reserved by session ada/);
  }
  assert.equal(await repo.head(), before);
  const bypasses = repo.eventsOf("guard.bypassed");
  assert.equal(bypasses.length, 3);
  assert.deepEqual(
    new Set(bypasses.map((e) => `${e.session} ${e.how}`)),
    new Set(["bob commit --no-verify"]),
  );
  assert.match((await repo.signalbox("status")).stdout, /bypassed: .*\(bob\)/, "in the next status (S75)");
});

test("commit -n of its own files goes through, and is on record", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await bob.edit("b.txt");
  const { code, stderr } = await bob.git("commit", "-qnm", "m", "b.txt");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.deepEqual(await repo.pathsOf(), ["b.txt"]);
  assert.equal(repo.eventsOf("guard.bypassed").length, 1);
});

test("a checked commit is not checked twice, and is no bypass", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await bob.edit("b.txt");
  const { starts } = repo.countStarts();
  await bob.mustGit("commit", "-qm", "m", "b.txt");
  assert.deepEqual(starts(), ["git pre-commit", "git post-commit"]);
  assert.equal(repo.eventsOf("guard.bypassed").length, 0);
});

test("a person's -n is neither refused nor silent", async (t) => {
  const { repo, ada } = await two(t);
  await ada.edit("a.txt");
  const { code, stderr } = await repo.git("commit", "-qanm", "m");
  assert.equal(code, 0);
  assert.match(stderr, /^signalbox: committed, though .* a\.txt \(session ada\)\n$/);
});

test("a merge, a cherry-pick and a revert that change another's file are never vetoed, and are said", async (t) => {
  const verbs = { merge: ["other", "--no-edit"], "cherry-pick": ["other"], revert: ["--no-edit", "other"] };
  for (const [verb, args] of Object.entries(verbs)) {
    const { repo, ada, bob } = await two(t);
    await diverge(repo, { "a.txt": "theirs\n" }, { "c.txt": "ours\n" });
    if (verb === "revert") await repo.mustGit("merge", "-q", "--no-edit", "other");
    await ada.ask("a.txt");
    const before = await repo.head();
    const { code, stderr } = await bob.git(verb, ...args);
    assert.equal(code, 0, `${verb}: ${stderr}`);
    assert.match(stderr, /a live session has reserved: a\.txt \(session ada\)/, verb);
    assert.notEqual(await repo.head(), before);
    assert.equal(repo.eventsOf("commit.refused").length, 0, verb);
    assert.equal(repo.eventsOf("commit.warned").length, 1, verb);
    assert.equal(repo.eventsOf("guard.bypassed").length, 0, verb);
  }
});

test("a conflict's conclusion is not vetoed for what git brought, but for what was swept in beside it", async (t) => {
  const verbs = {
    merge: [
      ["merge", "--no-edit", "other"],
      ["commit", "--no-edit"],
    ],
    "cherry-pick": [
      ["cherry-pick", "other"],
      ["-c", "core.editor=true", "cherry-pick", "--continue"],
    ],
    revert: [
      ["revert", "--no-edit", "other"],
      ["-c", "core.editor=true", "revert", "--continue"],
    ],
  } as const;
  for (const [verb, [begin, conclude]] of Object.entries(verbs)) {
    const { repo, ada, bob } = await two(t);
    // b.txt conflicts, a.txt does not.
    await diverge(repo, { "a.txt": "theirs\n", "b.txt": "theirs\n" }, { "b.txt": "ours\n" });
    if (verb === "revert") {
      await repo.mustGit("merge", "-q", "-X", "theirs", "--no-edit", "other");
      repo.write("b.txt", "later\n");
      await repo.mustGit("commit", "-qam", "later");
    }
    await ada.ask("a.txt");
    await ada.edit("c.txt");
    assert.notEqual((await bob.plainGit(...begin)).code, 0, `${verb} conflicts`);
    repo.write("b.txt", "resolved\n");
    await bob.mustPlainGit("add", "b.txt", "c.txt");
    const swept = await bob.plainGit(...conclude);
    assert.notEqual(swept.code, 0, `${verb}: c.txt is ada's and not of the ${verb}`);
    assert.match(swept.stderr, /c\.txt: reserved by session ada/);
    assert.doesNotMatch(swept.stderr, /a\.txt: reserved/);
    await bob.mustPlainGit("restore", "--staged", "c.txt");
    const { code, stderr } = await bob.plainGit(...conclude);
    assert.equal(code, 0, `${verb}: ${stderr}`);
    assert.match(stderr, /reserved: a\.txt \(session ada\)/);
    assert.deepEqual((await repo.pathsOf()).includes("c.txt"), false);
  }
});

test("a stale mark of an aborted commit does not let a later -n through", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await bob.edit("b.txt");
  // Pre-commit passes, then the message is empty: post-commit never comes.
  assert.equal((await bob.plainGit("commit", "-qm", "", "b.txt")).code, 1);
  assert.equal((await bob.plainGit("commit", "-qnam", "m")).code, 1);
  assert.equal(repo.eventsOf("commit.refused").length, 1);
});

test("what a session left that is gone is committed by whoever was there, and said; to one that comes later it is its user's", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await bob.edit("b.txt");
  await ada.kill();
  const { code, stderr } = await bob.git("commit", "-qam", "all");
  assert.deepEqual(
    [code, stderr],
    [0, "signalbox: committed with what session ada had changed and left uncommitted: a.txt\n"],
  );
  await bob.edit("c.txt");
  await bob.end();
  const cyd = await repo.startSession("cyd");
  const later = await cyd.git("commit", "-qam", "later");
  assert.deepEqual([later.code, later.stderr], [0, ""]);
});
