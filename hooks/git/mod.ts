import type { GitHandler } from "./call.ts";
import { postCheckout, postMerge } from "./head-moved.ts";
import { postCommit } from "./post-commit.ts";
import { postRewrite } from "./post-rewrite.ts";
import { preCommit } from "./pre-commit.ts";
import { prePush } from "./pre-push.ts";
import { prepareCommitMsg } from "./prepare-commit-msg.ts";

/** Handlers by the names of githooks(5). */
export const GIT_HANDLERS: Readonly<Record<string, GitHandler>> = {
  "pre-commit": preCommit,
  "prepare-commit-msg": prepareCommitMsg,
  "post-commit": postCommit,
  "post-checkout": postCheckout,
  "post-merge": postMerge,
  "post-rewrite": postRewrite,
  "pre-push": prePush,
};
