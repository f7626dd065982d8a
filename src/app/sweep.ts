/**
 * The cleanup loops (SYS-2): a row for everything that signalbox creates, with its bound, what proves one dead, and
 * what is saved before it goes. Never by age alone where anybody's work is in it; in doubt it stays.
 * `signalbox compact` runs them; `compact --explain` prints this table; docs/cleanup.md and the tests follow it.
 */
import { event } from "../../events/mod.ts";
import { liveSessions } from "../domain/sessions.ts";
import { isHeld } from "../domain/reservations.ts";
import { settle } from "../policy/mod.ts";
import { type Box, decide, look } from "./box.ts";
import { recordFailure } from "./failure.ts";
import { leftBehind, sweepIndexes } from "./isolation.ts";
import type { Gitdirs } from "./ports.ts";
import { policySettings } from "./settings.ts";

/** A file or folder that was left somewhere. */
export interface Leaving {
  readonly name: string;
  readonly ageMs: number;
  readonly bytes: number;
}

/** What the loops need of the world beside the box; `src/adapters/sweep-ground.ts` provides it. */
export interface Ground {
  readonly box: Box;
  /** The indexes of every working tree. */
  readonly trees: readonly Gitdirs[];
  /** What is in a folder below the common git dir; nothing if there is none. */
  readonly list: (folder: string) => readonly Leaving[];
  /** Removes a file or folder there. */
  readonly remove: (folder: string, name: string) => void;
  readonly rename: (folder: string, name: string, to: string) => void;
  /** True if there is no such process. */
  readonly isGone: (pid: number) => boolean;
  /** Working trees that are there, by id: "" is the main one. */
  readonly treeIds: ReadonlySet<string>;
  /** Queues of the mutex: claims, and those whose process has ended. */
  readonly queues: () => { readonly there: number; readonly dead: readonly string[] };
  readonly sweepQueues: () => void;
  /** Lock files of git's in all gitdirs; they go only if it is proven that nobody holds them. */
  readonly gitLocks: () => readonly string[];
  readonly sweepGitLocks: () => readonly string[];
  /** Trees that a killed sync has left half moved. */
  readonly halfMoved: () => readonly string[];
  readonly putBack: () => void;
  /** Refs that keep work; dead: all that is in them is in a branch, a remote's branch or a tag by now. */
  readonly rescues: (olderThanMs: number) => { readonly there: number; readonly dead: readonly string[] };
  readonly tips: (olderThanMs: number) => { readonly there: number; readonly dead: readonly string[] };
  readonly dropRef: (ref: string) => void;
  /** Makes an index anew, what is staged in it carried over; why not, if it was not. */
  readonly renewIndex: (gitdir: string) => string | undefined;
}

export interface Found {
  readonly there: number;
  readonly dead: readonly string[];
}

export interface CleanupLoop {
  /** "private gitdirs" */
  readonly what: string;
  /** "log", refs, or a folder below the common git dir. */
  readonly where: string;
  readonly made: string;
  readonly bound: string;
  readonly dead: string;
  /** "": nobody's work is in it. */
  readonly saved: string;
  readonly look: (ground: Ground) => Found;
  /** Without: what is due is done by `look`'s own decision, or by the archiving that follows. */
  readonly sweep?: (ground: Ground, dead: readonly string[]) => void;
}

const MINUTE = 60_000;
const DAY = 24 * 3_600_000;
/** A young file may belong to a session that has not appended its first event yet. */
const STARTING_MS = MINUTE;
const ERRORS_BYTES = 256 * 1024;
const NOTHING = "";

/** Who or what is still in use. */
function liveIds({ box }: Ground): ReadonlySet<string> {
  return new Set(Object.keys(look(box).states.sessions.live));
}

/** Settles what time and death have made due, a decision's worth at a time; nothing else. */
function settled({ box }: Ground): void {
  for (let before = Infinity; ;) {
    decide(box, undefined, () => ({ events: [], result: undefined }));
    const dead = look(box).gone.size;
    if (dead === 0 || dead >= before) return;
    before = dead;
  }
}

