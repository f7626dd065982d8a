/**
 * What a session's `git` asks before it runs a command that a shell cannot judge, and tells afterwards
 * (hooks/shim.sh). Answers are shell text that the shim evaluates.
 */
import { readBase } from "../../src/adapters/git/index-file.ts";
import { cleanLocks } from "../../src/adapters/git/locks.ts";
import type { Box } from "../../src/app/box.ts";
import { after } from "./after.ts";
import type { ShimAnswer } from "./answer.ts";
import { before } from "./before.ts";
import { type ShimCall, shimCall } from "./call.ts";
import { lost } from "./lost.ts";

/**
 * - `before <git's arguments>`: where it is to run and how, or that it is not to;
 * - `after <exit code> <HEAD before> <what is to be done>…`;
 * - `lost <HEAD before> <git's arguments>`: how a merge goes on that came second to somebody's commit;
 * - `locks`: what a git that was killed has left in the way.
 */
export function shim(box: Box, [step, ...args]: readonly string[]): ShimAnswer {
  const call = shimCall(box, process.env);
  if (step === "before") return guarded(call, args);
  if (step === "after") return { code: 0, out: after(call, args) };
  if (step === "lost") return { code: 0, out: lost(call, args) };
  const { at, own } = call;
  cleanLocks({ commonDir: at.commonDir, gitDir: own || at.nativeGitDir, workTree: at.top });
  return { code: 0, out: "" };
}

/** Judges; where the session's gitdir turns out to be damaged, it is mended first. */
function guarded(call: ShimCall, args: readonly string[]): ShimAnswer {
  const isWhole = call.own === "" || readBase(call.own) !== undefined;
  try {
    if (isWhole) return before(call, args);
  } catch (error) {
    if (call.own === "" || !mended(call)) throw error;
    return before(call, args);
  }
  mended(call);
  return before(call, args);
}

function mended({ gitdirs, session, own }: ShimCall): boolean {
  const made = gitdirs.ensure(session);
  return made.kind !== "none" && made.gitDir === own;
}
