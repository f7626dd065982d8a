import * as fc from "fast-check";
import { event, type Event, type EventType } from "../../../events/mod.ts";
import type { Target } from "../../../src/domain/pattern.ts";
import { type Act, type Command, drive } from "./driver.ts";
import { sha } from "./events.ts";
import type { History } from "./history.ts";
import { roundTrip } from "./json.ts";

/** Names that an object without care finds in its prototype. Anybody can give a session, task or tree such a name. */
export const HOSTILE = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf"] as const;

const few = <T>(arbitrary: fc.Arbitrary<T>, maxLength = 3) =>
  fc.array(arbitrary, { minLength: 1, maxLength });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });

const session = fc.constantFrom("a", "b", "c", "1", ...HOSTILE.slice(0, 2));
const agent = fc.constantFrom("x", "y", "__proto__");
const tree = fc.constantFrom("", "wt", "__proto__", "constructor");
const task = fc.constantFrom("t1", "t2", ...HOSTILE.slice(0, 3));
const commit = fc.constantFrom("a", "b", "c", "d").map(sha);
const path = fc.constantFrom("f", "g", "d/f", "d/e/f", "__proto__");
const words = fc.constantFrom("", "x", "constructor");
const time = fc.integer({ min: 0, max: 200 * 60_000 });
const number = fc.nat(50);
const mode = fc.constantFrom("exclusive" as const, "shared" as const);
const tracker = fc.constantFrom("beads", "__proto__");
const gitdir = fc.constantFrom("", "g1", "__proto__");

/** Targets over the paths f, g, d/f, d/e/f … */
export const anyTarget: fc.Arbitrary<Target> = fc.oneof(
  { weight: 6, arbitrary: path.map((path) => ({ kind: "path" as const, path })) },
  fc.constantFrom("", "d", "d/e").map((path) => ({ kind: "dir" as const, path })),
  fc.constantFrom("*", "**", "d/*", "d/**", "**/f").map((glob) => ({ kind: "glob" as const, glob })),
);
const targets = few(anyTarget);
const blockers = few(
  fc.record({ session, agent: maybe(agent), target: anyTarget, since: time, until: time, mode }),
);
const process = maybe(
  fc.record({ pid: fc.nat(3), start: fc.constantFrom("", "1"), boot: fc.constantFrom("b1", "b2") }),
);

const holder = { session, agent: maybe(agent) };
const scope = { ...holder, tree, targets };
const claim = { task, session };
const index = { session, gitdir };
const entry = { session, tree };
const matter = {
  handoff: fc.constantFrom("h1", "h2", "__proto__"),
  from: session,
  to: session,
  task: maybe(task),
  tree: maybe(tree),
  targets: maybe(targets),
};

type Fields = { readonly [T in EventType]: Record<string, fc.Arbitrary<unknown>> };

