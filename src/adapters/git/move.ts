/**
 * Moves a branch, and the working tree that is on it, to another commit in one step. While git holds the branch locked
 * at the commit that it has to be at, the tree is brought to the new one (git-read-tree(1), two-tree merge: changed
 * files are refused, not overwritten), and only if that went through does the branch follow. Somebody's commit comes
 * before or after, never in between; there is no operation in progress that could be left half done.
 *
 *     <gitdir>/signalbox-move/state                   who moves what, from where to where
 *     <gitdir>/signalbox-move/reference-transaction   the hook in which the tree is moved
 *
 * Killed in between, git's lock of the branch is left and keeps everybody from committing what is not theirs, until
 * `undoHalfMove` has put the tree back.
 */
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Change, parseRaw } from "../../domain/staged-delta.ts";
import type { ProcessId } from "../../domain/sessions.ts";
import type { TreeAt } from "../../app/ports.ts";
import { processes } from "../process.ts";
import { cleanLocks } from "./locks.ts";
import { type GitAt, git, splitNul, toText, tryGit } from "./run.ts";
import { commitOf } from "./work-tree.ts";
import { textOf } from "./worktree-facts.ts";

export interface Move {
  /** "refs/heads/main": the one that the tree is on. */
  readonly branch: string;
  readonly from: string;
  readonly to: string;
}

export type Moved =
  | { readonly kind: "moved" }
  /** Somebody else has moved it, or is about to. */
  | { readonly kind: "overtaken"; readonly why: string }
  /** All is as it was. */
  | { readonly kind: "failed"; readonly why: string };

const DIRECTORY = "signalbox-move";

