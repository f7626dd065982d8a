import { claims } from "./claims.ts";
import { commits } from "./commits.ts";
import type { Fold } from "./fold.ts";
import { guard } from "./guard.ts";
import { handoffs } from "./handoffs.ts";
import { indexes } from "./indexes.ts";
import { notices } from "./notices.ts";
import { rebaseQueue } from "./rebase-queue.ts";
import { reservations } from "./reservations.ts";
import { sessions } from "./sessions.ts";
import { stashes } from "./stashes.ts";
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
};

/** The state of every fold, by its name here. */
export type States = { -readonly [K in keyof typeof FOLDS]: ReturnType<(typeof FOLDS)[K]["initial"]> };

/** The folds as one list, whatever their states are. */
export const ALL_FOLDS = Object.values(FOLDS) as readonly Fold<unknown>[];