/** Each event's fields; a new event that is missing here does not compile. */
const FIELDS: Fields = {
  "session.started": {
    session,
    kind: fc.constant("claude-code"),
    tree,
    cwd: words,
    process,
    model: maybe(fc.constantFrom("m", "__proto__")),
  },
  "session.continued": { session, from: session, reason: fc.constant("clear"), tree, cwd: words, process },
  "session.cleared": { session },
  "session.seen": { session, at: time },
  "session.ended": { session, reason: fc.constant("exit") },
  "session.lapsed": { session, reason: fc.constantFrom("process-gone", "silent"), lastSeen: time },
  "agent.started": { session, agent, kind: maybe(words) },
  "agent.stopped": { session, agent },
  "index.created": { ...index, tree, base: commit },
  "index.refreshed": { ...index, from: commit, to: commit, commits: maybe(number) },
  "index.conflicted": { ...index, to: commit, paths: few(path) },
  "index.recreated": { ...index, base: commit, reason: words },
  "index.removed": { ...index, rescue: maybe(fc.constant("refs/signalbox/rescue/a/1")) },
  "reservation.granted": {
    ...scope,
    mode,
    until: time,
    via: fc.constantFrom("edit", "command", "effect", "wait"),
  },
  "reservation.renewed": { ...scope, until: time },
  "reservation.extended": { ...scope, until: time, reason: words },
  "reservation.reclaimed": { ...scope, until: time },
  "reservation.refused": { ...scope, mode, blockers },
  "reservation.released": { ...scope, reason: fc.constantFrom("committed", "command", "ended") },
  "reservation.expired": { ...scope, until: time, successor: maybe(session) },
  "waiter.joined": { ...scope, mode, until: time },
  "waiter.left": { ...scope, reason: fc.constantFrom("granted", "withdrew", "timed-out") },
  "claim.taken": { ...claim, kind: maybe(words), tracker: maybe(tracker), wanted: maybe(few(session)) },
  "claim.refused": { ...claim, holder: session, since: time },
  "claim.progressed": claim,
  "claim.stalled": {
    ...claim,
    lastProgress: time,
    why: maybe(fc.constantFrom("no-edit", "process-gone", "by-hand")),
    wanted: maybe(few(session)),
    reason: maybe(words),
  },
  "claim.released": { ...claim, reason: words, wanted: maybe(few(session)), tracker: maybe(tracker) },
  "claim.completed": { ...claim, outcome: words, wanted: maybe(few(session)), tracker: maybe(tracker) },
  "tracker.told": {
    tracker,
    task,
    status: fc.constantFrom("open", "taken", "closed"),
    session: maybe(session),
    error: maybe(words),
  },
  "handoff.requested": { ...matter, reason: words, until: time },
  "handoff.accepted": { ...matter, until: time },
  "handoff.rejected": { ...matter, reason: words },
  "handoff.lapsed": { ...matter, reason: words },
  "commit.recorded": {
    commit,
    parents: few(commit),
    branch: maybe(fc.constant("refs/heads/main")),
    tree,
    session: maybe(session),
    paths: few(path),
    total: number,
    subject: words,
  },
  "commit.refused": { tree, session, paths: few(path), blockers },
  "commit.warned": { tree, paths: few(path), blockers },
  "commit.scoped": { session, tree, paths: few(path), total: number },
  "commit.announced": { commit, to: few(session) },
  "commit.rewritten": {
    how: fc.constant("amend"),
    pairs: few(fc.record({ from: commit, to: commit })),
    session: maybe(session),
  },
  "head.moved": {
    tree,
    branch: maybe(fc.constant("refs/heads/main")),
    from: maybe(commit),
    to: commit,
    how: fc.constantFrom("checkout", "merge", "rewrite", "found"),
    session: maybe(session),
  },
  "push.recorded": { remote: words, refs: fc.constant([]), session: maybe(session) },
  "rebase.queued": { ...entry, target: commit, notBefore: time },
  "rebase.coalesced": { ...entry, target: commit },
  "rebase.started": { ...entry, target: commit },
  "rebase.succeeded": { ...entry, to: commit },
  "rebase.conflicted": { ...entry, target: commit, paths: few(path), notBefore: time },
  "policy.switched": {
    policy: fc.constant("refresh"),
    from: fc.constant("eager"),
    to: fc.constant("lazy"),
    rate: number,
    perMs: number,
  },
  "guard.refused": { session, tree, verb: fc.constant("reset"), reason: words, paths: few(path) },
  "guard.bypassed": { session: maybe(session), how: words, reason: maybe(words) },
  "guard.failed": { where: fc.constant("edit"), error: words, session: maybe(session) },
  "file.written": { ...holder, tree, path, tool: fc.constant("Edit"), at: time },
  "work.attributed": { ...holder, tree, paths: few(path), certainty: fc.constantFrom("sure", "ambiguous") },
  "work.stashed": { session, tree, entry: commit },
  "work.rescued": { session, ref: fc.constant("refs/x"), paths: few(path), reason: words },
  "notice.delivered": { session, through: number },
  "log.compacted": {
    through: number,
    archived: number,
    bytesBefore: number,
    bytesAfter: number,
    proof: fc.constant({}),
    provenFrom: maybe(number),
    full: maybe(fc.boolean()),
    digest: maybe(words),
  },
  "log.repaired": { at: number, lost: words, kept: words },
  "cleanup.swept": { what: fc.constant("spool"), count: number },
};

