import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { allClaims, type Claim, claimsOf, findClaim, wantedBy } from "../domain/claims.ts";
import { type Handoff, lapsed, openRequests } from "../domain/handoffs.ts";
import type { States } from "../domain/mod.ts";
import { overlaps } from "../domain/pattern.ts";
import { activeGrants } from "../domain/reservations.ts";
import type { Moment } from "./settle.ts";
import type { PolicySettings } from "./settings.ts";

/**
 * A claim that nobody works on goes to whoever has asked for it, or is free (SYS-5). What counts is what a session
 * does, not how long ago it claimed the task: edits, changes that its commands made, commits.
 */
export function settleClaims(states: States, { now, gone }: Moment, settings: PolicySettings): Event[] {
  return allClaims(states.claims).flatMap((claim) => {
    const { task, session, lastProgress } = claim;
    const why = gone.has(session)
      ? "process-gone"
      : now - lastProgress > settings.claim.stallMs
        ? "no-edit"
        : undefined;
    if (why === undefined) return [];
    return givenUp(states, claim, gone, (wanted) =>
      event("claim.stalled", { task, session, lastProgress, why, wanted }),
    );
  });
}

/**
 * Requests that nobody will answer any more: their matter is not the holder's now, the holder is gone, or the time
 * for an answer is over and the holder is at work. (A holder that is not has lost the claim before.)
 */
export function settleHandoffs(states: States, { now, gone }: Moment): Event[] {
  return openRequests(states.handoffs).flatMap((request) => {
    const reason = overReason(states, request, { now, gone });
    return reason === undefined ? [] : [lapsed(request, reason)];
  });
}

function overReason(
  states: States,
  request: Handoff,
  { now, gone }: Pick<Moment, "now" | "gone">,
): string | undefined {
  if (gone.has(request.from)) return "who asked is gone";
  if (gone.has(request.to)) return "its holder is gone";
  if (!holds(states, request, now)) return becameOf(states, request);
  return request.until <= now ? "no answer; its holder is at work" : undefined;
}

/** Whether the one who was asked has it still. */
function holds(states: States, { to, task, tree, targets }: Handoff, now: number): boolean {
  if (task !== undefined) return findClaim(states.claims, task)?.session === to;
  return activeGrants(states.reservations, now).some(
    (g) => g.session === to && g.tree === tree && (targets ?? []).some((t) => overlaps(g.target, t)),
  );
}

function becameOf(states: States, { task, from }: Handoff): string {
  if (task === undefined) return "its reservation has run out or was given back";
  const claim = findClaim(states.claims, task);
  if (claim !== undefined) return claim.session === from ? "it is yours now" : "another session has it now";
  const last = states.claims.completed.findLast((each) => each.task === task);
  const open = states.claims.givenUp.some((each) => each.task === task);
  return last !== undefined && !open ? `it was completed: ${last.outcome}` : "it is free now";
}

/** What becomes of a session's claims and requests when it says goodbye. */
export function endClaims(states: States, session: string, gone: ReadonlySet<string>): Event[] {
  const claims = claimsOf(states.claims, session).flatMap((claim) =>
    givenUp(states, claim, gone, (wanted) =>
      event("claim.released", { task: claim.task, session, reason: "its session ended", wanted }),
    ),
  );
  const over = new Set(claims.flatMap((e) => (e.type === "handoff.lapsed" ? [e.handoff] : [])));
  const requests = openRequests(states.handoffs).filter(({ handoff }) => !over.has(handoff));
  return [
    ...claims,
    ...requests.flatMap((request) => {
      if (request.from === session) return [lapsed(request, "who asked is gone")];
      return request.to === session ? [lapsed(request, "its holder is gone")] : [];
    }),
  ];
}

/**
 * A claim ends without its task being done: the first who asked its holder for it has it, in one step so that nobody
 * comes between; else it is free, and those who had wanted it are told.
 *
 * @param end makes the event that ends it
 */
export function givenUp(
  states: States,
  claim: Claim,
  gone: ReadonlySet<string>,
  end: (wanted: string[] | undefined) => EventNamed<"claim.stalled" | "claim.released">,
): Event[] {
  const { task, session, kind, tracker } = claim;
  const request = openRequests(states.handoffs).find(
    (each) => each.task === task && each.to === session && !gone.has(each.from) && each.from !== session,
  );
  if (request === undefined) return [end(wantedBy(claim))];
  const heir = request.from;
  return [
    end(undefined),
    event("claim.taken", { task, session: heir, kind, tracker, wanted: wantedBy(claim, heir) }),
    lapsed(request, "its holder does not work on it; it is yours now"),
  ];
}
