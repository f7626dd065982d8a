/**
 * Indexes that follow HEAD. Beside an index stands its base, the commit that what is staged in it is relative to;
 * when HEAD is at another commit, whatever is staged is carried forward to that.
 *
 *     <gitdir>/index                      git's
 *     <gitdir>/index.lock                 git's lock of it, held by us while we write
 *     <gitdir>/index.signalbox.<pid>…     the copy being worked on under the lock; the next heal takes it away if its
 *                                         process died
 *     <gitdir>/index.early.<pid>…         a copy made before the lock is taken, so that nobody waits for it
 *     <gitdir>/signalbox-base             the base: one line, hex
 *     <gitdir>/signalbox-base.next        which base belongs to the copy that is about to become the index
 *
 * The copy is renamed over the index, then the base is written. Killed at any point, the index is the old or the new
 * one, and its base the right one or older: carrying forward once more changes nothing then, whereas stale entries
 * relative to a base too new would look staged.
 */
import {
  copyFileSync,
  existsSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import {
  type Change,
  type Clash,
  clashes,
  type Entry,
  headEntry,
  indexInfo,
  isEmptyBlob,
  parseRaw,
  remedyOf,
} from "../../domain/staged-delta.ts";
import { processes } from "../process.ts";
import { breakStale, type IndexLock, lockIndex } from "./index-lock.ts";
import { mergeBlobs } from "./merge-blobs.ts";
import { type GitAt, GitError, git, splitNul, toText, tryGit } from "./run.ts";
import { commitAt, headOf, isHash, textOf } from "./worktree-facts.ts";

export interface IndexAt {
  readonly gitDir: string;
  readonly workTree: string;
  /** By default `<gitDir>/index`; in a hook of `commit -a` the `index.lock` that git commits. */
  readonly indexFile?: string | undefined;
  readonly git?: string | undefined;
}

export type Heal =
  /** HEAD is at the base; nothing was done. */
  | { readonly kind: "current" }
  | {
      readonly kind: "healed";
      readonly from: string;
      readonly to: string;
      /** Staged paths whose entry now holds both sides. */
      readonly merged: readonly string[];
      /** Staged paths that are unmerged now: base, mine and HEAD's are at stages 1 to 3. */
      readonly conflicted: readonly string[];
      /** There was no index file; this one is HEAD with nothing staged. */
      readonly rebuilt?: true;
    }
  /** Index and base are as they were. */
  | {
      readonly kind: "deferred";
      /**
       * - `unmerged`: somebody has to resolve what is there first, and HEAD has changed the same files;
       * - `locked`: by another process, for longer than was to be waited;
       * - `missing-object`: the base is not in the object database any more;
       * - `no-base`: none is on record;
       * - `unborn`: HEAD has no commit;
       * - `failed`: git or the disk said no.
       */
      readonly why: "unmerged" | "locked" | "missing-object" | "no-base" | "unborn" | "failed";
      readonly detail?: string;
    };

export interface HealOptions {
  /** The commit to carry forward to; by default where HEAD is. */
  readonly head?: string | undefined;
  /** How long to wait for a lock that somebody holds (ms). */
  readonly waitMs?: number | undefined;
  /** Whether a lock of git's was left behind. Ours are told by themselves. */
  readonly isStaleLock?: ((lockFile: string) => boolean) | undefined;
  /** By default true for the gitdir's own index, false for another file: that is not what the base is of. */
  readonly writeBase?: boolean | undefined;
}

const BASE = "signalbox-base";
const WAIT_MS = 1000;
const ABANDONED_MS = 3_600_000;
/** The user's post-index-change hook is not to see our copies. */
const QUIET = ["-c", "core.hooksPath=/dev/null"];
const RAW = ["--raw", "-z", "--no-renames", "--no-abbrev", "--ignore-submodules=none"];

/** The commit that what is staged is relative to; `undefined` if none is on record. */
export function readBase(gitDir: string): string | undefined {
  const text = textOf(join(gitDir, BASE))?.trim();
  return isHash(text) ? text : undefined;
}

/** Puts a base on record. Never half written; a power cut may bring back the one before. */
export function writeBase(gitDir: string, commit: string): void {
  // What a killed heal meant to put there is not to come back.
  rmSync(join(gitDir, `${BASE}.next`), { force: true });
  replaceFile(join(gitDir, BASE), `${commit}\n`);
}

function replaceFile(file: string, text: string): void {
  const temporary = `${file}.${process.pid}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

/** Carries what is staged in an index forward, from its base to the commit that HEAD is at. */
export function healIndex(at: IndexAt, options: HealOptions = {}): Heal {
  try {
    return heal(at, options);
  } catch (error) {
    if (!(error instanceof GitError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    return { kind: "deferred", why: "failed", detail: (error as Error).message };
  }
}

function heal(at: IndexAt, options: HealOptions): Heal {
  const { waitMs = WAIT_MS, isStaleLock } = options;
  const own = join(at.gitDir, "index");
  const given = resolve(at.workTree, at.indexFile ?? own);
  const records = options.writeBase ?? given === own;
  // Git locks and replaces what a symbolic link points to.
  const file = realFile(given);
  const lockFile = `${file}.lock`;

  const before = standing(at, options);
  if (before.kind === "deferred") return before;
  const isCurrent = before.base === before.head && existsSync(file);
  // Where somebody was killed there is something to tidy up.
  if (isCurrent && !(existsSync(lockFile) && breakStale(lockFile, isStaleLock))) return { kind: "current" };
  // A git at work in this index, a person's too, is to meet the lock for a rename, not for several processes of git.
  const early = isCurrent ? undefined : prepare(at, file, before);
  const lock = lockIndex(lockFile, { waitMs, isStale: isStaleLock });
  if (lock === undefined) {
    early?.remove();
    return isCurrent ? { kind: "current" } : { kind: "deferred", why: "locked", detail: lockFile };
  }
  try {
    sweep(file, at.gitDir);
    if (records) finishBase(at.gitDir, file);
    // Whoever held the lock may have done it.
    const now = standing(at, options);
    if (now.kind === "deferred") return now;
    if (now.base === now.head && existsSync(file)) return { kind: "current" };
    const task = { at, file, lock, records, from: now.base, to: now.head };
    const fits = early !== undefined && early.of === stampOf(file) && sameMove(before, now);
    return fits ? publish(task, early.copy, early.healed) : carry(task);
  } finally {
    early?.remove();
    sweep(file, at.gitDir);
    lock.release();
  }
}

/**
 * Makes an index anew from HEAD and stages again what was staged: whatever else has gathered in it is gone (SYS-2).
 *
 * @returns why not, if it was left as it is: it is locked, or holds more than staged files
 */
export function renewIndex(at: IndexAt): string | undefined {
  const healed = healIndex(at, { waitMs: 0 });
  if (healed.kind === "deferred") return healed.why;
  const file = realFile(join(at.gitDir, "index"));
  const lock = lockIndex(`${file}.lock`, { waitMs: 0 });
  if (lock === undefined) return "locked";
  const copy = `${file}.signalbox.${process.pid}`;
  try {
    const now = standing(at, {});
    if (now.kind === "deferred" || now.base !== now.head) return "HEAD moves";
    const here = { cwd: at.workTree, gitDir: at.gitDir, workTree: at.workTree, indexFile: file, git: at.git };
    const staged = (how: string) => git(here, ["diff-index", "--cached", ...RAW, how, now.head, "--"]);
    const entries = staged("--ita-invisible-in-index");
    // Conflicts, files only intended to be added, and what is not meant to be on disk are more than staged content.
    if (entries !== staged("--ita-visible-in-index")) return "files are intended to be added";
    const flagged = splitNul(git(here, ["ls-files", "-v", "-z"])).some((line) => !line.startsWith("H "));
    if (flagged) return "it has conflicts or flags";
    rmSync(copy, { force: true });
    const anew = { ...here, indexFile: copy };
    git(anew, [...QUIET, "read-tree", now.head]);
    const length = now.head.length;
    putEntries(
      anew,
      parseRaw(entries).map(({ path, newMode, newHash }) =>
        indexInfo(path, /^0+$/.test(newMode) ? [] : [{ stage: 0, mode: newMode, hash: newHash }], length),
      ),
    );
    tryGit(anew, [...QUIET, "update-index", "-q", "--refresh"]);
    if (!lock.isHeld()) return "locked";
    renameSync(copy, file);
    return undefined;
  } catch (error) {
    if (!(error instanceof GitError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
    return (error as Error).message;
  } finally {
    rmSync(copy, { force: true });
    lock.release();
  }
}

interface Early {
  readonly copy: string;
  readonly healed: Heal;
  /** The index that it is a copy of. */
  readonly of: string;
  readonly remove: () => void;
}

/** The new index, made beside the old one without a lock; `undefined` where it takes a closer look. */
function prepare(at: IndexAt, file: string, { base, head }: Known): Early | undefined {
  const of = stampOf(file);
  if (of === undefined) return undefined;
  const copy = `${file}.early.${process.pid}`;
  const remove = () => {
    for (const name of [copy, `${copy}.lock`, `${copy}.merge`])
      rmSync(name, { recursive: true, force: true });
  };
  try {
    const healed = carried({ at, file, from: base, to: head }, copy);
    if (healed.kind === "healed" && healed.rebuilt === undefined) return { copy, healed, of, remove };
  } catch (error) {
    // Under the lock it is tried once more, and then told.
    if (!(error instanceof GitError) && (error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  remove();
  return undefined;
}

function sameMove(one: Known, other: Known): boolean {
  return one.base === other.base && one.head === other.head;
}

interface Known {
  readonly kind: "known";
  readonly base: string;
  readonly head: string;
}
type Standing = Known | Extract<Heal, { kind: "deferred" }>;

function standing(at: IndexAt, { head = headCommit(at) }: HealOptions): Standing {
  const base = readBase(at.gitDir);
  if (base === undefined) return { kind: "deferred", why: "no-base" };
  if (head === undefined) return { kind: "deferred", why: "unborn" };
  return { kind: "known", base, head };
}

/** The commit HEAD is at. Git is started only where a file does not say. */
function headCommit({ gitDir, workTree, git }: IndexAt): string | undefined {
  const head = headOf(gitDir, { top: workTree, git });
  if (head.kind === "branch") {
    const common = textOf(join(gitDir, "commondir"))?.trimEnd();
    const commonDir = common === undefined ? gitDir : resolve(gitDir, common);
    return commitAt({ commonDir, nativeGitDir: gitDir, top: workTree, git }, head.ref);
  }
  const detached = textOf(join(gitDir, "HEAD"))?.trimEnd();
  if (isHash(detached)) return detached;
  const { status, stdout } = tryGit({ cwd: workTree, gitDir, git }, [
    "rev-parse",
    "-q",
    "--verify",
    "HEAD^0",
  ]);
  return status === 0 ? stdout.trim() : undefined;
}

type CopyAt = GitAt & { readonly indexFile: string };

interface Task {
  readonly at: IndexAt;
  readonly file: string;
  readonly lock: IndexLock;
  readonly records: boolean;
  readonly from: string;
  readonly to: string;
}

function carry(task: Task): Heal {
  const copy = `${task.file}.signalbox.${process.pid}`;
  const healed = carried(task, copy);
  return healed.kind === "healed" ? publish(task, copy, healed) : healed;
}

/** Makes the new index as a copy of the old one. */
function carried({ at, file, from, to }: Pick<Task, "at" | "file" | "from" | "to">, copy: string): Heal {
  const here = { cwd: at.workTree, gitDir: at.gitDir, workTree: at.workTree, indexFile: copy, git: at.git };
  if (!copyIndex(file, copy)) {
    rebuild(here, to);
    return { kind: "healed", from, to, merged: [], conflicted: [], rebuilt: true };
  }
  const staged = tryGit(here, ["diff-index", "--cached", ...RAW, "--ita-visible-in-index", from, "--"]);
  if (staged.status !== 0) return refused(here, from, staged.stderr);
  const all = parseRaw(staged.stdout);
  // With nothing staged, nothing can clash.
  const theirs = all.length === 0 ? [] : changesBetween(here, from, to);
  const unmerged = all.some(({ status }) => status === "U") ? unmergedEntries(here) : NO_ENTRIES;
  if (clashes(asFiles(unmerged), theirs).length > 0) return { kind: "deferred", why: "unmerged" };
  const mine = all.filter(({ path }) => !unmerged.has(path));
  const found = clashes(mine, theirs);
  // An unmerged index cannot be moved: what is unmerged steps aside, as if deleted, and is put back.
  putEntries(
    here,
    [...unmerged.keys()].map((path) => indexInfo(path, [], to.length)),
  );
  const { merged, conflicted } =
    found.length === 0 ? moveClean(here, from, to) : moveClashing(here, from, to, found);
  putEntries(
    here,
    [...unmerged].map(([path, entries]) => indexInfo(path, entries, to.length)),
  );
  return {
    kind: "healed",
    from,
    to,
    merged: merged.map(toText),
    conflicted: conflicted.map(toText),
  };
}

const NO_ENTRIES: ReadonlyMap<string, readonly Entry[]> = new Map();

/** What waits to be resolved: each path's stages. */
function unmergedEntries(here: GitAt): Map<string, Entry[]> {
  const entries = new Map<string, Entry[]>();
  for (const line of splitNul(git(here, ["ls-files", "-u", "-z"]))) {
    const [, mode = "", hash = "", stage = "", path = ""] = /^(\d+) (\S+) ([123])\t([^]*)$/.exec(line) ?? [];
    entries.set(path, [...(entries.get(path) ?? []), { stage: Number(stage) as 1 | 2 | 3, mode, hash }]);
  }
  return entries;
}

/** As changes that go together with nothing else in their place. */
function asFiles(unmerged: ReadonlyMap<string, readonly Entry[]>): Change[] {
  const file = { oldMode: "", newMode: "100644", oldHash: "", newHash: "", status: "U" };
  return [...unmerged.keys()].map((path) => ({ ...file, path }));
}

function refused(here: GitAt, base: string, detail: string): Heal {
  const known = tryGit(here, ["cat-file", "-e", `${base}^{tree}`]).status === 0;
  return { kind: "deferred", why: known ? "failed" : "missing-object", detail };
}

function changesBetween(here: GitAt, from: string, to: string): Change[] {
  return parseRaw(git(here, ["diff-tree", "-r", ...RAW, from, to, "--"]));
}

interface Moved {
  readonly merged: readonly string[];
  readonly conflicted: readonly string[];
}

/**
 * Entries that are the base's become HEAD's; the others stay (git-read-tree(1), two-tree merge). It is silently
 * wrong where one side has a file and the other a folder, so only for what does not clash.
 */
function moveClean(here: CopyAt, from: string, to: string): Moved {
  git(here, [...QUIET, "read-tree", "-i", "-m", "--no-recurse-submodules", from, to]);
  return { merged: [], conflicted: [] };
}

/** Clashing paths step aside, as HEAD's entries, and are put back on top. */
function moveClashing(here: CopyAt, from: string, to: string, found: readonly Clash[]): Moved {
  const length = to.length;
  const intended = intendedToAdd(here, from, found);
  // Nothing is staged in a path that is only intended to be added; HEAD has it now, or needs its place.
  const remedies = found.filter(({ path }) => !intended.has(path)).map(remedyOf);
  const merges = remedies.filter((remedy) => remedy.kind === "merge");
  const hashes = merges.length === 0 ? new Map<string, string>() : mergeBlobs(here, merges);
  const sparse = remedies.some(({ kind }) => kind !== "conflict") ? skipWorktree(here) : new Set<string>();

  putEntries(
    here,
    found.map((clash) => indexInfo(clash.path, headEntry(clash), length)),
  );
  moveClean(here, from, to);

  const merged: string[] = [];
  const conflicted: string[] = [];
  const lines: string[] = [];
  for (const remedy of remedies) {
    const { path } = remedy;
    const hash = remedy.kind === "merge" ? hashes.get(path) : undefined;
    if (remedy.kind === "take" || (remedy.kind === "merge" && hash !== undefined)) {
      const entry =
        remedy.kind === "take" ? remedy.entry : { stage: 0 as const, mode: remedy.mode, hash: hash! };
      lines.push(indexInfo(path, [entry], length));
      merged.push(path);
    } else {
      lines.push(indexInfo(path, remedy.kind === "merge" ? remedy.otherwise : remedy.stages, length));
      conflicted.push(path);
    }
  }
  putEntries(here, lines);
  const again = merged.filter((path) => sparse.has(path));
  if (again.length > 0)
    git(here, [...QUIET, "update-index", "--skip-worktree", "-z", "--stdin"], {
      input: `${again.join("\0")}\0`,
    });
  return { merged, conflicted };
}

function putEntries(here: GitAt, lines: readonly string[]): void {
  if (lines.length > 0)
    git(here, [...QUIET, "update-index", "-z", "--index-info"], { input: lines.join("") });
}

/** Which clashing paths are entered by `add -N` only: as entries they look like empty files. */
function intendedToAdd(here: GitAt, base: string, found: readonly Clash[]): Set<string> {
  const suspects = found.filter(({ mine }) => isEmptyBlob(mine.newHash)).map(({ path }) => path);
  if (suspects.length === 0) return new Set();
  const args = ["diff-index", "--cached", ...RAW, "--ita-invisible-in-index", base, "--"];
  const real = new Set(
    parseRaw(git(here, args))
      .filter(({ status }) => status !== "D")
      .map(({ path }) => path),
  );
  return new Set(suspects.filter((path) => !real.has(path)));
}

function skipWorktree(here: GitAt): Set<string> {
  const lines = splitNul(git(here, ["ls-files", "-t", "-z"]));
  return new Set(lines.filter((line) => line.startsWith("S ")).map((line) => line.slice(2)));
}

/**
 * Git tells a file changed in the second its index was written by the time of the index file. A copy that seems
 * younger would hide such a change; one that seems older makes git look at more files, no more.
 *
 * @returns false if there is no index
 */
function copyIndex(from: string, to: string): boolean {
  // Before the copy: if another index takes the name in between, the time is too old, never too young.
  const stat = statSync(from, { throwIfNoEntry: false });
  if (stat === undefined) return false;
  copyFileSync(from, to);
  const second = Math.floor(stat.mtimeMs / 1000);
  utimesSync(to, second, second);
  return true;
}

/** Without an index git sees everything deleted, and a commit would do just that. */
function rebuild(here: GitAt, head: string): void {
  git(here, [...QUIET, "read-tree", head]);
  if (tryGit(here, ["config", "--type=bool", "core.sparseCheckout"]).stdout.trim() !== "true") return;
  // In a sparse checkout what is not on disk is not meant to be.
  const missing = git(here, ["ls-files", "-z", "--deleted"]);
  if (missing !== "")
    git(here, [...QUIET, "update-index", "--skip-worktree", "-z", "--stdin"], { input: missing });
}

function publish({ at, file, lock, records, to }: Task, copy: string, healed: Heal): Heal {
  if (!lock.isHeld()) return { kind: "deferred", why: "locked", detail: "the lock was taken away" };
  const next = join(at.gitDir, `${BASE}.next`);
  if (records) writeFileSync(next, `${to} ${stampOf(copy)}\n`);
  renameSync(copy, file);
  if (records) {
    replaceFile(join(at.gitDir, BASE), `${to}\n`);
    rmSync(next, { force: true });
  }
  return healed;
}

/** Somebody was killed between the index and its base: without this, what was resolved since would clash again. */
function finishBase(gitDir: string, file: string): void {
  const next = join(gitDir, `${BASE}.next`);
  const text = textOf(next);
  if (text === undefined) return;
  const [to, stamp] = text.trim().split(" ");
  if (isHash(to) && stamp === stampOf(file)) replaceFile(join(gitDir, BASE), `${to}\n`);
  rmSync(next, { force: true });
}

/** Tells an index file from one that took its place. */
function stampOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}-${stat.mtimeNs}-${stat.size}`;
}

/** Under the lock of `file` its copies are nobody's; smaller leavings go when they are old. */
function sweep(file: string, gitDir: string): void {
  const copies = `${basename(file)}.signalbox.`;
  const dir = dirname(file);
  for (const name of readdirSync(dir)) {
    if (name.startsWith(copies)) rmSync(join(dir, name), { recursive: true, force: true });
    else if (isLeftEarly(name)) rmSync(join(dir, name), { recursive: true, force: true });
    else if (/^(?:signalbox-base\.\d+|index\.(?:.*\.)?lock\.(?:signalbox|break)-.*)$/.test(name))
      removeOld(join(gitDir, name));
  }
}

/** Made before the lock was taken, by a process that is no more. */
function isLeftEarly(name: string): boolean {
  const pid = /^index\.early\.(\d+)/.exec(name)?.[1];
  if (pid === undefined || Number(pid) === process.pid) return false;
  return processes.identify(Number(pid)) === undefined;
}

function removeOld(path: string): void {
  const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (made !== undefined && Date.now() - made > ABANDONED_MS) rmSync(path, { force: true });
}

function realFile(file: string): string {
  try {
    return realpathSync(file);
  } catch {
    return file;
  }
}

/**
 * Gives a gitdir an index: a copy of another one, with what is known about the files on disk, and nothing staged.
 * Sparse settings are the caller's to copy, before. The base is the caller's to write.
 *
 * @throws GitError, or the disk's error
 */
export function seedIndex(
  from: Pick<IndexAt, "gitDir" | "workTree">,
  to: Pick<IndexAt, "gitDir" | "workTree" | "git">,
  head: string,
): void {
  const index = join(to.gitDir, "index");
  const at = { cwd: to.workTree, workTree: to.workTree, git: to.git, indexFile: index };
  if (!copyIndex(join(from.gitDir, "index"), index)) {
    rebuild({ ...at, gitDir: to.gitDir }, head);
    return;
  }
  // A split index keeps most entries in a file that is looked for in the gitdir only.
  if (readdirSync(from.gitDir).some((name) => name.startsWith("sharedindex.")))
    git({ ...at, gitDir: from.gitDir }, [
      ...QUIET,
      "-c",
      "core.splitIndex=false",
      "update-index",
      "--no-split-index",
    ]);
  git({ ...at, gitDir: to.gitDir }, [
    ...QUIET,
    "read-tree",
    "-i",
    "--reset",
    "--no-recurse-submodules",
    head,
  ]);
}

/** Whether anything is staged relative to a commit; what is only intended to be added is not. */
export function hasStaged(at: IndexAt, commit: string): boolean {
  return stagedIn(at, commit).length > 0;
}

/** What is staged relative to a commit, unmerged paths too, as text. */
export function stagedPaths(at: IndexAt, commit: string): string[] {
  return stagedIn(at, commit).map(toText);
}

/** @throws GitError if the commit is not there */
function stagedIn({ gitDir, workTree, indexFile, git: program }: IndexAt, commit: string): string[] {
  // Without an index git sees everything deleted.
  if (!existsSync(indexFile ?? join(gitDir, "index"))) return [];
  const at = { cwd: workTree, gitDir, workTree, indexFile, git: program };
  const args = ["diff-index", "--cached", ...RAW, "--ita-invisible-in-index", commit, "--"];
  return [...new Set(parseRaw(git(at, args)).map(({ path }) => path))];
}
