/**
 * Given what happened, when somebody decides, then these events: the folds and the deciders are the real ones,
 * and every event is checked against its schema, as it is before it is appended.
 */
import assert from "node:assert/strict";
import { assertEvent, type Event, type StoredEvent } from "../../../events/mod.ts";
import type { States } from "../../../src/domain/mod.ts";
import { evolve, initialStates } from "./history.ts";
import { roundTrip } from "./json.ts";

const MINUTE = 60_000;
/** Minutes since the tests' beginning, as the log has time (ms). */
export const min = (minutes: number): number => Math.round(minutes * MINUTE);

/** Events of one record, at that minute. */
export interface Step {
  readonly minute: number;
  readonly events: readonly Event[];
}

export function at(minute: number, ...events: Event[]): Step {
  return { minute, events };
}

/** What a decision may look at: the states, and the time (ms). */
export interface Now {
  readonly states: States;
  readonly now: number;
}

/** The world after those steps, each one record of the log, in the order they are given. */
export function given(...steps: Step[]) {
  const states = initialStates();
  let seq = 0;
  const append = (minute: number, events: readonly Event[]) => {
    seq += 1;
    for (const event of events) {
      assertEvent(event as unknown as StoredEvent);
      evolve(states, { event, meta: { seq, t: min(minute) } });
    }
  };
  for (const { minute, events } of steps) append(minute, events);

  return {
    states,
    /** Decides at that minute. The events are appended. */
    when(minute: number, decide: (now: Now) => readonly Event[]) {
      const events = decide({ states, now: min(minute) });
      append(minute, events);
      return {
        states,
        gives: (...expected: readonly Event[]) => assert.deepEqual(roundTrip(events), roundTrip(expected)),
      };
    },
  };
}
