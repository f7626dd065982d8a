import { event } from "../../events/mod.ts";
import { headOf } from "../domain/commits.ts";
import { type IndexRecord, indexesOf } from "../domain/indexes.ts";
import type { States } from "../domain/mod.ts";
import { modeOf } from "../domain/modes.ts";
import { hysteresis, perHour } from "./hysteresis.ts";
import type { Loop } from "./settle.ts";
import type { PolicySettings } from "./settings.ts";

/**
 * When indexes are carried forward to a HEAD that has moved (SYS-1). A session's own git command forces it, because
 * git would show others' commits as its changes. Short of that a session pulls by itself, at its next edit:
 * - `eager`, while commits are few: so that its next git command need not;
 * - `lazy`, while they are many: one refresh then answers many commits.
 */
export type RefreshMode = "eager" | "lazy";

/** Switches by the rate of commits. */
export const settleRefresh: Loop = (states, { now }, { refresh }) => {
  const { lazyAbove: above, eagerBelow: below, windowMs } = refresh;
  const mode = refreshMode(states);
  const rate = perHour(
    states.commits.recent.map(({ at }) => at),
    now,
    windowMs,
  );
  const next = hysteresis<RefreshMode>(mode, rate, { low: "eager", high: "lazy", above, below });
  if (next === mode) return [];
  return [event("policy.switched", { policy: "refresh", from: mode, to: next, rate, perMs: 3_600_000 })];
};

export function refreshMode(states: States): RefreshMode {
  return modeOf<RefreshMode>(states.modes, "refresh", "eager");
}

/** The index of a session that is to be carried forward now although nothing forces it; mostly none. */
export function refreshDue(
  states: States,
  { session, tree }: { readonly session: string; readonly tree: string },
  now: number,
  { refresh }: PolicySettings,
): IndexRecord | undefined {
  if (refreshMode(states) === "lazy") return undefined;
  const head = headOf(states.commits, tree);
  return indexesOf(states.indexes, session).find(
    (index) =>
      index.tree === tree &&
      head !== undefined &&
      index.base !== head.commit &&
      now - (index.healedAt ?? 0) >= refresh.everyMs,
  );
}
