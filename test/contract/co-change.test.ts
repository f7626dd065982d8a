/** What is found out about a repository's files from its history and index, with real git. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, readdirSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { refreshRelations, relationsIn } from "../../src/adapters/git/co-change.ts";
import { related } from "../../src/policy/mod.ts";
import { target } from "../support/domain/mod.ts";
import { makeScratch, run, type ScratchRepo } from "../support/repo/mod.ts";

const cacheOf = (repo: ScratchRepo) => join(repo.dir, "box", "cache", "co-change.json");

/** Finds it out anew, whatever is cached, as a session start would. */
function found(repo: ScratchRepo, options = {}, top = repo.top) {
  const box = join(repo.dir, "box");
  // A loaded machine is no reason to find less.
  refreshRelations(box, top, { deadlineMs: 60_000, ...options }, Date.now() + 25 * 3_600_000);
  return relationsIn(box);
}

async function commit(repo: ScratchRepo, ...files: string[]): Promise<void> {
  for (const file of files) repo.write(file, `${Math.random()}\n`);
  await repo.mustGit("add", "-A");
  await repo.mustGit("commit", "-qm", files.join(" "));
}

async function plain(t: TestContext, files: Record<string, string> = { "x.txt": "1\n" }) {
  return makeScratch(t, { install: false, files });
}

/** Many commits at once, each of these files. */
async function history(repo: ScratchRepo, commits: readonly (readonly string[])[]): Promise<void> {
  const lines = commits.map(
    (files, i) =>
      `commit refs/heads/main\ncommitter A <a@b> ${1_700_000_000 + i} +0000\ndata 1\nm${i === 0 ? "\nfrom refs/heads/main^0" : ""}\n${files.map((file) => `M 644 inline ${file}\ndata <<E\n${i}\nE\n`).join("")}`,
  );
  const done = await run("git", ["fast-import", "--quiet"], {
    cwd: repo.top,
    env: repo.env,
    input: lines.join(""),
  });
  assert.equal(done.code, 0, done.stderr);
  await repo.mustGit("reset", "-q", "--hard");
}

test("files mostly committed together are partners: three times, and a third of one's commits", async (t) => {
  const repo = await plain(t);
  await history(repo, [
    ...Array.from({ length: 3 }, () => ["src/a.ts", "test/a.test.ts"]),
    ...Array.from({ length: 2 }, () => ["src/a.ts", "twice.md"]),
    ...Array.from({ length: 7 }, () => ["CHANGELOG.md"]),
    ...Array.from({ length: 3 }, () => ["CHANGELOG.md", "src/b/c.ts"]),
  ]);
  const { partners } = found(repo)();
  assert.deepEqual(partners["src/a.ts"], ["test/a.test.ts"]);
  assert.equal(partners["twice.md"], undefined, "not often enough");
  assert.equal(partners["CHANGELOG.md"], undefined, "3 of 10");
  assert.deepEqual(partners["src/b/c.ts"], ["CHANGELOG.md"], "3 of 3, and that is enough for both");
  const relations = found(repo);
  assert.equal(related(target("CHANGELOG.md"), target("src/b/c.ts"), relations), true);
  assert.equal(related(target("src/a.ts"), target("src/b/x/d.ts"), relations), false);
});

test("commits of many files and merges say nothing; of partners, the five closest count", async (t) => {
  const repo = await plain(t);
  const many = Array.from({ length: 21 }, (_, i) => `wide/${i}`);
  await history(repo, [
    many,
    many,
    many,
    ...Array.from({ length: 4 }, () => ["hub", "p1", "p2", "p3", "p4", "p5"]),
    ...Array.from({ length: 3 }, () => ["hub", "p6"]),
  ]);
  const { partners } = found(repo)();
  assert.equal(partners["wide/0"], undefined);
  assert.deepEqual([...(partners["hub"] ?? [])].sort(), ["p1", "p2", "p3", "p4", "p5"]);
});

test("a renamed file keeps its partners under its new name, through several renames", async (t) => {
  const repo = await plain(t);
  await history(
    repo,
    Array.from({ length: 3 }, () => ["old/a.ts", "lib/x.ts"]),
  );
  for (const [from, to] of [
    ["old/a.ts", "mid.ts"],
    ["mid.ts", "new/a.ts"],
  ] as const) {
    mkdirSync(repo.path("new"), { recursive: true });
    await repo.mustGit("mv", from, to);
    await repo.mustGit("commit", "-qm", "rename");
  }
  const { partners } = found(repo)();
  assert.deepEqual(partners["new/a.ts"], ["lib/x.ts"]);
  assert.deepEqual([partners["old/a.ts"], partners["mid.ts"]], [undefined, undefined]);
});

