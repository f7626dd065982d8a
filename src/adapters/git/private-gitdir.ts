/**
 * A session's own gitdir: an entry of git-worktree(1), `<common>/worktrees/<id>`, made for the shared working tree and
 * on the branch that is checked out there. Index, MERGE_HEAD and its like, COMMIT_EDITMSG and HEAD are the session's
 * own; objects and branches are everybody's.
 *
 * In it, besides git's files:
 *
 *     locked              "signalbox <session>": `git worktree prune` and `gc` leave it alone
 *     signalbox-session   the session; the tree ("" for the main one, else its id); its top, relative to <common>.
 *                         The top comes last because there may be a newline in it.
 *     signalbox-base      the commit that what is staged is relative to
 *     signalbox-started-on  the branch of a merge that waits to be concluded, while the tree is on another
 *
 * It appears with one rename of what was made ready beside (`<box>/gitdir-new-…`), and goes with one
 * (`<box>/gitdir-old-…`), so that there is never half of one, however many make it at once and whenever they are
 * killed. That is why `git worktree add` is not used. Its place in git's list, `<box>/wt/<id>`, is a folder with a
 * `.git` file only.
 */
import { randomBytes } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { type GitdirAt, keepCommits, keepModules } from "./gitdir-leavings.ts";
import { copySettings, followSettings } from "./gitdir-settings.ts";
import { healIndex, readBase, seedIndex, writeBase } from "./index-file.ts";
import { saveRescue } from "./rescue.ts";
import { git as mustGit, tryGit } from "./run.ts";
import {
  commitAt,
  hasReftable,
  type Head,
  headOf,
  isHash,
  isInOperation,
  isMoving,
  textOf,
  type TreeAt,
} from "./worktree-facts.ts";

export { followSettings } from "./gitdir-settings.ts";
export type { TreeAt } from "./worktree-facts.ts";

/** Why a tree cannot be shared now. */
export type NotNow = "unborn" | "detached" | "operation" | "bare";

export type Created =
  | {
      readonly kind: "created" | "there";
      readonly id: string;
      readonly gitDir: string;
      readonly base: string;
    }
  | { readonly kind: "none"; readonly why: NotNow };

/** One of ours. */
export interface PrivateGitdir {
  readonly id: string;
  readonly gitDir: string;
  readonly session: string;
  /** "" for the main working tree, else the linked one's id. */
  readonly tree: string;
  /** The top of that tree, where it is now. */
  readonly top: string;
  /** `undefined`: it is damaged. */
  readonly base: string | undefined;
}

/** A gitdir could not be made, or may not be removed; `cause` says more. Nothing has changed. */
export class GitdirError extends Error {
  override readonly name = "GitdirError";
}

type Common = Pick<TreeAt, "commonDir" | "git">;

const LEFT_BEHIND_MS = 10 * 60_000;
const RECORD = "signalbox-session";
const STARTED_ON = "signalbox-started-on";
const REASON = "signalbox ";

/**
 * Gives a session its own gitdir for this tree, or finds the one it has, and mends it where the repository has moved.
 *
 * @throws GitdirError if the repository cannot be written to
 */
export function ensureGitdir(at: TreeAt, session: string): Created {
  return orGitdirError(`Cannot make a gitdir for session ${session}`, () => {
    const there = find(at, session);
    if (there !== undefined) {
      if (mend(at, there)) return { kind: "there", id: there.id, gitDir: there.gitDir, base: there.base! };
      removeGitdir(at, there.id, session);
    }
    const head = headOf(at.nativeGitDir, at);
    const why = whyNot(at, head);
    if (why !== undefined) return { kind: "none", why };
    const { ref } = head as Extract<Head, { kind: "branch" }>;
    const commit = commitAt(at, ref);
    return commit === undefined ? { kind: "none", why: "unborn" } : create(at, session, ref, commit);
  });
}

function whyNot(at: TreeAt, head: Head): NotNow | undefined {
  if (isMoving(at.nativeGitDir)) return "operation";
  if (head.kind !== "branch") return "detached";
  return at.nativeGitDir === at.commonDir && isBare(at) ? "bare" : undefined;
}

