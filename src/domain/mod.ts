import type { Event } from "../../events/mod.ts";
import { capability } from "./capability.ts";
import { claims } from "./claims.ts";
import { commits } from "./commits.ts";
import type { Fold, Meta } from "./fold.ts";
import { guard } from "./guard.ts";
import { handoffs } from "./handoffs.ts";
import { indexes } from "./indexes.ts";
import { modes } from "./modes.ts";
import { notices } from "./notices.ts";
import { rebaseQueue } from "./rebase-queue.ts";
import { reservations } from "./reservations.ts";
import { sessions } from "./sessions.ts";
import { stashes } from "./stashes.ts";
import { upkeep } from "./upkeep.ts";
import { waiters } from "./waiters.ts";
import { work } from "./work.ts";

/** All folds. A new one is one file and one line here. */
export const FOLDS = {
  sessions,
  reservations,
  claims,
  indexes,
  rebaseQueue,
  handoffs,
  commits,
  notices,
  guard,
  work,
  stashes,
  modes,
  waiters,
  upkeep,
  capability,
};

/** The state of every fold, by its name here. */
export type States = { -readonly [K in keyof typeof FOLDS]: ReturnType<(typeof FOLDS)[K]["initial"]> };

/** The folds as one list, whatever their states are. */
export const ALL_FOLDS = Object.values(FOLDS) as readonly Fold<unknown>[];

/** The states after these events, were they appended now; the given ones stay as they are. */
export function evolved(states: States, events: readonly Event[], now: number): States {
  const next = Object.fromEntries(
    Object.entries(FOLDS).map(([name, { reacts }]) => {
      const state = states[name as keyof States];
      return [name, events.some((e) => reacts(e.type)) ? structuredClone(state) : state];
    }),
  ) as States;
  for (const event of events) evolve(next, event, { seq: Number.MAX_SAFE_INTEGER, t: now });
  return next;
}

/** Lets every fold see an event. */
export function evolve(states: States, event: Event, meta: Meta): void {
  for (const [name, fold] of Object.entries(FOLDS) as [keyof States, Fold<unknown>][])
    fold.evolve(states[name], event, meta);
}
