import { lstatSync, readFileSync, readlinkSync, realpathSync, type Stats, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { canonicalPath, type KeyOptions } from "../domain/path-key.ts";

/** A repository as seen from one place in it. All paths are real paths. */
export interface Repo {
  /** What all worktrees share: `git rev-parse --git-common-dir`. */
  readonly commonDir: string;
  /** This worktree's own gitdir: `git rev-parse --git-dir`. */
  readonly gitDir: string;
  /** Top of the working tree; `undefined` inside a gitdir or a bare repository. */
  readonly top: string | undefined;
  /** "" for the main working tree, else the linked worktree's id. */
  readonly tree: string;
}

export type Location =
  /** In a working tree: tracked or not, ignored or not, there or not yet. */
  | {
      readonly kind: "tracked-tree";
      readonly repo: Repo & { readonly top: string };
      /** Canonical (`path-key.ts`); "" for the top itself. */
      readonly path: string;
      readonly isDirectory: boolean;
    }
  /** In a gitdir: the common one, a linked worktree's, a submodule's, a bare repository. */
  | { readonly kind: "git-dir"; readonly repo: Repo }
  | { readonly kind: "outside" }
  /** It cannot be told: that is not the same as "outside". */
  | { readonly kind: "unreadable"; readonly why: string };

/**
 * Whose file this is, without starting git: the real path (through symbolic links, also where the last parts do
 * not exist yet), then up to the nearest repository, as git itself walks (docs/paths.md). A directory is seen
 * from inside: the top of a nested repository is that one's. Never throws.
 */
export function locate(path: string, options: KeyOptions = {}): Location {
  try {
    const real = realPath(path);
    const isDirectory = statOf(real)?.isDirectory() === true;
    // `.git` itself may be a file; it is no file of the tree.
    const dotGit = basename(real) === ".git" ? repoAt(dirname(real)) : undefined;
    if (dotGit !== undefined) return { kind: "git-dir", repo: { ...dotGit, top: undefined } };
    const repo = findUpwards(isDirectory ? real : dirname(real));
    if (repo === undefined) return { kind: "outside" };
    const { top } = repo;
    if (top === undefined) return { kind: "git-dir", repo };
    const below = relative(top, real).split(sep).join("/");
    return { kind: "tracked-tree", repo: { ...repo, top }, path: canonicalPath(below, options), isDirectory };
  } catch (error) {
    return { kind: "unreadable", why: (error as Error).message };
  }
}

/**
 * The repository that a directory is in; `undefined` if it is in none, or if it cannot be told. Where the
 * difference matters, ask `locate`.
 */
export function findRepo(dir: string): Repo | undefined {
  try {
    return findUpwards(realPath(dir));
  } catch {
    return undefined;
  }
}

/** What Linux allows in one path. */
const MAX_LINKS = 40;

/** The real path, also of what does not exist yet: parents are resolved as far as they do, links followed. */
function realPath(path: string, links = 0): string {
  const absolute = resolve(path);
  try {
    // The native one also gives the spelling on disk, where the volume ignores case.
    return realpathSync.native(absolute);
  } catch (error) {
    if (!isMissing(error) || absolute === dirname(absolute)) throw error;
  }
  const parent = realPath(dirname(absolute), links);
  const here = join(parent, basename(absolute));
  const target = linkTarget(here);
  if (target === undefined) return here;
  // A dangling link: writing through it makes what it points to.
  if (links >= MAX_LINKS) throw new Error(`${path}: too many symbolic links`);
  return realPath(resolve(parent, target), links + 1);
}

function linkTarget(path: string): string | undefined {
  return statOf(path, lstatSync)?.isSymbolicLink() ? readlinkSync(path) : undefined;
}

/** At each directory git looks for a `.git` first, and then whether the directory is a gitdir itself. */
function findUpwards(start: string): Repo | undefined {
  for (let dir = start; ; dir = dirname(dir)) {
    const repo = repoAt(dir) ?? (isGitDir(dir) ? repoOf(dir) : undefined);
    if (repo !== undefined) return repo;
    if (dir === dirname(dir)) return undefined;
  }
}

/**
 * The repository whose working tree has its top here. A `.git` directory that is no gitdir is passed over.
 *
 * @throws Error for a `.git` file that leads to no gitdir: git stops there too
 */
function repoAt(dir: string): Repo | undefined {
  const dotGit = join(dir, ".git");
  const stat = statOf(dotGit);
  if (stat?.isFile()) return repoOf(followGitFile(dotGit), dir);
  return stat?.isDirectory() && isGitDir(dotGit) ? repoOf(realpathSync.native(dotGit), dir) : undefined;
}

function repoOf(gitDir: string, top?: string): Repo {
  const commonDir = commonDirOf(gitDir);
  const tree = dirname(gitDir) === join(commonDir, "worktrees") ? basename(gitDir) : "";
  return { commonDir, gitDir, top, tree };
}

function followGitFile(file: string): string {
  const [, target] = /^gitdir: (.+?)[\r\n]*$/s.exec(readFileSync(file, "utf8")) ?? [];
  if (target === undefined) throw new Error(`${file} does not say where its gitdir is`);
  const gitDir = isAbsolute(target) ? target : join(dirname(file), target);
  if (!isGitDir(gitDir)) throw new Error(`${file} names ${gitDir}, which is no gitdir`);
  return realpathSync.native(gitDir);
}

/** What git takes for a gitdir: a HEAD that can be one, and, here or in the common dir, `objects` and `refs`. */
function isGitDir(dir: string): boolean {
  if (!hasHead(dir)) return false;
  const commonDir = commonDirOf(dir);
  return ["objects", "refs"].every((name) => statOf(join(commonDir, name)) !== undefined);
}

function hasHead(gitDir: string): boolean {
  const head = join(gitDir, "HEAD");
  const stat = statOf(head, lstatSync);
  if (stat === undefined) return false;
  if (stat.isSymbolicLink() && readlinkSync(head).startsWith("refs/")) return true;
  return /^(?:ref:\s*refs\/|[\da-f]{40})/.test(readIfThere(head) ?? "");
}

function commonDirOf(gitDir: string): string {
  const target = readIfThere(join(gitDir, "commondir"))?.trimEnd();
  return target === undefined ? gitDir : realPath(resolve(gitDir, target));
}

function readIfThere(file: string): string | undefined {
  return statOf(file)?.isFile() ? readFileSync(file, "utf8") : undefined;
}

/** Asked for without an exception: a walk upwards meets little that is there. */
function statOf(path: string, stat: typeof statSync = statSync): Stats | undefined {
  try {
    return stat(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** Not there, or below something that is no directory. */
function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
