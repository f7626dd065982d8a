import { recordHead, recordRewrite } from "../../src/app/movements.ts";
import { healAfter } from "./carry-forward.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-rewrite: once at the end of an amend or a whole rebase. */
export const postRewrite: GitHandler = (call) => {
  const { box, args, stdin, committer, git } = call;
  healAfter(call);
  recordRewrite(box, committer.session, args[0] ?? "rewrite", stdin);
  recordHead(box, committer, git, "rewrite");
  return {};
};
