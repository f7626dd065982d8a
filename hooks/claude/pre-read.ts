import { editedPath, tell } from "../../src/adapters/claude.ts";
import { deliverNews } from "../../src/app/turn.ts";
import type { ClaudeHandler } from "./call.ts";

/** PreToolUse of Read, while others are here and there is something to tell; else the shell only notes the file. */
export const preRead: ClaudeHandler = ({ input, box }) => {
  const file = editedPath(input);
  if (file !== undefined) box.ports.spool.markRead(input.session_id, file);
  // A subagent's turn is not its session's.
  const news = input.agent_id ? "" : deliverNews(box, input.session_id);
  return news === "" ? "" : tell("PreToolUse", news);
};
