/**
 * What the scripted model does: a list of steps, one after the other.
 *
 *     const alice: Script = [
 *       { tool: "Read", input: { file_path: "{{repo}}/a.txt" } },
 *       { signal: "alice has read" },
 *       { text: "done" },
 *     ];
 *
 * The next step is looked at only when the client has sent the result of the call before it: a `signal` after
 * an Edit means that the Edit is on disk. `{{name}}` in an input stands for a variable of the fake API.
 */

export interface ToolCall {
  readonly tool: string;
  readonly input?: Readonly<Record<string, unknown>>;
}

export type Step =
  /** One tool call, with a text before it if wanted. */
  | (ToolCall & { readonly text?: string })
  /** Several calls in one turn. */
  | { readonly tools: readonly ToolCall[]; readonly text?: string }
  /** Ends the turn; later steps belong to the next prompt. */
  | { readonly text: string }
  /** Signals latch: once set, set for good. */
  | { readonly signal: string }
  | { readonly wait: string; readonly ms?: number }
  /** Holds until so many sessions (2) have reached it. */
  | { readonly barrier: string; readonly parties?: number; readonly ms?: number }
  | { readonly sleepMs: number }
  /** An API error, `times` over (the client retries most). */
  | { readonly error: ApiError; readonly times?: number };

export interface ApiError {
  readonly status?: number;
  readonly type?: string;
  readonly message?: string;
}

/** The result of a tool call, as the model was sent it. */
export interface ToolResult {
  readonly tool: string;
  readonly input: Readonly<Record<string, unknown>>;
  readonly isError: boolean;
  readonly text: string;
  /** From the model's answer to the result. */
  readonly ms: number;
}

/** Steps that depend on what happened before. */
export type StepMaker = (context: {
  readonly name: string;
  readonly results: readonly ToolResult[];
}) => Step | readonly Step[] | Promise<Step | readonly Step[]>;

export type Script = readonly (Step | StepMaker)[];

export type Scripts = Readonly<Record<string, Script>>;

/** Fills `{{name}}` in, at any depth; an unknown name stays as it is. */
export function fillIn<T>(value: T, vars: Readonly<Record<string, string>>): T {
  return fill(value, vars) as T;
}

function fill(value: unknown, vars: Readonly<Record<string, string>>): unknown {
  if (typeof value === "string")
    return value.replace(/\{\{(\w+)\}\}/g, (all, name: string) => vars[name] ?? all);
  if (Array.isArray(value)) return value.map((v) => fill(v, vars));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, fill(v, vars)]));
  return value;
}
