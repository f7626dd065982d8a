import { dirname, resolve } from "node:path";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { gitIn } from "../../src/adapters/git/hook-git.ts";
import { findRepo, type Repo } from "../../src/adapters/locate.ts";
import type { Box } from "../../src/app/box.ts";
import type { Committer } from "../../src/app/commit-gate.ts";
import { sessionOf } from "../../src/app/identity.ts";
import type { Git, Gitdirs } from "../../src/app/ports.ts";

/** One call of a git hook. Git runs it at the top of the working tree. */
export interface GitCall {
  readonly box: Box;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly committer: Committer;
  readonly git: Git;
  /** The gitdir that the operation runs in: people's own, or a session's private one. */
  readonly gitDir: string;
  /** `undefined` where there is no working tree. */
  readonly gitdirs: Gitdirs | undefined;
  /** Pid of the git process that runs the hooks of one operation; "" if unknown. */
  readonly gitPid: string;
}

/** What a git hook answers: it refuses the operation, or says something, or neither. */
export interface GitAnswer {
  readonly refused?: boolean;
  readonly say?: string;
}

export type GitHandler = (call: GitCall) => GitAnswer;

export function gitCall(box: Box, args: readonly string[], stdin: string): GitCall {
  const cwd = process.cwd();
  const repo = findRepo(cwd);
  const gitDir = process.env["GIT_DIR"];
  return {
    box,
    args,
    stdin,
    committer: { session: sessionOf(process.env), tree: repo?.tree ?? "" },
    git: gitIn(cwd, box),
    gitDir: gitDir === undefined ? (repo?.gitDir ?? dirname(box.dir)) : resolve(cwd, gitDir),
    gitdirs: repo === undefined ? undefined : gitdirsIn(repo),
    gitPid: process.env["SIGNALBOX_GIT_PID"] ?? "",
  };
}

export function gitdirsIn({ top, ...repo }: Repo): Gitdirs | undefined {
  return top === undefined ? undefined : gitdirsOf(treeAt({ ...repo, top }));
}
