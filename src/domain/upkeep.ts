import { fold } from "./fold.ts";

export interface UpkeepState {
  /** When the log began (ms); 0: it has not. */
  since: number;
  /** The last compaction: when (ms), and the record up to which history is archived; 0: never. */
  compactedAt: number;
  through: number;
}

/** What the cleanup loop has done. */
export const upkeep = fold<UpkeepState>("upkeep", 1, () => ({ since: 0, compactedAt: 0, through: 0 }), {
  "session.started": (state, _, { t }) => {
    if (state.since === 0) state.since = t;
  },
  "log.compacted": (state, { through }, { t }) => {
    state.compactedAt = t;
    state.through = Math.max(state.through, through);
  },
});
