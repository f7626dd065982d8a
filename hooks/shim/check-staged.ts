import { gitIn } from "../../src/adapters/git/hook-git.ts";
import { readBase } from "../../src/adapters/git/index-file.ts";
import { commitOf } from "../../src/adapters/git/work-tree.ts";
import { checkCommit, type CommitVerdict } from "../../src/app/commit-gate.ts";
import type { Commit } from "../../src/domain/git-command-operation.ts";
import type { ShimCall } from "./call.ts";

/**
 * What a commit of just what is staged holds can be seen now, so that the hook need not look again as long as HEAD
 * stays where it is: half of what a commit costs. `undefined` where only the hook can tell.
 */
export function checkStaged(
  { box, session, tree, at }: ShimCall,
  commit: Commit,
  gitDir: string,
): (CommitVerdict & { readonly head?: string; readonly note?: string }) | undefined {
  const { all, include, selection, interactive, noVerify, amend } = commit;
  const named = selection.pathspecs.length > 0 || selection.file !== undefined;
  if (gitDir === "" || all || include || named || interactive || noVerify || amend) return undefined;
  const git = gitIn(at.top, box, { GIT_DIR: gitDir, GIT_WORK_TREE: at.top });
  if (git.inOperation()) return undefined;
  const head = readBase(gitDir);
  const isThere = () => commitOf({ cwd: at.top, gitDir, workTree: at.top }, "HEAD") === head;
  // A commit that comes now, without the lock, makes what is staged look wrong: the hook sees to it.
  if (head === undefined || !isThere()) return undefined;
  const verdict = checkCommit(box, { session, tree }, git, { skipped: false, judged: true });
  if (verdict.kind === "refused" && !isThere()) return undefined;
  return { ...verdict, head };
}
