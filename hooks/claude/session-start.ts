import { tell } from "../../src/adapters/claude.ts";
import { gitIn } from "../../src/adapters/git.ts";
import { arriveSession } from "../../src/app/attendance.ts";
import { recordHead } from "../../src/app/movements.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";

/** SessionStart fires again on resume, compact and /clear: then the session goes on. Silent when alone. */
export const sessionStart: ClaudeHandler = ({ input, box }) => {
  const caller = callerOf(input);
  const note = arriveSession(box, caller, input.source ?? "startup", input.model);
  recordHead(box, { session: caller.session, tree: caller.tree }, gitIn(input.cwd), "found");
  return note === "" ? "" : tell("SessionStart", note);
};
