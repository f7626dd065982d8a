import { agentStopped } from "../../src/app/attendance.ts";
import type { ClaudeHandler } from "./call.ts";

/** SubagentStop. */
export const agentStop: ClaudeHandler = ({ input, box }) => {
  if (input.agent_id) agentStopped(box, input.session_id, input.agent_id);
  return "";
};
