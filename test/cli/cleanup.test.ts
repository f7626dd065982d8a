/** The cleanup loops: for every row of the table, what is dead goes and what is used stays; work is saved first. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { openBox } from "../../src/adapters/box.ts";
import { worktreesOf } from "../../src/adapters/doctor.ts";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { keepTip, saveRescue } from "../../src/adapters/git/rescue.ts";
import { takeMutex } from "../../src/adapters/mutex.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import { processes } from "../../src/adapters/process.ts";
import { sweepGround } from "../../src/adapters/sweep-ground.ts";
import { CLEANUP, type Found, type Ground, sweepAll } from "../../src/app/sweep.ts";
import type { ProcessId } from "../../src/domain/sessions.ts";
import { type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

const DAY = 24 * 3_600_000;

/** The repository as the loops see it, so many ms from now. */
function groundOf(repo: ScratchRepo, aheadMs = 0): Ground {
  const found = findRepo(repo.top);
  assert.ok(found);
  const box = openBox(repo.boxDir, repo.top);
  const ports = { ...box.ports, now: () => Date.now() + aheadMs };
  return sweepGround({ ...box, ports }, found, worktreesOf(found));
}

interface Play {
  readonly repo: ScratchRepo;
  /** Lives on. */
  readonly ada: FakeSession;
  /** Is killed before the sweep. */
  readonly bob: FakeSession;
  /** A process that has ended. */
  readonly dead: ProcessId;
  readonly file: (path: string, text?: string) => void;
}

/** The pid of a process that has ended. */
const GONE = spawnSync("true").pid;

async function endedProcess(): Promise<ProcessId> {
  const child = spawn("sleep", ["60"], { stdio: "ignore" });
  const identity = processes.identify(child.pid ?? 0);
  assert.ok(identity);
  child.kill("SIGKILL");
  await once(child, "exit");
  return identity;
}

/** What makes one that is dead, and one that is not, a day later; a number of dead ones where several are made. */
const MAKERS: Record<string, (play: Play) => Promise<unknown> | void> = {
  sessions: () => undefined,
  claims: ({ bob }) => bob.mustGit("signalbox", "claim", "t1"),
  handoffs: ({ bob }) => bob.git("signalbox", "handoff", "request", "ada.txt", "--reason", "x"),
  waiters: ({ bob }) => bob.git("signalbox", "wait", "ada.txt", "--seconds", "0"),
  reservations: ({ bob }) => bob.edit("bob.txt"),
  "private gitdirs and indexes": async ({ bob }) => {
    await bob.edit("staged.txt");
    await bob.mustGit("add", "staged.txt");
  },
  "half-made gitdirs": ({ file }) => file("signalbox/gitdir-new-abc/HEAD"),
  "views/live": ({ file }) => file("signalbox/views/live/nobody"),
  "views/news": ({ file }) => (file("signalbox/views/news/nobody"), file("signalbox/views/news/ada")),
  "views/waits": ({ file }) => file("signalbox/views/waits/nobody"),
  "views/home": ({ file }) => file("signalbox/views/home/nobody"),
  "views/in": ({ file }) => (file("signalbox/views/in/main/nobody"), file("signalbox/views/in/wt-gone/ada")),
  "views/survey": ({ file }) => (
    file("signalbox/views/survey/wt-gone", "{}"),
    file("signalbox/views/survey/main", "{}")
  ),
  "spool/seen": ({ file }) => file("signalbox/spool/seen/nobody"),
  "spool/read": ({ file }) => (file("signalbox/spool/read/nobody"), file("signalbox/spool/read/ada")),
  "spool/wake": ({ file }) => file("signalbox/spool/wake/nobody"),
  "spool/wrote": ({ file }) => file("signalbox/spool/wrote/not a session.1.1"),
  "spool/bash": ({ file }) => (
    file("signalbox/spool/bash/nobody.toolu_1"),
    file("signalbox/spool/bash/ada.toolu_1")
  ),
  "spool/checked": ({ file }) => file(`signalbox/spool/checked/${GONE}`),
  "what a shim holds": ({ file }) => file(`signalbox/spool/stderr.${GONE}`),
  "places in the mutex": ({ repo, dead }) => {
    const dir = join(repo.boxDir, "locks/commit");
    takeMutex(dir, { session: "bob", process: dead, what: "commit" }, processes, { waitMs: 0 });
  },
  "locks of git's": ({ file }) => file("index.lock"),
  "half-moved trees": ({ file, dead }) =>
    file(
      "signalbox-move/state",
      JSON.stringify({ branch: "refs/heads/main", from: "HEAD", to: "HEAD", process: dead }),
    ),
  "rescue refs": async ({ repo }) => {
    const here = { cwd: repo.top };
    repo.write("a.txt", "saved and committed\n");
    saveRescue(here, { session: "x", reason: "test", files: ["a.txt"] });
    await repo.mustGit("commit", "-qm", "a", "--", "a.txt");
    repo.write("a.txt", "saved and never committed\n");
    saveRescue(here, { session: "y", reason: "test", files: ["a.txt"] });
  },
  "keep refs": async ({ repo }) => {
    keepTip({ cwd: repo.top }, "HEAD");
    const lost = await repo.mustGit("commit-tree", "-m", "lost", "HEAD^{tree}");
    keepTip({ cwd: repo.top }, lost.trim());
  },
  "temporary files of the log": ({ file }) => file("signalbox/log/tmp/half"),
  "errors.log": ({ file }) => file("signalbox/errors.log", "x\n".repeat(200_000)),
  "code caches": ({ file }) => file("signalbox/runtime/code-v20-x64-1-1-1.4711"),
  "old indexes": async ({ ada }) => {
    await ada.edit("ada.txt");
    await ada.mustGit("add", "ada.txt");
  },
};
/** Done by a fold, or by the archiving that follows; nothing is ever dead there. */
const BY_OTHERS = ["rebase queue entries", "notices", "segments", "snapshots", "archives"];
/** The first is put on record when history is archived; the second's new age is by the log's own clock. */
const NOT_AT_ONCE: ReadonlySet<string> = new Set(["reservations", "old indexes"]);

test("every row of the table has a maker here", () => {
  assert.deepEqual(CLEANUP.map(({ what }) => what).sort(), [...Object.keys(MAKERS), ...BY_OTHERS].sort());
});

async function played(t: TestContext): Promise<ScratchRepo> {
  const repo = await makeScratch(t, { files: { "a.txt": "1\n", "ada.txt": "1\n", "bob.txt": "1\n" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const file = (path: string, text = "") => {
    mkdirSync(join(repo.top, ".git", path, ".."), { recursive: true });
    writeFileSync(join(repo.top, ".git", path), text);
  };
  const dead = await endedProcess();
  // A staged file before anybody locks; what every decision tidies, and a lock of git's, at the end.
  const [first, last] = [
    ["old indexes"],
    ["views/waits", "places in the mutex", "half-moved trees", "locks of git's"],
  ];
  const rest = Object.keys(MAKERS).filter((what) => !first.includes(what) && !last.includes(what));
  for (const what of [...first, ...rest, ...last]) await MAKERS[what]?.({ repo, ada, bob, dead, file });
  await bob.kill();
  return repo;
}

test("a day later: what is dead goes, the rest stays, and the work is there", async (t) => {
  const repo = await played(t);
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
  const repo = await played(t);
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
  const repo = await played(t);
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