/** Events that are due for these families of events. */
function due({ box }: Ground, ...families: readonly string[]): string[] {
  const { states, now, gone, running } = look(box);
  return settle(states, { now, gone, running }, policySettings(box.settings))
    .filter(({ type }) => families.some((family) => type.startsWith(`${family}.`)))
    .map((e) => e.type);
}

/** A row of files in one folder. */
function files(
  row: Pick<CleanupLoop, "what" | "where" | "made" | "bound" | "dead">,
  isDead: (file: Leaving, ground: Ground, live: ReadonlySet<string>) => boolean,
  isOne: (name: string) => boolean = () => true,
): CleanupLoop {
  return {
    ...row,
    saved: NOTHING,
    look(ground) {
      const live = liveIds(ground);
      const there = ground.list(row.where).filter(({ name }) => isOne(name));
      return {
        there: there.length,
        dead: there.filter((file) => isDead(file, ground, live)).map(({ name }) => name),
      };
    },
    sweep(ground, dead) {
      for (const name of dead) ground.remove(row.where, name);
    },
  };
}

/** Of a session by its name, that is not live and not about to be. */
const ofNobody = ({ name, ageMs }: Leaving, _: Ground, live: ReadonlySet<string>) =>
  !live.has(name) && ageMs > STARTING_MS;
const LEFT_BEHIND = "left~behind";

