/**
 * Lock files that a killed git has left: of the index, of HEAD, of the branch. One goes only when nobody alive can
 * hold it (lock-holders.ts); its age says nothing. What git had ready in an index.lock when it had moved HEAD already
 * is made the index: the one there would take that commit back. packed-refs.lock and config.lock are never touched.
 *
 * A lock that nobody holds is removed by nobody but us (git never removes one that it did not make), and of us by one
 * at a time, who holds a lock made for just that file, known by inode and time. So what is removed is what was judged.
 * What remains: a person's `rm` of the same lock and a new git that takes it, both between our last look and our
 * rename, microseconds apart.
 */
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { processes } from "../process.ts";
import { breakStale, lockIndex } from "./index-lock.ts";
import { holderOf, type Place } from "./lock-holders.ts";
import { type GitAt, tryGit } from "./run.ts";
import { textOf } from "./worktree-facts.ts";

/** What became of one lock file. */
export interface StaleLock {
  readonly file: string;
  readonly kind: "index" | "next-index" | "ref" | "head";
  /** `promoted`: it is the index now. `kept`: it is as it was. */
  readonly action: "removed" | "promoted" | "kept";
  readonly why: string;
}

export interface LocksAt extends Place {
  readonly git?: string | undefined;
}

interface Candidate {
  readonly file: string;
  readonly kind: StaleLock["kind"];
}

/** A lock that is being let go of, its file closed and not renamed yet, is gone after this. */
const PAUSE_MS = 60;

/**
 * Takes away what a dead git has left in a gitdir, and on the branch that it is on.
 *
 * @param options.branch a branch's full ref or its name; by default the one HEAD is on
 */
export function cleanLocks(
  at: LocksAt,
  { branch }: { readonly branch?: string | undefined } = {},
): StaleLock[] {
  const first = candidates(at, branch).map((one) => ({ ...one, stamp: stampOf(one.file) }));
  const there = first.filter(({ stamp }) => stamp !== undefined);
  if (there.length === 0) return [];
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return there.flatMap((one) => clean(at, one, one.stamp!));
}

/** Lock files that are there. Only looks. */
export function locksIn(at: LocksAt): string[] {
  return candidates(at, undefined)
    .map(({ file }) => file)
    .filter((file) => stampOf(file) !== undefined);
}

/** Those of them that nobody holds. Only looks; a lock of our own is no matter: the next who wants it breaks it. */
export function staleLocks(at: LocksAt): string[] {
  const first = candidates(at, undefined).map((one) => ({ ...one, stamp: stampOf(one.file) }));
  const there = first.filter(({ file, stamp }) => stamp !== undefined && !isOurs(file));
  if (there.length === 0) return [];
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  return there
    .filter(({ file, stamp }) => stampOf(file) === stamp)
    .filter(({ file, kind }) => holderOfLock(at, { file, kind }) === undefined)
    .map(({ file }) => file);
}

function holderOfLock(at: LocksAt, { file, kind }: Candidate): string | undefined {
  const scope = kind === "index" || kind === "next-index" ? "index" : "ref";
  return pidFile(file)?.holder ?? holderOf(file, scope, at);
}

function candidates(at: Place, branch: string | undefined): Candidate[] {
  const { gitDir, commonDir } = at;
  const ref = branch ?? /^ref:\s*(refs\/\S+)/.exec(textOf(join(gitDir, "HEAD")) ?? "")?.[1];
  const full = ref === undefined || ref.startsWith("refs/") ? ref : `refs/heads/${ref}`;
  const inGitDir = namesIn(gitDir).flatMap((name): Candidate[] => {
    const file = join(gitDir, name);
    if (name === "index.lock" || name === "index.lock.lock") return [{ file, kind: "index" }];
    if (/^next-index-\d+\.lock(?:\.lock)?$/.test(name)) return [{ file, kind: "next-index" }];
    return name === "HEAD.lock" ? [{ file, kind: "head" }] : [];
  });
  return full === undefined
    ? inGitDir
    : [...inGitDir, { file: join(commonDir, `${full}.lock`), kind: "ref" }];
}

function clean(at: LocksAt, { file, kind }: Candidate, stamp: string): StaleLock[] {
  const done = (action: StaleLock["action"], why: string): StaleLock[] => [{ file, kind, action, why }];
  if (stampOf(file) !== stamp) return [];
  if (isOurs(file)) {
    // Ours says itself whose it is.
    return breakStale(file) ? done("removed", "its holder has ended") : done("kept", "signalbox holds it");
  }
  const holder = holderOfLock(at, { file, kind });
  if (holder !== undefined) return done("kept", holder);
  const alone = lockIndex(breakerOf(at, file, kind, stamp), { waitMs: 0 });
  if (alone === undefined) return done("kept", "it is being cleaned up already");
  try {
    if (stampOf(file) !== stamp) return [];
    if (basename(file) === "index.lock" && holdsOwnCommit(at, file)) {
      renameSync(file, join(dirname(file), "index"));
      return done("promoted", "git had moved HEAD and was killed before this became the index");
    }
    const why = takeAway(file, stamp);
    return why === undefined ? done("removed", "no process holds it") : done("kept", why);
  } finally {
    const beside = pidFile(file);
    if (beside !== undefined && !existsSync(file)) rmSync(beside.file, { force: true });
    alone.release();
  }
}

