/** What git hooks record: commits, rewrites, HEAD's movements, pushes; and what a commit releases. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch } from "../support/repo/mod.ts";

test("a commit is recorded with paths, branch, parents and who made it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const base = await repo.head();
  await ada.edit("a.txt");
  await ada.mustGit("mv", "b.txt", "new.txt");
  await ada.mustGit("commit", "-qam", "of ada\n\nbody");
  const first = await repo.head();
  await repo.mustGit("switch", "-q", "--detach");
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "of nobody, on no branch");
  const [adas, persons] = repo.eventsOf("commit.recorded");
  assert.deepEqual(
    { ...adas, v: 0, type: "" },
    {
      ...{ v: 0, type: "", commit: first, parents: [base], tree: "", branch: "refs/heads/main" },
      ...{ session: "ada", paths: ["a.txt", "b.txt", "new.txt"], total: 3, subject: "of ada" },
    },
  );
  assert.equal(persons?.session, undefined);
  assert.equal(persons?.branch, undefined);
  assert.deepEqual(persons?.parents, [first]);
  assert.deepEqual(persons?.paths, []);
});

test("a commit of 500 files is recorded with its first 200 and their number", async (t) => {
  const repo = await makeScratch(t);
  await repo.startSession("ada");
  for (let i = 0; i < 500; i++) repo.write(`many/${i}.txt`, "x");
  await repo.mustGit("add", ".");
  await repo.mustGit("commit", "-qm", "many");
  const [event] = repo.eventsOf("commit.recorded");
  assert.deepEqual([event?.paths.length, event?.total], [200, 500]);
});

test("a commit releases what it holds whole and clean, and nothing else", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  for (const file of ["a.txt", "b.txt", "c.txt", "new.txt"]) await ada.edit(file);
  await bob.edit("d.txt");
  await ada.mustGit("add", "a.txt", "b.txt", "new.txt");
  repo.write("b.txt", "changed again after it was staged\n");
  await ada.mustGit("commit", "-qm", "a and the first half of b");
  const [released, ...more] = repo.eventsOf("reservation.released");
  assert.deepEqual(more, []);
  assert.equal(released?.session, "ada");
  assert.deepEqual(
    released?.targets.map((target) => (target.kind === "path" ? target.path : target.kind)).sort(),
    ["a.txt", "new.txt"],
  );
  assert.notEqual((await bob.ask("b.txt")).denied, undefined, "partly committed");
  assert.notEqual((await bob.ask("c.txt")).denied, undefined, "not committed");
  assert.equal((await bob.ask("a.txt")).denied, undefined, "committed whole");
});

test("directories and globs stay reserved, whatever of them is committed", async (t) => {
  const repo = await makeScratch(t, { files: { "src/a.txt": "1\n", "a.md": "1\n" } });
  const ada = await repo.startSession("ada");
  const { code } = await repo.signalboxAs({ env: ada.env }, "reserve", "src/", "*.md");
  assert.equal(code, 0);
  await ada.edit("src/a.txt");
  await ada.edit("a.md");
  await ada.mustGit("commit", "-qam", "m");
  const bob = await repo.startSession("bob");
  assert.match((await bob.ask("src/other.txt")).denied ?? "", /as src\//);
  assert.match((await bob.ask("b.md")).denied ?? "", /as \*\.md/);
});

test("amend is recorded as commit and as rewrite", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const before = await repo.head();
  await ada.edit("a.txt");
  await ada.mustGit("commit", "-qa", "--amend", "-m", "better");
  const after = await repo.head();
  const [rewritten] = repo.eventsOf("commit.rewritten");
  assert.deepEqual(
    [rewritten?.how, rewritten?.session, rewritten?.pairs],
    ["amend", "ada", [{ from: before, to: after }]],
  );
  assert.equal(repo.eventsOf("commit.recorded").at(-1)?.commit, after);
});

test("checkout, merge and rebase are recorded as movements of HEAD, with who and how", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.mustGit("switch", "-q", "-c", "topic");
  await ada.edit("a.txt");
  await ada.mustGit("commit", "-qam", "topic");
  const topic = await repo.head();
  await repo.mustGit("checkout", "-q", "main");
  await ada.mustGit("merge", "-q", "--ff-only", "topic");
  const moves = repo.eventsOf("head.moved").slice(1);
  assert.deepEqual(
    moves.map(({ how, session, branch, to }) => [how, session ?? "person", branch, to === topic]),
    [
      ["checkout", "ada", "refs/heads/topic", false],
      ["checkout", "person", "refs/heads/main", false],
      ["merge", "ada", "refs/heads/main", true],
    ],
  );
  const count = repo.events().length;
  repo.write("a.txt", "thrown away\n");
  await ada.mustGit("checkout", "--", "a.txt");
  assert.equal(repo.events().length, count, "HEAD stayed");
});

test("a rebase is recorded at its end: its pairs, where HEAD is, who", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.mustGit("switch", "-q", "-c", "topic");
  for (let i = 0; i < 5; i++) {
    repo.write(`t${i}.txt`, "x");
    await repo.mustGit("add", ".");
    await repo.mustGit("commit", "-qm", `t${i}`);
  }
  await repo.mustGit("switch", "-q", "main");
  repo.write("m.txt", "x");
  await repo.mustGit("add", ".");
  await repo.mustGit("commit", "-qm", "m");
  await repo.mustGit("switch", "-q", "topic");
  const commits = repo.eventsOf("commit.recorded").length;
  await ada.mustGit("rebase", "-q", "main");
  const [rewritten] = repo.eventsOf("commit.rewritten");
  assert.deepEqual([rewritten?.how, rewritten?.session, rewritten?.pairs.length], ["rebase", "ada", 5]);
  const last = repo.eventsOf("head.moved").at(-1);
  assert.deepEqual([last?.how, last?.branch, last?.to], ["rewrite", "refs/heads/topic", await repo.head()]);
  assert.equal(repo.eventsOf("commit.recorded").length, commits, "its commits are not new ones");
});

test("a push is recorded with its refs, and a URL's password is not", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const remote = join(repo.dir, "remote.git");
  await repo.mustGit("init", "-q", "--bare", remote);
  await repo.mustGit("remote", "add", "origin", remote);
  await ada.mustGit("push", "-q", "origin", "main", "main:second");
  await ada.mustGit("push", "-q", `file://user:secret@${remote}`, "main:third");
  const [named, byUrl] = repo.eventsOf("push.recorded");
  const head = await repo.head();
  assert.deepEqual(
    [named?.remote, named?.session, named?.refs.map((ref) => [ref.local, ref.to, ref.remote])],
    [
      "origin",
      "ada",
      [
        ["refs/heads/main", head, "refs/heads/main"],
        ["refs/heads/main", head, "refs/heads/second"],
      ],
    ],
  );
  assert.equal(byUrl?.remote, "(url)");
  assert.doesNotMatch(JSON.stringify(repo.events()), /secret/);
});

test("movements in a linked working tree are that tree's", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const linked = await repo.worktree("linked");
  const there = ada.at({ cwd: linked });
  await there.edit("a.txt");
  await there.mustGit("commit", "-qam", "m");
  const [recorded] = repo.eventsOf("commit.recorded");
  assert.deepEqual([recorded?.tree, recorded?.branch], ["linked", "refs/heads/linked"]);
  assert.equal(repo.eventsOf("reservation.released")[0]?.tree, "linked");
});
