import { event } from "../../events/mod.ts";
import type { Target } from "../domain/pattern.ts";
import { type Capped, type Grant, type Mode, release, reserve } from "../domain/reservations.ts";
import { findSession } from "../domain/sessions.ts";
import { leaseTerms } from "../policy/mod.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, decide } from "./box.ts";
import { policySettings } from "./settings.ts";

export type ReserveAnswer =
  | { readonly kind: "granted"; readonly until: number }
  | {
      readonly kind: "refused";
      /** Leases of others that run, or are in grace. */
      readonly blockers: Grant[];
      readonly capped?: Capped | undefined;
      readonly now: number;
    };

/** Reserves all targets for a session by hand, or none of them. */
export function reserveTargets(
  box: Box,
  caller: Caller,
  targets: readonly Target[],
  mode: Mode,
): ReserveAnswer {
  const lease = policySettings(box.settings).lease;
  attend(box, caller);
  return decide<ReserveAnswer>(box, caller.session, ({ states, now, gone }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const request = {
      holder: { session, agent: caller.agent },
      tree: caller.tree,
      targets,
      mode,
      via: "command" as const,
    };
    const terms = leaseTerms(states, request, { now, gone }, lease, box.ports.relations);
    const answer = reserve(states.reservations, request, { now, gone, ...terms });
    const all = [...events, ...answer.events];
    if (answer.kind === "refused") {
      const { blockers, capped } = answer;
      return { events: all, result: { kind: "refused", blockers, capped, now } };
    }
    return { events: all, result: { kind: "granted", until: terms.until } };
  });
}

/**
 * Gives a session's reservations back: those named, or all. Answers with what was released.
 *
 * @param by who does it, when it is not the session itself: that is put on record as a bypass
 */
export function releaseTargets(
  box: Box,
  session: string,
  which: { readonly tree: string; readonly targets?: readonly Target[] },
  by?: "person",
): Target[] {
  return decide(box, session, ({ states }) => {
    const id = findSession(states.sessions, session)?.id ?? session;
    const released = release(states.reservations, id, "command", which.targets === undefined ? {} : which);
    const bypass =
      by === undefined || released.length === 0
        ? []
        : [event("guard.bypassed", { how: "release by a person", session: id })];
    return {
      events: [...bypass, ...released],
      result: released.flatMap((e) => ("targets" in e ? [...(e.targets ?? [])] : [])),
    };
  });
}
