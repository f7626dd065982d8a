import type { HookInput } from "../../src/adapters/claude.ts";
import { CLAUDE_HOOKS } from "../manifest.ts";
import { agentStart } from "./agent-start.ts";
import { agentStop } from "./agent-stop.ts";
import type { ClaudeHandler } from "./call.ts";
import { postBash } from "./post-bash.ts";
import { preEdit } from "./pre-edit.ts";
import { preRead } from "./pre-read.ts";
import { promptSubmit } from "./prompt-submit.ts";
import { sessionEnd } from "./session-end.ts";
import { sessionStart } from "./session-start.ts";

/** Handlers by the manifest's names. Those that spool have none: the shell does it all. */
export const CLAUDE_HANDLERS: Readonly<Record<string, ClaudeHandler>> = {
  "session-start": sessionStart,
  "prompt-submit": promptSubmit,
  "pre-edit": preEdit,
  "pre-read": preRead,
  "post-bash": postBash,
  "post-bash-failure": postBash,
  "agent-start": agentStart,
  "agent-stop": agentStop,
  "session-end": sessionEnd,
};

/** Clients that do not pass a hook's arguments run the entry bare; then the payload says which hook it is. */
export function hookNameOf(input: HookInput): string {
  const hook = CLAUDE_HOOKS.find(
    ({ event, matcher }) =>
      event === input.hook_event_name &&
      (matcher === undefined || matcher.split("|").includes(input.tool_name ?? "")),
  );
  return hook?.name ?? "";
}
