import { lstatSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { canonicalPath } from "../domain/path-key.ts";

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
  /** A file of a working tree, tracked or not, ignored or not; `path` is canonical. */
  | { readonly kind: "tracked-tree"; readonly repo: Repo & { readonly top: string }; readonly path: string }
  | { readonly kind: "git-dir" }
  | { readonly kind: "outside" }
  /** It cannot be told: that is not the same as "outside". */
  | { readonly kind: "unreadable"; readonly why: string };

/**
 * Whose file this is, without starting git: the real path (through symbolic links, also where the last parts do
 * not exist yet), then up to the nearest `.git`, as gitrepository-layout(5) and git-worktree(1) have it.
 * `core.worktree` and `GIT_DIR` are not looked at: the file is where it is.
 */
export function locate(
  path: string,
  { ignoreCase = false }: { readonly ignoreCase?: boolean } = {},
): Location {
  try {
    const real = realPath(path);
    if (isInGitDir(real)) return { kind: "git-dir" };
    const repo = findUpwards(dirname(real)) ?? (isDirectory(real) ? repoAt(real) : undefined);
    if (repo?.top === undefined) return { kind: "outside" };
    const below = relative(repo.top, real);
    if (below === "") return { kind: "outside" };
    return {
      kind: "tracked-tree",
      repo: { ...repo, top: repo.top },
      path: canonicalPath(below.split(sep).join("/"), { ignoreCase }),
    };
  } catch (error) {
    return { kind: "unreadable", why: (error as Error).message };
  }
}

const found = new Map<string, Repo | undefined>();

/** The repository that a directory is in; `undefined` if none, or if it cannot be read. Asked once a directory. */
export function findRepo(dir: string): Repo | undefined {
  if (!found.has(dir)) found.set(dir, search(dir));
  return found.get(dir);
}

function search(dir: string): Repo | undefined {
  try {
    const real = realPath(dir);
    const gitDir = enclosingGitDir(real);
    if (gitDir !== undefined)
      return { commonDir: commonDirOf(gitDir), gitDir, top: undefined, tree: treeOf(gitDir) };
    return findUpwards(real);
  } catch {
    return undefined;
  }
}

const MAX_LINKS = 40;

/** The real path, also of what does not exist yet: parents are resolved as far as they do, links followed. */
function realPath(path: string, links = 0): string {
  const absolute = resolve(path);
  try {
    return realpathSync(absolute);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || absolute === dirname(absolute)) throw error;
  }
  const parent = realPath(dirname(absolute), links);
  const here = join(parent, basename(absolute));
  // A dangling link: writing through it makes what it points to.
  if (lstatSync(here, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return here;
  if (links >= MAX_LINKS) throw new Error(`${path}: too many symbolic links`);
  return realPath(resolve(parent, readlinkSync(here)), links + 1);
}

function findUpwards(start: string): Repo | undefined {
  for (let dir = start; ; dir = dirname(dir)) {
    const repo = repoAt(dir);
    if (repo !== undefined) return repo;
    if (dir === dirname(dir)) return undefined;
  }
}

/** The repository whose working tree has its top here. A `.git` that is no gitdir is passed over, as git does for directories. */
function repoAt(dir: string): Repo | undefined {
  const dotGit = join(dir, ".git");
  const stat = statSync(dotGit, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const gitDir = stat.isDirectory() ? realpathSync(dotGit) : followGitFile(dotGit);
  if (gitDir === undefined || !isGitDir(gitDir)) return undefined;
  return { commonDir: commonDirOf(gitDir), gitDir, top: dir, tree: treeOf(gitDir) };
}

function followGitFile(file: string): string | undefined {
  const [, target] = /^gitdir: (.+?)[\r\n]*$/s.exec(readFileSync(file, "utf8")) ?? [];
  if (target === undefined) return undefined;
  const gitDir = isAbsolute(target) ? target : join(dirname(file), target);
  return isDirectory(gitDir) ? realpathSync(gitDir) : undefined;
}

function isGitDir(dir: string): boolean {
  const has = (name: string) => lstatSync(join(dir, name), { throwIfNoEntry: false }) !== undefined;
  return has("HEAD") && (has("commondir") || (has("objects") && has("refs")));
}

function commonDirOf(gitDir: string): string {
  try {
    const target = readFileSync(join(gitDir, "commondir"), "utf8").trim();
    return realpathSync(resolve(gitDir, target));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return gitDir;
    throw error;
  }
}

function treeOf(gitDir: string): string {
  return basename(dirname(gitDir)) === "worktrees" && commonDirOf(gitDir) !== gitDir ? basename(gitDir) : "";
}

function isInGitDir(real: string): boolean {
  return (
    enclosingGitDir(dirname(real)) !== undefined ||
    (basename(real) === ".git" && repoAt(dirname(real)) !== undefined)
  );
}

/** The gitdir that a directory is, or is inside of; a working tree nearer than it comes first. */
function enclosingGitDir(start: string): string | undefined {
  for (let dir = start; ; dir = dirname(dir)) {
    if (isGitDir(dir)) return dir;
    if (dir === dirname(dir) || lstatSync(join(dir, ".git"), { throwIfNoEntry: false }) !== undefined)
      return undefined;
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
