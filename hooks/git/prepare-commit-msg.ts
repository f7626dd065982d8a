import { checkCommit } from "../../src/app/commit-gate.ts";
import { hasMovedUnderAmend, isStale } from "./carry-forward.ts";
import { headMoved, pickOvertaken, staleCommit } from "../../src/app/messages.ts";
import type { GitHandler } from "./call.ts";

/**
 * githooks(5) prepare-commit-msg: runs even under `--no-verify`. Reached only if pre-commit left no mark. The tree
 * is written by now: an index that was left behind can only be refused.
 */
export const prepareCommitMsg: GitHandler = (call) => {
  const { box, committer, git } = call;
  if (hasMovedUnderAmend(call)) return { refused: true, say: headMoved() };
  if (git.inOperation() && isStale(call)) return { refused: true, say: pickOvertaken() };
  if (committer.session !== undefined && isStale(call)) return { refused: true, say: staleCommit() };
  const verdict = checkCommit(box, committer, git, { skipped: true });
  return verdict.kind === "refused" ? { refused: true, say: verdict.reason } : { say: verdict.note };
};
