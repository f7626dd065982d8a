import { basename, join, resolve } from "node:path";
import { hasStaged, readBase } from "../../src/adapters/git/index-file.ts";
import { operationIn } from "../../src/adapters/git/work-tree.ts";
import { healIndex } from "../../src/app/isolation.ts";
import { staleConflict } from "../../src/app/messages.ts";
import type { Healed } from "../../src/app/ports.ts";
import type { GitCall } from "./call.ts";

const CURRENT: Healed = { kind: "current" };

/** The gitdir that git runs in, as its index has an owner or none. */
export function indexIn({ gitDir, gitdirs, committer }: GitCall) {
  const gitdir = gitdirs?.all().find((one) => one.gitDir === gitDir)?.id ?? "";
  return { session: committer.session, gitdir, gitDir, conflict: staleConflict };
}

/** Whether something was staged, before it is carried forward: then nothing left of it is no reason for a commit. */
export function hadStaged({ gitDir, gitdirs, git }: GitCall): boolean {
  if (gitdirs?.at.nativeGitDir === gitDir) gitdirs.followReset();
  const base = readBase(gitDir);
  if (gitdirs === undefined || base === undefined || base === git.headCommit()?.commit) return false;
  return hasStaged({ gitDir, workTree: gitdirs.at.top }, base);
}

/** Carries forward what is about to be committed. `--only` has made its index from HEAD: nothing to do. */
export function healCommit(call: GitCall): Healed {
  const { gitdirs, gitDir, git, box } = call;
  if (gitdirs === undefined || readBase(gitDir) === undefined || git.commitMode() === "only") return CURRENT;
  const indexFile = process.env["GIT_INDEX_FILE"];
  const file = indexFile === undefined ? undefined : resolve(gitdirs.at.top, indexFile);
  if (file === undefined || file === join(gitDir, "index")) return healIndex(box, indexIn(call), gitdirs);
  return basename(file) === "index.lock" ? gitdirs.heal(gitDir, file) : CURRENT;
}

/**
 * What is committed is based on an older HEAD, and nothing has carried it forward. In a cherry-pick or revert too: git
 * reads HEAD once more when it commits what it has merged, and would take back whatever was committed in between.
 */
export function isStale({ gitDir, git }: GitCall): boolean {
  const base = readBase(gitDir);
  return (
    base !== undefined &&
    git.commitMode() !== "only" &&
    operationIn(gitDir) !== "rebase" &&
    base !== git.headCommit()?.commit
  );
}

/** The shim has judged another commit to be amended than the one that HEAD is at now. */
export function hasMovedUnderAmend({ git }: GitCall): boolean {
  const judged = process.env["SIGNALBOX_AMENDS"] ?? "";
  return judged !== "" && judged !== git.headCommit()?.commit;
}

/** After HEAD has moved: the index of the gitdir that moved it, and the one that people use. */
export function healAfter(call: GitCall): void {
  const { gitdirs, gitDir } = call;
  if (gitdirs === undefined) return;
  if (gitDir !== gitdirs.at.nativeGitDir && readBase(gitDir) !== undefined) gitdirs.heal(gitDir);
  gitdirs.heal(gitdirs.at.nativeGitDir);
}
