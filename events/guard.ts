import * as v from "valibot";
import { define } from "./define.ts";
import { path, text, tree } from "./fields.ts";

export const guardRefused = define(
  "guard.refused",
  "An operation would have harmed another session's work.",
  () => ({
    session: text(),
    tree: tree(),
    verb: v.string(),
    reason: v.string(),
    paths: v.array(path()),
  }),
);
export const guardBypassed = define(
  "guard.bypassed",
  "The guard was told to stand aside, or was passed by.",
  () => ({
    session: v.optional(text()),
    how: v.string(),
    reason: v.optional(v.string()),
  }),
);
export const guardFailed = define(
  "guard.failed",
  "The guard itself broke and let the operation through.",
  () => ({
    where: text(),
    error: v.string(),
    session: v.optional(text()),
  }),
);
