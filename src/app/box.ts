import { assertEvent, event, type Event, upcast } from "../../events/mod.ts";
import type { Fold } from "../domain/fold.ts";
import { evolved, FOLDS, type States } from "../domain/mod.ts";
import { findSession, lapse, liveSessions, type SessionsState } from "../domain/sessions.ts";
import type { Json, Log, LogRecord, Projection } from "../log/mod.ts";
import type { Ports, Spooled } from "./ports.ts";
import { coordinationMode, settle } from "../policy/mod.ts";
import { runningSessions } from "./running.ts";
import { policySettings, type Settings } from "./settings.ts";

/** A repository's signal box: its log, what the log says, and the world around it. */
export interface Box {
  /** Its folder in the git common dir. */
  readonly dir: string;
  readonly log: Log;
  readonly ports: Ports;
  readonly settings: Settings;
  /** Names that differ in case are one file here. */
  readonly ignoreCase: boolean;
}

/** What a decision may look at. */
export interface Circumstances {
  readonly states: States;
  /** Never before the log's own time (ms). */
  readonly now: number;
  /** Live sessions whose process is proven gone. */
  readonly gone: ReadonlySet<string>;
  /** Sessions whose leases a shell command keeps, and since when it runs (ms). */
  readonly running: ReadonlyMap<string, number>;
}

export interface Decision<R> {
  readonly events: readonly Event[];
  readonly result: R;
}

export type FoldName = keyof typeof FOLDS;

/** The folds as the log's projections. */
export const PROJECTIONS: { readonly [K in FoldName]: Projection<States[K]> } = Object.fromEntries(
  Object.entries(FOLDS).map(([name, fold]) => [name, projectionOf(fold as Fold<unknown>)]),
) as never;

/** All of them, whatever their states are. */
export const ALL_PROJECTIONS = Object.values(PROJECTIONS) as Projection[];

function projectionOf<S>(fold: Fold<S>): Projection<S> {
  return {
    name: fold.name,
    version: fold.version,
    initial: fold.initial,
    apply(state, record) {
      for (const e of eventsOf(record)) fold.evolve(state, e, { seq: record.s, t: record.t });
    },
  };
}

const known = new WeakMap<LogRecord, readonly Event[]>();

/** The events of a record that this build knows, at their current versions. */
export function eventsOf(record: LogRecord): readonly Event[] {
  let events = known.get(record);
  if (events === undefined) {
    events = record.e.map((stored) => upcast(stored)).filter((e) => e !== undefined);
    known.set(record, events);
  }
  return events;
}

/** What the log says now. */
export function statesOf(read: <S>(projection: Projection<S>) => S): States {
  const states: Partial<Record<FoldName, unknown>> = {};
  for (const name of Object.keys(PROJECTIONS) as FoldName[])
    states[name] = read(PROJECTIONS[name] as Projection);
  return states as States;
}

/** Events that say what happened but permit nothing: they need not be on disk before anybody goes on. */
const TELEMETRY: ReadonlySet<string> = new Set(["session.seen", "file.written", "notice.delivered"]);

/** Activity is recorded this coarsely (ms): it only tells a quiet session from a dead one. */
const SEEN_EVERY_MS = 60_000;

/**
 * Fold, decide, append, in one linearizable step: `decide` is run again whenever another writer came first.
 * What shell hooks spooled, and sessions proven gone, go into the log with whatever is decided.
 */
export function decide<R>(
  box: Box,
  by: string | undefined,
  decideOn: (circumstances: Circumstances) => Decision<R>,
): R {
  const { log, ports } = box;
  const spooled = ports.spool.drain();
  let drained: readonly Spooled[] = [];
  let ended: string[] = [];
  let left: string[] = [];
  let appended = false;
  const policies = policySettings(box.settings);
  const { result } = log.append((view) => {
    const states = statesOf((projection) => view.state(projection));
    const gone = goneSessions(states.sessions, ports, by);
    const running = runningSessions(states, view.now, ports);
    const moment = { now: view.now, gone, running };
    const taken = takeSpooled(states.sessions, spooled);
    drained = taken.entries;
    const fromSpool = [...taken.events, ...fitting(seenEvents(states.sessions, ports))];
    const known = evolvedBy(states, fromSpool, view.now);
    const due = fitting(settle(known, moment, policies));
    const current = evolvedBy(known, due, view.now);
    const { events: own, result: answer } = decideOn({ states: current, now: view.now, gone, running });
    const lapsed = lapse(current.sessions, gone).slice(0, LAPSED_AT_ONCE);
    const before: Event[] = [...fromSpool, ...due, ...lapsed, ...own];
    // Whoever waits for what was given back now has it at once: nobody can come between.
    const after = before.some(changesWhoMay)
      ? fitting(settle(evolvedBy(states, before, view.now), moment, policies))
      : [];
    const events = [...before, ...after];
    ended = events.flatMap((e) =>
      e.type === "session.ended" || e.type === "session.lapsed" ? [e.session] : renamedFrom(e),
    );
    left = states.work.edits.flatMap((edit) => (ended.includes(edit.session) ? [edit.tree] : []));
    appended = events.length > 0;
    if (!appended) return { result: answer };
    for (const e of events) assertEvent(e);
    const sync = !events.every((e) => TELEMETRY.has(e.type));
    return { result: answer, draft: { events: events as unknown as Json[], sync, by } };
  });
  const written = drained.flatMap((each) => (each.kind === "wrote" ? [each.entry] : []));
  if (written.length > 0) ports.spool.done(written);
  for (const each of drained) if (each.kind === "unrecorded" && appended) ports.spool.doneUnrecorded(each.at);
  for (const tree of new Set(left)) ports.views.someLeft(tree);
  for (const session of ended) ports.views.removeLive(session);
  if (appended) showViews(box);
  return result;
}

