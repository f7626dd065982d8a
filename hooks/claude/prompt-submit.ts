import { tell } from "../../src/adapters/claude.ts";
import { deliverNotices } from "../../src/app/turn.ts";
import type { ClaudeHandler } from "./call.ts";

/** UserPromptSubmit: what concerned the session since its last turn, once. */
export const promptSubmit: ClaudeHandler = ({ input, box }) => {
  const notices = deliverNotices(box, input.session_id);
  return notices === "" ? "" : tell("UserPromptSubmit", notices);
};
