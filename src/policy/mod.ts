export { LEASE_DEFAULTS, leaseUntil, type LeaseSettings, renewalDue } from "./lease.ts";
