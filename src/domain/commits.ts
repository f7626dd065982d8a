import { fold } from "./fold.ts";

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
  /** Where each working tree's HEAD was last known to be. */
  heads: Record<string, { commit: string; branch?: string | undefined; at: number }>;
}

const RECENT_KEPT = 64;
const PATHS_KEPT = 16;

export const commits = fold<CommitsState>("commits", 1, () => ({ recent: [], heads: {} }), {
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
    state.heads[tree] = { commit, branch, at: t };
  },
  "head.moved": (state, e, { t }) => {
    state.heads[e.tree] = { commit: e.to, branch: e.branch, at: t };
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

/** A recent commit by its full id. */
export function findCommit(state: CommitsState, commit: string): CommitRecord | undefined {
  return state.recent.find((c) => c.commit === commit);
}
