import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { leaveSession } from "../../src/app/attendance.ts";
import { processOf } from "../../src/app/identity.ts";
import { retire } from "../../src/app/isolation.ts";
import { gitdirsIn } from "../git/call.ts";
import { startCompaction } from "../../src/adapters/background.ts";
import { isCompactionDue } from "../../src/app/compact.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import type { ClaudeHandler } from "./call.ts";

/** SessionEnd, if it comes at all: nothing depends on it. */
export const sessionEnd: ClaudeHandler = ({ input, box }) => {
  leaveSession(box, input.session_id, input.reason ?? "other", processOf(process.env));
  attributionFiles(box.dir).endAll(input.session_id, { background: true });
  const repo = findRepo(input.cwd);
  const gitdirs = repo === undefined ? undefined : gitdirsIn(repo);
  if (gitdirs !== undefined) retire(box, input.session_id, gitdirs);
  if (box.settings["compact.auto"]) startCompaction(box.dir, () => isCompactionDue(box));
  return "";
};
