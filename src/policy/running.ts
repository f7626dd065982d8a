import { event } from "../../events/mod.ts";
import { holderOf, sameHolder } from "../domain/holder.ts";
import { overlaps } from "../domain/pattern.ts";
import type { Grant } from "../domain/reservations.ts";
import { findSession } from "../domain/sessions.ts";
import type { Waiter } from "../domain/waiters.ts";
import { leaseUntil } from "./lease.ts";
import type { Loop } from "./settle.ts";

/**
 * What a session held when its command began is kept while the command runs, for `commandMs` at most: a lease that
 * has run out meanwhile runs anew. Only then is it written, so it costs one event a lease's length, and none if
 * nobody decides anything. Two sessions that wait for each other's files get no such time.
 */
export const keepWhileRunning: Loop = (
  { sessions, reservations, waiters },
  { now, gone, running },
  { lease },
) =>
  [...running].flatMap(([id, since]) => {
    const session = findSession(sessions, id)?.id;
    const until = Math.min(leaseUntil(lease, now), since + lease.commandMs);
    if (session === undefined || gone.has(session) || until <= now) return [];
    const kept = reservations.grants.filter(
      (g) =>
        g.session === session &&
        g.until > since &&
        g.until <= now &&
        !isDeadlocked(g, reservations.grants, waiters.queue),
    );
    return grouped(kept).map((grants) =>
      event("reservation.extended", {
        ...holderOf(grants[0]!),
        tree: grants[0]!.tree,
        targets: grants.map((g) => g.target),
        until,
        reason: "a command runs",
      }),
    );
  });

/** Somebody waits for it who has what its holder waits for. */
function isDeadlocked(grant: Grant, grants: readonly Grant[], queue: readonly Waiter[]): boolean {
  const theirs = queue.filter((w) => w.session === grant.session);
  return queue
    .filter((w) => w.session !== grant.session && waitsFor(w, grant))
    .some((w) => grants.some((g) => g.session === w.session && theirs.some((own) => waitsFor(own, g))));
}

function waitsFor(waiter: Waiter, grant: Grant): boolean {
  return waiter.tree === grant.tree && waiter.targets.some((target) => overlaps(target, grant.target));
}

/** By holder and tree, as one event has them. */
function grouped(grants: readonly Grant[]): Grant[][] {
  const groups: Grant[][] = [];
  for (const grant of grants) {
    const group = groups.find(([first]) => sameHolder(first!, grant) && first!.tree === grant.tree);
    if (group === undefined) groups.push([grant]);
    else group.push(grant);
  }
  return groups;
}