/** @param why what the reflog says of it */
export function moveTree(at: TreeAt, move: Move, why: string): Moved {
  const here: GitAt = { cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top };
  const inTheWay = untracked(here, move, at.top);
  if (inTheWay.length > 0)
    return {
      kind: "failed",
      why: `${inTheWay.slice(0, 3).join(", ")} would be overwritten: no commit has it`,
    };
  const dir = begin(at, here, move);
  if (dir === undefined) return { kind: "overtaken", why: "a move of this tree is in progress" };
  try {
    const args = ["-c", `core.hooksPath=${dir}`, "update-ref", "-m", why, move.branch, move.to, move.from];
    const { status, stderr } = tryGit(here, args);
    if (status === 0) return { kind: "moved" };
    const isOvertaken = /but expected|\.lock': File exists|cannot lock ref/.test(stderr);
    return { kind: isOvertaken ? "overtaken" : "failed", why: firstLines(toText(stderr)) };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What the new commit adds and somebody has there already; git would take an ignored file for worthless. */
function untracked(here: GitAt, { from, to }: Move, top: string): string[] {
  const changes = changesBetween(here, from, to);
  // Where names differ in case only, the old one is found by the new one's name.
  const gone = new Set(
    changes.filter(({ status }) => status === "D").map(({ path }) => toText(path).toLowerCase()),
  );
  return changes
    .filter(({ status }) => status === "A")
    .map(({ path }) => toText(path))
    .filter(
      (path) =>
        lstatSync(join(top, path), { throwIfNoEntry: false }) !== undefined && !gone.has(path.toLowerCase()),
    );
}

/** Says what is about to happen; `undefined` while somebody else is at it. */
function begin(at: TreeAt, here: GitAt, move: Move): string | undefined {
  const self = processes.identify(process.pid);
  const dir = join(at.nativeGitDir, DIRECTORY);
  const mine = `${dir}.${process.pid}`;
  sweep(at.nativeGitDir);
  mkdirSync(mine);
  const theirs = tryGit(here, [
    "rev-parse",
    "--path-format=absolute",
    "--git-path",
    "hooks/reference-transaction",
  ]);
  writeFileSync(join(mine, "reference-transaction"), hook(move, toText(theirs.stdout).trimEnd()), {
    mode: 0o755,
  });
  writeFileSync(join(mine, "state"), JSON.stringify({ ...move, process: self }));
  try {
    renameSync(mine, dir);
    return dir;
  } catch (error) {
    rmSync(mine, { recursive: true, force: true });
    if (["ENOTEMPTY", "EEXIST", "EPERM"].includes((error as NodeJS.ErrnoException).code ?? ""))
      return undefined;
    throw error;
  }
}

/** What was begun by processes that are no more. */
function sweep(gitDir: string): void {
  for (const name of readdirSync(gitDir)) {
    const pid = /^signalbox-move\.(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && (Number(pid) === process.pid || processes.identify(Number(pid)) === undefined))
      rmSync(join(gitDir, name), { recursive: true, force: true });
  }
}

/** githooks(5) reference-transaction: the user's own comes first, as if this were none of ours. */
function hook({ branch, from, to }: Move, theirs: string): string {
  return `#!/bin/sh
# signalbox moves this working tree; see docs/policies.md
theirs=${quoted(theirs)}
if [ -x "$theirs" ]; then
  "$theirs" "$@" || exit
fi
[ "$1" = prepared ] || exit 0
unset GIT_QUARANTINE_PATH GIT_INDEX_FILE
[ "$(git symbolic-ref -q HEAD)" = ${quoted(branch)} ] || {
  echo "the tree is on another branch by now" >&2
  exit 1
}
exec git read-tree -m -u ${from} ${to}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * Whether a move is in progress here; what a killed one has left is put back first: files and index entries that are
 * the new commit's become HEAD's again. What anybody has changed since is let be.
 */
export function isMoving(at: TreeAt): boolean {
  const dir = join(at.nativeGitDir, DIRECTORY);
  if (!existsSync(dir)) return false;
  if (!isHalfMoved(at)) return true;
  const left = stateIn(dir);
  if (left !== undefined) undoHalfMove(at, left);
  rmSync(dir, { recursive: true, force: true });
  return false;
}

/** Whether a killed move has left its tree half moved. Only looks. */
export function isHalfMoved(at: TreeAt): boolean {
  const dir = join(at.nativeGitDir, DIRECTORY);
  if (!existsSync(dir)) return false;
  const left = stateIn(dir);
  return left?.process === undefined || processes.isGone(left.process);
}

function stateIn(dir: string): (Move & { readonly process?: ProcessId }) | undefined {
  try {
    return JSON.parse(textOf(join(dir, "state")) ?? "") as Move & { process?: ProcessId };
  } catch {
    // It was about to be removed.
    return undefined;
  }
}

function undoHalfMove(at: TreeAt, { branch, from, to }: Move): void {
  const here: GitAt = { cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top };
  cleanLocks({ commonDir: at.commonDir, gitDir: at.nativeGitDir, workTree: at.top }, { branch });
  const head = commitOf(here, branch);
  if (head === undefined || head === to) return;
  const moved = new Set(changesBetween(here, from, to).map(({ path }) => path));
  const back = changesBetween(here, head, to).filter(({ path }) => moved.has(path));
  const entries = new Map(
    splitNul(git(here, ["ls-files", "-s", "-z"])).map((line) => {
      const [fields = "", path = ""] = line.split("\t");
      return [path, fields];
    }),
  );
  const asNew = (path: string, mode: string, hash: string) =>
    (entries.get(path) ?? "") === (/^0+$/.test(mode) ? "" : `${mode} ${hash} 0`);
  const staged = back.filter(({ path, newMode, newHash }) => asNew(path, newMode, newHash));
  const onDisk = back.filter((change) => isOfMove(here, at.top, to, change));
  git(here, ["update-index", "-z", "--index-info"], {
    input: staged
      .map(({ path, oldMode, oldHash }) =>
        /^0+$/.test(oldMode) ? `0 ${"0".repeat(to.length)}\t${path}\0` : `${oldMode} ${oldHash}\t${path}\0`,
      )
      .join(""),
  });
  const isThere = onDisk.filter(({ oldMode }) => !/^0+$/.test(oldMode)).map(({ path }) => path);
  git(here, ["checkout-index", "-f", "-q", "-u", "-z", "--stdin"], {
    input: isThere.map((path) => `${path}\0`).join(""),
  });
  for (const { path, oldMode } of onDisk)
    if (/^0+$/.test(oldMode)) rmSync(join(at.top, toText(path)), { force: true });
}

/**
 * Whether what is on disk is of git's making: the new content, or what there is on the way to it (git removes a file
 * before it writes it anew, piece by piece). Nobody's work is lost with it.
 */
function isOfMove(here: GitAt, top: string, to: string, { path, newMode, newHash }: Change): boolean {
  const file = join(top, toText(path));
  const stat = lstatSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return true;
  if (/^0+$/.test(newMode)) return false;
  if (stat.isSymbolicLink())
    return git(here, ["hash-object", "--stdin"], { input: readlinkSync(file, "latin1") }).trim() === newHash;
  if (!stat.isFile()) return false;
  const whole = tryGit(here, ["cat-file", "--filters", toText(`${to}:${path}`)]);
  return whole.status === 0 && whole.stdout.startsWith(readFileSync(file, "latin1"));
}

function changesBetween(here: GitAt, from: string, to: string) {
  return parseRaw(
    git(here, ["diff-tree", "-r", "--raw", "-z", "--no-renames", "--no-abbrev", from, to, "--"]),
  );
}

function firstLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 4)
    .join("; ");
}
