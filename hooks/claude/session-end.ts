import { leaveSession } from "../../src/app/attendance.ts";
import { processOf } from "../../src/app/identity.ts";
import type { ClaudeHandler } from "./call.ts";

/** SessionEnd, if it comes at all: nothing depends on it. */
export const sessionEnd: ClaudeHandler = ({ input, box }) => {
  leaveSession(box, input.session_id, input.reason ?? "other", processOf(process.env));
  return "";
};
