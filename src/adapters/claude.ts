/** What signalbox reads of a Claude Code hook's stdin. Fields differ by event; unknown ones are left alone. */
export interface HookInput {
  readonly session_id: string;
  readonly hook_event_name: string;
  readonly cwd: string;
  readonly agent_id?: string;
  readonly agent_type?: string;
  readonly source?: string;
  readonly reason?: string;
  readonly model?: string;
  readonly tool_name?: string;
  readonly tool_input?: { readonly file_path?: string; readonly notebook_path?: string };
}

/**
 * Parses a hook's stdin.
 *
 * @throws TypeError saying which field is missing
 */
export function parseHookInput(text: string): HookInput {
  const input: unknown = JSON.parse(text);
  if (typeof input !== "object" || input === null) throw new TypeError("hook input is not an object");
  for (const field of ["session_id", "hook_event_name", "cwd"]) {
    if (typeof (input as Record<string, unknown>)[field] !== "string")
      throw new TypeError(`hook input has no ${field}`);
  }
  return input as HookInput;
}

/** The file an edit tool is about; `undefined` for other tools. */
export function editedPath({ tool_input }: HookInput): string | undefined {
  return tool_input?.file_path ?? tool_input?.notebook_path;
}

/** Says no to a tool call, with the reason the model reads. */
export function deny(reason: string): string {
  return answer("PreToolUse", { permissionDecision: "deny", permissionDecisionReason: reason });
}

/** Tells the model something and decides nothing: the user's own permission rules stay in force. */
export function tell(event: string, text: string): string {
  return answer(event, { additionalContext: text });
}

function answer(hookEventName: string, fields: Record<string, string>): string {
  return JSON.stringify({ hookSpecificOutput: { hookEventName, ...fields } });
}

const JSON_STRING = String.raw`"((?:[^"\\]|\\.)*)"`;

/**
 * Session facts of an edit from the first bytes of its payload, which may be cut anywhere after the path:
 * the client writes the path before the content.
 */
export function writtenPath(
  head: string,
): { path: string; tool: string; agent?: string | undefined; isBefore: boolean } | undefined {
  const input = head.indexOf('"tool_input"');
  if (input < 0) return undefined;
  const path = field(head.slice(input), "file_path") ?? field(head.slice(input), "notebook_path");
  if (path === undefined) return undefined;
  const before = head.slice(0, input);
  const isBefore = field(before, "hook_event_name") === "PreToolUse";
  return { path, tool: field(before, "tool_name") ?? "Edit", agent: field(before, "agent_id"), isBefore };
}

function field(text: string, name: string): string | undefined {
  const hit = new RegExp(`"${name}"\\s*:\\s*${JSON_STRING}`).exec(text)?.[1];
  if (hit === undefined) return undefined;
  try {
    return JSON.parse(`"${hit}"`) as string;
  } catch {
    return undefined;
  }
}