test("packages are folders with a manifest below the top; names are keys as reservations have them", async (t) => {
  const repo = await plain(t, {
    "package.json": "{}\n",
    "packages/one/package.json": "{}\n",
    "Crates/Two/Cargo.toml": "\n",
    "docs/not-package.json": "{}\n",
  });
  assert.deepEqual([...found(repo)().packages].sort(), ["Crates/Two", "packages/one"]);
  assert.deepEqual([...found(repo, { ignoreCase: true })().packages].sort(), ["crates/two", "packages/one"]);
});

test("names with blanks, newlines, quotes, and those that objects have by themselves", async (t) => {
  const repo = await plain(t);
  const names = ["__proto__", "constructor", 'a "b"\n.txt', "M", "ü.txt"];
  for (let i = 0; i < 3; i += 1) await commit(repo, ...names);
  const relations = found(repo);
  for (const name of names) assert.equal(related(target("z/x"), target(name), relations), false);
  const { partners } = relations();
  for (const name of names)
    assert.equal(Object.hasOwn(partners, name) ? partners[name]?.length : 0, 4, JSON.stringify(name));
});

test("of a long history the last 500 commits count", async (t) => {
  const repo = await plain(t);
  const pair = ["src/a.ts", "test/a.ts"];
  const noise = (count: number) => Array.from({ length: count }, (_, i) => [`noise/${i}`]);
  await history(repo, [...noise(5000), pair, pair, pair, ...noise(497)]);
  assert.deepEqual(found(repo)().partners["src/a.ts"], ["test/a.ts"]);
  await commit(repo, "one-more");
  assert.equal(found(repo)().partners["src/a.ts"], undefined);
});

test("a git that does not come to an end is left, and what it has said by then counts", async (t) => {
  const repo = await plain(t);
  await history(
    repo,
    Array.from({ length: 4 }, () => ["src/a.ts", "test/a.ts"]),
  );
  const slow = join(repo.dir, "slow-git");
  writeFileSync(slow, `#!/bin/sh\ngit "$@"\nexec sleep 600\n`);
  chmodSync(slow, 0o755);
  process.env["SIGNALBOX_GIT"] = slow;
  t.after(() => delete process.env["SIGNALBOX_GIT"]);
  // Four times together; the oldest may have been cut off.
  assert.deepEqual(found(repo, { deadlineMs: 5000 })().partners["src/a.ts"], ["test/a.ts"]);
});

test("no history yet, or no repository: nothing is found, nothing written", async (t) => {
  const repo = await makeScratch(t, { install: false, commit: false, files: {} });
  assert.equal(found(repo)().packages.size, 0);
  assert.equal(existsSync(cacheOf(repo)), false);
  found(repo, {}, repo.dir);
  assert.equal(existsSync(cacheOf(repo)), false);
});

test("a cache that is garbage is as none, and is replaced", async (t) => {
  const repo = await plain(t, { "p/package.json": "{}\n" });
  mkdirSync(join(repo.dir, "box", "cache"), { recursive: true });
  for (const garbage of [
    "",
    "null",
    "{",
    "[]",
    '{"version":2}',
    '{"version":1}',
    '{"version":1,"packages":[],"files":{},"partners":[[0,[1]]]}',
    '{"version":1,"packages":[],"files":["a"],"partners":[[7,[8]],[0,[9]]]}',
    "x".repeat(2_000_000),
  ]) {
    writeFileSync(cacheOf(repo), garbage);
    const relations = relationsIn(join(repo.dir, "box"));
    assert.equal(related(target("src/a"), target("lib/b"), relations), false, garbage.slice(0, 50));
  }
  assert.deepEqual([...found(repo)().packages], ["p"]);
});

test("is found out once a day, and replaced as a whole", async (t) => {
  const repo = await plain(t, { "p/package.json": "{}\n" });
  const box = join(repo.dir, "box");
  refreshRelations(box, repo.top, {});
  const { mtimeMs, ino } = statSync(cacheOf(repo));
  refreshRelations(box, repo.top, {}, mtimeMs + 23 * 3_600_000);
  assert.equal(statSync(cacheOf(repo)).ino, ino);
  utimesSync(cacheOf(repo), new Date(), new Date(mtimeMs - 25 * 3_600_000));
  refreshRelations(box, repo.top, {});
  assert.notEqual(statSync(cacheOf(repo)).ino, ino);
  assert.deepEqual(readdirSync(join(box, "cache")), ["co-change.json"], "no temporary file is left");
});
