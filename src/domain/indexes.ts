import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

/** A git index and who owns it. */
export interface IndexRecord {
  session: string;
  /** Id of the private gitdir under `<common>/worktrees/`; "" is the main gitdir's own index. */
  gitdir: string;
  tree: string;
  /** The commit that its staged work is relative to. */
  base: string;
  createdAt: number;
  /** When it was last carried forward to HEAD, and how often (ms). */
  healedAt?: number;
  heals: number;
  /** Paths left unmerged by the last heal. */
  conflicted: string[];
}

export interface IndexesState {
  /** By gitdir id: an index has one owner. */
  indexes: Table<IndexRecord>;
}

export const indexes = fold<IndexesState>("indexes", 2, () => ({ indexes: {} }), {
  "index.created": (state, { session, gitdir, tree, base }, { t }) => {
    const index = { session, gitdir, tree, base, createdAt: t, heals: 0, conflicted: [] };
    enter(state.indexes, gitdir, index);
  },
  "index.refreshed": (state, e, { t }) => {
    const index = lookUp(state.indexes, e.gitdir);
    if (index !== undefined)
      Object.assign(index, { base: e.to, healedAt: t, heals: index.heals + 1, conflicted: [] });
  },
  "index.conflicted": (state, e, { t }) => {
    const index = lookUp(state.indexes, e.gitdir);
    if (index !== undefined)
      Object.assign(index, { base: e.to, healedAt: t, heals: index.heals + 1, conflicted: [...e.paths] });
  },
  "index.recreated": (state, e, { t }) => {
    const index = lookUp(state.indexes, e.gitdir);
    if (index !== undefined) Object.assign(index, { base: e.base, createdAt: t });
  },
  // What a session commits it has carried forward itself.
  "commit.recorded": (state, e) => {
    for (const index of Object.values(state.indexes))
      if (index.session === e.session && index.tree === e.tree) index.base = e.commit;
  },
  "index.removed": (state, e) => {
    delete state.indexes[e.gitdir];
  },
  "session.continued": (state, e) => {
    for (const index of Object.values(state.indexes)) if (index.session === e.from) index.session = e.session;
  },
});

/** The indexes a session owns. They outlive it until `index.removed`: staged work is saved first. */
export function indexesOf(state: IndexesState, session: string): IndexRecord[] {
  return Object.values(state.indexes).filter((index) => index.session === session);
}

/** Indexes whose owner is not live: leftovers to rescue and remove. */
export function orphans(state: IndexesState, live: ReadonlySet<string>): IndexRecord[] {
  return Object.values(state.indexes).filter((index) => !live.has(index.session));
}
