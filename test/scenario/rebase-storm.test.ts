/**
 * The storm of SYS-4, played on the policies and folds themselves under a fake clock: ten sessions in worktrees of
 * their own. Each commit of one conflicts with what half of the others have, and is resolved by one more commit on
 * the base, onto which everybody then has to come up. Two who resolve at the same time, neither seeing the other's,
 * conflict with each other next: so the storm feeds itself.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import {
  afterConflict,
  mayRebase,
  POLICY_DEFAULTS,
  type PolicySettings,
  queueRebase,
  settle,
} from "../../src/policy/mod.ts";
import { queuedFor } from "../../src/domain/rebase-queue.ts";
import { evolve, initialStates } from "../support/domain/history.ts";

const SECOND = 1000;
const SESSIONS = Array.from({ length: 10 }, (_, i) => `s${i}`);
/** An original commit by one of them every 30 s, for half an hour. */
const EVERY_S = 30;
const ORIGINALS = 60;

/** Seconds that a rebase takes, and between a session's pull points. */
const TAKES_S = 5;
const PULLS_S = 3;

interface Storm {
  readonly rebases: number;
  readonly commits: number;
  /** Rebases that an original commit has caused in the end. */
  readonly amplification: number;
  /** Seconds after the last original commit until everybody was up for good. */
  readonly calmAfterS: number | undefined;
}

interface BaseCommit {
  readonly id: string;
  readonly by: string;
  /** What of the base its author had seen. */
  readonly saw: number;
  readonly original: boolean;
  /** Seen by others from then on (ms). */
  readonly from: number;
}

/** @param settings `undefined`: everybody rebases whenever the base has moved, as if there were no policy */
function storm(settings: PolicySettings | undefined, limitS: number): Storm {
  const states = initialStates();
  let seq = 0;
  let now = 0;
  const append = (events: readonly Event[]) => {
    if (events.length === 0) return;
    seq += 1;
    for (const e of events) evolve(states, { event: e, meta: { seq, t: now } });
  };
  const base: BaseCommit[] = [];
  const at = new Map(SESSIONS.map((s) => [s, 0]));
  const busy = new Map<string, { until: number; target: number; conflicts: boolean }>();
  let rebases = 0;
  let originals = 0;
  let calm: number | undefined;

  const commit = (by: string, saw: number, original: boolean) => {
    const id = (base.length + 1).toString(16).padStart(40, "0");
    append([
      event("commit.recorded", {
        commit: id,
        parents: [],
        tree: `wt-${by}`,
        session: by,
        paths: ["f"],
        total: 1,
        subject: "s",
        resolved: !original,
      }),
    ]);
    base.push({ id, by, saw, original, from: now + (original ? 0 : (settings?.announce.resolvedMs ?? 0)) });
  };
  /** Whether what a session gets conflicts with what it has. */
  const conflicts = (session: string, from: number, to: number) => {
    if (SESSIONS.indexOf(session) % 2 === 1) return false;
    const mine = base.findLastIndex(({ by }) => by === session);
    return base.slice(from, to).some((c) => c.by !== session && (c.original || c.saw <= mine));
  };
  append(
    SESSIONS.map((session) =>
      event("session.started", { session, kind: "claude-code", tree: `wt-${session}`, cwd: "/r" }),
    ),
  );

  for (let s = 0; s < limitS; s += 1) {
    now = s * SECOND;
    if (s % EVERY_S === 0 && originals < ORIGINALS) {
      const by = SESSIONS[originals % SESSIONS.length]!;
      commit(by, at.get(by)!, true);
      originals += 1;
    }
    if (settings !== undefined)
      append(settle(states, { now, gone: new Set(), running: new Map() }, settings));
    for (const [i, session] of SESSIONS.entries()) {
      const tree = `wt-${session}`;
      const rebase = busy.get(session);
      if (rebase !== undefined) {
        if (rebase.until > s) continue;
        busy.delete(session);
        at.set(session, rebase.target);
        append([event("rebase.succeeded", { session, tree, to: base[rebase.target - 1]!.id })]);
        if (rebase.conflicts) commit(session, rebase.target, false);
        continue;
      }
      if ((s + i) % PULLS_S !== 0) continue;
      const mine = at.get(session)!;
      const seen = base.findLastIndex(({ from, by }) => from <= now && by !== session) + 1;
      if (seen <= mine) continue;
      const willConflict = conflicts(session, mine, seen);
      const target = base[seen - 1]!.id;
      if (settings !== undefined) {
        append(queueRebase(states, { session, tree, target }, now, settings).events);
        const entry = queuedFor(states.rebaseQueue, session, tree)!;
        const moment = { now, gone: new Set<string>(), running: new Map<string, number>() };
        if (mayRebase(states, entry, moment, settings).kind !== "go") continue;
        if (willConflict && entry.conflicts === 0) {
          // Foreseen: nothing is begun. Next time it is resolved.
          const notBefore = afterConflict(0, now, settings);
          append([event("rebase.conflicted", { session, tree, target, paths: ["f"], notBefore })]);
          continue;
        }
        append([event("rebase.started", { session, tree, target })]);
      }
      rebases += 1;
      busy.set(session, { until: s + TAKES_S, target: seen, conflicts: willConflict });
      calm = undefined;
    }
    const isCalm =
      busy.size === 0 && SESSIONS.every((x) => base.slice(at.get(x)!).every(({ by }) => by === x));
    if (isCalm && originals === ORIGINALS) calm ??= s - (ORIGINALS - 1) * EVERY_S;
  }
  return { rebases, commits: base.length, amplification: rebases / originals, calmAfterS: calm };
}

test("SYS-4: a storm with forced conflicts: bounded with damping, diverging without, in one run", (t) => {
  const hours = [1, 2, 4];
  const [without, damped] = [undefined, POLICY_DEFAULTS].map((settings) =>
    hours.map((h) => storm(settings, h * 3600)),
  );
  for (const [name, all] of [
    ["without damping", without!],
    ["with damping", damped!],
  ] as const)
    for (const [i, s] of all.entries())
      t.diagnostic(
        `${name}, after ${hours[i]} h: ${s.rebases} rebases, ${s.commits} commits of which ${ORIGINALS} original: ` +
          `${s.amplification.toFixed(1)} rebases an original; ${s.calmAfterS === undefined ? "no end" : `calm ${s.calmAfterS} s after the last`}`,
      );
  assert.ok(
    without![2]!.rebases > 1.8 * without![1]!.rebases,
    "without, it goes on for as long as one looks",
  );
  assert.equal(without![2]!.calmAfterS, undefined);
  assert.equal(damped![2]!.rebases, damped![0]!.rebases, "with, it is over");
  assert.notEqual(damped![0]!.calmAfterS, undefined);
  assert.ok(damped![0]!.amplification <= SESSIONS.length, "at most one rebase a session and original");
});
