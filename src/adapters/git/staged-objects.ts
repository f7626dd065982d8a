/**
 * What is staged is in the object database, and nowhere else named than in an index. `git gc` looks into the indexes
 * of all working trees, private ones too; `git prune` of an old git, a copied repository or a bad disk may not.
 */
import { type GitAt, git, toText, tryGit } from "./run.ts";

export interface StagedFile {
  /** As git has it: bytes as latin1. */
  readonly path: string;
  readonly oid: string;
}

/** Entries of an index, other than HEAD's, whose content is not there. */
export function missingStaged({ gitDir, workTree }: { gitDir: string; workTree: string }): StagedFile[] {
  const at: GitAt = { cwd: workTree, gitDir, workTree };
  const head = tryGit(at, ["rev-parse", "-q", "--verify", "HEAD^{tree}"]);
  const base =
    head.status === 0
      ? head.stdout.trim()
      : git(at, ["hash-object", "-t", "tree", "--stdin"], { input: "" }).trim();
  const diff = tryGit(at, ["diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", base]);
  if (diff.status !== 0)
    throw new Error(`the index of ${gitDir} cannot be read: ${toText(diff.stderr).trim()}`);
  const fields = diff.stdout.split("\0");
  const files: StagedFile[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    // :100644 100644 <old> <new> M
    const [, mode = "", , oid = ""] = fields[i]!.split(" ");
    // A submodule's commit is in its own repository; what is only intended to be added has no content yet.
    if (mode !== "160000" && /[1-9a-f]/.test(oid)) files.push({ path: fields[i + 1]!, oid });
  }
  if (files.length === 0) return [];
  const input = files.map(({ oid }) => `${oid}\n`).join("");
  const lines = git(at, ["cat-file", "--batch-check"], { input }).split("\n");
  return files.filter((_, i) => lines[i]?.endsWith(" missing") === true);
}

/** Writes the content from the working tree, if that is just it. */
export function restoreStaged(
  { gitDir, workTree }: { gitDir: string; workTree: string },
  { path, oid }: StagedFile,
): boolean {
  const at: GitAt = { cwd: workTree, gitDir, workTree };
  const args = (write: readonly string[]) => ["hash-object", ...write, "--", path];
  const { status, stdout } = tryGit(at, args([]));
  return status === 0 && stdout.trim() === oid && tryGit(at, args(["-w"])).status === 0;
}
