import * as v from "valibot";
import { define } from "./define.ts";
import { text, time } from "./fields.ts";

const claim = () => ({ task: text(), session: text() });

export const claimTaken = define("claim.taken", "A session works on a task.", () => ({
  ...claim(),
  kind: v.optional(v.string()),
  /** Where the task lives, if not in this log alone: "beads". */
  tracker: v.optional(text()),
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
    /** Sessions that had asked for it, and are told. */
    wanted: v.optional(v.array(text())),
  }),
);
export const claimReleased = define("claim.released", "The claimant gave the task back.", () => ({
  ...claim(),
  reason: v.string(),
}));
export const claimCompleted = define("claim.completed", "The task is done.", () => ({
  ...claim(),
  outcome: v.string(),
}));
