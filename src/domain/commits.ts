import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

export interface CommitRecord {
  commit: string;
  tree: string;
  branch?: string | undefined;
  /** Absent for a person's. */
  session?: string | undefined;
  subject: string;
  /** The first paths it changed, and how many in all. */
  paths: string[];
  total: number;
  at: number;
}

export interface CommitsState {
  /** The last commits, newest last. */
  recent: CommitRecord[];
  /** Where each working tree's HEAD was last known to be; the last trees that were heard of. */
  heads: Table<Head>;
}

export interface Head {
  commit: string;
  branch?: string | undefined;
  at: number;
}

const RECENT_KEPT = 64;
const PATHS_KEPT = 16;
const HEADS_KEPT = 128;

export const commits = fold<CommitsState>("commits", 2, () => ({ recent: [], heads: {} }), {
  "commit.recorded": (state, e, { t }) => {
    const { commit, tree, branch, session, subject, total } = e;
    if (!state.recent.some((c) => c.commit === commit)) {
      state.recent.push({
        commit,
        tree,
        branch,
        session,
        subject,
        total,
        at: t,
        paths: e.paths.slice(0, PATHS_KEPT),
      });
    }
    if (state.recent.length > RECENT_KEPT) state.recent.shift();
    moveHead(state, tree, { commit, branch, at: t });
  },
  "head.moved": (state, e, { t }) => {
    moveHead(state, e.tree, { commit: e.to, branch: e.branch, at: t });
  },
  "commit.rewritten": (state, e) => {
    for (const { from, to } of e.pairs) {
      const old = state.recent.find((c) => c.commit === from);
      // The new one may be recorded already, by post-commit; whose it is then stands there.
      if (old !== undefined && !state.recent.some((c) => c.commit === to)) old.commit = to;
    }
  },
  "session.continued": (state, e) => {
    for (const commit of state.recent) if (commit.session === e.from) commit.session = e.session;
  },
});

function moveHead(state: CommitsState, tree: string, head: Head): void {
  enter(state.heads, tree, head);
  const trees = Object.entries(state.heads).sort(([, a], [, b]) => b.at - a.at);
  for (const [old] of trees.slice(HEADS_KEPT)) delete state.heads[old];
}

/** Where the HEAD of a working tree was last known to be. */
export function headOf(state: CommitsState, tree: string): Head | undefined {
  return lookUp(state.heads, tree);
}

/** A recent commit by its full id. */
export function findCommit(state: CommitsState, commit: string): CommitRecord | undefined {
  return state.recent.find((c) => c.commit === commit);
}
