export { LEASE_DEFAULTS, leaseUntil, type LeaseSettings, renewalDue } from "./lease.ts";
export { POLICY_DEFAULTS, type PolicySettings } from "./settings.ts";
export { type Loop, LOOPS, type Moment, settle } from "./settle.ts";
export { endClaims, givenUp } from "./stall.ts";
