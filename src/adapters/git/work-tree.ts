import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type GitAt, git, splitNul, toText, tryGit } from "./run.ts";

/** A path that differs from HEAD, in the index or on disk. */
export interface Dirty {
  /** As git names it, relative to the top. */
  readonly path: string;
  /** It differs from HEAD in the index that was asked. */
  readonly staged: boolean;
  /** On disk it differs from that index. */
  readonly unstaged: boolean;
  readonly state: "modified" | "deleted" | "added" | "untracked" | "ignored" | "unmerged";
}

/**
 * Uncommitted work in a working tree, as git-status(1) sees it.
 *
 * @param pathspecs only what they match, seen from `at.cwd`; all without
 */
export function dirtyPaths(
  at: GitAt,
  {
    pathspecs,
    untracked = true,
    ignored = false,
  }: { pathspecs?: readonly string[] | undefined; untracked?: boolean; ignored?: boolean } = {},
): Dirty[] {
  const args = ["status", "--porcelain=v2", "-z", "--no-renames"];
  args.push(`--untracked-files=${untracked || ignored ? "all" : "no"}`);
  if (ignored) args.push("--ignored=matching");
  const { status, stdout } = tryGit(at, [...args, ...(pathspecs === undefined ? [] : ["--", ...pathspecs])]);
  // A pathspec that git does not take, it will refuse itself.
  return status === 0 ? splitNul(stdout).flatMap(parseStatus) : [];
}

/** One line of porcelain v2: `1 XY …8 fields path`, `u XY …10 fields path`, `? path`, `! path`. */
function parseStatus(line: string): Dirty[] {
  const [kind] = line;
  if (kind === "?" || kind === "!")
    return [
      {
        path: toText(line.slice(2)),
        staged: false,
        unstaged: true,
        state: kind === "?" ? "untracked" : "ignored",
      },
    ];
  if (kind !== "1" && kind !== "u") return [];
  const path = toText(
    line
      .split(" ")
      .slice(kind === "1" ? 8 : 10)
      .join(" "),
  );
  const [x, y] = line.slice(2, 4);
  if (kind === "u") return [{ path, staged: true, unstaged: true, state: "unmerged" }];
  const state = y === "D" || (x === "D" && y === ".") ? "deleted" : x === "A" ? "added" : "modified";
  return [{ path, staged: x !== ".", unstaged: y !== ".", state }];
}

/** Paths in which two commits differ. */
export function changedBetween(at: GitAt, from: string, to: string): string[] {
  const { status, stdout } = tryGit(at, ["diff", "--name-only", "-z", "--no-renames", from, to, "--"]);
  return status === 0 ? splitNul(stdout).map(toText) : [];
}

/** Paths that these commits change, each against its first parent. */
export function changedBy(at: GitAt, commits: readonly string[]): string[] {
  const args = [
    "log",
    "--no-walk",
    "--format=",
    "--name-only",
    "-z",
    "--no-renames",
    "--diff-merges=first-parent",
  ];
  const { status, stdout } = tryGit(at, [...args, ...commits, "--"]);
  return status === 0 ? [...new Set(splitNul(stdout).map(toText))].filter((path) => path !== "") : [];
}

/** The full id of a commit; `undefined` if there is none of that name. */
export function commitOf(at: GitAt, name: string): string | undefined {
  // Peeled by its own name, `:/text` would look for a longer text.
  const plain = name.includes("/") ? objectOf(at, name) : name;
  return plain === undefined ? undefined : objectOf(at, `${plain}^{commit}`);
}

/** The id of whatever object a word names. */
function objectOf(at: GitAt, name: string): string | undefined {
  const { status, stdout } = tryGit(at, ["rev-parse", "-q", "--verify", "--end-of-options", name]);
  return status === 0 ? stdout.trim() : undefined;
}

const COMMITS_LOOKED_AT = 500;