export const CLEANUP: readonly CleanupLoop[] = [
  {
    what: "sessions",
    where: "log",
    made: "a session's first hook",
    bound: "those whose process lives; of ended ones the log's folds keep the last few hundred",
    dead: "its process is gone: pid, start time and boot",
    saved: "its claims and files are free; its index is below",
    look: ({ box }) => {
      const { states, gone } = look(box);
      return { there: liveSessions(states.sessions).length, dead: [...gone] };
    },
    sweep: settled,
  },
  {
    what: "reservations",
    where: "log",
    made: "an edit, `reserve`",
    bound: "lease.perSession a session while others are here",
    dead: "lease and grace are over, and it still stands as it was",
    saved: NOTHING,
    look: ({ box }) => {
      const { states, now } = look(box);
      const { graceMs } = policySettings(box.settings).lease;
      const over = states.reservations.grants.filter((g) => !isHeld(g, now, graceMs));
      return { there: states.reservations.grants.length, dead: over.map((g) => g.session) };
    },
    // Conditionally, at the archiving: expireLeases in compact.ts.
  },
  {
    what: "claims",
    where: "log",
    made: "`claim`, a tracker's claim made in Bash",
    bound: "one a task; those of live sessions that work on it",
    dead: "no edit for claim.stallMinutes, or its session is gone",
    saved: "its claimant's changes stay where they are",
    look: (ground) => ({
      there: Object.keys(look(ground.box).states.claims.claims).length,
      dead: due(ground, "claim"),
    }),
    sweep: settled,
  },
  {
    what: "handoffs",
    where: "log",
    made: "`handoff`",
    bound: "open ones, for handoff.answerMinutes",
    dead: "not answered in time, or one of the two is gone",
    saved: NOTHING,
    look: (ground) => ({
      there: Object.keys(look(ground.box).states.handoffs.open).length,
      dead: due(ground, "handoff"),
    }),
    sweep: settled,
  },
  {
    what: "waiters",
    where: "log",
    made: "`wait`",
    bound: "those of live sessions, for wait.keepMinutes",
    dead: "its time is over, or its session is gone",
    saved: NOTHING,
    look: (ground) => ({ there: look(ground.box).states.waiters.queue.length, dead: due(ground, "waiter") }),
    sweep: settled,
  },
  {
    what: "rebase queue entries",
    where: "log",
    made: "a base branch that has moved",
    bound: "one a session and working tree",
    dead: "its session ended, or its branch is where its base is",
    saved: NOTHING,
    look: ({ box }) => ({ there: Object.keys(look(box).states.rebaseQueue.queue).length, dead: [] }),
  },
  {
    what: "notices",
    where: "log",
    made: "a commit, a grant, a request that concerns a session",
    bound: "the newest few of a live session",
    dead: "delivered, or its session ended",
    saved: NOTHING,
    look: ({ box }) => ({
      there: Object.values(look(box).states.notices.inbox).reduce((sum, inbox) => sum + inbox.length, 0),
      dead: [],
    }),
  },
  {
    what: "private gitdirs and indexes",
    where: "worktrees/sb-*",
    made: "a session's start",
    bound: "one a live session and working tree",
    dead: "its session is not live, and not heard of for 24 hours",
    saved: "what is staged: a rescue ref; commits that only it knows: a keep ref",
    look: ({ box, trees }) => ({
      there: trees.reduce((sum, gitdirs) => sum + gitdirs.all().length, 0),
      dead: trees.flatMap((gitdirs) => leftBehind(box, gitdirs).map(({ gitdir }) => gitdir)),
    }),
    sweep({ box, trees }) {
      for (const gitdirs of trees) sweepIndexes(box, gitdirs);
    },
  },
  {
    what: "old indexes",
    where: "worktrees/sb-*/index",
    made: "a session that lives for days",
    bound: "a day old; then made anew from HEAD",
    dead: "created over 24 hours ago; not while git works in it, nor with conflicts or files only intended to be added",
    saved: "what is staged is carried over",
    look: ({ box, trees }) => {
      const { states, now } = look(box);
      const there = Object.values(states.indexes.indexes).filter(({ gitdir }) => gitdir !== "");
      const known = new Set(trees.flatMap((gitdirs) => gitdirs.all().map(({ id }) => id)));
      return {
        there: there.length,
        dead: there
          .filter(({ gitdir, createdAt }) => now - createdAt > DAY && known.has(gitdir))
          .filter(({ session }) => liveSessions(states.sessions).some(({ id }) => id === session))
          .map(({ gitdir }) => gitdir),
      };
    },
    sweep({ box, renewIndex }, dead) {
      for (const gitdir of dead) {
        if (renewIndex(gitdir) !== undefined) continue;
        decide(box, undefined, ({ states }) => {
          const index = states.indexes.indexes[gitdir];
          const { session, base } = index ?? {};
          const events =
            session === undefined || base === undefined
              ? []
              : [event("index.recreated", { session, gitdir, base, reason: "it was a day old" })];
          return { events, result: undefined };
        });
      }
    },
  },
  files(
    {
      what: "half-made gitdirs",
      where: "signalbox",
      made: "a process killed while it made or removed one",
      bound: "none older than an hour",
      dead: "older than an hour: nobody is at it for so long",
    },
    ({ ageMs }) => ageMs > 60 * MINUTE,
    (name) => /^gitdir-(?:new|old)-/.test(name),
  ),
  ...["live", "news", "waits", "home"].map((folder) =>
    files(
      {
        what: `views/${folder}`,
        where: `signalbox/views/${folder}`,
        made: "a session's hooks, for the shell to see",
        bound: "one a live session",
        dead: "of no live session, and older than a minute",
      },
      ofNobody,
    ),
  ),
  {
    what: "views/in",
    where: "signalbox/views/in",
    made: "a session's start, in the folder of its working tree",
    bound: "one a live session and working tree",
    dead: "of no live session, and older than a minute; of no working tree that is there",
    saved: NOTHING,
    look: entriesOfTrees,
    sweep(ground, dead) {
      for (const name of dead) {
        const [folder = "", file = ""] = name.split("/");
        ground.remove(`signalbox/views/in/${folder}`, file);
      }
    },
  },
  files(
    {
      what: "views/survey",
      where: "signalbox/views/survey",
      made: "a command that changed files beside others",
      bound: "one a working tree that is there",
      dead: "of no working tree that is there, or a temporary file older than a minute",
    },
    ({ name, ageMs }, { treeIds }) => ageMs > MINUTE && !treeIds.has(treeOfView(name)),
  ),
  ...["seen", "read", "wake"].map((folder) =>
    files(
      {
        what: `spool/${folder}`,
        where: `signalbox/spool/${folder}`,
        made: "a session's hooks",
        bound: "one a live session; of reads the last 200 lines count",
        dead: "of no live session, and older than a minute",
      },
      ofNobody,
    ),
  ),
  files(
    {
      what: "spool/wrote",
      where: "signalbox/spool/wrote",
      made: "an edit, until the next decision folds it",
      bound: "what has been edited since the last decision",
      dead: "older than a day: no decision could make anything of it",
    },
    ({ ageMs }) => ageMs > DAY,
  ),
  files(
    {
      what: "spool/bash",
      where: "signalbox/spool/bash",
      made: "a shell command of a session, until its end is told",
      bound: "the running commands of live sessions",
      dead: "of no live session, and older than a minute",
    },
    ({ name, ageMs }, _, live) => ageMs > MINUTE && !live.has(name.replace(/\.[^.]*$/, "")),
  ),
  files(
    {
      what: "spool/checked",
      where: "signalbox/spool/checked",
      made: "a commit, from its first hook to its last",
      bound: "the commits of one day",
      dead: "older than a day, or its git is gone",
    },
    ({ name, ageMs }, { isGone }) => ageMs > DAY || (ageMs > MINUTE && isGone(Number(name))),
  ),
  files(
    {
      what: "what a shim holds",
      where: "signalbox/spool",
      made: "a session's git, for as long as it runs",
      bound: "one a running command",
      dead: "its shell is gone, and it is older than a minute; or older than a day",
    },
    ({ name, ageMs }, { isGone }) => ageMs > DAY || (ageMs > MINUTE && isGone(Number(name.split(".")[1]))),
    (name) => /^(?:stderr|paths|message)\./.test(name),
  ),
  {
    what: "places in the mutex",
    where: "signalbox/locks",
    made: "a command that waits for its turn",
    bound: "one a waiting command, and three lists",
    dead: "the process that waits, or holds, is gone",
    saved: NOTHING,
    look: ({ queues }) => queues(),
    sweep: ({ sweepQueues }) => sweepQueues(),
  },
  {
    what: "locks of git's",
    where: "*.lock in gitdirs",
    made: "git; left behind when it is killed",
    bound: "one a running git",
    dead: "no process has it open, and no git that writes runs there",
    saved: "an index.lock that holds the commit HEAD is at becomes the index",
    look: ({ gitLocks }) => ({ there: gitLocks().length, dead: gitLocks() }),
    sweep: ({ sweepGitLocks }) => void sweepGitLocks(),
  },
  {
    what: "half-moved trees",
    where: "signalbox-move in gitdirs",
    made: "a sync that was killed",
    bound: "none whose process is gone",
    dead: "its process is gone",
    saved: "what is neither the old nor the new commit's stays as it is",
    look: ({ halfMoved }) => ({ there: halfMoved().length, dead: halfMoved() }),
    sweep: ({ putBack }) => putBack(),
  },
  {
    what: "rescue refs",
    where: "refs/signalbox/rescue",
    made: "work saved before something touches it",
    bound: "work that nobody has committed since; and a day's",
    dead: "older than a day, and each file in it, as it was saved, is in a branch or tag",
    saved: "it is what is saved",
    look: ({ rescues }) => rescues(DAY),
    sweep({ dropRef }, dead) {
      for (const ref of dead) dropRef(ref);
    },
  },
  {
    what: "keep refs",
    where: "refs/signalbox/keep",
    made: "commits that a branch has let go of",
    bound: "commits that no branch has taken back",
    dead: "older than a day, and a branch or tag has it in its history",
    saved: "it is what is saved",
    look: ({ tips }) => tips(DAY),
    sweep({ dropRef }, dead) {
      for (const ref of dead) dropRef(ref);
    },
  },
  {
    what: "segments",
    where: "signalbox/log/seg",
    made: "every record",
    bound: "compact.everyRecords records, and what has come since",
    dead: "archived, and the snapshot is proven to stand for it",
    saved: "every record, in the archive",
    look: ({ list }) => ({ there: list("signalbox/log/seg").length, dead: [] }),
  },
  {
    what: "snapshots",
    where: "signalbox/log/snap",
    made: "every log.snapshotEvery records; each archiving",
    bound: "three, and three durable ones",
    dead: "a newer one stands for the same",
    saved: NOTHING,
    look: ({ list }) => ({ there: list("signalbox/log/snap").length, dead: [] }),
  },
  {
    what: "archives",
    where: "signalbox/log/arch",
    made: "each archiving",
    bound: "all of history, or compact.keepDays",
    dead: "its newest record is older than that",
    saved: "the state, in the snapshot; its story is gone",
    look: ({ list }) => ({ there: list("signalbox/log/arch").length, dead: [] }),
  },
  files(
    {
      what: "temporary files of the log",
      where: "signalbox/log/tmp",
      made: "a snapshot or archive on its way",
      bound: "none older than an hour",
      dead: "older than an hour",
    },
    ({ ageMs }) => ageMs > 60 * MINUTE,
  ),
  {
    what: "the mark of what is not on record",
    where: "signalbox/spool",
    made: "a hook that could not get into the log",
    bound: "one empty file",
    dead: "the log says so: the next decision that gets into it",
    saved: "when, as guard.failed",
    look: ({ list }) => ({
      there: list("signalbox/spool").filter(({ name }) => name === "unrecorded").length,
      dead: [],
    }),
  },
  {
    what: "errors.log",
    where: "signalbox",
    made: "a hook that could not run",
    bound: `two files of ${ERRORS_BYTES / 1024} kB`,
    dead: "it is longer than that: it becomes errors.log.old",
    saved: "the one before, as errors.log.old",
    look: ({ list }) => {
      const all = list("signalbox").filter(({ name }) => /^errors\.log(?:\.old)?$/.test(name));
      const long = all.filter(({ name, bytes }) => name === "errors.log" && bytes > ERRORS_BYTES);
      return { there: all.length, dead: long.map(({ name }) => name) };
    },
    sweep: ({ rename }) => rename("signalbox", "errors.log", "errors.log.old"),
  },
  files(
    {
      what: "code caches",
      where: "signalbox/runtime",
      made: "the first hook of a runtime",
      bound: "one a runtime in use",
      dead: "a newer one is there, and it is older than a day",
    },
    ({ ageMs }) => ageMs > DAY,
    // The one in use is written anew by whoever misses it.
    (name) => /^code-.*\.\d+$/.test(name),
  ),
];