/** `core.bare` may stand in an included file; without the word in this one it is the default: no. */
function isBare({ commonDir, git }: Common): boolean {
  if (!/^\s*bare\s*(?:=\s*(?:true|yes|on|1))?\s*$/im.test(textOf(join(commonDir, "config")) ?? ""))
    return false;
  const { stdout } = tryGit({ cwd: commonDir, gitDir: commonDir, git }, [
    "rev-parse",
    "--is-bare-repository",
  ]);
  return stdout.trim() === "true";
}

function create(at: TreeAt, session: string, ref: string, base: string): Created {
  const box = join(at.commonDir, "signalbox");
  sweep(box);
  const made = join(box, `gitdir-new-${randomBytes(6).toString("hex")}`);
  mkdirSync(made, { recursive: true });
  try {
    build(at, made, session, ref, base);
    for (const id of candidates(session)) {
      if (publish(at, made, id))
        return { kind: "created", id, gitDir: join(at.commonDir, "worktrees", id), base };
      // Somebody was first: if it is this session's own, that is the one.
      const winner = find(at, session);
      if (winner?.base !== undefined)
        return { kind: "there", id: winner.id, gitDir: winner.gitDir, base: winner.base };
    }
    throw new Error("every id is taken");
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** Ids for a session's gitdir: short, as `git worktree list` shows them, then longer ones. */
function* candidates(session: string): Generator<string> {
  const safe = session.replaceAll(/[^\w-]/g, "-") || "-";
  let last = "";
  for (const length of [8, 16, 64]) {
    const id = `sb-${safe.slice(0, length)}`;
    if (id !== last) yield id;
    last = id;
  }
  for (let n = 2; n < 1000; n++) yield `${last}-${n}`;
}

/** All that is in a private gitdir but its place in git's list. The folder is as deep as where it is to go. */
function build(at: TreeAt, made: string, session: string, ref: string, base: string): void {
  writeFileSync(join(made, "commondir"), "../..\n");
  writeFileSync(join(made, "locked"), `${REASON}${session}\n`);
  writeFileSync(join(made, RECORD), recordText(at, session));
  writeHead(at, made, ref);
  copySettings(at, made);
  const to = { gitDir: made, workTree: at.top, git: at.git };
  if (existsSync(join(at.nativeGitDir, "index"))) seedIndex({ ...to, gitDir: at.nativeGitDir }, to, base);
  else mustGit({ cwd: at.top, ...to }, ["-c", "core.fsmonitor=false", "read-tree", base]);
  writeBase(made, base);
}

function recordText(at: TreeAt, session: string): string {
  return `${session.replaceAll("\n", " ")}\n${treeOf(at)}\n${relative(at.commonDir, at.top)}\n`;
}

function treeOf({ commonDir, nativeGitDir }: Pick<TreeAt, "commonDir" | "nativeGitDir">): string {
  return nativeGitDir === commonDir ? "" : basename(nativeGitDir);
}

function writeHead(at: TreeAt, gitDir: string, ref: string): void {
  if (!hasReftable(at.nativeGitDir)) {
    writeFileSync(join(gitDir, "HEAD"), `ref: ${ref}\n`);
    return;
  }
  for (const folder of ["refs", "reftable"]) mkdirSync(join(gitDir, folder), { recursive: true });
  writeFileSync(join(gitDir, "HEAD"), "ref: refs/heads/.invalid\n");
  writeFileSync(join(gitDir, "refs", "heads"), "this repository uses the reftable format\n");
  setHead(at, gitDir, ref);
}

function setHead({ top, git }: TreeAt, gitDir: string, ref: string): boolean {
  const args = [
    "symbolic-ref",
    "-m",
    "signalbox: follows its tree",
    "HEAD",
    Buffer.from(ref, "utf8").toString("latin1"),
  ];
  return tryGit({ cwd: top, gitDir, git }, args).status === 0;
}

/** @returns whether it stands there now; false: there is another */
function publish(at: TreeAt, made: string, id: string): boolean {
  const gitDir = join(at.commonDir, "worktrees", id);
  if (existsSync(gitDir)) return false;
  writeFileSync(join(made, "gitdir"), `${join(stubOf(at, id), ".git")}\n`);
  for (let tries = 0; ; tries++) {
    // Git removes the folder when it removes the last entry.
    mkdirSync(dirname(gitDir), { recursive: true });
    writeStub(at, id);
    try {
      renameSync(made, gitDir);
      return true;
    } catch (error) {
      if (existsSync(gitDir)) return false;
      if (tries === 3) throw error;
    }
  }
}

function stubOf({ commonDir }: Common, id: string): string {
  return join(commonDir, "signalbox", "wt", id);
}

function writeStub(at: Common, id: string): void {
  mkdirSync(stubOf(at, id), { recursive: true });
  replaceFile(join(stubOf(at, id), ".git"), `gitdir: ${join(at.commonDir, "worktrees", id)}\n`);
}

/** Atomic, and no write where there is nothing to change. */
function replaceFile(file: string, text: string): void {
  if (textOf(file) === text) return;
  const temporary = `${file}.${randomBytes(4).toString("hex")}`;
  writeFileSync(temporary, text);
  renameSync(temporary, file);
}

function find(at: TreeAt, session: string): PrivateGitdir | undefined {
  return listGitdirs(at.commonDir).find((one) => one.session === session && one.tree === treeOf(at));
}

/**
 * Brings to order what tells git where things are: paths of before the repository moved, files that somebody removed
 * or a power cut emptied.
 *
 * @returns false if what is staged cannot be told, and a new one has to be made
 */
function mend(at: TreeAt, { id, gitDir, session, base }: PrivateGitdir): boolean {
  for (const name of ["HEAD", "index", "commondir", "gitdir", "locked", RECORD, "signalbox-base"]) {
    const file = join(gitDir, name);
    if (statSync(file, { throwIfNoEntry: false })?.isDirectory() === true) rmSync(file, { recursive: true });
  }
  writeStub(at, id);
  replaceFile(join(gitDir, "gitdir"), `${join(stubOf(at, id), ".git")}\n`);
  replaceFile(join(gitDir, "commondir"), "../..\n");
  replaceFile(join(gitDir, "locked"), `${REASON}${session}\n`);
  replaceFile(join(gitDir, RECORD), recordText(at, session));
  if (isLost(at, gitDir)) {
    const head = headOf(at.nativeGitDir, at);
    if (head.kind !== "branch") return false;
    writeHead(at, gitDir, head.ref);
  }
  const here = { cwd: at.top, gitDir, workTree: at.top, git: at.git };
  const index = join(gitDir, "index");
  // Without one it is made anew from HEAD; nobody can read what was staged in this one.
  if (existsSync(index) && tryGit(here, ["ls-files", "-u"]).status !== 0)
    renameSync(index, join(gitDir, "index.damaged"));
  if (base === undefined) return false;
  followSettings(at, gitDir);
  return true;
}

/** Its HEAD says nothing. */
function isLost(at: TreeAt, gitDir: string): boolean {
  const head = headOf(gitDir, at);
  return (
    head.kind === "missing" || (head.kind === "detached" && !isHash(textOf(join(gitDir, "HEAD"))?.trim()))
  );
}

/** All of ours in this repository. */
export function listGitdirs(commonDir: string): PrivateGitdir[] {
  return namesIn(join(commonDir, "worktrees"))
    .filter((id) => isOurs(commonDir, id))
    .map((id) => describe(commonDir, id));
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir).sort();
  } catch {
    return [];
  }
}

