import { agentStart } from "./agent-start.ts";
import { agentStop } from "./agent-stop.ts";
import type { ClaudeHandler } from "./call.ts";
import { preEdit } from "./pre-edit.ts";
import { promptSubmit } from "./prompt-submit.ts";
import { sessionEnd } from "./session-end.ts";
import { sessionStart } from "./session-start.ts";

/** Handlers by the manifest's names. Those that spool have none: the shell does it all. */
export const CLAUDE_HANDLERS: Readonly<Record<string, ClaudeHandler>> = {
  "session-start": sessionStart,
  "prompt-submit": promptSubmit,
  "pre-edit": preEdit,
  "agent-start": agentStart,
  "agent-stop": agentStop,
  "session-end": sessionEnd,
};
