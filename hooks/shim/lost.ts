import { existsSync } from "node:fs";
import { join } from "node:path";
import { guardGit } from "../../src/adapters/git/guard-git.ts";
import { tryGit } from "../../src/adapters/git/run.ts";
import { commitOf } from "../../src/adapters/git/work-tree.ts";
import { classify, isKnownVerb } from "../../src/domain/git-command-classify.ts";
import { parseGitCommand } from "../../src/domain/git-command.ts";
import type { ShimCall } from "./call.ts";

/**
 * What is to be done when somebody's commit came before that of a merge, cherry-pick or revert; git has changed index
 * and files by then, and does not take that back.
 *
 * - `conclude`: what was merged is all there; committing it makes the commit on top of theirs;
 * - `again`: it was a fast-forward, now undone; the command has to find out anew what to do;
 * - nothing: leave it as git left it.
 */
export function lost(
  { own, at, cwd }: ShimCall,
  [from = "", ...argv]: readonly string[],
): "conclude" | "again" | "" {
  if (own === "" || from === "") return "";
  const here = { cwd, gitDir: own, workTree: at.top };
  const git = guardGit(here, at.nativeGitDir);
  const operation = classify(parseGitCommand(argv, git.aliasOf, isKnownVerb), git);
  if (operation.kind !== "merge") return "";
  const waits = operation.verb === "revert" ? ["MERGE_MSG"] : ["MERGE_HEAD", "CHERRY_PICK_HEAD"];
  if (waits.some((name) => existsSync(join(own, name)))) return "conclude";
  const target = operation.verb === "pull" ? "FETCH_HEAD" : (operation.commits?.[0] ?? "@{upstream}");
  const to = commitOf(here, target);
  // Files that the session has changed since are not touched: git refuses.
  return to !== undefined && tryGit(here, ["read-tree", "-m", "-u", to, from]).status === 0 ? "again" : "";
}
