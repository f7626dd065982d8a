import * as v from "valibot";
import { count, text } from "./fields.ts";
import { define } from "./define.ts";

export const noticesDelivered = define(
  "notice.delivered",
  "A session was told what concerned it, up to a sequence number.",
  () => ({
    session: text(),
    through: count(),
  }),
);

export const logCompacted = define(
  "log.compacted",
  "Sealed history was archived, after proof that the folds agree.",
  () => ({
    through: count(),
    archived: count(),
    bytesBefore: count(),
    bytesAfter: count(),
    proof: v.record(v.string(), v.string()),
    /** The records that were folded for it begin here; without, there was nothing that could be folded. */
    provenFrom: v.optional(count()),
    /** The whole history was folded, as far as it can be; else what is new since the last proof. */
    full: v.optional(v.boolean()),
    /** All folds in one SHA-256, for the next proof to begin with. */
    digest: v.optional(v.string()),
  }),
);
export const logRepaired = define(
  "log.repaired",
  "A damaged log was restarted from the newest state that could be proven.",
  () => ({
    at: count(),
    lost: v.string(),
    kept: v.string(),
  }),
);
export const cleanupSwept = define("cleanup.swept", "Leftovers proven dead were removed.", () => ({
  what: text(),
  count: count(),
}));
