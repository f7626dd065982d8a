import type { Event } from "../../events/mod.ts";
import { evolved, type States } from "../domain/mod.ts";
import { settleCoordination } from "./coordination.ts";
import { settleRebases } from "./rebase.ts";
import { settleRefresh } from "./refresh.ts";
import { keepWhileRunning } from "./running.ts";
import type { PolicySettings } from "./settings.ts";
import { settleClaims, settleHandoffs } from "./stall.ts";
import { dropPlaces, serveWaiters } from "./waiters.ts";

/** What a policy may look at beside the states. */
export interface Moment {
  /** Never before the log's own time (ms). */
  readonly now: number;
  /** Live sessions whose process is proven gone. */
  readonly gone: ReadonlySet<string>;
  /** Sessions that run a command, and since when (ms). */
  readonly running: ReadonlyMap<string, number>;
}

/** What is due at a moment, by one loop. Pure, and idempotent: asked again after its events, it has none. */
export type Loop = (states: States, moment: Moment, settings: PolicySettings) => Event[];

/**
 * All loops that act by themselves. A new one is one file and one line here. Whoever has just been served waits no
 * more, so what its command keeps is looked at again.
 */
export const LOOPS: readonly Loop[] = [
  settleCoordination,
  dropPlaces,
  keepWhileRunning,
  settleClaims,
  settleHandoffs,
  serveWaiters,
  keepWhileRunning,
  settleRefresh,
  settleRebases,
];

/**
 * What time has made due: the loops in their order, each after the events of those before. Whoever decides anything
 * settles this first; nobody has to be awake for it.
 */
export function settle(states: States, moment: Moment, settings: PolicySettings): Event[] {
  const all: Event[] = [];
  let current = states;
  for (const loop of LOOPS) {
    const events = loop(current, moment, settings);
    if (events.length === 0) continue;
    all.push(...events);
    current = evolved(current, events, moment.now);
  }
  return all;
}
