/** How long a reservation lasts. The adaptive rules of SYS-3 (related edits, grace, caps) have their place here. */
export interface LeaseSettings {
  /** Length of a lease (ms). */
  readonly ttlMs: number;
  /**
   * A renewal that would add less than this, or than half a lease if that is shorter, is left out: it keeps
   * repeated edits from writing to the log (ms).
   */
  readonly renewAfterMs: number;
}

export const LEASE_DEFAULTS: LeaseSettings = { ttlMs: 15 * 60_000, renewAfterMs: 60_000 };

/** When a lease granted or renewed now runs out (ms since the epoch). */
export function leaseUntil(settings: LeaseSettings, now: number): number {
  return now + settings.ttlMs;
}

/** Whether an edit now is to renew a lease that runs until `until`. */
export function renewalDue(settings: LeaseSettings, until: number, now: number): boolean {
  return leaseUntil(settings, now) - until >= Math.min(settings.renewAfterMs, settings.ttlMs / 2);
}
