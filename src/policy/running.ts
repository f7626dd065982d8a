import { event } from "../../events/mod.ts";
import { holderOf, sameHolder } from "../domain/holder.ts";
import type { Grant } from "../domain/reservations.ts";
import { findSession } from "../domain/sessions.ts";
import { waitersFor } from "../domain/waiters.ts";
import { leaseUntil } from "./lease.ts";
import type { Loop } from "./settle.ts";

/**
 * What a session held when its command began is kept while the command runs, for `commandMs` at most: a lease that
 * has run out meanwhile runs anew. Only then is it written, so it costs one event a lease's length, and none if
 * nobody decides anything. Whoever itself waits for others' files keeps none in this way that somebody waits for:
 * else two could wait for each other for as long as their commands run.
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
    const waits = waiters.queue.some((w) => w.session === session);
    const isWanted = (g: Grant) => waitersFor(waiters, g.tree, g.target).some((w) => w.session !== session);
    const kept = reservations.grants.filter(
      (g) => g.session === session && g.until > since && g.until <= now && !(waits && isWanted(g)),
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
