import { gitIn } from "../../src/adapters/git.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import type { Box } from "../../src/app/box.ts";
import type { Committer } from "../../src/app/commit-gate.ts";
import { sessionOf } from "../../src/app/identity.ts";
import type { Git } from "../../src/app/ports.ts";

/** One call of a git hook. Git runs it at the top of the working tree. */
export interface GitCall {
  readonly box: Box;
  readonly args: readonly string[];
  readonly stdin: string;
  readonly committer: Committer;
  readonly git: Git;
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
  return {
    box,
    args,
    stdin,
    committer: { session: sessionOf(process.env), tree: findRepo(cwd)?.tree ?? "" },
    git: gitIn(cwd, box),
    gitPid: process.env["SIGNALBOX_GIT_PID"] ?? "",
  };
}
