import { FOLDS, type States } from "../domain/mod.ts";
import type { LogRecord, Saved, SavedFold } from "../log/mod.ts";
import { eventsOf, type FoldName } from "./box.ts";

/** Records that are lost, as a repair has marked them. */
export interface Gap {
  readonly from: number;
  readonly to: number;
}

export const FOLD_NAMES = Object.keys(FOLDS) as FoldName[];

export function initialStates(): States {
  return Object.fromEntries(FOLD_NAMES.map((name) => [name, FOLDS[name].initial()])) as unknown as States;
}

/** States of folds by name, if all of them are of this build's versions. */
export function savedStates(folds: readonly SavedFold[] | undefined): States | undefined {
  const states: Partial<Record<FoldName, unknown>> = {};
  for (const each of FOLD_NAMES) {
    const { name, version } = FOLDS[each];
    const found = folds?.find((fold) => fold.name === name && fold.version === version);
    if (found === undefined) return undefined;
    states[each] = found.state;
  }
  return states as States;
}

/**
 * Folds a history record by record. Where the states cannot be known (retention has deleted the beginning, a repair has
 * marked a gap) it goes on from the next snapshot: what a snapshot held before the damage holds still.
 */
export class Folding {
  readonly gaps: Gap[] = [];
  /** The first record whose states could not be folded and were taken from a snapshot; none: all were folded. */
  takenUpAt: number | undefined;
  #states: States | undefined;
  #saved: readonly Saved[];
  #seq: number;

  /**
   * @param states right after record `seq`; `undefined` if they are not known
   * @param saved the log's snapshots, oldest first
   */
  constructor(states: States | undefined, seq: number, saved: readonly Saved[] = []) {
    this.#states = states;
    this.#seq = seq;
    this.#saved = saved;
  }

  /** The states after the last record that was added, if they can be known. */
  get states(): States | undefined {
    if (this.#states === undefined) this.#takeUp();
    return this.#states;
  }

  get seq(): number {
    return this.#seq;
  }

  add(record: LogRecord): void {
    if (record.skip !== undefined) {
      this.gaps.push({ from: record.s, to: record.skip.to });
      this.#states = undefined;
      this.#seq = record.skip.to;
      return;
    }
    const { states } = this;
    if (states !== undefined)
      for (const event of eventsOf(record))
        for (const name of FOLD_NAMES)
          FOLDS[name].evolve(states[name] as never, event, { seq: record.s, t: record.t });
    this.#seq = record.s;
  }

  #takeUp(): void {
    this.#saved = this.#saved.filter(({ seq }) => seq >= this.#seq);
    for (const { seq, read } of this.#saved) {
      if (seq > this.#seq) return;
      this.#states = savedStates(read());
      if (this.#states === undefined) continue;
      this.takenUpAt ??= seq;
      return;
    }
  }
}