function evolvedBy(states: States, events: readonly Event[], now: number): States {
  return events.length === 0 ? states : evolved(states, events, now);
}

/**
 * A record holds a megabyte, and a hook cannot wait: of what thousands have left, or are owed, one decision takes so much,
 * the next ones the rest. Each of these events stands by itself, or on those before it.
 */
const ROOM = 128 * 1024;
const LAPSED_AT_ONCE = 200;

/** The first of them, as many as there is room for. */
function fitting(events: readonly Event[]): readonly Event[] {
  return events.slice(0, fittingCount(events));
}

function fittingCount(events: readonly Event[]): number {
  let bytes = 0;
  const first = events.findIndex((e) => (bytes += Buffer.byteLength(JSON.stringify(e))) > ROOM);
  return first === -1 ? events.length : first;
}

/** Whether somebody may have what nobody might before, or not any more: what time has made due is looked at again. */
function changesWhoMay({ type }: Event): boolean {
  return CHANGE_WHO_MAY.has(type);
}

const CHANGE_WHO_MAY: ReadonlySet<string> = new Set([
  "session.started",
  "session.continued",
  "reservation.released",
  "reservation.expired",
  "session.ended",
  "session.lapsed",
  "handoff.accepted",
  "claim.stalled",
  "claim.released",
  "claim.completed",
  "waiter.joined",
  "waiter.left",
]);

/** Puts what shell hooks ask where they look for it: who is to be told something, and whether anybody is alone. */
export function showViews({ log, ports }: Box): void {
  const { inbox } = log.state(PROJECTIONS.notices);
  for (const [session, notices] of Object.entries(inbox))
    if (notices.length > 0) ports.views.someNews(session);
  ports.views.setWaiting(new Set(log.state(PROJECTIONS.waiters).queue.map(({ session }) => session)));
  ports.views.setTogether(coordinationMode({ modes: log.state(PROJECTIONS.modes) }) === "together");
}

function renamedFrom(e: Event): string[] {
  return e.type === "session.continued" && e.from !== e.session ? [e.from] : [];
}

/** Whoever is deciding is alive and not looked at. */
function goneSessions(state: SessionsState, ports: Ports, deciding?: string): Set<string> {
  const dead = liveSessions(state).filter(
    (s) => s.id !== deciding && s.process !== undefined && ports.processes.isGone(s.process),
  );
  return new Set(dead.map((s) => s.id));
}

/** What shell hooks have left, as far as there is room for it; and what is done with then. */
function takeSpooled(
  state: SessionsState,
  spooled: readonly Spooled[],
): { readonly events: readonly Event[]; readonly entries: readonly Spooled[] } {
  const told = spooled.map((entry) => eventOf(state, entry));
  const events = told.filter((e) => e !== undefined);
  const room = fittingCount(events);
  const last = room === events.length ? spooled.length : told.indexOf(events[room]);
  return {
    events: events.slice(0, room),
    entries: spooled.slice(0, last),
  };
}

function eventOf(state: SessionsState, entry: Spooled): Event | undefined {
  if (entry.kind === "unrecorded") {
    const until = new Date(entry.at).toISOString();
    const error = `up to ${until} hooks let operations through that are not on record; errors.log may have more`;
    return event("guard.failed", { where: "the log could not be written", error });
  }
  const session = findSession(state, entry.session);
  if (session === undefined) return undefined;
  const { agent, tool, tree, path, at } = entry;
  return event("file.written", { session: session.id, agent, tool, tree, path, at });
}

/** Asks for the marks of live sessions alone: what thousands of dead ones left costs no hook anything. */
function seenEvents({ live, renamed }: SessionsState, { spool }: Ports): Event[] {
  return Object.values(live).flatMap(({ id, lastSeen }) => {
    const names = [id, ...Object.keys(renamed).filter((old) => renamed[old] === id)];
    const at = Math.max(...names.map((name) => spool.lastSeen(name) ?? 0));
    return at - lastSeen < SEEN_EVERY_MS ? [] : [event("session.seen", { session: id, at })];
  });
}

/** Reads without deciding: the log as it is now. */
export function look(box: Box): Circumstances {
  box.log.catchUp();
  const states = statesOf((projection) => box.log.state(projection));
  const now = Math.max(box.ports.now(), box.log.head.t);
  return {
    states,
    now,
    gone: goneSessions(states.sessions, box.ports),
    running: runningSessions(states, now, box.ports),
  };
}
