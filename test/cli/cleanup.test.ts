/** The cleanup loops: for every row of the table, what is dead goes and what is used stays; work is saved first. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import { CLEANUP, type Found, type Ground, sweepAll } from "../../src/app/sweep.ts";
import { DAY, groundOf, leavings, MAKERS } from "../support/leavings.ts";
import { makeScratch } from "../support/repo/mod.ts";

/** Done by a fold, or by the archiving that follows; nothing is ever dead there. */
const BY_OTHERS = [
  "rebase queue entries",
  "notices",
  "segments",
  "snapshots",
  "archives",
  "the mark of what is not on record",
];
/** The first is put on record when history is archived; the second's new age is by the log's own clock. */
const NOT_AT_ONCE: ReadonlySet<string> = new Set(["reservations", "old indexes"]);

test("every row of the table has a maker here", () => {
  assert.deepEqual(CLEANUP.map(({ what }) => what).sort(), [...Object.keys(MAKERS), ...BY_OTHERS].sort());
});

test("a day later: what is dead goes, the rest stays, and the work is there", async (t) => {
  const repo = await leavings(t);
  const ground = groundOf(repo, DAY + 3_600_000);
  const before = new Map(CLEANUP.map((loop): [string, Found] => [loop.what, loop.look(ground)]));
  for (const what of Object.keys(MAKERS))
    assert.ok((before.get(what)?.dead.length ?? 0) > 0, `of ${what} something is dead`);
  assert.deepEqual(
    sweepAll(ground, { dryRun: true }).map(({ gone }) => gone),
    CLEANUP.map(() => 0),
  );
  const swept = sweepAll(ground);
  assert.deepEqual(
    swept.flatMap(({ what, failed }) => (failed === undefined ? [] : [`${what}: ${failed}`])),
    [],
  );
  for (const loop of CLEANUP) {
    if (NOT_AT_ONCE.has(loop.what)) continue;
    assert.deepEqual(loop.look(ground).dead, [], `nothing of ${loop.what} is dead any more`);
  }
  // What is used, or somebody's work.
  const there = (path: string) => existsSync(join(repo.top, ".git", path));
  assert.ok(there("signalbox/views/live/ada") && there("signalbox/spool/read/ada"));
  assert.ok(there("signalbox/spool/bash/ada.toolu_1") && there("signalbox/views/survey/main"));
  assert.ok(there("signalbox/errors.log.old"));
  const refs = await repo.mustGit("for-each-ref", "--format=%(refname)", "refs/signalbox");
  assert.equal(refs.match(/keep\//g)?.length, 1, "the commit that no branch has");
  assert.match(refs, /rescue\/y\//, "the file that nobody committed");
  assert.doesNotMatch(refs, /rescue\/x\//, "the one that somebody did");
  assert.match(refs, /rescue\/bob\//, "what bob had staged");
  const ref = /\S*rescue\/bob\/\S*/.exec(refs)?.[0] ?? "";
  assert.match(await repo.mustGit("ls-tree", "-r", "--name-only", ref), /staged\.txt/);
  const own = gitdirsOf(treeAt({ ...findRepo(repo.top)!, top: repo.top })).all();
  assert.deepEqual(
    own.map(({ session }) => session),
    ["ada"],
  );
  const staged = await repo.mustGit(
    "--git-dir",
    own[0]!.gitDir,
    "--work-tree",
    repo.top,
    "diff",
    "--cached",
    "--name-only",
  );
  assert.equal(staged, "ada.txt\n", "ada's index is a new one, with what was staged");
  assert.ok(repo.eventsOf("index.recreated").some(({ session }) => session === "ada"));
  assert.ok(repo.eventsOf("cleanup.swept").length > 10);
});

test("at once after the killed: nothing that may still be used is touched", async (t) => {
  const repo = await leavings(t);
  const list = () =>
    readdirSync(repo.boxDir, { recursive: true, encoding: "utf8" }).filter(
      (name) => !name.startsWith("log/"),
    );
  const before = new Set(list());
  sweepAll(groundOf(repo));
  const after = new Set(list());
  const gone = [...before].filter((name) => !after.has(name));
  // Of bob, who is proven gone, and of a mutex whose holder is.
  assert.deepEqual(
    gone.filter(
      (name) => !/(?:\/|\.)bob(?:\.|$)|^locks\/|^views\/waits\/|^spool\/wrote|^errors\.log$/.test(name),
    ),
    [],
  );
});

test("a loop that fails keeps no other from its work, and is on record", async (t) => {
  const repo = await leavings(t);
  const ground = groundOf(repo, DAY + 3_600_000);
  const broken: Ground = {
    ...ground,
    remove(folder, name) {
      if (folder === "signalbox/spool/read") throw new Error("EIO: i/o error");
      ground.remove(folder, name);
    },
  };
  const swept = sweepAll(broken);
  assert.deepEqual(
    swept.filter(({ failed }) => failed !== undefined).map(({ what }) => what),
    ["spool/read"],
  );
  assert.match(repo.eventsOf("guard.failed").at(-1)?.where ?? "", /sweeping spool\/read/);
  assert.deepEqual(CLEANUP.find(({ what }) => what === "spool/wake")?.look(ground).dead, []);
});

test("compact says what it swept; --explain prints the table; --dry-run changes nothing", async (t) => {
  const repo = await makeScratch(t);
  await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await bob.edit("a.txt");
  await bob.kill();
  const explained = await repo.signalbox("compact", "--explain");
  for (const { what, bound, dead } of CLEANUP)
    for (const text of [what, bound, dead]) assert.ok(explained.stdout.includes(text), text);
  const { loops } = JSON.parse((await repo.signalbox("compact", "--explain", "--json")).stdout) as {
    loops: { what: string; due: number }[];
  };
  assert.equal(loops.find(({ what }) => what === "sessions")?.due, 1);
  const events = repo.events().length;
  assert.match((await repo.signalbox("compact", "--dry-run")).stdout, /^1 of sessions to sweep$/m);
  assert.equal(repo.events().length, events);
  assert.match((await repo.signalbox("compact")).stdout, /^1 of sessions swept$/m);
  const due = await repo.signalbox("compact", "--due", "--json");
  const { archived, swept } = JSON.parse(due.stdout) as { archived?: number; swept: unknown[] };
  assert.deepEqual([archived, swept.length], [undefined, CLEANUP.length], "too little to archive");
});
