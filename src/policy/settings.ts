/** Constants of the balancing loops, all times in milliseconds. Each is a documented setting (src/app/settings.ts). */
export interface PolicySettings {
  readonly lease: {
    /** Length of a lease: of one file alone, and at most (SYS-3). */
    readonly ttlMs: number;
    readonly maxMs: number;
    /** Each related file that its holder has as well adds so much. */
    readonly stepMs: number;
    /**
     * A renewal that would add less than this, or than half a lease if that is shorter, is left out: it keeps
     * repeated edits from writing to the log.
     */
    readonly renewAfterMs: number;
    /** After a lease has run out its holder may take it back ahead of others for so long. */
    readonly graceMs: number;
    /** How many leases a session may hold while others are here. */
    readonly cap: number;
    /** At the start of a turn the holder is told of leases that run out sooner than this. */
    readonly warnMs: number;
    /** A command that runs keeps its session's leases for so long. */
    readonly commandMs: number;
  };
  readonly wait: {
    /** A place in the queue is kept for so long. */
    readonly keepMs: number;
  };
  readonly claim: {
    /** A claim whose session has not edited a file for so long is stalled (SYS-5). */
    readonly stallMs: number;
  };
  readonly handoff: {
    /** Unanswered for so long, the stall rule decides. */
    readonly answerMs: number;
  };
  readonly announce: {
    /** A commit that resolved a conflict is announced so much later (SYS-4). */
    readonly resolvedMs: number;
  };
  readonly refresh: {
    /** Unless something forces it, a session's index is carried forward once in so long (SYS-1). */
    readonly everyMs: number;
    /** Commits an hour: above the first it becomes lazy, below the second eager again. */
    readonly lazyAbove: number;
    readonly eagerBelow: number;
    /** The rate is taken over so long. */
    readonly windowMs: number;
  };
  readonly rebase: {
    /** After a rebase the next one waits for so long (SYS-4). */
    readonly cooldownMs: number;
    /** After a conflict the next try waits for so long, doubled each time, up to an hour. */
    readonly backoffMs: number;
    /** Commits an hour on the base: above the first rebases go in batches, below the second at once again. */
    readonly batchAbove: number;
    readonly immediateBelow: number;
    readonly batchMs: number;
    readonly windowMs: number;
  };
  readonly compact: {
    /** The log's past is archived when it has grown by so many records, or after so long (SYS-2). */
    readonly everyRecords: number;
    readonly everyMs: number;
  };
  readonly coordination: {
    /** When a session is alone again, it is treated so after this. */
    readonly dwellMs: number;
  };
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;

export const POLICY_DEFAULTS: PolicySettings = {
  lease: {
    ttlMs: 15 * MINUTE,
    maxMs: 30 * MINUTE,
    stepMs: 5 * MINUTE,
    renewAfterMs: 60 * SECOND,
    graceMs: 2 * MINUTE,
    cap: 100,
    warnMs: 3 * MINUTE,
    commandMs: 60 * MINUTE,
  },
  wait: { keepMs: 30 * MINUTE },
  claim: { stallMs: 60 * MINUTE },
  handoff: { answerMs: 10 * MINUTE },
  announce: { resolvedMs: 30 * SECOND },
  refresh: { everyMs: 30 * SECOND, lazyAbove: 60, eagerBelow: 30, windowMs: 10 * MINUTE },
  rebase: {
    cooldownMs: 60 * SECOND,
    backoffMs: 60 * SECOND,
    batchAbove: 60,
    immediateBelow: 30,
    batchMs: 5 * MINUTE,
    windowMs: 10 * MINUTE,
  },
  compact: { everyRecords: 20_000, everyMs: 24 * 60 * MINUTE },
  coordination: { dwellMs: 5 * MINUTE },
};
