import { recordHead, recordRewrite } from "../../src/app/movements.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-rewrite: once at the end of an amend or a whole rebase. */
export const postRewrite: GitHandler = ({ box, args, stdin, committer, git }) => {
  recordRewrite(box, committer.session, args[0] ?? "rewrite", stdin);
  recordHead(box, committer, git, "rewrite");
  return {};
};