function isOurs(commonDir: string, id: string): boolean {
  const gitDir = join(commonDir, "worktrees", id);
  if (!id.startsWith("sb-") || id.includes("/")) return false;
  return existsSync(join(gitDir, RECORD)) || textOf(join(gitDir, "locked"))?.startsWith(REASON) === true;
}

function describe(commonDir: string, id: string): PrivateGitdir {
  const gitDir = join(commonDir, "worktrees", id);
  const [session = "", tree = "", ...top] = (textOf(join(gitDir, RECORD)) ?? "").split("\n");
  const reason = textOf(join(gitDir, "locked"))?.slice(REASON.length).trimEnd();
  const base = readBase(gitDir);
  return {
    id,
    gitDir,
    session: session || (reason ?? ""),
    tree,
    top: topOf(commonDir, tree) ?? resolve(commonDir, top.join("\n").replace(/\n$/, "")),
    base: isHash(base) ? base : undefined,
  };
}

/** Where a linked working tree is by now: `git worktree move` tells its entry, not ours. */
function topOf(commonDir: string, tree: string): string | undefined {
  if (tree === "") return undefined;
  const gitDir = join(commonDir, "worktrees", tree);
  const dotGit = textOf(join(gitDir, "gitdir"))?.replace(/\n$/, "");
  if (dotGit === undefined) return undefined;
  try {
    return realpathSync.native(dirname(resolve(gitDir, dotGit)));
  } catch {
    return undefined;
  }
}

