/** reserve and release, by words as people and agents type them. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { type Done, type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

const FILES = { "src/a.ts": "1\n", "src/deep/b.ts": "1\n", "docs/a.md": "1\n", "a.txt": "1\n" };

async function two(t: TestContext) {
  const repo = await makeScratch(t, { files: FILES });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const as = (who: FakeSession, ...args: string[]) => repo.signalboxAs({ env: who.env }, ...args);
  return { repo, ada, bob, as };
}

const holds = async (repo: ScratchRepo, id: string): Promise<string[]> => {
  const { sessions } = JSON.parse((await repo.signalbox("status", "--json")).stdout) as {
    sessions: { id: string; holds: { target: string; mode: string }[] }[];
  };
  const own = sessions.find((s) => s.id === id)?.holds ?? [];
  return own.map((h) => `${h.target}${h.mode === "shared" ? " shared" : ""}`).sort();
};

const refused = ({ code, stdout, stderr }: Done, by: string): void => {
  assert.deepEqual([code, stdout], [3, ""]);
  assert.match(stderr, new RegExp(`is reserved by session ${by}.* since .* until `));
};

test("files, directories and globs; what they cover is refused to others, at the gate as well", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  const { code, stdout } = await as(ada, "reserve", "a.txt", "src/deep/", "docs/*.md", "new/file.txt");
  assert.equal(code, 0);
  assert.match(stdout, /^reserved until \d\d:\d\d: a\.txt, src\/deep\/, docs\/\*\.md, new\/file\.txt\n$/);
  for (const word of ["a.txt", "src/deep/b.ts", "src/deep/new.ts", "docs/new.md", "src/", "**/*.md", "new/"])
    refused(await as(bob, "reserve", word), "ada");
  assert.match((await bob.ask("docs/a.md")).denied ?? "", /\(as docs\/\*\.md\)/);
  assert.equal((await as(bob, "reserve", "src/a.ts", "docs/sub/x.md")).code, 0, "not covered");
  assert.deepEqual(await holds(repo, "ada"), ["a.txt", "docs/*.md", "new/file.txt", "src/deep/"]);
});

test("a batch is granted whole or not at all", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await as(ada, "reserve", "a.txt");
  refused(await as(bob, "reserve", "src/a.ts", "a.txt", "docs/"), "ada");
  assert.deepEqual(await holds(repo, "bob"), []);
  assert.equal(repo.eventsOf("reservation.refused").length, 1);
});

test("words mean what they mean where they are typed", async (t) => {
  const { repo, ada } = await two(t);
  const within = (cwd: string, ...args: string[]) =>
    repo.signalboxAs({ env: ada.env, cwd: repo.path(cwd) }, ...args);
  assert.equal((await within("src", "reserve", "a.ts", "deep", "*.md", "../docs/a.md")).code, 0);
  assert.deepEqual(await holds(repo, "ada"), ["docs/a.md", "src/*.md", "src/a.ts", "src/deep/"]);
  assert.equal((await within("src", "release", "a.ts", "deep/")).code, 0);
  assert.deepEqual(await holds(repo, "ada"), ["docs/a.md", "src/*.md"]);
  for (const outside of ["../..", "/etc/passwd", "../.git/config"])
    assert.equal((await within("src", "reserve", outside)).code, 2, outside);
});

test("names that look like globs: taken as what is there, or with --literal", async (t) => {
  const repo = await makeScratch(t, { files: { "[id].ts": "1\n", "i.ts": "1\n" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await repo.signalboxAs({ env: ada.env }, "reserve", "[id].ts");
  await repo.signalboxAs({ env: ada.env }, "reserve", "--literal", "new-[x].ts");
  assert.notEqual((await bob.ask("[id].ts")).denied, undefined);
  assert.notEqual((await bob.ask("new-[x].ts")).denied, undefined);
  assert.equal((await bob.ask("i.ts")).denied, undefined);
  assert.equal((await bob.ask("new-x.ts")).denied, undefined);
});

test("shared: several may share, nobody may have it alone, and a commit is not in the way", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  assert.equal((await as(ada, "reserve", "--shared", "docs/")).code, 0);
  assert.equal((await as(bob, "reserve", "--shared", "docs/a.md")).code, 0);
  assert.deepEqual(await holds(repo, "bob"), ["docs/a.md shared"]);
  refused(await as(bob, "reserve", "docs/a.md"), "ada");
  assert.notEqual((await bob.ask("docs/a.md")).denied, undefined, "an edit wants it alone");
});

test("release: what is named, all, nothing; another's is put on record", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await as(ada, "reserve", "a.txt", "docs/", "src/a.ts");
  assert.equal((await as(ada, "release", "b.txt")).stdout, "nothing to release\n");
  assert.equal((await as(bob, "release", "--all")).stdout, "nothing to release\n", "only one's own");
  assert.equal((await as(ada, "release", "a.txt")).stdout, "released: a.txt\n");
  const { kind, version, session, released } = JSON.parse(
    (await as(ada, "release", "docs/", "--json")).stdout,
  ) as Record<string, unknown>;
  assert.deepEqual([kind, version, session], ["signalbox.release", 1, "ada"]);
  assert.deepEqual(released, [{ kind: "dir", path: "docs" }]);
  assert.equal(repo.eventsOf("guard.bypassed").length, 0);
  assert.equal((await repo.signalbox("release", "--session", "ad", "--all")).stdout, "released: src/a.ts\n");
  assert.deepEqual(
    repo.eventsOf("guard.bypassed").map((e) => [e.session, e.how]),
    [["ada", "release by a person"]],
  );
  for (const args of [
    [],
    ["a.txt", "--all"],
    ["a.txt", "--session", "nobody"],
    ["--session", "", "--all"],
    ["a.txt"],
  ])
    assert.equal((await repo.signalbox("release", ...args)).code, 2, args.join(" "));
});

test("a person cannot reserve, and is told how a session is made", async (t) => {
  const { repo } = await two(t);
  const { code, stderr } = await repo.signalbox("reserve", "a.txt");
  assert.equal(code, 2);
  assert.match(stderr, /only a session can hold files.*signalbox run -- COMMAND/);
  assert.equal((await repo.signalbox("reserve")).code, 2);
});

test("in a linked working tree, a reservation is that tree's", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  const linked = await repo.worktree("linked");
  await as(ada, "reserve", "a.txt");
  mkdirSync(`${linked}/src`, { recursive: true });
  const there = await repo.signalboxAs({ env: bob.env, cwd: linked }, "reserve", "a.txt");
  assert.equal(there.code, 0);
  refused(await repo.signalboxAs({ env: ada.env, cwd: linked }, "reserve", "a.txt"), "bob");
});

test("reserve --json says what was asked, and the answer", async (t) => {
  const { ada, bob, as } = await two(t);
  const yes = JSON.parse((await as(ada, "reserve", "a.txt", "--json")).stdout) as Record<string, unknown>;
  assert.deepEqual(
    [yes["kind"], yes["version"], yes["granted"], typeof yes["until"]],
    ["signalbox.reserve", 1, true, "number"],
  );
  const { code, stdout, stderr } = await as(bob, "reserve", "a.txt", "--json");
  const no = JSON.parse(stdout) as { granted: boolean; blockers: { session: string }[] };
  assert.deepEqual([code, stderr, no.granted, no.blockers[0]?.session], [3, "", false, "ada"]);
});
