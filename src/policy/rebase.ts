import { event, type Event } from "../../events/mod.ts";
import type { States } from "../domain/mod.ts";
import { modeOf } from "../domain/modes.ts";
import { type QueueEntry, queuedFor } from "../domain/rebase-queue.ts";
import { lookUp } from "../domain/table.ts";
import { hysteresis, perHour } from "./hysteresis.ts";
import type { Loop, Moment } from "./settle.ts";
import type { PolicySettings } from "./settings.ts";

/**
 * When sessions whose branches have fallen behind their base come up to it (SYS-4). Every commit on the base would
 * make all of them rebase at once, and a rebase that has to resolve a conflict makes a commit of its own; so each is
 * queued, and waits: a cooldown after its last one, longer after each conflict, and in `batch` mode, while commits
 * are many, for the next full five minutes.
 */
export type RebaseMode = "immediate" | "batch";

/** A rebase that nobody has heard of for so long has died with its session. */
const ABANDONED_MS = 10 * 60_000;
const BACKOFF_AT_MOST_MS = 60 * 60_000;
/** So many may run at a time; whoever is due and does not come for so long lets the next one go first. */
const AT_ONCE = 2;
const TURN_MS = 60_000;

/** Switches by the rate of commits. */
export const settleRebases: Loop = (states, { now }, { rebase }) => {
  const mode = rebaseMode(states);
  const rate = perHour(
    states.commits.recent.map(({ at }) => at),
    now,
    rebase.windowMs,
  );
  const { batchAbove: above, immediateBelow: below } = rebase;
  const next = hysteresis<RebaseMode>(mode, rate, { low: "immediate", high: "batch", above, below });
  if (next === mode) return [];
  return [event("policy.switched", { policy: "rebase", from: mode, to: next, rate, perMs: 3_600_000 })];
};

export function rebaseMode(states: Pick<States, "modes">): RebaseMode {
  return modeOf<RebaseMode>(states.modes, "rebase", "immediate");
}

/** A session's branch, as git has it. */
export interface Behind {
  readonly session: string;
  readonly tree: string;
  /** Where its base is. */
  readonly target: string;
}

/** The base of a session's branch is ahead of it: it is queued, once, and to the newest commit. */
export function queueRebase(
  states: States,
  behind: Behind,
  now: number,
  { rebase }: PolicySettings,
): { readonly events: Event[]; /** It has not been told of late. */ readonly tell: boolean } {
  const { session, tree, target } = behind;
  const entry = queuedFor(states.rebaseQueue, session, tree);
  if (entry === undefined) {
    const notBefore = earliest(states, session, now, now, rebase);
    return { events: [event("rebase.queued", { session, tree, target, notBefore })], tell: true };
  }
  if (entry.target === target) return { events: [], tell: false };
  const tell = now - entry.movedAt >= rebase.cooldownMs;
  return { events: [event("rebase.coalesced", { session, tree, target })], tell };
}

/** It came up by itself. */
export function dequeueRebase(states: States, { session, tree, target }: Behind): Event[] {
  const entry = queuedFor(states.rebaseQueue, session, tree);
  return entry === undefined ? [] : [event("rebase.succeeded", { session, tree, to: target })];
}

function earliest(
  states: States,
  session: string,
  queuedAt: number,
  notBefore: number,
  { cooldownMs, batchMs }: PolicySettings["rebase"],
): number {
  const rebasedAt = lookUp(states.rebaseQueue.rebasedAt, session) ?? -Infinity;
  const due = Math.max(queuedAt, notBefore, rebasedAt + cooldownMs);
  return rebaseMode(states) === "batch" ? Math.max(due, Math.ceil(queuedAt / batchMs) * batchMs) : due;
}

/** When an entry may run at the earliest (ms). */
export function dueAt(states: States, entry: QueueEntry, { rebase }: PolicySettings): number {
  return earliest(states, entry.session, entry.queuedAt, entry.notBefore, rebase);
}

export type MayRebase =
  | { readonly kind: "go" }
  | {
      readonly kind: "wait";
      /** ms; for a turn, the earliest time to ask again. */
      readonly until: number;
      readonly why: "cooldown" | "batch" | "conflict" | "turn";
    };

/**
 * Whether a session may rebase now. Fair: the oldest first, those that conflicted before last. Two of those that
 * resolve the same conflict at the same time conflict with each other next: they go one by one, and each only when
 * the one before can be seen.
 */
export function mayRebase(
  states: States,
  entry: QueueEntry,
  moment: Moment,
  settings: PolicySettings,
): MayRebase {
  const { now, gone } = moment;
  const until = dueAt(states, entry, settings);
  if (until > now) {
    if (entry.conflicts > 0 && entry.notBefore >= until) return { kind: "wait", until, why: "conflict" };
    const cooled = lookUp(states.rebaseQueue.rebasedAt, entry.session) ?? -Infinity;
    return { kind: "wait", until, why: cooled + settings.rebase.cooldownMs >= until ? "cooldown" : "batch" };
  }
  const isProne = entry.conflicts > 0;
  const seen = states.rebaseQueue.resolvedAt + settings.announce.resolvedMs;
  if (isProne && states.rebaseQueue.resolvedAt > 0 && seen > now)
    return { kind: "wait", until: seen, why: "turn" };
  const others = Object.values(states.rebaseQueue.queue).filter(
    (other) => (other.session !== entry.session || other.tree !== entry.tree) && !gone.has(other.session),
  );
  const before = others.filter((other) => {
    if (other.running) return now - (other.startedAt ?? 0) < ABANDONED_MS;
    const due = dueAt(states, other, settings);
    return due <= now && now - due < TURN_MS && isBefore(other, entry);
  });
  const rivals = isProne ? before.filter(({ conflicts }) => conflicts > 0) : [];
  if (rivals.length === 0 && before.length < AT_ONCE) return { kind: "go" };
  return { kind: "wait", until: now + TURN_MS, why: "turn" };
}

function isBefore(a: QueueEntry, b: QueueEntry): boolean {
  const later = Number(a.conflicts > 0) - Number(b.conflicts > 0);
  return later === 0 ? a.queuedAt < b.queuedAt : later < 0;
}

/** When to try again after one more conflict (ms): twice as long each time, an hour at most. */
export function afterConflict(conflicts: number, now: number, { rebase }: PolicySettings): number {
  return now + Math.min(rebase.backoffMs * 2 ** Math.min(conflicts, 20), BACKOFF_AT_MOST_MS);
}
