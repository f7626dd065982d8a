/** What can be told of a gitdir by its files (gitrepository-layout(5)), and by asking git where they do not say. */
import { existsSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { tryGit } from "./run.ts";

/** A working tree's gitdirs, and the git to ask. */
export interface TreeAt {
  readonly commonDir: string;
  /** The gitdir that people's git uses in this tree: the common one, or `<common>/worktrees/<id>`. */
  readonly nativeGitDir: string;
  readonly top: string;
  readonly git?: string | undefined;
}

export type Head =
  | { readonly kind: "branch"; readonly ref: string }
  | { readonly kind: "detached" }
  | { readonly kind: "missing" };

/** What HEAD is in a repository of the reftable format, for programs that look for a file. */
const REFTABLE_HEAD = "refs/heads/.invalid";

/** A file's text; `undefined` if there is no such file. */
export function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR" || code === "EISDIR") return undefined;
    throw error;
  }
}

/** Its refs are in the reftable format: HEAD is not in a file. */
export function hasReftable(gitDir: string): boolean {
  return headFile(gitDir) === `ref: ${REFTABLE_HEAD}`;
}

/** Where a gitdir's HEAD is; git is started for a reftable only. */
export function headOf(gitDir: string, { top, git }: Pick<TreeAt, "top" | "git">): Head {
  const head = headFile(gitDir);
  if (head === undefined) return { kind: "missing" };
  const [, named] = /^ref:\s*(refs\/.+)$/.exec(head) ?? [];
  const ref = named === REFTABLE_HEAD ? askGit(gitDir, { top, git }) : named;
  return ref?.startsWith("refs/heads/") === true ? { kind: "branch", ref } : { kind: "detached" };
}

function headFile(gitDir: string): string | undefined {
  const file = join(gitDir, "HEAD");
  // Git before 1.5, and core.preferSymlinkRefs, make it a symbolic link.
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() === true)
    return `ref: ${readlinkSync(file)}`;
  return textOf(file)?.trimEnd() || undefined;
}

function askGit(gitDir: string, { top, git }: Pick<TreeAt, "top" | "git">): string | undefined {
  const { status, stdout } = tryGit({ cwd: top, gitDir, git }, ["symbolic-ref", "-q", "HEAD"]);
  return status === 0 ? Buffer.from(stdout, "latin1").toString("utf8").trim() : undefined;
}

const HEX = /^(?:[\da-f]{40}|[\da-f]{64})$/;

/** Whether this is a commit's full id. */
export function isHash(text: string | undefined): text is string {
  return text !== undefined && HEX.test(text);
}

/** The commit a branch is at; `undefined` if it has none yet. Git is started for a packed ref only. */
export function commitAt({ commonDir, nativeGitDir, top, git }: TreeAt, ref: string): string | undefined {
  const loose = hasReftable(nativeGitDir) ? undefined : textOf(join(commonDir, ref))?.trimEnd();
  if (isHash(loose)) return loose;
  const name = Buffer.from(`${ref}^{commit}`, "utf8").toString("latin1");
  const { status, stdout } = tryGit({ cwd: top, gitDir: nativeGitDir, git }, [
    "rev-parse",
    "-q",
    "--verify",
    name,
  ]);
  return status === 0 ? stdout.trim() : undefined;
}

/** In these, HEAD is not where the branch will be, or the files of the tree are in between. */
export function isMoving(gitDir: string): boolean {
  return ["rebase-merge", "rebase-apply", "BISECT_LOG"].some((name) => existsSync(join(gitDir, name)));
}

/** Something waits to be concluded that belongs to the branch it was started on. */
export function isInOperation(gitDir: string): boolean {
  return (
    isMoving(gitDir) ||
    ["MERGE_HEAD", "CHERRY_PICK_HEAD", "REVERT_HEAD"].some((name) => existsSync(join(gitDir, name)))
  );
}
