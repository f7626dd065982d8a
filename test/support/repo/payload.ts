/** Hook payloads as Claude Code 2.1.330 sends them (recorded; only ids and paths are filled in). */

export type Payload = Readonly<Record<string, unknown>>;

interface Who {
  readonly session: string;
  readonly cwd: string;
  readonly agent?: string | undefined;
}

function common({ session, cwd }: Who, event: string): Payload {
  return {
    session_id: session,
    transcript_path: `/home/dev/.claude/projects/-repo/${session}.jsonl`,
    cwd,
    hook_event_name: event,
  };
}

function inTurn(who: Who, event: string): Payload {
  const agent = who.agent === undefined ? {} : { agent_id: who.agent, agent_type: "general-purpose" };
  return { ...common(who, event), prompt_id: "a536f47e", permission_mode: "default", ...agent };
}

/** An edit tool before (PreToolUse) or after (PostToolUse) it ran. */
export function editPayload(who: Who, event: string, file: string, tool = "Edit", content = "x"): Payload {
  const byTool: Readonly<Record<string, Payload>> = {
    Edit: { file_path: file, old_string: "o", new_string: content, replace_all: false },
    MultiEdit: { file_path: file, edits: [{ old_string: "o", new_string: content }] },
    Write: { file_path: file, content },
    NotebookEdit: { notebook_path: file, cell_id: "c1", new_source: content },
  };
  const response = event === "PostToolUse" ? { tool_response: { filePath: file, userModified: false } } : {};
  return {
    ...inTurn(who, event),
    tool_name: tool,
    tool_input: byTool[tool] ?? {},
    ...response,
    tool_use_id: "toolu_5a1a117a",
  };
}

export function readPayload(who: Who, file: string): Payload {
  return {
    ...inTurn(who, "PreToolUse"),
    tool_name: "Read",
    tool_input: { file_path: file },
    tool_use_id: "toolu_5a1a117c",
  };
}

export function bashPayload(who: Who, event: string, command: string): Payload {
  return { ...inTurn(who, event), tool_name: "Bash", tool_input: { command }, tool_use_id: "toolu_5a1a117b" };
}

export function sessionStartPayload(who: Who, source: string): Payload {
  return { ...common(who, "SessionStart"), source };
}

export function sessionEndPayload(who: Who, reason: string): Payload {
  return { ...inTurn(who, "SessionEnd"), reason };
}

export function promptPayload(who: Who): Payload {
  return { ...inTurn(who, "UserPromptSubmit"), prompt: "go on" };
}

export function agentPayload(who: Who, event: "SubagentStart" | "SubagentStop", kind: string): Payload {
  return { ...inTurn(who, event), agent_type: kind };
}
