import { fold } from "./fold.ts";

export interface StashesState {
  /** Stash entries by commit, the newest last; git's own list says which are still there. */
  entries: { entry: string; session: string; tree: string }[];
}

const ENTRIES_KEPT = 128;

/** Whose a stash entry is: git keeps one stash for all sessions and working trees of a repository. */
export const stashes = fold<StashesState>("stashes", 1, () => ({ entries: [] }), {
  "work.stashed": (state, { entry, session, tree }) => {
    state.entries = state.entries.filter((known) => known.entry !== entry);
    state.entries.push({ entry, session, tree });
    if (state.entries.length > ENTRIES_KEPT) state.entries.shift();
  },
  "session.continued": (state, e) => {
    for (const stash of state.entries) if (stash.session === e.from) stash.session = e.session;
  },
});

/** The session that made a stash entry; `undefined` for a person's, or one that is not known. */
export function ownerOfStash(state: StashesState, entry: string): string | undefined {
  return state.entries.find((known) => known.entry === entry)?.session;
}
