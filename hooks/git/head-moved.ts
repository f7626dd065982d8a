import { commitOf } from "../../src/adapters/git/work-tree.ts";
import { recordCommit, tellPerson } from "../../src/app/commit-gate.ts";
import { followAll } from "../../src/app/isolation.ts";
import { recordHead } from "../../src/app/movements.ts";
import { healAfter } from "./carry-forward.ts";
import type { GitCall, GitHandler } from "./call.ts";

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
  const made = isMadeHere(call);
  const told = made && committer.session === undefined ? tellPerson(box, committer, git) : "";
  if (made) recordCommit(box, committer, git);
  recordHead(box, committer, git, "merge");
  return told === "" ? {} : { say: told };
};

/** A merge commit on top of where HEAD was, not one that was fast-forwarded to: no other hook tells of it. */
function isMadeHere({ git, gitDir, gitdirs }: GitCall): boolean {
  const parents = git.headCommit()?.parents ?? [];
  const before = commitOf({ cwd: gitdirs?.at.top ?? ".", gitDir }, "ORIG_HEAD");
  return parents.length > 1 && before !== undefined && parents[0] === before;
}
