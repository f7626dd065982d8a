/** The stash: git-stash(1) puts the index and the files into commits on top of HEAD, whatever HEAD is by then. */
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { type GitAt, git, tryGit } from "./run.ts";

/**
 * A stash entry made of an index that was behind HEAD takes back, when it is popped, what had been committed
 * meanwhile. The entry at the top is replaced by one in which that is as in HEAD.
 *
 * @param base the commit that the index was relative to
 * @returns the entry that stands there now: as it was where nothing was to do, or where both have changed one file
 */
export function carryStash(
  at: GitAt & { readonly gitDir: string },
  entry: string,
  base: string | undefined,
): string {
  const [head, index, untracked] = git(at, ["rev-parse", `${entry}^@`])
    .trim()
    .split("\n");
  if (base === undefined || head === undefined || index === undefined || head === base) return entry;
  const trees = [`${entry}^{tree}`, `${index}^{tree}`].map((tree) => carryTree(at, tree, base, head));
  const [files, staged] = trees;
  if (files === undefined || staged === undefined) return entry;
  const message = (commit: string) => git(at, ["log", "-1", "--format=%B", commit]);
  const stagedCommit = git(at, ["commit-tree", staged, "-p", head], { input: message(index) }).trim();
  const parents = [head, stagedCommit, untracked].flatMap((one) => (one === undefined ? [] : ["-p", one]));
  const carried = git(at, ["commit-tree", files, ...parents], { input: message(entry) }).trim();
  git(at, ["stash", "store", "-m", message(entry).trim(), carried]);
  if (git(at, ["rev-parse", "stash@{1}"]).trim() === entry) git(at, ["stash", "drop", "-q", "stash@{1}"]);
  return carried;
}

function carryTree(
  at: GitAt & { readonly gitDir: string },
  tree: string,
  from: string,
  to: string,
): string | undefined {
  const indexFile = join(at.gitDir, `index.stash.${randomBytes(4).toString("hex")}`);
  const here = { ...at, indexFile };
  try {
    if (tryGit(here, ["read-tree", tree]).status !== 0) return undefined;
    if (tryGit(here, ["read-tree", "-i", "-m", from, to]).status !== 0) return undefined;
    return git(here, ["write-tree"]).trim();
  } finally {
    for (const name of [indexFile, `${indexFile}.lock`]) rmSync(name, { force: true });
  }
}