const treeOfView = (folder: string) => (folder === "main" ? "" : folder.replace(/^wt-/, ""));

function entriesOfTrees(ground: Ground): Found {
  const live = liveIds(ground);
  const all = ground
    .list("signalbox/views/in")
    .flatMap(({ name: folder }) =>
      ground.list(`signalbox/views/in/${folder}`).map((entry) => ({ ...entry, folder })),
    );
  const dead = all
    .filter(({ ageMs }) => ageMs > STARTING_MS)
    .filter(
      ({ name, folder }) =>
        !ground.treeIds.has(treeOfView(folder)) || (name !== LEFT_BEHIND && !live.has(name)),
    );
  return { there: all.length, dead: dead.map(({ name, folder }) => `${folder}/${name}`) };
}

export interface Swept {
  readonly what: string;
  readonly there: number;
  readonly dead: number;
  /** How many are there no more, or are dead no more. */
  readonly gone: number;
  /** Why this loop could not do its work; the others go on. */
  readonly failed?: string;
}

/** Runs every loop, or some, or only looks. What one of them meets keeps no other from its work. */
export function sweepAll(ground: Ground, { dryRun = false, loops = CLEANUP } = {}): Swept[] {
  const done = loops.map((loop) => runLoop(ground, loop, dryRun));
  const events = done
    .filter(({ gone }) => gone > 0)
    .map(({ what, gone }) => event("cleanup.swept", { what, count: gone }));
  if (!dryRun && events.length > 0) decide(ground.box, undefined, () => ({ events, result: undefined }));
  return done;
}

function runLoop(ground: Ground, { what, look: find, sweep }: CleanupLoop, dryRun: boolean): Swept {
  try {
    const before = find(ground);
    const found = { what, there: before.there, dead: before.dead.length };
    if (dryRun || sweep === undefined || before.dead.length === 0) return { ...found, gone: 0 };
    sweep(ground, before.dead);
    const after = new Set(find(ground).dead);
    return { ...found, gone: before.dead.filter((name) => !after.has(name)).length };
  } catch (error) {
    recordFailure(ground.box, `sweeping ${what}`, error);
    return { what, there: 0, dead: 0, gone: 0, failed: (error as Error).message };
  }
}
