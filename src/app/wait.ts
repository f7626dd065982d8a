import type { Target } from "../domain/pattern.ts";
import { type Capped, type Grant, isGiven, type Mode, reserve } from "../domain/reservations.ts";
import { sameHolder } from "../domain/holder.ts";
import { findSession } from "../domain/sessions.ts";
import { aheadOf, findPlace, join, withdraw } from "../domain/waiters.ts";
import { leaseTerms, settle } from "../policy/mod.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, decide, look } from "./box.ts";
import { policySettings } from "./settings.ts";

/** What a session waits for: all of it at once. */
export interface Wanted {
  readonly caller: Caller;
  readonly targets: readonly Target[];
  readonly mode: Mode;
}

/** How far a session has come that waits. */
export type Turn =
  | { readonly kind: "granted"; /** When the lease runs out (ms). */ readonly until: number }
  | {
      readonly kind: "waiting";
      /** How long its place is kept (ms). */
      readonly until: number;
      /** How many come before it. */
      readonly ahead: number;
      /** Leases of others that run, or are in grace; none if only those before it are in the way. */
      readonly blockers: readonly Grant[];
      readonly capped?: Capped | undefined;
      readonly now: number;
    }
  /** Its place is gone: it was given up, or it ran out. */
  | { readonly kind: "left" };

/** Takes a place in the queue, or keeps the one it has for longer. What is free is granted at once. */
export function joinQueue(box: Box, { caller, targets, mode }: Wanted): void {
  attend(box, caller);
  const { keepMs } = policySettings(box.settings).wait;
  decide(box, caller.session, ({ states, now }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const place = { session, agent: caller.agent, tree: caller.tree, targets, mode };
    return { events: [...events, ...join(place, now + keepMs)], result: undefined };
  });
}

/** Looks whether it is the session's turn, and puts on record what time has made due. */
export function lookForTurn(box: Box, { caller, targets, mode }: Wanted): Turn {
  const settings = policySettings(box.settings);
  const due = look(box);
  if (settle(due.states, due, settings).length > 0)
    decide(box, caller.session, () => ({ events: [], result: undefined }));
  const { states, now, gone } = look(box);
  const session = findSession(states.sessions, caller.session)?.id ?? caller.session;
  const holder = { session, agent: caller.agent };
  const own = states.reservations.grants.filter(
    (g) => sameHolder(g, holder) && g.tree === caller.tree && g.until > now,
  );
  if (targets.every((target) => isGiven(own, target, mode))) {
    const giving = own.filter((g) => targets.some((target) => isGiven([g], target, mode)));
    return { kind: "granted", until: Math.min(...giving.map((g) => g.until)) };
  }
  const place = findPlace(states.waiters, { ...holder, tree: caller.tree, targets });
  if (place === undefined) return { kind: "left" };
  const request = { holder, tree: caller.tree, targets, mode, via: "wait" as const };
  const terms = leaseTerms(states, request, { now, gone }, settings.lease);
  const answer = reserve(states.reservations, request, { now, gone, ...terms });
  const { blockers, capped } = answer.kind === "refused" ? answer : { blockers: [], capped: undefined };
  const ahead = aheadOf(states.waiters, place).length;
  return { kind: "waiting", until: place.until, ahead, blockers, capped, now };
}

/** Gives places in the queue up: those for something of these targets, or all of the session's. */
export function leaveQueue(box: Box, caller: Caller, targets: readonly Target[] | undefined): Target[] {
  return decide(box, caller.session, ({ states }) => {
    const session = findSession(states.sessions, caller.session)?.id ?? caller.session;
    const which = targets === undefined ? undefined : { tree: caller.tree, targets };
    const events = withdraw(states.waiters, session, which);
    return { events, result: events.flatMap((e) => ("targets" in e ? [...(e.targets ?? [])] : [])) };
  });
}