/**
 * Removes a private gitdir. What is staged in it, conflict stages too, is saved under a rescue ref before, and what
 * only its HEAD or its rebase knows under refs/signalbox/keep. What is not ours stays, without a word.
 *
 * @throws GitdirError if what is staged cannot be saved; the gitdir is as it was
 */
export function removeGitdir(
  at: Common,
  id: string,
  session: string,
): { readonly rescue?: string | undefined; readonly paths: readonly string[] } {
  return orGitdirError(`Cannot remove gitdir ${id}`, () => {
    const box = join(at.commonDir, "signalbox");
    sweep(box);
    const gitDir = join(at.commonDir, "worktrees", id);
    if (!existsSync(gitDir)) {
      removeStub(at, id);
      return { paths: [] };
    }
    if (!isOurs(at.commonDir, id)) return { paths: [] };
    const old = join(box, `gitdir-old-${randomBytes(6).toString("hex")}`);
    mkdirSync(box, { recursive: true });
    const saved = moveAway(at, describe(at.commonDir, id), session, old);
    rmSync(old, { recursive: true, force: true });
    removeStub(at, id);
    try {
      rmdirSync(dirname(gitDir));
    } catch {
      // Others are in it.
    }
    return saved;
  });
}

/** Saves and renames; if a git that still runs has staged more in between, once more. */
function moveAway(
  at: Common,
  one: PrivateGitdir,
  session: string,
  old: string,
): { rescue?: string | undefined; paths: readonly string[] } {
  for (let tries = 0; tries < 5; tries++) {
    const before = stamp(join(one.gitDir, "index"));
    const saved = save(at, one, session);
    renameSync(one.gitDir, old);
    if (stamp(join(old, "index")) === before) return saved;
    renameSync(old, one.gitDir);
  }
  throw new Error("its index changes all the time");
}

function stamp(file: string): string | undefined {
  const stat = statSync(file, { throwIfNoEntry: false, bigint: true });
  return stat === undefined ? undefined : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}

function save(
  at: Common,
  one: PrivateGitdir,
  session: string,
): { rescue?: string | undefined; paths: readonly string[] } {
  const { gitDir, base } = one;
  const workTree = existsSync(one.top) ? one.top : at.commonDir;
  const here = { cwd: workTree, gitDir, workTree, git: at.git };
  keepCommits(here);
  const native = join(at.commonDir, "worktrees", one.tree);
  keepModules(here, one.tree !== "" && existsSync(native) ? native : at.commonDir);
  // Without an index nothing is staged; git would see everything deleted.
  if (!existsSync(join(gitDir, "index"))) return { paths: [] };
  if (!hasStaged(here, base)) return { paths: [] };
  const saved = saveRescue(here, { session, reason: "its gitdir was removed", index: here });
  if (saved === undefined) throw new Error("what is staged in it could not be saved");
  return { rescue: saved.ref, paths: saved.paths };
}

