import type { Event } from "../../../events/mod.ts";
import type { Fold, Meta } from "../../../src/domain/fold.ts";
import { FOLDS, type States } from "../../../src/domain/mod.ts";

/** An event, and where it stands in the log. */
export interface Moment {
  readonly event: Event;
  readonly meta: Meta;
}

export type History = readonly Moment[];
export type FoldName = keyof typeof FOLDS;

/** Every fold by its name, whatever its state is. */
export const FOLD_LIST = Object.entries(FOLDS) as unknown as readonly [FoldName, Fold<unknown>][];

export function initialStates(): States {
  return Object.fromEntries(FOLD_LIST.map(([name, fold]) => [name, fold.initial()])) as unknown as States;
}

/** Lets every fold see a moment. */
export function evolve(states: States, { event, meta }: Moment): void {
  for (const [name, fold] of FOLD_LIST) fold.evolve(states[name], event, meta);
}

/** What one fold makes of a history, from its beginning or going on from a state. */
export function run<S>(fold: Fold<S>, history: History, state: S = fold.initial()): S {
  for (const { event, meta } of history) fold.evolve(state, event, meta);
  return state;
}
