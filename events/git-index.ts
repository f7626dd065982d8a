import * as v from "valibot";
import { define } from "./define.ts";
import { commit, count, path, text, tree } from "./fields.ts";

/** `gitdir` is the id of the private gitdir under `<common>/worktrees/`, "" for the main one. */
const owner = () => ({ session: text(), gitdir: v.string() });

export const indexCreated = define(
  "index.created",
  "A session got an index of its own, based on a commit.",
  () => ({
    ...owner(),
    tree: tree(),
    base: commit(),
  }),
);

export const indexRefreshed = define(
  "index.refreshed",
  "An index was carried forward to a newer HEAD.",
  () => ({
    ...owner(),
    from: commit(),
    to: commit(),
    commits: v.optional(count()),
  }),
);

export const indexConflicted = define(
  "index.conflicted",
  "Staged paths changed in HEAD too; they are unmerged now.",
  () => ({
    ...owner(),
    to: commit(),
    paths: v.array(path()),
  }),
);

export const indexRecreated = define(
  "index.recreated",
  "An index was made anew with its staged work carried over.",
  () => ({
    ...owner(),
    base: commit(),
    reason: v.string(),
  }),
);

export const indexRemoved = define(
  "index.removed",
  "A session's index is gone; staged work stands in `rescue` if it had any.",
  () => ({
    ...owner(),
    rescue: v.optional(text()),
  }),
);