/** Any event there is, with any fields its schema allows. */
export const anyEvent: fc.Arbitrary<Event> = fc.oneof(
  ...(Object.entries(FIELDS) as [EventType, Record<string, fc.Arbitrary<unknown>>][]).map(([type, fields]) =>
    fc.record(fields).map((data) => event(type, data as never) as Event),
  ),
);

/** Any valid history, however absurd: events of every type for sessions that are there or not, at rising times. */
export function anyHistory({ maxLength = 40 } = {}): fc.Arbitrary<History> {
  const step = fc.record({ event: anyEvent, waitMs: fc.nat(10 * 60_000), same: fc.boolean() });
  return fc.array(step, { maxLength, size: "max" }).map((steps) => {
    let seq = 0;
    let t = 0;
    // As the log has it: JSON.
    return roundTrip(steps).map(({ event, waitMs, same }) => {
      // Some events share a record, and its number and time, with the one before.
      if (seq === 0 || !same) {
        seq += 1;
        t += waitMs;
      }
      return { event, meta: { seq, t } };
    });
  });
}

const someTargets = few(anyTarget, 2);
const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("reserve" as const),
      agent: maybe(fc.constantFrom("x", "y")),
      tree: fc.constantFrom("", "", "", "wt"),
      targets: someTargets,
      mode,
      via: fc.constantFrom("edit" as const, "command" as const),
    }),
  },
  {
    weight: 5,
    arbitrary: fc
      .constantFrom(
        ...([
          "start",
          "resume",
          "clear",
          "compact",
          "end",
          "kill",
          "look",
          "rebase",
          "queue",
          "leave",
        ] as const),
      )
      .map((does) => ({ do: does })),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("agent" as const),
      agent: fc.constantFrom("x", "y"),
      stops: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      tree: fc.constantFrom("", "", "", "wt"),
      targets: someTargets,
      mode,
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("run" as const), ends: fc.boolean() }) },
  fc.record(
    {
      do: fc.constant("release" as const),
      reason: fc.constantFrom("command" as const, "committed" as const),
      targets: someTargets,
    },
    { requiredKeys: ["do", "reason"] },
  ),
  fc.record({
    do: fc.constant("commit" as const),
    commit: fc.constantFrom("a", "b", "c", "d", "e"),
    paths: few(path),
  }),
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("claim" as const, "progress" as const, "complete" as const),
      task: fc.constantFrom("t1", "t2"),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record(
      { do: fc.constant("ask" as const), slot: fc.nat(3), targets: someTargets, task: fc.constant("t1") },
      { requiredKeys: ["do", "slot"] },
    ),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("answer" as const), accept: fc.boolean() }) },
  fc.record({ do: fc.constant("index" as const), gone: fc.boolean() }),
);

/** What up to four clients do, one after the other; now and then a long pause. */
export function anyCommands({ maxLength = 60 } = {}): fc.Arbitrary<Command[]> {
  const waitMs = fc.oneof({ weight: 5, arbitrary: fc.nat(60_000) }, fc.nat(20 * 60_000), fc.nat(90 * 60_000));
  return fc.array(fc.record({ slot: fc.nat(3), waitMs, act }), { maxLength, size: "max" });
}

/** A history as the real deciders make it. */
export function plausibleHistory(options?: { maxLength?: number }): fc.Arbitrary<History> {
  return anyCommands(options).map((commands) => roundTrip(drive(commands)));
}
