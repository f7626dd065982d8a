import { checkCommit } from "../../src/app/commit-gate.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) pre-commit: in every mode of commit, GIT_INDEX_FILE names what is to be committed. */
export const preCommit: GitHandler = ({ box, committer, git, gitPid }) => {
  const verdict = checkCommit(box, committer, git, false);
  if (verdict.kind === "refused") return { refused: true, say: verdict.reason };
  if (gitPid !== "") box.ports.spool.markChecked(gitPid);
  return { say: verdict.note };
};
