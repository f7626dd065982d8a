import { event, type Event } from "../../events/mod.ts";
import {
  type Arrival,
  arrive,
  findSession,
  leave,
  liveSessions,
  type SessionsState,
} from "../domain/sessions.ts";
import { activeGrants, release } from "../domain/reservations.ts";
import { formatTarget } from "../domain/pattern.ts";
import { endClaims } from "../policy/mod.ts";
import { type Box, type Circumstances, decide, look } from "./box.ts";
import { welcome } from "./messages.ts";

/** What a hook knows of the session it runs for. */
export interface Caller {
  readonly session: string;
  readonly agent?: string | undefined;
  readonly kind: string;
  readonly tree: string;
  readonly cwd: string;
  /** The process it lives in, if the client says. */
  readonly pid?: number | undefined;
}

/** A session begins or goes on. Answers with what it should know: nothing when nobody else is here. */
export function arriveSession(box: Box, caller: Caller, reason: string, model?: string): string {
  box.ports.views.addLive(caller.session);
  decide(box, caller.session, ({ states }) => ({
    events: arrive(states.sessions, arrival(box, caller, reason, model)),
    result: undefined,
  }));
  const circumstances = look(box);
  const live = new Set(Object.keys(circumstances.states.sessions.live));
  box.ports.views.prune(live);
  box.ports.spool.prune(live);
  return whoElse(circumstances, caller.session);
}

function whoElse({ states, now, gone }: Circumstances, self: string): string {
  const own = findSession(states.sessions, self)?.id;
  const others = liveSessions(states.sessions).filter(
    (s) => s.id !== self && s.id !== own && !gone.has(s.id),
  );
  if (others.length === 0) return "";
  const grants = activeGrants(states.reservations, now);
  return welcome(
    others.map(({ id }) => ({
      id,
      holds: grants.filter((g) => g.session === id).map((g) => formatTarget(g.target)),
    })),
  );
}

function arrival(
  box: Box,
  { session, kind, tree, cwd, pid }: Caller,
  reason: string,
  model?: string,
): Arrival {
  const process = pid === undefined ? undefined : box.ports.processes.identify(pid);
  return { session, kind, tree, cwd, reason, process, model };
}

/**
 * A session is to be known before anything is decided for it: signalbox came after it, it works here from another
 * repository, or it was taken for dead. By itself, because what others have edited while they were alone counts
 * from then on.
 */
export function attend(box: Box, caller: Caller): void {
  box.ports.views.addLive(caller.session);
  if (findSession(look(box).states.sessions, caller.session) !== undefined) return;
  decide(box, caller.session, ({ states }) => ({
    events: attended(box, states.sessions, caller).events,
    result: undefined,
  }));
}

/** The id it goes by now; and its arrival, should it have been taken for dead just now. */
export function attended(
  box: Box,
  state: SessionsState,
  caller: Caller,
): { readonly session: string; readonly events: Event[] } {
  const known = findSession(state, caller.session);
  if (known !== undefined) return { session: known.id, events: [] };
  return { session: caller.session, events: arrive(state, arrival(box, caller, "found")) };
}

/** Reasons of a SessionEnd after which the same process goes on under another id. */
const GOES_ON: ReadonlySet<string> = new Set(["clear", "resume"]);

/** A session ends: what it held is free. After /clear, or a resume from within, its process keeps everything. */
export function leaveSession(box: Box, session: string, reason: string, pid?: number): void {
  decide(box, session, ({ states, gone }) => {
    const left = leave(states.sessions, { session, reason, goesOn: GOES_ON.has(reason), pid });
    const released = left.flatMap((e) =>
      e.type === "session.ended"
        ? [...endClaims(states, e.session, gone), ...release(states.reservations, e.session, "ended")]
        : [],
    );
    return { events: [...released, ...left], result: undefined };
  });
}

/** A subagent begins: a holder of its own within the session's family. */
export function agentStarted(box: Box, caller: Caller & { readonly agent: string }, kind?: string): void {
  attend(box, caller);
  decide(box, caller.session, ({ states }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const started = event("agent.started", { session, agent: caller.agent, kind });
    return { events: [...events, started], result: undefined };
  });
}

/** A subagent ends: what it held is its session's. Forks that never were announced are none of ours. */
export function agentStopped(box: Box, session: string, agent: string): void {
  decide(box, session, ({ states }) => {
    const family = findSession(states.sessions, session);
    const known =
      family?.agents[agent] !== undefined ||
      states.reservations.grants.some((g) => g.session === family?.id && g.agent === agent);
    if (family === undefined || !known) return { events: [], result: undefined };
    return { events: [event("agent.stopped", { session: family.id, agent })], result: undefined };
  });
}
