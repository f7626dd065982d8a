import * as v from "valibot";
import { define } from "./define.ts";
import { text, time } from "./fields.ts";

const claim = () => ({ task: text(), session: text() });
/** Sessions that had asked for the task, and are told what became of it. */
const wanted = () => v.optional(v.array(text()));
/** The tracker that says so. Without it, the claim's own tracker is still to be told. */
const saidBy = () => v.optional(text());

export const claimTaken = define("claim.taken", "A session works on a task.", () => ({
  ...claim(),
  kind: v.optional(v.string()),
  /** Where the task lives, if not in this log alone: "beads". */
  tracker: v.optional(text()),
  /** Sessions that had asked its last claimant for it. */
  wanted: wanted(),
}));
export const claimRefused = define("claim.refused", "Another session works on that task.", () => ({
  ...claim(),
  holder: text(),
  since: time(),
}));
export const claimProgressed = define("claim.progressed", "The claimant did something for the task.", () => ({
  ...claim(),
}));
export const claimStalled = define(
  "claim.stalled",
  "No activity for too long; the task is free again.",
  () => ({
    ...claim(),
    lastProgress: time(),
    why: v.optional(v.picklist(["no-edit", "process-gone", "by-hand"])),
    wanted: wanted(),
    /** What its claimant, or the person who freed it, says. */
    reason: v.optional(v.string()),
  }),
);
export const claimReleased = define("claim.released", "The claimant gave the task back.", () => ({
  ...claim(),
  reason: v.string(),
  wanted: wanted(),
  tracker: saidBy(),
}));
export const claimCompleted = define("claim.completed", "The task is done.", () => ({
  ...claim(),
  outcome: v.string(),
  wanted: wanted(),
  tracker: saidBy(),
}));
export const trackerTold = define(
  "tracker.told",
  "What became of a claim was written to its tracker, or could not be.",
  () => ({
    tracker: text(),
    task: text(),
    status: v.picklist(["open", "taken", "closed"]),
    /** Whose it is there now. */
    session: v.optional(text()),
    error: v.optional(v.string()),
  }),
);
