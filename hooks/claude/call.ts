import { type HookInput } from "../../src/adapters/claude.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import type { Caller } from "../../src/app/attendance.ts";
import type { Box } from "../../src/app/box.ts";
import { isSessionId, processOf } from "../../src/app/identity.ts";

/** One call of a Claude Code hook: what it was given, and the signal box of the repository it is installed in. */
export interface ClaudeCall {
  readonly input: HookInput;
  readonly box: Box;
}

/** Answers a hook: the JSON for its stdout, or "" to say and decide nothing. */
export type ClaudeHandler = (call: ClaudeCall) => string;

/**
 * Who calls.
 *
 * @throws RangeError if the session's id cannot be one
 */
export function callerOf(input: HookInput): Caller {
  if (!isSessionId(input.session_id))
    throw new RangeError(`session id ${JSON.stringify(input.session_id)} is not one`);
  return {
    session: input.session_id,
    agent: input.agent_id || undefined,
    kind: "claude-code",
    tree: findRepo(input.cwd)?.tree ?? "",
    cwd: input.cwd,
    pid: processOf(process.env),
  };
}
