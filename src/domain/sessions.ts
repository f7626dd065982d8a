import { event, type Event } from "../../events/mod.ts";
import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

/** The process a session lives in. `start` and `boot` tell a reused pid from the same process. */
export interface ProcessId {
  readonly pid: number;
  readonly start: string;
  readonly boot: string;
}

export interface Session {
  id: string;
  kind: string;
  tree: string;
  cwd: string;
  process?: ProcessId | undefined;
  /** When it began, and its last sign of life (ms). */
  since: number;
  lastSeen: number;
  /** Live subagents by id. */
  agents: Table<{ kind?: string | undefined; since: number }>;
  /** After /clear, until its process announces the new id. */
  cleared?: boolean;
}

export interface SessionsState {
  /** Sessions that have neither ended nor lapsed. */
  live: Table<Session>;
  /** Former ids of live sessions, to the id they have now; of each the last few. */
  renamed: Table<string>;
  /** The last sessions that ended, newest last: for naming them in messages. */
  past: { id: string; at: number; how: string }[];
}

const PAST_KEPT = 50;
const FORMER_IDS_KEPT = 16;
const AGENTS_KEPT = 64;

export const sessions = fold<SessionsState>("sessions", 2, () => ({ live: {}, renamed: {}, past: [] }), {
  "session.started": (state, e, { t }) => {
    const { session: id, kind, tree, cwd, process } = e;
    enter(state.live, id, { ...begin(id, t), kind, tree, cwd, process });
    delete state.renamed[id];
  },
  "session.continued": (state, e, { t }) => {
    const from = lookUp(state.live, e.from);
    const { cleared: _, ...session } = lookUp(state.live, e.session) ?? from ?? begin(e.session, t);
    delete state.live[e.from];
    enter(state.live, e.session, {
      ...session,
      id: e.session,
      tree: e.tree,
      cwd: e.cwd,
      process: e.process ?? session.process,
      agents: { ...from?.agents, ...session.agents },
      lastSeen: t,
    });
    if (e.from !== e.session) rename(state, e.from, e.session);
  },
  "session.cleared": (state, e, { t }) => {
    const session = lookUp(state.live, e.session);
    if (session === undefined) return;
    session.cleared = true;
    session.lastSeen = t;
  },
  // A clock that was ahead for a while makes nobody live longer.
  "session.seen": (state, e, { t }) => touch(state, e.session, Math.min(e.at, t)),
  "session.ended": (state, e, { t }) => remove(state, e.session, t, e.reason),
  "session.lapsed": (state, e, { t }) => remove(state, e.session, t, e.reason),
  "agent.started": (state, e, { t }) => {
    const session = lookUp(state.live, e.session);
    if (session !== undefined) {
      enter(session.agents, e.agent, { kind: e.kind, since: t });
      forgetFirst(session.agents, AGENTS_KEPT);
    }
    touch(state, e.session, t);
  },
  "agent.stopped": (state, e, { t }) => {
    delete lookUp(state.live, e.session)?.agents[e.agent];
    touch(state, e.session, t);
  },
  "reservation.granted": (state, e, { t }) => touch(state, e.session, t),
  "reservation.renewed": (state, e, { t }) => touch(state, e.session, t),
  "reservation.refused": (state, e, { t }) => touch(state, e.session, t),
  "file.written": (state, e, { t }) => touch(state, e.session, t),
  "commit.recorded": (state, e, { t }) => {
    if (e.session !== undefined) touch(state, e.session, t);
  },
});

function begin(id: string, t: number): Session {
  return { id, kind: "unknown", tree: "", cwd: "", since: t, lastSeen: t, agents: {} };
}

function touch(state: SessionsState, id: string, at: number): void {
  const session = lookUp(state.live, id);
  if (session !== undefined && at > session.lastSeen) session.lastSeen = at;
}

