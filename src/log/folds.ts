/** The folds a log keeps: each has a state and the sequence number that state has reached. */

import type { Json, LogRecord } from "./record.ts";
import { CARRY, type SavedFold } from "./snapshot.ts";

/**
 * A fold the log keeps snapshots of. The state must be JSON. `apply` may change the state it is given; nobody
 * else may. A change of meaning needs a new `version`: the state is then built again from history, once.
 */
export interface Projection<S = unknown> {
  readonly name: string;
  readonly version: number;
  initial(): S;
  apply(state: S, record: LogRecord): void;
}

interface Fold {
  readonly projection: Projection;
  seq: number;
  state: unknown;
}

/** Records `from` (inclusive) up to `to` (inclusive), from wherever they are stored. */
export type History = (from: number, to: number) => Iterable<LogRecord>;

export interface Folds {
  readonly projections: readonly Projection[];
  /** Takes the states of a snapshot where they are newer. */
  take(saved: readonly SavedFold[]): void;
  /** Applies the record that moved the head from `before` to `after` to each fold that stands there. */
  apply(record: LogRecord, before: number, after: number): void;
  /** The state at `seq`, caught up from history where the fold lags. */
  state(projection: Projection, seq: number): unknown;
  /** Every fold at `seq`, and those of other versions that are not too old. */
  save(seq: number): SavedFold[];
}

export function foldsOf(projections: readonly Projection[], history: History): Folds {
  const folds = new Map<string, Fold>();
  for (const projection of projections) folds.set(projection.name, fresh(projection));
  let foreign: readonly SavedFold[] = [];

  const step = (fold: Fold, record: LogRecord, after: number) => {
    try {
      fold.projection.apply(fold.state, record);
      fold.seq = after;
    } catch (error) {
      // The state may be half changed: begin it again from history, when it is next asked for.
      Object.assign(fold, fresh(fold.projection));
      throw error;
    }
  };
  const reach = (fold: Fold, seq: number) => {
    if (fold.seq >= seq) return;
    for (const record of history(fold.seq + 1, seq)) step(fold, record, record.skip?.to ?? record.s);
    fold.seq = seq;
  };

  return {
    projections,
    take(saved) {
      foreign = saved.filter(({ name, version }) => folds.get(name)?.projection.version !== version);
      for (const { name, version, seq, state } of saved) {
        const fold = folds.get(name);
        if (fold?.projection.version === version && seq > fold.seq) Object.assign(fold, { seq, state });
      }
    },
    apply(record, before, after) {
      for (const fold of folds.values()) if (fold.seq === before) step(fold, record, after);
    },
    state(projection, seq) {
      const fold = folds.get(projection.name);
      if (fold?.projection.version !== projection.version) {
        throw new TypeError(`Fold ${projection.name} ${projection.version} was not given to openLog`);
      }
      reach(fold, seq);
      return fold.state;
    },
    save(seq) {
      const own = [...folds.values()].map((fold): SavedFold => {
        reach(fold, seq);
        const { name, version } = fold.projection;
        return { name, version, seq, state: fold.state as Json };
      });
      return [...own, ...foreign.filter((fold) => seq - fold.seq <= CARRY)];
    },
  };
}

function fresh(projection: Projection): Fold {
  return { projection, seq: 0, state: projection.initial() };
}
