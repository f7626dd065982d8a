import { recordCommit } from "../../src/app/commit-gate.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-commit. */
export const postCommit: GitHandler = ({ box, committer, git, gitPid }) => {
  if (gitPid !== "") box.ports.spool.unmarkChecked(gitPid);
  recordCommit(box, committer, git);
  return {};
};
