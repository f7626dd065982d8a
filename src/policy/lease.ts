import type { States } from "../domain/mod.ts";
import type { Target } from "../domain/pattern.ts";
import { sameHolder } from "../domain/holder.ts";
import { isHeld, type Request, type Terms } from "../domain/reservations.ts";
import { liveSessions } from "../domain/sessions.ts";
import { NO_RELATIONS, related, type Relations } from "./related.ts";
import { POLICY_DEFAULTS, type PolicySettings } from "./settings.ts";

export type LeaseSettings = PolicySettings["lease"];
export const LEASE_DEFAULTS: LeaseSettings = POLICY_DEFAULTS.lease;

/**
 * When a lease granted or renewed now runs out (ms since the epoch).
 *
 * @param others how many related files its holder has as well (SYS-3)
 */
export function leaseUntil(
  { ttlMs, stepMs, maxMs }: Pick<LeaseSettings, "ttlMs" | "stepMs" | "maxMs">,
  now: number,
  others = 0,
): number {
  return now + Math.max(ttlMs, Math.min(maxMs, ttlMs + stepMs * others));
}

/**
 * Whether an edit now is to renew a lease that runs until `until`.
 *
 * @param next when the renewed one would run out
 */
export function renewalDue(
  settings: Pick<LeaseSettings, "ttlMs" | "stepMs" | "maxMs" | "renewAfterMs">,
  until: number,
  now: number,
  next = leaseUntil(settings, now),
): boolean {
  return next - until >= Math.min(settings.renewAfterMs, settings.ttlMs / 2);
}

/**
 * The terms of a request. An edit renews what it edits and the leases of the same holder in the same tree that are
 * related to it, not all that is held. An edit is what the edit gate lets through, or a change found on disk after
 * a command of a file that is the session's; reading is none, nor is a commit, which gives its files back. Asking by
 * hand, or waiting, renews what is asked for alone.
 *
 * @param relations asked for only when it makes a difference
 */
export function leaseTerms(
  { reservations, sessions }: Pick<States, "reservations" | "sessions">,
  { holder, tree, targets, via }: Request,
  { now, gone }: { readonly now: number; readonly gone: ReadonlySet<string> },
  settings: LeaseSettings,
  relations: () => Relations = () => NO_RELATIONS,
): Terms {
  const own = reservations.grants.filter((g) => g.tree === tree && sameHolder(g, holder));
  const held = own.filter((g) => isHeld(g, now, settings.graceMs)).map((g) => g.target);
  const until = leaseUntil(settings, now, relatedMost(targets, held, relations));
  const byHand = via === "command" || via === "wait";
  return {
    until,
    renewalDue: (end) => byHand || renewalDue(settings, end, now, until),
    graceMs: settings.graceMs,
    isRelated: ({ target }) => !byHand && targets.some((t) => related(t, target, relations)),
    cap: liveSessions(sessions).some((s) => s.id !== holder.session && !gone.has(s.id))
      ? settings.cap
      : undefined,
  };
}

/** To how many others that one of them is related which is related to most. */
function relatedMost(
  targets: readonly Target[],
  held: readonly Target[],
  relations: () => Relations,
): number {
  const all = new Map([...held, ...targets].map((target) => [JSON.stringify(target), target]));
  const counts = targets.map((target) => {
    const self = JSON.stringify(target);
    return [...all].filter(([key, other]) => key !== self && related(target, other, relations)).length;
  });
  return Math.max(0, ...counts);
}
