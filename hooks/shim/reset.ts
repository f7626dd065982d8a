import { operationIn } from "../../src/adapters/git/work-tree.ts";
import type { GuardGit } from "../../src/app/ports.ts";
import type { Reset } from "../../src/domain/git-command-operation.ts";
import type { GitCommand } from "../../src/domain/git-command.ts";
import type { ShimCall } from "./call.ts";

export interface SafeReset {
  /** Where HEAD is to go and where it has to be, for `git update-ref`; "" if it stays. And its line in the reflog. */
  readonly move: string;
  readonly why: string;
  /** What is done after that. */
  readonly argv: readonly string[];
  readonly after: string;
}

/**
 * `git reset` without paths reads HEAD when it begins and again when it writes it, and compares nothing: a commit that
 * lands in between is dropped (builtin/reset.c). The same in two steps, the first of which compares.
 *
 * @returns `undefined` where it has to be left to git
 */
export function asCompareAndSwap(
  { at }: ShimCall,
  { mode, target, intentToAdd, command }: Reset & { readonly command: GitCommand | undefined },
  git: GuardGit,
  gitDir: string,
): SafeReset | undefined {
  const from = git.commitOf("HEAD");
  const to = git.commitOf(target);
  // A merge or a pick that waits is ended by a reset.
  if (from === undefined || to === undefined || command === undefined || operationIn(gitDir) !== undefined)
    return undefined;
  if (mode === "keep" || mode === "merge" || intentToAdd || at.top === "") return undefined;
  const steps = {
    soft: ["show-ref", "-q", "--verify", "HEAD"],
    mixed: ["read-tree", "-i", "--reset", to],
    hard: ["read-tree", "--reset", "-u", to],
  };
  return {
    move: from === to ? "" : `${to} ${from}`,
    why: `reset: moving to ${target}`,
    argv: [...command.globals, ...steps[mode]],
    after: `base:${to} moved${mode === "hard" ? "" : " undone"}`,
  };
}
