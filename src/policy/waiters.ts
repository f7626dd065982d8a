import type { Event } from "../../events/mod.ts";
import { evolved } from "../domain/mod.ts";
import { reserve } from "../domain/reservations.ts";
import { lookUp } from "../domain/table.ts";
import { left, precludes, type Waiter } from "../domain/waiters.ts";
import { leaseTerms } from "./lease.ts";
import type { Loop } from "./settle.ts";

/** Places that ran out, and those of sessions that are not there, are dropped. */
export const dropPlaces: Loop = ({ sessions, waiters }, { now }) =>
  waiters.queue.flatMap((waiter) => {
    if (waiter.until <= now) return [left(waiter, "timed-out")];
    return lookUp(sessions.live, waiter.session) === undefined ? [left(waiter, "withdrew")] : [];
  });

/**
 * First come, first served: whoever waits gets all of its targets as soon as all are free, unless somebody before it
 * waits for one of them. It runs before anybody's decision, so nobody comes between a release and the first who
 * waits.
 */
export const serveWaiters: Loop = (states, { now, gone }, { lease }) => {
  const events: Event[] = [];
  const ahead: Waiter[] = [];
  let current = states;
  const add = (...more: Event[]) => {
    events.push(...more);
    current = evolved(current, more, now);
  };
  for (const waiter of states.waiters.queue) {
    // That it is gone will be said with whatever is decided, and takes its places along.
    if (gone.has(waiter.session)) continue;
    if (ahead.some((before) => precludes(before, waiter))) ahead.push(waiter);
    else {
      const { session, agent, tree, targets, mode } = waiter;
      const request = { holder: { session, agent }, tree, targets, mode, via: "wait" as const };
      const terms = leaseTerms(current, request, { now, gone }, lease);
      const answer = reserve(current.reservations, request, { now, gone, ...terms });
      if (answer.kind === "granted") add(...answer.events, left(waiter, "granted"));
      // Who holds too much already keeps nobody from what is free.
      else if (answer.capped === undefined) ahead.push(waiter);
    }
  }
  return events;
};
