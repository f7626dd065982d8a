/** A repository in which of everything that signalbox creates one is dead and one is used. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openBox } from "../../src/adapters/box.ts";
import { worktreesOf } from "../../src/adapters/git/worktrees.ts";
import { keepTip, saveRescue } from "../../src/adapters/git/rescue.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import { takeMutex } from "../../src/adapters/mutex.ts";
import { processes } from "../../src/adapters/process.ts";
import { sweepGround } from "../../src/adapters/sweep-ground.ts";
import type { Ground } from "../../src/app/sweep.ts";
import type { ProcessId } from "../../src/domain/sessions.ts";
import { type Cleaner, type FakeSession, makeScratch, type ScratchRepo } from "./repo/mod.ts";

export const DAY = 24 * 3_600_000;

/** The repository as the loops see it, so many ms from now. */
export function groundOf(repo: ScratchRepo, aheadMs = 0): Ground {
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
export const MAKERS: Record<string, (play: Play) => Promise<unknown> | void> = {
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
/** Somebody lives on as ada; bob has been killed. */
export async function leavings(t: Cleaner): Promise<ScratchRepo> {
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
