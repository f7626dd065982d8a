import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { tell } from "../../src/adapters/claude.ts";
import { isSessionId } from "../../src/app/identity.ts";
import { deliverNotices } from "../../src/app/turn.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";
import { pullBranch } from "./pull-branch.ts";
import { tellTasks } from "./tasks.ts";

/** UserPromptSubmit: what concerned the session since its last turn, once; and whether its branch has fallen behind. */
export const promptSubmit: ClaudeHandler = ({ input, box }) => {
  // The edit gate says so, and puts it on record.
  if (!isSessionId(input.session_id)) return "";
  // A command that was interrupted or refused has had no end.
  attributionFiles(box.dir).endAll(input.session_id, { background: false });
  const notices = deliverNotices(box, input.session_id);
  tellTasks(box, input.cwd, input.session_id);
  const behind = pullBranch(box, callerOf(input));
  const both = [notices, behind].filter(Boolean).join("\n");
  return both === "" ? "" : tell("UserPromptSubmit", both);
};
