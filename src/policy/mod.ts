export { LEASE_DEFAULTS, leaseTerms, leaseUntil, type LeaseSettings, renewalDue } from "./lease.ts";
export { NO_RELATIONS, related, type Relations } from "./related.ts";
export { POLICY_DEFAULTS, type PolicySettings } from "./settings.ts";
export { type Loop, LOOPS, type Moment, settle } from "./settle.ts";
export { type CoordinationMode, coordinationMode } from "./coordination.ts";
export { refreshDue, type RefreshMode, refreshMode } from "./refresh.ts";
export { compactionDue, fullProofDue } from "./compaction.ts";
export { announce } from "./announce.ts";
export {
  afterConflict,
  type Behind,
  dequeueRebase,
  dueAt,
  type MayRebase,
  mayRebase,
  queueRebase,
  type RebaseMode,
  rebaseMode,
} from "./rebase.ts";
export { endClaims, givenUp } from "./stall.ts";
