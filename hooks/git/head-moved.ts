import { followAll } from "../../src/app/isolation.ts";
import { recordHead } from "../../src/app/movements.ts";
import { healAfter } from "./carry-forward.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-checkout. Its third argument is 0 when files were checked out and HEAD stayed. */
export const postCheckout: GitHandler = (call) => {
  const { box, args, committer, git, gitdirs } = call;
  if (args[2] === "0") return {};
  if (gitdirs !== undefined) followAll(gitdirs, call.gitDir);
  healAfter(call);
  recordHead(box, committer, git, "checkout");
  return {};
};

/** githooks(5) post-merge. */
export const postMerge: GitHandler = (call) => {
  const { box, committer, git } = call;
  healAfter(call);
  recordHead(box, committer, git, "merge");
  return {};
};
