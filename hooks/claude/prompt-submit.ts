import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { tell } from "../../src/adapters/claude.ts";
import { deliverNotices } from "../../src/app/turn.ts";
import { tellTasks } from "./tasks.ts";
import type { ClaudeHandler } from "./call.ts";

/** UserPromptSubmit: what concerned the session since its last turn, once. */
export const promptSubmit: ClaudeHandler = ({ input, box }) => {
  // A command that was interrupted or refused has had no end.
  attributionFiles(box.dir).endAll(input.session_id, { background: false });
  const notices = deliverNotices(box, input.session_id);
  tellTasks(box, input.cwd, input.session_id);
  return notices === "" ? "" : tell("UserPromptSubmit", notices);
};
