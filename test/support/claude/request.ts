/** What is read of a Messages API request: whose script it belongs to, tool results, and what hooks told the model. */

export interface Block {
  readonly type: string;
  readonly text?: string;
  readonly tool_use_id?: string;
  readonly is_error?: boolean;
  readonly content?: Content;
}

export type Content = string | readonly Block[];

export interface Message {
  readonly role: string;
  readonly content: Content;
}

export interface ApiRequest {
  readonly model?: string;
  readonly stream?: boolean;
  readonly tools?: readonly unknown[];
  readonly messages?: readonly Message[];
}

const MARKER = /\[\[script:([A-Za-z0-9_.:-]+)\]\]/;

// Requests that carry the whole conversation and the tools, but want only a text: the summary for /compact and
// prompt suggestions. A new kind of these would show as a step gone missing.
const SIDE = /Do NOT call any tools|Tool calls will be rejected|\[SUGGESTION MODE/;

export function blocksOf(content: Content | undefined): readonly Block[] {
  return typeof content === "string" ? [{ type: "text", text: content }] : (content ?? []);
}

export function textOf(content: Content | undefined): string {
  return blocksOf(content)
    .map((block) => (block.type === "text" ? (block.text ?? "") : ""))
    .join("\n");
}

/** The script a conversation belongs to: the first marker in what the user said. */
export function scriptNameOf(request: ApiRequest): string | undefined {
  for (const message of request.messages ?? []) {
    if (message.role !== "user") continue;
    const name = MARKER.exec(textOf(message.content))?.[1];
    if (name !== undefined) return name;
  }
  return undefined;
}

export function isSideRequest(request: ApiRequest): boolean {
  return SIDE.test(textOf(request.messages?.findLast((m) => m.role === "user")?.content));
}

/** Splits a text into what was said and the `<system-reminder>` notes which the client put beside it. */
export function splitReminders(text: string): { text: string; reminders: string[] } {
  const reminders: string[] = [];
  const rest = text.replace(/\s*<system-reminder>\s*([\s\S]*?)\s*<\/system-reminder>/g, (_, note: string) => {
    reminders.push(note);
    return "";
  });
  return { text: rest, reminders };
}

const HOOK_NOTE =
  /(?:^|\n)(\w+(?::\w+)? hook (?:additional context|success|feedback|blocking error|error)[\s\S]*?)(?=\n\n(?:#|\w+(?::\w+)? hook )|$)/g;

/** Those parts of the notes that a hook is the author of: "PreToolUse:Edit hook additional context: …". */
export function hookNotesIn(notes: readonly string[]): string[] {
  return notes.flatMap((note) => [...note.matchAll(HOOK_NOTE)].map((hit) => hit[1]!));
}
