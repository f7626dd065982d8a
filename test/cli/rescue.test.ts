/** rescue, as people and sessions type it. */
import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { test } from "node:test";
import { saveRescue } from "../../src/adapters/git/rescue.ts";
import { makeScratch } from "../support/repo/mod.ts";

test("list, show, restore and drop", async (t) => {
  const repo = await makeScratch(t);
  assert.match(await repo.mustSignalbox("rescue"), /nothing was ever saved/);
  repo.write("a.txt", "mine\n");
  repo.write("new/u.txt", "untracked\n");
  const files = ["a.txt", "new/u.txt"];
  const { ref } = saveRescue({ cwd: repo.top }, { session: "ada", reason: "before: git stash", files })!;
  await repo.mustGit("reset", "-q", "--hard");
  rmSync(repo.path("new"), { recursive: true });

  assert.match(
    await repo.mustSignalbox("rescue", "list"),
    /^ada\/1 .*before: git stash: a\.txt, new\/u\.txt\n$/,
  );
  const { rescues } = JSON.parse(await repo.mustSignalbox("rescue", "--json")) as {
    rescues: { ref: string; session: string; paths: string[] }[];
  };
  assert.deepEqual(
    rescues.map((one) => [one.ref, one.session, one.paths]),
    [[ref, "ada", files]],
  );
  assert.match(
    await repo.mustSignalbox("rescue", "show", "ada"),
    /changed +a\.txt\nnew +new\/u\.txt\n[^]*\+mine/,
  );
  assert.ok(!existsSync(repo.path("new")), "a look changes nothing");

  repo.write("new/u.txt", "another's\n");
  const kept = await repo.signalbox("rescue", "restore", "ada/1");
  assert.equal(kept.code, 1);
  assert.match(kept.stdout, /^restored a\.txt\nkept +new\/u\.txt: it has other content now\n$/);
  assert.match(kept.stderr, /--force/);
  assert.equal(repo.read("a.txt") + repo.read("new/u.txt"), "mine\nanother's\n");
  const forced = await repo.signalbox("rescue", "restore", "ada/1", "--force");
  assert.equal(forced.code, 0, forced.stderr);
  assert.match(forced.stderr, /what was there before is in refs\/signalbox\/rescue\/ada\/2/);
  assert.equal(repo.read("new/u.txt"), "untracked\n");

  assert.equal((await repo.signalbox("rescue", "drop", "ada")).code, 2, "it may be either");
  const dropped = await repo.signalbox("rescue", "drop", "ada/1");
  assert.equal(dropped.code, 0);
  assert.doesNotMatch(await repo.mustSignalbox("rescue"), /^ada\/1 /m);
  const undo = /git (update-ref \S+ \S+)/.exec(dropped.stderr)?.[1];
  await repo.mustGit(...undo!.split(" "));
  assert.match(await repo.mustSignalbox("rescue"), /^ada\/1 /m);
});

test("names that there are not, and no name", async (t) => {
  const repo = await makeScratch(t);
  assert.equal((await repo.signalbox("rescue", "restore", "nobody")).code, 1);
  assert.equal((await repo.signalbox("rescue", "restore")).code, 2);
  assert.equal((await repo.signalbox("rescue", "burn")).code, 2);
});

test("from below the top; what was staged goes into the index of whoever restores it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  repo.write("dir/s.txt", "staged\n");
  await repo.mustGit("add", "dir/s.txt");
  const index = { cwd: repo.top, gitDir: repo.path(".git"), workTree: repo.top };
  saveRescue(index, { session: "bob", reason: "r", index });
  await repo.mustGit("rm", "-qf", "dir/s.txt");
  repo.write("dir/x", "");
  const args = ["rescue", "restore", "bob/1", "--index"] as const;
  const done = await repo.signalboxAs({ env: ada.env, cwd: repo.path("dir") }, ...args);
  assert.equal(done.code, 0, done.stderr);
  assert.equal(repo.read("dir/s.txt"), "staged\n");
  assert.equal(await ada.mustGit("diff", "--cached", "--name-only"), "dir/s.txt\n");
  const staged = (await repo.git("diff", "--cached", "--name-only")).stdout;
  assert.equal(staged, "", "a person's index is a person's");
});
