import type { Event } from "../../events/mod.ts";
import { FOLDS, type States } from "../domain/mod.ts";
import type { LogRecord } from "../log/mod.ts";
import { type Box, eventsOf, type FoldName, look } from "./box.ts";

/** One event with its place and time in the log. */
export interface Moment {
  readonly seq: number;
  readonly t: number;
  readonly event: Event;
}

/** The events of records, in order. */
export function* moments(records: Iterable<LogRecord>): Generator<Moment> {
  for (const record of records)
    for (const event of eventsOf(record)) yield { seq: record.s, t: record.t, event };
}

/** Until when to replay: a sequence number, or a time (ms). */
export type Until = { readonly seq: number } | { readonly time: number };

/** The states as they were then, folded from the full history; and the record and time it ended with. */
export function statesAt(box: Box, until: Until): { states: States; seq: number; now: number } {
  const states = initialStates();
  let seq = 0;
  let last = 0;
  for (const record of box.log.records()) {
    if ("seq" in until ? record.s > until.seq : record.t > until.time) break;
    apply(states, record);
    seq = record.s;
    last = record.t;
  }
  return { states, seq, now: "time" in until ? until.time : last };
}

function initialStates(): States {
  return Object.fromEntries(Object.entries(FOLDS).map(([name, fold]) => [name, fold.initial()])) as States;
}

function apply(states: States, record: LogRecord): void {
  for (const event of eventsOf(record)) {
    for (const [name, fold] of Object.entries(FOLDS)) {
      fold.evolve(states[name as FoldName] as never, event, { seq: record.s, t: record.t });
    }
  }
}

export interface Verification {
  readonly records: number;
  readonly events: number;
  /** Folds whose live state, from snapshot and tail, is not what the full history gives. */
  readonly differing: readonly string[];
}

/**
 * Reads the whole history and folds it anew.
 *
 * @throws the log's corruption error where the chain breaks
 */
export function verify(box: Box): Verification {
  const live = look(box).states;
  const head = box.log.head.seq;
  const states = initialStates();
  let records = 0;
  let events = 0;
  for (const record of box.log.records()) {
    if (record.s > head) break;
    records += 1;
    events += record.e.length;
    apply(states, record);
  }
  const names = Object.keys(FOLDS) as FoldName[];
  return {
    records,
    events,
    differing: names.filter((name) => canonical(live[name]) !== canonical(states[name])),
  };
}

/** JSON with sorted keys: two states are the same if this is. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
