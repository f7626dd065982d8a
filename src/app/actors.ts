import { liveSessions, type SessionsState } from "../domain/sessions.ts";
import { shortName } from "./identity.ts";

/**
 * What a session is called in a tracker, where its user has a name already: that name, and which of the user's
 * sessions. Session ids hold no slash, so it can be told from the name again.
 */
const MARK = "/sb-";

/** A session's name in a tracker. @param own the user's own name there, or any session's of the same user */
export function actorOf(session: string, own: string): string {
  const user = own.includes(MARK) ? own.slice(0, own.indexOf(MARK)) : own;
  return `${user || "signalbox"}${MARK}${shortName(session)}`;
}

/** Whether a name in a tracker is that of a session, at present or before /clear. */
export function isActorOf(actor: string, session: string, state: SessionsState): boolean {
  const at = actor.lastIndexOf(MARK);
  if (at < 0) return false;
  const short = actor.slice(at + MARK.length);
  const former = Object.entries(state.renamed).flatMap(([old, now]) => (now === session ? [old] : []));
  return [session, ...former].some((id) => shortName(id) === short);
}

/** The live session that a name in a tracker stands for. */
export function sessionOfActor(actor: string, state: SessionsState): string | undefined {
  return liveSessions(state).find(({ id }) => isActorOf(actor, id, state))?.id;
}
