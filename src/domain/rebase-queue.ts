import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

export interface QueueEntry {
  session: string;
  tree: string;
  /** The newest commit to rebase onto. */
  target: string;
  queuedAt: number;
  /** Not before then: cooldown or back-off (ms). */
  notBefore: number;
  /** How many moves of the base this one rebase answers. */
  coalesced: number;
  conflicts: number;
  /** The newest move of the base that it answers came then (ms). */
  movedAt: number;
  running: boolean;
  /** When it last began (ms). */
  startedAt?: number;
  /** The base moved again while it was running: it is to run once more. */
  again?: boolean;
}

export interface RebaseQueueState {
  /** At most one entry a session and tree: later targets coalesce into it. */
  queue: Table<QueueEntry>;
  /** When each session last finished a rebase (ms), for an hour. */
  rebasedAt: Table<number>;
  /** When one that had conflicted before last finished (ms); 0: never. */
  resolvedAt: number;
}

const REBASED_KEPT_MS = 60 * 60_000;

export const rebaseQueue = fold<RebaseQueueState>(
  "rebase-queue",
  3,
  () => ({ queue: {}, rebasedAt: {}, resolvedAt: 0 }),
  {
    "rebase.queued": (state, { session, tree, target, notBefore }, { t }) => {
      const waiting = state.queue[key(session, tree)];
      // Who waits already keeps the place.
      if (waiting !== undefined) return coalesce(waiting, target, t);
      state.queue[key(session, tree)] = {
        session,
        tree,
        target,
        notBefore,
        queuedAt: t,
        movedAt: t,
        coalesced: 0,
        conflicts: 0,
        running: false,
      };
    },
    "rebase.coalesced": (state, e, { t }) => {
      const entry = state.queue[key(e.session, e.tree)];
      if (entry !== undefined) coalesce(entry, e.target, t);
    },
    "rebase.started": (state, e, { t }) => {
      const entry = state.queue[key(e.session, e.tree)];
      if (entry !== undefined) Object.assign(entry, { running: true, again: false, startedAt: t });
    },
    "rebase.succeeded": (state, e, { t }) => {
      const entry = state.queue[key(e.session, e.tree)];
      if (entry !== undefined && entry.conflicts > 0) state.resolvedAt = t;
      if (entry?.again === true) Object.assign(entry, { running: false, again: false, conflicts: 0 });
      else delete state.queue[key(e.session, e.tree)];
      for (const [session, at] of Object.entries(state.rebasedAt))
        if (at <= t - REBASED_KEPT_MS) delete state.rebasedAt[session];
      enter(state.rebasedAt, e.session, t);
    },
    "rebase.conflicted": (state, e) => {
      const entry = state.queue[key(e.session, e.tree)];
      if (entry !== undefined)
        Object.assign(entry, {
          notBefore: e.notBefore,
          conflicts: entry.conflicts + 1,
          running: false,
          again: false,
        });
    },
    "session.continued": (state, e) => {
      if (e.from === e.session) return;
      for (const entry of Object.values(state.queue)) {
        if (entry.session !== e.from) continue;
        delete state.queue[key(e.from, entry.tree)];
        state.queue[key(e.session, entry.tree)] = { ...entry, session: e.session };
      }
      const at = lookUp(state.rebasedAt, e.from);
      if (at !== undefined) enter(state.rebasedAt, e.session, at);
      delete state.rebasedAt[e.from];
    },
    "session.ended": (state, e) => leave(state, e.session),
    "session.lapsed": (state, e) => leave(state, e.session),
  },
);

/** Has a newline, so it is no name that objects have by themselves. */
function key(session: string, tree: string): string {
  return `${session}\n${tree}`;
}

function coalesce(entry: QueueEntry, target: string, t: number): void {
  Object.assign(entry, { target, movedAt: t, coalesced: entry.coalesced + 1, again: entry.running });
}

function leave(state: RebaseQueueState, session: string): void {
  delete state.rebasedAt[session];
  for (const entry of Object.values(state.queue))
    if (entry.session === session) delete state.queue[key(session, entry.tree)];
}

/** What is queued for a session's tree. */
export function queuedFor(state: RebaseQueueState, session: string, tree: string): QueueEntry | undefined {
  return state.queue[key(session, tree)];
}

/** Entries that may run now: oldest first, those that conflicted before last. */
export function due(state: RebaseQueueState, now: number): QueueEntry[] {
  return Object.values(state.queue)
    .filter((entry) => !entry.running && entry.notBefore <= now)
    .sort((a, b) => Number(a.conflicts > 0) - Number(b.conflicts > 0) || a.queuedAt - b.queuedAt);
}
