import { type Notice, undelivered } from "../domain/notices.ts";
import { findSession } from "../domain/sessions.ts";
import { type Box, look } from "./box.ts";
import { deliverNotices } from "./turn.ts";

/** What a session should not have to wait for its next turn for: somebody waits for its word, or it waits for this. */
const PRESSING: ReadonlySet<Notice["kind"]> = new Set(["asked", "accepted", "rejected", "lapsed", "stalled"]);

/** In the middle of a turn: all that concerned the session, if some of it is pressing; else nothing. */
export function deliverPressing(box: Box, session: string): string {
  const { states } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  return undelivered(states.notices, id).some(({ kind }) => PRESSING.has(kind))
    ? deliverNotices(box, session)
    : "";
}
