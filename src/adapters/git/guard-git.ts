import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { GuardGit } from "../../app/ports.ts";
import { findRepo } from "../locate.ts";
import { type GitAt, splitNul, toText, tryGit } from "./run.ts";
import { isMoving } from "./worktree-facts.ts";
import {
  aliasOf,
  checkedOutBranches,
  branchOf,
  changedBetween,
  changedBy,
  commitOf,
  commitsOnlyIn,
  configOf,
  dirtyPaths,
  namesWhat,
  operationIn,
  operatorOf,
  stashEntries,
} from "./work-tree.ts";

/** What a git command is about to meet: asked in the caller's directory, with the index the command would use. */
export function guardGit(at: GitAt & { readonly gitDir: string }, nativeGitDir: string): GuardGit {
  return {
    aliasOf: (word) => aliasOf(at, word),
    isRevision: (word) => namesWhat(at, word).isRef,
    isPath: (word) => namesWhat(at, word).isPath,
    dirty({ pathspecs, file, exact, untracked, ignored }) {
      const named = file === undefined ? [] : listedIn(at, file);
      // A list that comes by stdin is for git to read: whatever is there may be meant.
      const all = named === undefined || (pathspecs.length === 0 && file === undefined);
      const specs = [...pathspecs, ...(named ?? []), ...exact.map((path) => `:(literal)${path}`)];
      return dirtyPaths(at, { pathspecs: all ? undefined : specs, untracked, ignored });
    },
    tracked(pathspecs) {
      const { status, stdout } = tryGit(at, ["ls-files", "-z", "--full-name", "--", ...pathspecs]);
      return status === 0 ? splitNul(stdout).map(toText) : [];
    },
    touched(by) {
      if (by.by === "tree") return changedBetween(at, "HEAD", by.tree);
      if (by.by === "pick") return changedBy(at, by.commits);
      if (by.by === "patch") return patched(at, by.args);
      const commits = by.commits.length === 0 ? ["@{upstream}"] : by.commits;
      const found = commits.map((commit) =>
        commitOf(at, commit) === undefined ? undefined : changedSince(at, commit),
      );
      return found.includes(undefined) ? undefined : found.flatMap((paths) => paths ?? []);
    },
    isForward(commits) {
      const all = commits.length === 0 ? ["@{upstream}"] : commits;
      return all.every((commit) => isAncestor(at, "HEAD", commit) || isAncestor(at, commit, "HEAD"));
    },
    commitOf: (name) => commitOf(at, name),
    onlyIn: (tip, base) => commitsOnlyIn(at, tip, base),
    branch: () => branchOf(at)?.replace(/^refs\/heads\//, ""),
    branches: () => checkedOutBranches(at).map((name) => name.replace(/^refs\/heads\//, "")),
    stash: () => stashEntries(at),
    moving() {
      const what = isMoving(nativeGitDir) ? operationIn(nativeGitDir) : undefined;
      return what === undefined ? undefined : { what, by: operatorOf(nativeGitDir) };
    },
    inProgress() {
      for (const gitDir of new Set([at.gitDir, nativeGitDir])) {
        const what = operationIn(gitDir);
        if (what !== undefined) return { what, by: gitDir === nativeGitDir ? operatorOf(gitDir) : "caller" };
      }
      return undefined;
    },
    rebasedFrom: () =>
      readIfThere(join(nativeGitDir, "rebase-merge/orig-head")) ??
      readIfThere(join(nativeGitDir, "rebase-apply/orig-head")),
    setting: (name) => configOf(at, name),
    treeOf: (path) => findRepo(join(at.cwd, path))?.tree ?? findRepo(path)?.tree,
  };
}

/** Pathspecs from a file, a line or a NUL-ended field each; `undefined`: it cannot be read here. */
function listedIn({ cwd }: GitAt, file: string): string[] | undefined {
  const text = file === "-" ? undefined : (readIfThere(join(cwd, file)) ?? readIfThere(file));
  return text?.split(text.includes("\0") ? "\0" : /\r?\n/).filter((line) => line !== "");
}

function readIfThere(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}

/**
 * What a merge of a commit would change here: also where it has to follow a renamed file or folder. Before git 2.38
 * only what the commit has changed since the merge base is known.
 */
function changedSince(at: GitAt, commit: string): string[] | undefined {
  const merged = tryGit(at, [
    "merge-tree",
    "--write-tree",
    "--no-messages",
    "--name-only",
    "-z",
    "HEAD",
    commit,
  ]);
  const [tree = "", ...conflicts] = splitNul(merged.stdout);
  if ((merged.status === 0 || merged.status === 1) && /^[\da-f]{40,64}$/.test(tree))
    return [...new Set([...changedBetween(at, "HEAD", tree), ...conflicts.map(toText)])];
  const args = ["diff", "--name-only", "-z", "--no-renames", `HEAD...${commit}`, "--"];
  const { status, stdout } = tryGit(at, args);
  return status === 0 ? splitNul(stdout).map(toText) : undefined;
}

/** Paths of a patch; by stdin it cannot be looked at. */
function patched(at: GitAt, args: readonly string[]): string[] | undefined {
  const { status, stdout } = tryGit(at, ["apply", "--numstat", "-z", ...args]);
  if (status !== 0) return undefined;
  return splitNul(stdout).map((line) => toText(line.split("\t").at(2) ?? line));
}

/** The commit that the last move of this gitdir's own HEAD led to, and where from; by its reflog. */
export function lastMove(
  at: GitAt,
): { readonly from: string; readonly to: string; readonly why: string } | undefined {
  const { status, stdout } = tryGit(at, ["log", "-g", "-2", "--format=%H%x00%gs", "HEAD"]);
  const [last, before] = stdout.split("\n");
  if (status !== 0 || last === undefined || last === "") return undefined;
  const [to = "", why = ""] = last.split("\0");
  return { to, why, from: before?.split("\0")[0] ?? "" };
}

/** Whether one commit is an ancestor of another. */
export function isAncestor(at: GitAt, commit: string, of: string): boolean {
  return tryGit(at, ["merge-base", "--is-ancestor", commit, of]).status === 0;
}