function rename(state: SessionsState, from: string, to: string): void {
  const former = Object.entries(state.renamed).flatMap(([old, id]) =>
    id === from || id === to ? [old] : [],
  );
  for (const old of [...former, from]) {
    // Anew, so that the last to be renamed is the last to be forgotten.
    delete state.renamed[old];
    enter(state.renamed, old, to);
  }
  delete state.renamed[to];
  for (const old of former.slice(0, -FORMER_IDS_KEPT)) delete state.renamed[old];
}

function forgetFirst(table: Table<unknown>, kept: number): void {
  const names = Object.keys(table);
  for (const name of names.slice(0, Math.max(0, names.length - kept))) delete table[name];
}

function remove(state: SessionsState, id: string, at: number, how: string): void {
  if (lookUp(state.live, id) === undefined) return;
  delete state.live[id];
  for (const [old, now] of Object.entries(state.renamed)) if (now === id) delete state.renamed[old];
  state.past.push({ id, at, how });
  if (state.past.length > PAST_KEPT) state.past.shift();
}

/** The live session that has this id, or had it before /clear. */
export function findSession(state: SessionsState, id: string): Session | undefined {
  return lookUp(state.live, id) ?? lookUp(state.live, lookUp(state.renamed, id) ?? "");
}

/** Live sessions, oldest first. */
export function liveSessions(state: SessionsState): Session[] {
  return Object.values(state.live).sort((a, b) => a.since - b.since);
}

/**
 * Whether the other session was live at the same time as this one: what came before it began is its user's own
 * business, as when a session is ended and the next one goes on with its files.
 */
export function livedAlongside(state: SessionsState, other: string, self: string): boolean {
  const since = lookUp(state.live, self)?.since ?? Infinity;
  return (
    lookUp(state.live, other) !== undefined || state.past.some(({ id, at }) => id === other && at > since)
  );
}

export interface Arrival {
  readonly session: string;
  readonly kind: string;
  readonly tree: string;
  readonly cwd: string;
  readonly process?: ProcessId | undefined;
  readonly model?: string | undefined;
  /** What the client calls this start: "startup", "resume", "clear", "compact", "fork". */
  readonly reason: string;
}

/**
 * A session announces itself. It continues, and keeps what it holds, if its id is live (resume, compact) or if
 * live sessions are in the very same process (/clear, a resume from within): those are it. Else it starts.
 */
export function arrive(state: SessionsState, arrival: Arrival): Event[] {
  const { session, kind, tree, cwd, process, model, reason } = arrival;
  const former = liveSessions(state).filter((s) => s.id === session || sameProcess(s.process, process));
  if (former.length === 0) return [event("session.started", { session, kind, tree, cwd, process, model })];
  return former.map(({ id }) =>
    event("session.continued", { session, from: id, reason, tree, cwd, process }),
  );
}

export interface Departure {
  readonly session: string;
  readonly reason: string;
  /** Its process goes on under another id. */
  readonly goesOn: boolean;
  /** The process that says so, if known. */
  readonly pid?: number | undefined;
}

/**
 * A session says goodbye. If its process goes on under another id, it keeps what it holds. Two processes may run
 * one session (`--resume` of one that still runs): only the one that came last can end it.
 */
export function leave(state: SessionsState, { session: id, reason, goesOn, pid }: Departure): Event[] {
  const session = findSession(state, id);
  if (session === undefined) return [];
  if (goesOn) return [event("session.cleared", { session: session.id })];
  if (pid !== undefined && session.process !== undefined && session.process.pid !== pid) return [];
  return [event("session.ended", { session: session.id, reason })];
}

/** Sessions proven gone, to be declared so. Whatever is ambiguous is alive. */
export function lapse(state: SessionsState, gone: ReadonlySet<string>): Event[] {
  return liveSessions(state)
    .filter((s) => gone.has(s.id))
    .map((s) => event("session.lapsed", { session: s.id, reason: "process-gone", lastSeen: s.lastSeen }));
}

function sameProcess(a: ProcessId | undefined, b: ProcessId | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.pid === b.pid &&
    a.start === b.start &&
    a.boot === b.boot &&
    a.start !== ""
  );
}
