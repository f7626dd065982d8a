import { othersLive, recordCommit, tellPerson } from "../../src/app/commit-gate.ts";
import { healAfter } from "./carry-forward.ts";
import { changedBetween } from "../../src/adapters/git/work-tree.ts";
import type { GitCall, GitHandler } from "./call.ts";

/** githooks(5) post-commit. */
export const postCommit: GitHandler = (call) => {
  const { box, committer, git, gitPid } = call;
  if (gitPid !== "") {
    git.unstage(box.ports.spool.takeLeftOut(gitPid));
    box.ports.spool.unmarkChecked(gitPid);
  }
  // The index forgets them when it is carried forward.
  const resolved = othersLive(box, committer.session) ? git.resolvedPaths() : [];
  healAfter(call);
  const told = committer.session === undefined ? tellPerson(box, committer, git) : "";
  const say = recordCommit(box, committer, git, { changed: changedByAmend(call), resolved });
  const both = [told, say].filter((text) => text !== "").join("\n");
  return both === "" ? {} : { say: both };
};

/** Of an amended commit what it has changed anew; the rest was committed before. */
function changedByAmend({ gitDir, gitdirs }: GitCall): readonly string[] | undefined {
  const amended = process.env["SIGNALBOX_AMENDS"] ?? "";
  if (amended === "" || gitdirs === undefined) return undefined;
  return changedBetween({ cwd: gitdirs.at.top, gitDir, workTree: gitdirs.at.top }, amended, "HEAD");
}