/** By a private name first, so that what goes is what was looked at. */
function takeAway(file: string, stamp: string): string | undefined {
  // Git takes no name that ends so for a ref.
  const aside = `${file}.signalbox-${process.pid}.lock`;
  renameSync(file, aside);
  try {
    if (stampOf(aside) === stamp) return undefined;
    putBack(aside, file);
    return "it was taken anew right now";
  } finally {
    rmSync(aside, { force: true });
  }
}

function putBack(aside: string, file: string): void {
  try {
    linkSync(aside, file);
  } catch (error) {
    // Yet another has it by now.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") renameSync(aside, file);
  }
}

/** A broken ref's name would be taken for a ref beside it; index-lock.ts uses the same name for an index. */
function breakerOf({ commonDir }: Place, file: string, kind: StaleLock["kind"], stamp: string): string {
  return kind === "ref" ? join(commonDir, `signalbox-ref.break-${stamp}`) : `${file}.break-${stamp}`;
}

function isOurs(file: string): boolean {
  try {
    return readFileSync(file, "latin1").startsWith("signalbox ");
  } catch {
    return false;
  }
}

/** With core.lockfilePid, git 2.54 and later write beside `index.lock` who holds it: `index~pid.lock`, `pid N`. */
function pidFile(lock: string): { readonly file: string; readonly holder: string | undefined } | undefined {
  const file = lock.replace(/\.lock$/, "~pid.lock");
  const [, digits] = /^pid (\d+)/.exec(textOf(file) ?? "") ?? [];
  if (digits === undefined) return undefined;
  // On Linux more than a number is known of every process.
  const isAlive = process.platform !== "linux" && processes.identify(Number(digits)) !== undefined;
  return { file, holder: isAlive ? `process ${digits} holds it` : undefined };
}

/**
 * Whether git was killed between moving HEAD and making this the index: HEAD moved since the lock was written, and what
 * that commit changed is in the lock as it is in the commit.
 */
function holdsOwnCommit(at: LocksAt, lock: string): boolean {
  const made = statSync(lock, { throwIfNoEntry: false })?.mtimeMs;
  if (made === undefined) return false;
  const folder = mkdtempSync(join(tmpdir(), "signalbox-"));
  try {
    const indexFile = join(folder, "index");
    copyFileSync(lock, indexFile);
    const here: GitAt = {
      cwd: at.workTree,
      gitDir: at.gitDir,
      workTree: at.workTree,
      indexFile,
      git: at.git,
    };
    const move = lastMove(here, at.gitDir, made);
    if (move === undefined || tryGit(here, ["ls-files", "--stage"]).status !== 0) return false;
    const changes = (args: readonly string[]) => {
      const { status, stdout } = tryGit(here, args);
      return status === 0 ? stdout.split("\0").filter((path) => path !== "") : undefined;
    };
    const committed = changes([
      "diff-tree",
      "-r",
      "--name-only",
      "-z",
      "--no-renames",
      "--no-commit-id",
      move.from,
      move.to,
    ]);
    const other = changes(["diff-index", "--cached", "--name-only", "-z", "--no-renames", move.to, "--"]);
    if (committed === undefined || other === undefined) return false;
    const differing = new Set(other);
    return !committed.some((path) => differing.has(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The last move of this gitdir's HEAD, if that was not before a time (ms). */
function lastMove(
  here: GitAt,
  gitDir: string,
  since: number,
): { readonly from: string; readonly to: string } | undefined {
  const ask = (...args: string[]) => {
    const { status, stdout } = tryGit(here, args, { input: "" });
    return status === 0 && stdout.trim() !== "" ? stdout.trim() : undefined;
  };
  const empty = ask("hash-object", "-t", "tree", "--stdin");
  const log = join(gitDir, "logs", "HEAD");
  const written = statSync(log, { throwIfNoEntry: false });
  if (written !== undefined && written.size > 0) {
    if (written.mtimeMs < since) return undefined;
    const [from, to] = readFileSync(log, "latin1").trimEnd().split("\n").at(-1)!.split(" ");
    if (from === undefined || to === undefined) return undefined;
    return { from: /^0+$/.test(from) ? empty! : from, to };
  }
  // No reflog is kept: by the time that the commit tells, which has whole seconds.
  const [to, time] = ask("log", "-1", "--format=%H %ct", "HEAD")?.split(" ") ?? [];
  if (to === undefined || Number(time) < Math.floor(since / 1000)) return undefined;
  return { from: ask("rev-parse", "-q", "--verify", `${to}^1`) ?? empty!, to };
}

/** Tells a file from one that took its name later; as in index-lock.ts. */
function stampOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}-${stat.mtimeNs}`;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
