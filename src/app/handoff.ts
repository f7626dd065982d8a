import type { Event } from "../../events/mod.ts";
import { findClaim } from "../domain/claims.ts";
import {
  answer,
  type Handoff,
  lapsed,
  leasesFor,
  type Matter,
  openRequests,
  request,
  type RequestAnswer,
  requestsTo,
} from "../domain/handoffs.ts";
import { formatTarget, type Target } from "../domain/pattern.ts";
import { activeGrants } from "../domain/reservations.ts";
import { findSession } from "../domain/sessions.ts";
import { leaseUntil } from "../policy/mod.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, decide, look } from "./box.ts";
import { policySettings } from "./settings.ts";

/** Asks whoever has a task or files to hand them over. The holder hears of it at its next hook. */
export function requestHandoff(box: Box, caller: Caller, matter: Matter, reason: string): RequestAnswer {
  const { answerMs } = policySettings(box.settings).handoff;
  attend(box, caller);
  return decide(box, caller.session, ({ states, now }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const result = request(states, matter, { from: session, reason, now, until: now + answerMs });
    return { events: result.kind === "asked" ? [...events, ...result.events] : events, result };
  });
}

export type Answered =
  | {
      readonly kind: "done";
      readonly request: Handoff;
      /** What has moved. */ readonly targets: readonly Target[];
    }
  /** No such request waits for this session; these do. */
  | { readonly kind: "none"; readonly open: readonly Handoff[] };

/** The holder's answer to the request with that id, or to the only one there is. */
export function answerHandoff(
  box: Box,
  caller: Caller,
  id: string | undefined,
  verdict:
    | { readonly accept: true; readonly only?: readonly Target[] | undefined }
    | { readonly accept: false; readonly reason: string },
): Answered {
  const { lease } = policySettings(box.settings);
  return decide<Answered>(box, caller.session, ({ states, now }) => {
    const session = findSession(states.sessions, caller.session)?.id ?? caller.session;
    const waiting = requestsTo(states.handoffs, session);
    const chosen = choose(waiting, id);
    if (chosen === undefined) return { events: [], result: { kind: "none", open: waiting } };
    const moving = leasesFor(chosen, {
      claim: chosen.task === undefined ? undefined : findClaim(states.claims, chosen.task),
      tree: findSession(states.sessions, chosen.from)?.tree ?? "",
      grants: activeGrants(states.reservations, now),
      only: verdict.accept ? verdict.only : undefined,
    });
    const said = answer(
      states.handoffs,
      chosen.handoff,
      session,
      verdict.accept ? { accept: true, until: leaseUntil(lease, now), ...moving } : verdict,
    );
    const events = said === undefined ? [] : [said];
    return {
      events,
      result: { kind: "done", request: chosen, targets: verdict.accept ? moving.targets : [] },
    };
  });
}

/** Who asked asks no more. */
export function withdrawHandoff(box: Box, caller: Caller, id: string | undefined): Answered {
  return decide<Answered>(box, caller.session, ({ states }) => {
    const session = findSession(states.sessions, caller.session)?.id ?? caller.session;
    const own = openRequests(states.handoffs).filter(({ from }) => from === session);
    const chosen = choose(own, id);
    if (chosen === undefined) return { events: [], result: { kind: "none", open: own } };
    const events: Event[] = [lapsed(chosen, "withdrawn by who asked")];
    return { events, result: { kind: "done", request: chosen, targets: [] } };
  });
}

function choose(requests: readonly Handoff[], id: string | undefined): Handoff | undefined {
  if (id === undefined) return requests.length === 1 ? requests[0] : undefined;
  return requests.find(({ handoff }) => handoff === id);
}

/** A request as `handoff list --json` shows it. */
export interface HandoffView {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly what: string;
  readonly reason: string;
  readonly at: number;
  readonly until: number;
}

export function viewOf({ handoff: id, from, to, task, targets, reason, at, until }: Handoff): HandoffView {
  return { id, from, to, what: task ?? (targets ?? []).map(formatTarget).join(", "), reason, at, until };
}

/** Open requests, oldest first. */
export function listHandoffs(box: Box): HandoffView[] {
  return openRequests(look(box).states.handoffs).map(viewOf);
}