/** Seen from where the index was carried forward to last, from HEAD, and when it has been carried forward to that. */
function hasStaged(here: GitdirAt, base: string | undefined): boolean {
  const differs = (commit: string) =>
    tryGit(here, ["diff-index", "--cached", "--quiet", "--ita-invisible-in-index", commit, "--"]).status !==
    0;
  if (base !== undefined && !differs(base)) return false;
  if (!differs("HEAD")) return false;
  return base === undefined || healIndex(here).kind !== "healed" || differs("HEAD");
}

function removeStub(at: Common, id: string): void {
  rmSync(join(stubOf(at, id), ".git"), { force: true });
  try {
    rmdirSync(stubOf(at, id));
  } catch {
    // Gone, or somebody keeps something in it.
  }
}

/** Removes what a process left that was killed while it made or removed one. By the time of its last rename. */
export function sweep(box: string): void {
  for (const name of namesIn(box).filter((name) => /^gitdir-(?:new|old)-/.test(name))) {
    const path = join(box, name);
    const moved = statSync(path, { throwIfNoEntry: false })?.ctimeMs;
    if (moved !== undefined && Date.now() - moved > LEFT_BEHIND_MS)
      rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

/**
 * `busy`: a git at work in the gitdir holds its HEAD; `own-operation`: what waits to be concluded there belongs to the
 * branch it was started on, which the tree has left.
 */
export type Followed =
  | "same"
  | "moved"
  | "busy"
  | "own-operation"
  | "native-detached"
  | "native-unborn"
  | "native-operation";

/**
 * Sets a private gitdir's HEAD to the branch that its tree is on, or to none where that cannot be: git lets nobody
 * switch to a branch that another gitdir names. Index and files are as before; carrying the index forward does the
 * rest. Git is started only where something is to do, or for a reftable.
 */
export function followHead(at: TreeAt, gitDir: string): Followed {
  const native = headOf(at.nativeGitDir, at);
  const own = headOf(gitDir, at);
  const same = native.kind === "branch" && own.kind === "branch" && own.ref === native.ref;
  if (isMoving(at.nativeGitDir))
    return same ? "native-operation" : letGo(at, gitDir, own, "native-operation");
  if (same) return "same";
  if (native.kind !== "branch") return letGo(at, gitDir, own, "native-detached");
  if (isInOperation(gitDir) && startedOn(gitDir) !== native.ref)
    return letGo(at, gitDir, own, "own-operation");
  if (commitAt(at, native.ref) === undefined) return letGo(at, gitDir, own, "native-unborn");
  if (own.kind === "detached") keepCommits({ cwd: at.top, gitDir, workTree: at.top, git: at.git });
  if (own.kind === "missing") writeHead(at, gitDir, native.ref);
  else if (!setHead(at, gitDir, native.ref)) return "busy";
  rmSync(join(gitDir, STARTED_ON), { force: true });
  return "moved";
}

/** The branch on which what a gitdir has to conclude was started, once its tree has left that. */
export function startedOn(gitDir: string): string | undefined {
  return textOf(join(gitDir, STARTED_ON))?.trimEnd();
}

function letGo<How extends Followed>(at: TreeAt, gitDir: string, own: Head, how: How): How | "busy" {
  if (own.kind !== "branch") return how;
  const started = isInOperation(gitDir);
  const here = { cwd: at.top, gitDir, workTree: at.top, git: at.git };
  const tip = (of: string) =>
    tryGit({ ...here, gitDir: of }, ["rev-parse", "-q", "--verify", "HEAD^0"]).stdout.trim();
  const commit = (started && readBase(gitDir)) || tip(at.nativeGitDir) || tip(gitDir);
  if (commit === "") return how;
  if (started) replaceFile(join(gitDir, STARTED_ON), `${own.ref}\n`);
  const why = "signalbox: follows its tree";
  return tryGit(here, ["update-ref", "--no-deref", "-m", why, "HEAD", commit]).status === 0 ? how : "busy";
}

function orGitdirError<T>(what: string, body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof GitdirError) throw error;
    throw new GitdirError(`${what}: ${(error as Error).message}`, { cause: error });
  }
}
