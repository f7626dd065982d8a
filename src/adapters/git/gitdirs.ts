import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Gitdirs, TreeAt } from "../../app/ports.ts";
import type { Repo } from "../locate.ts";
import { healIndex, readBase, writeBase } from "./index-file.ts";
import {
  ensureGitdir,
  followHead,
  followSettings,
  listGitdirs,
  removeGitdir,
  startedOn,
} from "./private-gitdir.ts";
import { type GitAt, git, splitNul, toText, tryGit } from "./run.ts";
import { textOf } from "./worktree-facts.ts";

/** Where a working tree's gitdirs are. */
export function treeAt({ commonDir, gitDir, top }: Repo & { readonly top: string }): TreeAt {
  return { commonDir, nativeGitDir: gitDir, top };
}

/** The private gitdirs of one working tree's sessions, and its own. */
export function gitdirsOf(at: TreeAt): Gitdirs {
  return {
    at,
    ensure: (session) => ensureGitdir(at, session),
    find(id) {
      const gitDir = join(at.commonDir, "worktrees", id);
      return existsSync(join(gitDir, "signalbox-base")) ? gitDir : undefined;
    },
    remove: (id, session) => removeGitdir(at, id, session),
    handOver: (gitDir) => handOver(at, gitDir),
    all: () => listGitdirs(at.commonDir).filter(({ top }) => top === at.top),
    lead(gitDir) {
      const branch = tryGit({ cwd: at.top, gitDir, workTree: at.top }, [
        "symbolic-ref",
        "-q",
        "HEAD",
      ]).stdout.trim();
      if (branch !== "")
        git({ cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top }, [
          "symbolic-ref",
          "-m",
          "signalbox: switched by a session",
          "HEAD",
          branch,
        ]);
    },
    follow: (gitDir) => followHead(at, gitDir),
    startedOn,
    followReset: () => followReset(at),
    forget: () => rmSync(join(at.nativeGitDir, "signalbox-base"), { force: true }),
    heal(gitDir, indexFile) {
      const index = { gitDir, workTree: at.top, indexFile };
      if (gitDir !== at.nativeGitDir) followSettings(at, gitDir);
      else followReset(at);
      if (readBase(gitDir) === undefined) {
        const started = startBase(at, gitDir);
        if (started.kind === "deferred") return started;
      }
      return healIndex(index, { writeBase: indexFile === undefined });
    },
    fsmonitor: () => /^\s*fsmonitor\s*=(?!\s*(?:false|no|off|0)\s*$)/im.test(configOf(at.commonDir)),
  };
}

/**
 * After a person's `git reset`, for which git has no hook, what is staged in the index that people use is relative to
 * where they reset to (with --soft that is the point of it), not to where it was carried forward to before. Only a
 * reflog in a file tells: for a reftable it stays as it was.
 */
function followReset({ nativeGitDir }: TreeAt): void {
  const base = readBase(nativeGitDir);
  const last =
    textOf(join(nativeGitDir, "logs", "HEAD"))
      ?.trimEnd()
      .split("\n")
      .at(-1) ?? "";
  const [, from, to] = /^([\da-f]+) ([\da-f]+) [^\t]*\treset: /.exec(last) ?? [];
  if (base !== undefined && to !== undefined && base === from && from !== to) writeBase(nativeGitDir, to);
}

/** Entries as `git diff-index --cached --raw -z` gives them: `:<modes> <hashes> <status>`, then the path. */
function stagedEntries(at: TreeAt, gitDir: string): Map<string, string> {
  const fields = splitNul(
    git({ cwd: at.top, gitDir, workTree: at.top }, [
      "diff-index",
      "--cached",
      "--raw",
      "-z",
      "--no-renames",
      "--full-index",
      "HEAD",
    ]),
  );
  const entries = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) entries.set(fields[i + 1]!, fields[i]!);
  return entries;
}

function handOver(at: TreeAt, gitDir: string): string[] {
  // What looks staged in an index that is behind HEAD would take back what others have committed.
  for (const each of [gitDir, at.nativeGitDir]) {
    if (healIndex({ gitDir: each, workTree: at.top }).kind === "deferred") return [];
  }
  const theirs = stagedEntries(at, at.nativeGitDir);
  const moved = [...stagedEntries(at, gitDir)].filter(
    ([path, entry]) => !theirs.has(path) && !entry.endsWith(" U"),
  );
  const lines = moved.map(([path, entry]) => {
    const [, mode, , hash] = entry.split(" ");
    return mode === "000000" ? `0 ${"0".repeat(40)}\t${path}\0` : `${mode} ${hash}\t${path}\0`;
  });
  if (lines.length > 0)
    git({ cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top }, ["update-index", "-z", "--index-info"], {
      input: lines.join(""),
    });
  return moved.map(([path]) => toText(path));
}

/**
 * An index that nobody has carried forward yet is as git left it: what is staged in it is relative to HEAD. Where
 * sessions have their own, it had been, and its base is lost: of the last commits it is the one to which least is
 * staged. With HEAD instead, the next commit would take back what they have committed.
 */
function startBase(at: TreeAt, gitDir: string): { kind: "current" } | { kind: "deferred"; why: string } {
  const here = { cwd: at.top, gitDir, workTree: at.top };
  const { status, stdout } = tryGit(here, ["rev-list", "--first-parent", `--max-count=${BASES}`, "HEAD"]);
  if (status !== 0) return { kind: "deferred", why: "unborn" };
  const [head = "", ...older] = stdout.split("\n").filter(Boolean);
  const lost = listGitdirs(at.commonDir).some(({ top }) => top === at.top);
  let best = { commit: head, staged: lost ? stagedAgainst(here, head) : 0 };
  for (const commit of older) {
    if (best.staged === 0) break;
    const staged = stagedAgainst(here, commit);
    if (staged < best.staged) best = { commit, staged };
  }
  writeBase(gitDir, best.commit);
  return { kind: "current" };
}

const BASES = 30;

function stagedAgainst(here: GitAt, commit: string): number {
  const args = ["diff-index", "--cached", "--name-only", "-z", "--ita-invisible-in-index", commit, "--"];
  return splitNul(git(here, args)).length;
}

function configOf(commonDir: string): string {
  try {
    return readFileSync(join(commonDir, "config"), "utf8");
  } catch {
    return "";
  }
}
