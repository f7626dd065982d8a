import * as v from "valibot";
import { define } from "./define.ts";
import { commit, path, text, time, tree } from "./fields.ts";

const entry = () => ({ session: text(), tree: tree() });

export const rebaseQueued = define(
  "rebase.queued",
  "A session fell behind its base branch and is to rebase.",
  () => ({
    ...entry(),
    target: commit(),
    /** Not before then: cooldown or back-off. */
    notBefore: time(),
  }),
);
export const rebaseCoalesced = define(
  "rebase.coalesced",
  "The base moved again; one rebase to the newest will do.",
  () => ({
    ...entry(),
    target: commit(),
  }),
);
export const rebaseStarted = define("rebase.started", "The session rebases now.", () => ({
  ...entry(),
  target: commit(),
}));
export const rebaseSucceeded = define("rebase.succeeded", "The session stands on the target.", () => ({
  ...entry(),
  to: commit(),
}));
export const rebaseConflicted = define(
  "rebase.conflicted",
  "The rebase would conflict; nothing was changed.",
  () => ({
    ...entry(),
    target: commit(),
    paths: v.array(path()),
    notBefore: time(),
  }),
);
