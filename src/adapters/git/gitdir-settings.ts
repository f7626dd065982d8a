/**
 * Settings that each gitdir has for itself: which part of the tree is checked out (git-sparse-checkout(1)) and
 * `config.worktree`. A private gitdir has those of its tree: without them most of a sparse tree would look deleted.
 */
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { git as mustGit, splitNul, toText, tryGit } from "./run.ts";
import { textOf, type TreeAt } from "./worktree-facts.ts";

const SPARSE = "info/sparse-checkout";
const CONFIG = "config.worktree";
/** A digest of the settings that were copied last. */
const COPIED = "signalbox-settings";

/** "" if there are none, as mostly. */
function digest(nativeGitDir: string): string {
  const texts = [SPARSE, CONFIG].map((name) => textOf(join(nativeGitDir, name)));
  if (texts.every((text) => text === undefined)) return "";
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex");
}

/** Gives a gitdir that nobody uses yet the settings of its tree. */
export function copySettings(at: TreeAt, gitDir: string): void {
  const now = digest(at.nativeGitDir);
  if (now === "") return;
  copyFiles(at, gitDir);
  writeFileSync(join(gitDir, COPIED), `${now}\n`);
}

function copyFiles({ nativeGitDir, top, git }: TreeAt, gitDir: string): void {
  for (const name of [SPARSE, CONFIG]) {
    const file = join(gitDir, name);
    const text = textOf(join(nativeGitDir, name));
    if (text === undefined) {
      rmSync(file, { force: true });
      continue;
    }
    mkdirSync(join(gitDir, "info"), { recursive: true });
    const temporary = `${file}.signalbox.${process.pid}`;
    writeFileSync(temporary, text);
    // Where the tree is, the environment says; that there is one, too.
    for (const key of name === CONFIG ? ["worktree", "bare"] : [])
      if (new RegExp(key, "i").test(text))
        tryGit({ cwd: top, git }, ["config", "-f", temporary, "--unset-all", `core.${key}`]);
    renameSync(temporary, file);
  }
}

/**
 * After somebody has changed what part of the tree is checked out: the same for a private gitdir, and its index
 * knows again which files are not on disk because they are not wanted there. Two small reads if nothing has changed.
 *
 * @returns `busy`: a git at work holds the index; to be tried again
 */
export function followSettings(at: TreeAt, gitDir: string): "same" | "followed" | "busy" {
  const now = digest(at.nativeGitDir);
  if ((textOf(join(gitDir, COPIED)) ?? "").trim() === now) return "same";
  copyFiles(at, gitDir);
  const theirs = skipped(at, at.nativeGitDir);
  const own = skipped(at, gitDir);
  const absent = [...theirs].filter((path) => !own.has(path) && !isOnDisk(at.top, path));
  const wanted = [...own].filter((path) => !theirs.has(path));
  if (!mark(at, gitDir, "--skip-worktree", absent) || !mark(at, gitDir, "--no-skip-worktree", wanted))
    return "busy";
  writeFileSync(join(gitDir, COPIED), `${now}\n`);
  return "followed";
}

/** Paths (as git's bytes) that an index has marked as not to be on disk. */
function skipped({ top, git }: TreeAt, gitDir: string): Set<string> {
  const listed = splitNul(mustGit({ cwd: top, gitDir, workTree: top, git }, ["ls-files", "-t", "-z"]));
  return new Set(listed.filter((line) => line.startsWith("S ")).map((line) => line.slice(2)));
}

function isOnDisk(top: string, path: string): boolean {
  return lstatSync(join(top, toText(path)), { throwIfNoEntry: false }) !== undefined;
}

function mark({ top, git }: TreeAt, gitDir: string, how: string, paths: readonly string[]): boolean {
  if (paths.length === 0) return true;
  const args = ["update-index", how, "-z", "--stdin"];
  return tryGit({ cwd: top, gitDir, workTree: top, git }, args, { input: paths.join("\0") }).status === 0;
}
