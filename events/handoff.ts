import * as v from "valibot";
import { define } from "./define.ts";
import { targets, text, time, tree } from "./fields.ts";

const matter = () => ({
  handoff: text(),
  /** Who asks, and who holds. */
  from: text(),
  to: text(),
  task: v.optional(text()),
  tree: v.optional(tree()),
  targets: v.optional(targets()),
});

export const handoffRequested = define(
  "handoff.requested",
  "One session asks another for a task or files.",
  () => ({
    ...matter(),
    reason: v.string(),
    /** Unanswered until then, the stall rule decides. */
    until: time(),
  }),
);
export const handoffAccepted = define(
  "handoff.accepted",
  "Claim and reservations moved from the holder to who asked, in this one event.",
  () => ({
    ...matter(),
    /** When the leases that moved run out. */
    until: time(),
  }),
);
export const handoffRejected = define(
  "handoff.rejected",
  "The holder keeps it; final for this request.",
  () => ({
    ...matter(),
    reason: v.string(),
  }),
);
export const handoffLapsed = define("handoff.lapsed", "Nobody answered in time, or a party is gone.", () => ({
  ...matter(),
  reason: v.string(),
}));
