import { existsSync } from "node:fs";
import { join } from "node:path";
import { boxDirOf } from "../../src/adapters/box.ts";
import { treeAt } from "../../src/adapters/git/gitdirs.ts";
import { branchesOf } from "../../src/adapters/git/sync.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import type { Caller } from "../../src/app/attendance.ts";
import type { Box } from "../../src/app/box.ts";
import { recordFailure } from "../../src/app/failure.ts";
import { pull } from "../../src/app/sync.ts";

/** A pull point of the session (SYS-4): what it is to be told of its branch; mostly nothing. */
export function pullBranch(box: Box, { session, tree, cwd }: Caller): string {
  const repo = findRepo(cwd);
  if (repo?.top === undefined || boxDirOf(repo.commonDir) !== box.dir) return "";
  const shim = join(box.dir, "shim", "git");
  try {
    return pull(
      box,
      branchesOf(treeAt({ ...repo, top: repo.top }), existsSync(shim) ? shim : undefined),
      session,
      tree,
    );
  } catch (error) {
    recordFailure(box, "whether the branch has fallen behind", error, session);
    return "";
  }
}
