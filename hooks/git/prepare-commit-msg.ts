import { checkCommit } from "../../src/app/commit-gate.ts";
import type { GitHandler } from "./call.ts";

/** githooks(5) prepare-commit-msg: runs even under `--no-verify`. Reached only if pre-commit left no mark. */
export const prepareCommitMsg: GitHandler = ({ box, committer, git }) => {
  const verdict = checkCommit(box, committer, git, true);
  return verdict.kind === "refused" ? { refused: true, say: verdict.reason } : { say: verdict.note };
};
