import { recordCommit } from "../../src/app/commit-gate.ts";
import { healAfter } from "./carry-forward.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) post-commit. */
export const postCommit: GitHandler = (call) => {
  const { box, committer, git, gitPid } = call;
  if (gitPid !== "") {
    git.unstage(box.ports.spool.takeLeftOut(gitPid));
    box.ports.spool.unmarkChecked(gitPid);
  }
  healAfter(call);
  const say = recordCommit(box, committer, git);
  return say === "" ? {} : { say };
};
