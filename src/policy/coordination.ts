import { event, type Event } from "../../events/mod.ts";
import type { States } from "../domain/mod.ts";
import { modeOf } from "../domain/modes.ts";
import { reserve } from "../domain/reservations.ts";
import { liveSessions } from "../domain/sessions.ts";
import { leaseUntil, renewalDue } from "./lease.ts";
import type { Loop, Moment } from "./settle.ts";
import type { PolicySettings } from "./settings.ts";

/**
 * - `alone`: one session or none is live: edits are only noted, nothing is reserved, nobody is told anything;
 * - `together`: the second session has come, until one has been alone for the dwell time.
 */
export type CoordinationMode = "alone" | "together";

export function coordinationMode(states: Pick<States, "modes">): CoordinationMode {
  return modeOf<CoordinationMode>(states.modes, "coordination", "alone");
}

/**
 * Switches coordination on with the second session, at once, and off when one has been alone for long enough: sessions
 * that come and go each minute do not make it flap. What was edited while alone counts from the start: it is reserved
 * as if it had been all along.
 */
export const settleCoordination: Loop = (states, moment, settings) => {
  const { now, gone } = moment;
  const mode = coordinationMode(states);
  const live = liveSessions(states.sessions).filter(({ id }) => !gone.has(id)).length;
  if (mode === "alone")
    return live < 2 ? [] : [switched(mode, "together", live), ...recentEdits(states, moment, settings)];
  const aloneSince = Math.max(0, ...states.sessions.past.map(({ at }) => at));
  const waitsForLapse = liveSessions(states.sessions).some(({ id }) => gone.has(id));
  if (live > 1 || waitsForLapse || now - aloneSince < settings.coordination.dwellMs) return [];
  return [switched(mode, "alone", live)];
};

/** The rate is how many sessions are live. */
function switched(from: CoordinationMode, to: CoordinationMode, rate: number): Event {
  return event("policy.switched", { policy: "coordination", from, to, rate, perMs: 0 });
}

/** Reserves what live sessions have edited within a lease and not committed. */
function recentEdits(states: States, { now, gone }: Moment, { lease }: PolicySettings): Event[] {
  const live = new Set(liveSessions(states.sessions).map(({ id }) => id));
  return states.work.edits.flatMap(({ session, tree, path, at, how, unclear }) => {
    const until = leaseUntil(lease, at);
    if (unclear === true || !live.has(session) || gone.has(session) || until <= now) return [];
    const request = {
      holder: { session },
      tree,
      targets: [{ kind: "path" as const, path }],
      mode: "exclusive" as const,
      via: how === "attributed" ? ("effect" as const) : ("edit" as const),
    };
    const circumstances = {
      now,
      gone,
      until,
      graceMs: lease.graceMs,
      renewalDue: (end: number) => renewalDue(lease, end, now),
      isRelated: () => false,
    };
    const answer = reserve(states.reservations, request, circumstances);
    return answer.kind === "granted" ? answer.events : [];
  });
}
