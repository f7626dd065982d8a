import * as v from "valibot";
import { define } from "./define.ts";
import { commit, text, tree } from "./fields.ts";

export const headMoved = define(
  "head.moved",
  "HEAD of a working tree points elsewhere, other than by a recorded commit.",
  () => ({
    tree: tree(),
    branch: v.optional(text()),
    from: v.optional(commit()),
    to: commit(),
    how: v.picklist(["checkout", "merge", "rewrite", "found"]),
    session: v.optional(text()),
  }),
);

export const pushRecorded = define("push.recorded", "Refs are about to be pushed.", () => ({
  remote: v.string(),
  refs: v.array(v.object({ local: v.string(), to: v.string(), remote: v.string(), from: v.string() })),
  session: v.optional(text()),
}));
