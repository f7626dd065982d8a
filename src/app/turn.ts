import { event, type Event } from "../../events/mod.ts";
import { undelivered } from "../domain/notices.ts";
import { endingOf, lapsedOf } from "../domain/reservations.ts";
import { holderOf } from "../domain/holder.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { type Box, decide } from "./box.ts";
import { digest, leasesEnding } from "./messages.ts";
import { policySettings } from "./settings.ts";

/** What concerned a session since it was last told; empty if nothing did. It is told once. */
export function deliverNotices(box: Box, session: string): string {
  const { graceMs, warnMs } = policySettings(box.settings).lease;
  return decide(box, session, ({ states, now, gone }) => {
    const id = findSession(states.sessions, session)?.id;
    if (id === undefined) return { events: [], result: "" };
    const notices = undelivered(states.notices, id);
    const isAlone = liveSessions(states.sessions).every((s) => s.id === id || gone.has(s.id));
    const lapsed = isAlone ? [] : lapsedOf(states.reservations, id, now, graceMs);
    const ending = isAlone ? [] : endingOf(states.reservations, id, now, { graceMs, warnMs });
    const events: Event[] = lapsed.map((g) =>
      event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
    );
    const last = notices.at(-1);
    if (last !== undefined) events.push(event("notice.delivered", { session: id, through: last.seq }));
    return { events, result: digest(notices, lapsed, leasesEnding(ending, now, graceMs)) };
  });
}
