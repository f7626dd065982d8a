import { recordHead } from "../../src/app/movements.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-checkout. Its third argument is 0 when files were checked out and HEAD stayed. */
export const postCheckout: GitHandler = ({ box, args, committer, git }) => {
  if (args[2] !== "0") recordHead(box, committer, git, "checkout");
  return {};
};

/** githooks(5) post-merge. */
export const postMerge: GitHandler = ({ box, committer, git }) => {
  recordHead(box, committer, git, "merge");
  return {};
};
