import { fold } from "./fold.ts";

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
  running: boolean;
}

export interface RebaseQueueState {
  /** At most one entry a session and tree: later targets coalesce into it. */
  queue: Record<string, QueueEntry>;
  /** When each session last finished a rebase (ms). */
  rebasedAt: Record<string, number>;
}

export const rebaseQueue = fold<RebaseQueueState>("rebase-queue", 1, () => ({ queue: {}, rebasedAt: {} }), {
  "rebase.queued": (state, { session, tree, target, notBefore }, { t }) => {
    state.queue[key(session, tree)] = {
      session,
      tree,
      target,
      notBefore,
      queuedAt: t,
      coalesced: 0,
      conflicts: 0,
      running: false,
    };
  },
  "rebase.coalesced": (state, e) => {
    const entry = state.queue[key(e.session, e.tree)];
    if (entry !== undefined) Object.assign(entry, { target: e.target, coalesced: entry.coalesced + 1 });
  },
  "rebase.started": (state, e) => {
    const entry = state.queue[key(e.session, e.tree)];
    if (entry !== undefined) entry.running = true;
  },
  "rebase.succeeded": (state, e, { t }) => {
    delete state.queue[key(e.session, e.tree)];
    state.rebasedAt[e.session] = t;
  },
  "rebase.conflicted": (state, e) => {
    const entry = state.queue[key(e.session, e.tree)];
    if (entry !== undefined)
      Object.assign(entry, { notBefore: e.notBefore, conflicts: entry.conflicts + 1, running: false });
  },
  "session.continued": (state, e) => {
    if (e.from === e.session) return;
    for (const entry of Object.values(state.queue)) {
      if (entry.session !== e.from) continue;
      delete state.queue[key(e.from, entry.tree)];
      state.queue[key(e.session, entry.tree)] = { ...entry, session: e.session };
    }
    const at = state.rebasedAt[e.from];
    if (at !== undefined) state.rebasedAt[e.session] = at;
    delete state.rebasedAt[e.from];
  },
  "session.ended": (state, e) => leave(state, e.session),
  "session.lapsed": (state, e) => leave(state, e.session),
});

function key(session: string, tree: string): string {
  return `${session}\n${tree}`;
}

function leave(state: RebaseQueueState, session: string): void {
  delete state.rebasedAt[session];
  for (const entry of Object.values(state.queue))
    if (entry.session === session) delete state.queue[key(session, entry.tree)];
}

/** Entries that may run now: oldest first, those that conflicted before last. */
export function due(state: RebaseQueueState, now: number): QueueEntry[] {
  return Object.values(state.queue)
    .filter((entry) => !entry.running && entry.notBefore <= now)
    .sort((a, b) => Number(a.conflicts > 0) - Number(b.conflicts > 0) || a.queuedAt - b.queuedAt);
}
