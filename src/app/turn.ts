import { event, type Event } from "../../events/mod.ts";
import { type Notice, undelivered } from "../domain/notices.ts";
import { endingOf, lapsedOf } from "../domain/reservations.ts";
import { holderOf } from "../domain/holder.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { type Box, decide, look } from "./box.ts";
import { digest, leasesEnding } from "./messages.ts";
import { policySettings } from "./settings.ts";

/**
 * What concerned a session since it was last told; empty if nothing did. It is told once.
 *
 * @param known a kind of notice that it knows without being told
 */
export function deliverNotices(box: Box, session: string, known?: Notice["kind"]): string {
  const { graceMs, warnMs } = policySettings(box.settings).lease;
  // Before they are looked at: what comes in between is news again.
  box.ports.views.noNews(session);
  return decide(box, session, ({ states, now, gone }) => {
    const id = findSession(states.sessions, session)?.id;
    if (id === undefined) return { events: [], result: "" };
    const notices = undelivered(states.notices, id, now);
    // Some are not due yet.
    if ((states.notices.inbox[id]?.length ?? 0) > notices.length) box.ports.views.someNews(session);
    const isAlone = liveSessions(states.sessions).every((s) => s.id === id || gone.has(s.id));
    const lapsed = isAlone ? [] : lapsedOf(states.reservations, id, now, graceMs);
    const ending = isAlone ? [] : endingOf(states.reservations, id, now, { graceMs, warnMs });
    const events: Event[] = lapsed.map((g) =>
      event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
    );
    const last = notices.at(-1);
    if (last !== undefined) events.push(event("notice.delivered", { session: id, through: last.seq }));
    return {
      events,
      result: digest(
        notices.filter(({ kind }) => kind !== known),
        lapsed,
        leasesEnding(ending, now, graceMs),
      ),
    };
  });
}

/** For a session that is idle: all that concerned it, if it has been served what it waited for; else nothing yet. */
export function wakeUp(box: Box, session: string): string {
  // What time has made due is looked at by whoever looks.
  decide(box, undefined, () => ({ events: [], result: undefined }));
  const { states, now } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  const served = undelivered(states.notices, id, now).some(({ kind }) => kind === "yours");
  return served ? deliverNotices(box, session) : "";
}

/** The same at a tool call in the middle of a turn: only if there is something, which costs a look at a file. */
export function deliverNews(box: Box, session: string, known?: Notice["kind"]): string {
  return box.ports.views.hasNews(session) ? deliverNotices(box, session, known) : "";
}
