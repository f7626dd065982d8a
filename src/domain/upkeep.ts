import { fold } from "./fold.ts";

export interface UpkeepState {
  /** When the log began (ms); 0: it has not. */
  since: number;
  /** The last compaction: when (ms), and the record up to which history is archived; 0: never. */
  compactedAt: number;
  through: number;
  /** What the last proof has shown of records 1 to `seq`, or was told to begin with; without, there was none. */
  proven?: { seq: number; digest: string };
  /** When the whole history was last to be folded for a proof (ms); 0: never. */
  fullProofAt: number;
}

/** What the cleanup loop has done. */
export const upkeep = fold<UpkeepState>(
  "upkeep",
  2,
  () => ({ since: 0, compactedAt: 0, through: 0, fullProofAt: 0 }),
  {
    "session.started": (state, _, { t }) => {
      if (state.since === 0) state.since = t;
    },
    "log.compacted": (state, { through, digest, full }, { t }) => {
      state.compactedAt = t;
      state.through = Math.max(state.through, through);
      if (digest === undefined || through < (state.proven?.seq ?? 0)) return;
      state.proven = { seq: through, digest };
      if (full === true) state.fullProofAt = t;
    },
  },
);
