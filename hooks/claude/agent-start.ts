import { agentStarted } from "../../src/app/attendance.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";

/** SubagentStart. Forks that the client makes for itself have no type, and hold nothing. */
export const agentStart: ClaudeHandler = ({ input, box }) => {
  const caller = callerOf(input);
  if (caller.agent !== undefined && input.agent_type !== "")
    agentStarted(box, { ...caller, agent: caller.agent }, input.agent_type);
  return "";
};
