import type { Event, EventType } from "../../events/mod.ts";

/** Where an event stands: its record's sequence number and time (ms, never going back). */
export interface Meta {
  readonly seq: number;
  readonly t: number;
}

/**
 * A pure fold over the log. `evolve` mutates a state it owns; a state is JSON, bounded in size, and a function
 * of the events alone. A changed shape or meaning is a new `version`: the log then rebuilds this fold only.
 */
export interface Fold<S> {
  readonly name: string;
  readonly version: number;
  readonly initial: () => S;
  readonly evolve: (state: S, event: Event, meta: Meta) => void;
  /** Whether events of that type may change the state. */
  readonly reacts: (type: string) => boolean;
}

/** What `evolve` does for each event it knows; all others leave the state as it is. */
export type Reactions<S> = {
  readonly [T in EventType]?: (state: S, event: Extract<Event, { type: T }>, meta: Meta) => void;
};

/** A fold from a table of reactions. */
export function fold<S>(name: string, version: number, initial: () => S, reactions: Reactions<S>): Fold<S> {
  const table = new Map(Object.entries(reactions)) as Map<
    string,
    (state: S, event: Event, meta: Meta) => void
  >;
  return {
    name,
    version,
    initial,
    evolve: (state, event, meta) => table.get(event.type)?.(state, event, meta),
    reacts: (type) => table.has(type),
  };
}