/** Commits that are in one but not in the other, newest first. */
export function commitsOnlyIn(at: GitAt, tip: string, base: string): string[] {
  const args = ["rev-list", "--first-parent", `--max-count=${COMMITS_LOOKED_AT}`, tip, `^${base}`, "--"];
  const { status, stdout } = tryGit(at, args);
  return status === 0 ? stdout.split("\n").filter(Boolean) : [];
}

/** Commits of the stash, newest first: `stash@{0}` and so on. */
export function stashEntries(at: GitAt): string[] {
  const { status, stdout } = tryGit(at, ["stash", "list", "--format=%H"]);
  return status === 0 ? stdout.split("\n").filter(Boolean) : [];
}

/** An operation that waits to be concluded in a gitdir, and what shows it (git-rev-parse(1) names the files). */
const OPERATIONS = {
  "rebase-merge": "rebase",
  "rebase-apply": "rebase",
  MERGE_HEAD: "merge",
  CHERRY_PICK_HEAD: "cherry-pick",
  REVERT_HEAD: "revert",
  BISECT_LOG: "bisect",
} as const;

export function operationIn(gitDir: string): string | undefined {
  const found = Object.entries(OPERATIONS).find(([name]) => existsSync(join(gitDir, name)));
  return found?.[1];
}

/** What an alias stands for; `undefined` if it is none. */
export function aliasOf(at: GitAt, name: string): string | undefined {
  if (!/^[\w-]+$/.test(name)) return undefined;
  const { status, stdout } = tryGit(at, ["config", "--get", `alias.${name}`]);
  return status === 0 ? toText(stdout).trim() : undefined;
}

/** A setting of git's; `undefined` if it is not set. */
export function configOf(at: GitAt, name: string): string | undefined {
  const { status, stdout } = tryGit(at, ["config", "--get", name]);
  return status === 0 ? toText(stdout).trimEnd() : undefined;
}

/** What a word on a command line names: a commit, a path that is there or tracked, or both. */
export function namesWhat(at: GitAt, word: string): { readonly isRef: boolean; readonly isPath: boolean } {
  const isRef = objectOf(at, word) !== undefined;
  const isPath =
    existsSync(join(at.cwd, word)) || tryGit(at, ["ls-files", "--error-unmatch", "--", word]).status === 0;
  return { isRef, isPath };
}

/** The branch that HEAD is on; `undefined` when it is detached. */
export function branchOf(at: GitAt): string | undefined {
  const { status, stdout } = tryGit(at, ["symbolic-ref", "-q", "HEAD"]);
  return status === 0 ? stdout.trim() : undefined;
}

/** Written just before an operation starts, and removed at its end unless the one who does is killed. */
const OPERATOR = "signalbox-operation";
const STARTS_WITHIN_MS = 60_000;
const STARTS = ["rebase-merge/orig-head", "rebase-apply/orig-head", "BISECT_START"];

/** Who started the operation that waits in a gitdir, if a session did. */
export function operatorOf(gitDir: string): string | undefined {
  const file = join(gitDir, OPERATOR);
  const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
  const started = STARTS.map((name) => statSync(join(gitDir, name), { throwIfNoEntry: false })?.mtimeMs).find(
    (ms) => ms !== undefined,
  );
  if (written === undefined || (started ?? written) - written > STARTS_WITHIN_MS) return undefined;
  try {
    return readFileSync(file, "utf8").trim() || undefined;
  } catch {
    return undefined;
  }
}

/** Says who is about to start one. */
export function recordOperator(gitDir: string, session: string): void {
  writeFileSync(join(gitDir, OPERATOR), `${session}\n`);
}

/** The branches that working trees of this repository are on, as full names. */
export function checkedOutBranches(at: GitAt): string[] {
  const format = "--format=%(if)%(worktreepath)%(then)%(refname)%(end)";
  return git(at, ["for-each-ref", format, "refs/heads"]).split("\n").filter(Boolean);
}
