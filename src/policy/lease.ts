import { POLICY_DEFAULTS, type PolicySettings } from "./settings.ts";

export type LeaseSettings = PolicySettings["lease"];
export const LEASE_DEFAULTS: LeaseSettings = POLICY_DEFAULTS.lease;

/** When a lease granted or renewed now runs out (ms since the epoch). */
export function leaseUntil(settings: Pick<LeaseSettings, "ttlMs">, now: number): number {
  return now + settings.ttlMs;
}

/** Whether an edit now is to renew a lease that runs until `until`. */
export function renewalDue(
  settings: Pick<LeaseSettings, "ttlMs" | "renewAfterMs">,
  until: number,
  now: number,
): boolean {
  return leaseUntil(settings, now) - until >= Math.min(settings.renewAfterMs, settings.ttlMs / 2);
}
