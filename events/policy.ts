import * as v from "valibot";
import { count, text } from "./fields.ts";
import { define } from "./define.ts";

export const policySwitched = define(
  "policy.switched",
  "A balancing loop changed its mode, and at which rate.",
  () => ({
    policy: text(),
    from: text(),
    to: text(),
    rate: v.number(),
    /** The rate's window in milliseconds. */
    perMs: count(),
  }),
);
