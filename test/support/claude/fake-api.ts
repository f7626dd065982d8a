/**
 * A scripted stand-in for the Anthropic Messages API, on 127.0.0.1 only. It drives the real client with no model
 * and no network: whenever the client asks "what next?", it gets the next step of a script. A request finds its
 * script by the marker that the prompt carries, `[[script:alice]]`; a subagent gets one of its own by a marker in
 * the Agent call's `prompt`. After `--resume` the next steps of the same script go on.
 *
 * A hook can take part: `curl -s $ANTHROPIC_BASE_URL/__ctl/signal/NAME`, `/__ctl/wait/NAME`.
 */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { type Reply, type ReplyBlock, sendError, sendJson, sendReply } from "./reply.ts";
import {
  type ApiRequest,
  blocksOf,
  hookNotesIn,
  isSideRequest,
  type Message,
  scriptNameOf,
  splitReminders,
  textOf,
} from "./request.ts";
import { type ApiError, fillIn, type Scripts, type Step, type StepMaker, type ToolResult } from "./script.ts";
import { createSignals } from "./signals.ts";

export interface FakeApiOptions {
  readonly scripts: Scripts;
  /** For `{{name}}` in tool inputs. */
  readonly vars?: Readonly<Record<string, string>>;
  /** How long `wait` and `barrier` hold by default: 30 s. */
  readonly waitMs?: number;
}

/** What one script saw. Tests check `errors` (waits that timed out, steps missing) and `stepsLeft`. */
export interface Transcript {
  readonly sessionId: string | undefined;
  readonly results: readonly ToolResult[];
  /** Every text that the model was sent besides tool results: prompts, reminders, hooks' context. */
  readonly notes: readonly string[];
  /** Of those, what hooks wrote. */
  readonly hookNotes: readonly string[];
  readonly errors: readonly string[];
  readonly stepsLeft: number;
}

export interface FakeApi {
  readonly url: string;
  /** One line per request, in order. */
  readonly requests: readonly string[];
  transcript(name: string): Transcript;
  signal(name: string): void;
  /** @throws Error if `name` is not signalled in time */
  waitFor(name: string, ms?: number): Promise<void>;
  close(): Promise<void>;
}

interface Actor {
  sessionId: string | undefined;
  next: number;
  /** Steps that a StepMaker gave, to be done before the script's next. */
  readonly pending: Step[];
  readonly results: ToolResult[];
  readonly notes: string[];
  readonly errors: string[];
  readonly calls: Map<string, { tool: string; input: Record<string, unknown>; at: number; seen: boolean }>;
  /** By hash of the conversation, so that an HTTP retry gets the same answer. */
  readonly replies: Map<string, Reply>;
  busy: Promise<unknown>;
}

export async function startFakeApi({
  scripts,
  vars = {},
  waitMs = 30_000,
}: FakeApiOptions): Promise<FakeApi> {
  const actors = new Map<string, Actor>();
  const requests: string[] = [];
  const signals = createSignals();
  // Ids must not repeat across servers: a resumed session drops a call whose id it has seen.
  const nonce = randomBytes(4).toString("hex");
  let serial = 0;

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      requests.push(`failed: ${error instanceof Error ? error.stack : String(error)}`);
      if (response.headersSent) response.end();
      else sendError(response, { status: 500, type: "api_error", message: String(error) });
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    let raw = "";
    for await (const chunk of request) raw += String(chunk);
    requests.push(`${request.method} ${path}`);

    const control = /^\/__ctl\/(signal|wait)\/(.+)$/.exec(path);
    if (control) {
      if (control[1] === "signal") signals.set(control[2]!);
      return sendJson(response, 200, {
        ok: control[1] === "signal" || (await signals.wait(control[2]!, waitMs)),
      });
    }
    if (path.endsWith("/count_tokens")) return sendJson(response, 200, { input_tokens: 1000 });
    if (path === "/v1/messages" && request.method === "POST")
      return answer(JSON.parse(raw) as ApiRequest, sessionOf(request), response);
    if (request.method === "HEAD" || path === "/") return sendJson(response, 200, {});
    // Feature flags, telemetry and the like get what a gateway would say.
    return sendError(response, { status: 404, type: "not_found_error", message: `no ${path} here` });
  }

  async function answer(
    body: ApiRequest,
    sessionId: string | undefined,
    response: ServerResponse,
  ): Promise<void> {
    serial += 1;
    const how = { id: `msg_${nonce}_${serial}`, model: body.model ?? "", stream: body.stream === true };
    const name = scriptNameOf(body);
    const side = isSideRequest(body);
    // Helper requests (titles, topics) come without tools; they may quote the prompt, marker included.
    if (side || name === undefined || !body.tools?.length || !(name in scripts)) {
      // A summary takes the conversation's place, so it has to go on carrying the marker.
      const text = side ? `<analysis>-</analysis>\n<summary>[[script:${name}]] (summary)</summary>` : "ok";
      return sendReply(response, { content: [{ type: "text", text }], stop: "end_turn" }, how);
    }
    const actor = actorOf(name);
    actor.sessionId = sessionId;
    // One request at a time per script, in order of arrival.
    const mine = actor.busy.then(() => play(name, actor, body.messages ?? []));
    actor.busy = mine.catch(() => {});
    const reply = await mine;
    return "content" in reply ? sendReply(response, reply, how) : sendError(response, reply);
  }

  function actorOf(name: string): Actor {
    let actor = actors.get(name);
    if (actor === undefined) {
      actor = {
        sessionId: undefined,
        next: 0,
        pending: [],
        results: [],
        notes: [],
        errors: [],
        calls: new Map(),
        replies: new Map(),
        busy: Promise.resolve(),
      };
      actors.set(name, actor);
    }
    return actor;
  }

  async function play(name: string, actor: Actor, messages: readonly Message[]): Promise<Reply | ApiError> {
    collect(actor, messages);
    const hash = createHash("sha1").update(JSON.stringify(messages)).digest("hex");
    const known = actor.replies.get(hash);
    if (known) return known;
    const reply = await nextReply(name, actor);
    if ("content" in reply) actor.replies.set(hash, reply);
    return reply;
  }

  /** Walks the script to the step that answers the client. */
  async function nextReply(name: string, actor: Actor): Promise<Reply | ApiError> {
    for (;;) {
      const item: Step | StepMaker | undefined = actor.pending.shift() ?? scripts[name]?.[actor.next++];
      if (item === undefined) {
        actor.errors.push("script exhausted");
        return { content: [{ type: "text", text: `[script ${name} has no more steps]` }], stop: "end_turn" };
      }
      if (typeof item === "function") {
        actor.pending.unshift(...[await item({ name, results: actor.results })].flat());
        continue;
      }
      const step = fillIn(item, vars);
      if ("error" in step) {
        const times = step.times ?? 1;
        if (times > 1) actor.pending.unshift({ ...step, times: times - 1 });
        return step.error;
      }
      if ("tool" in step || "tools" in step) return toolReply(name, actor, step);
      if ("text" in step) return { content: [{ type: "text", text: step.text }], stop: "end_turn" };
      await hold(actor, step);
    }
  }

  async function hold(actor: Actor, step: Step): Promise<void> {
    if ("signal" in step) signals.set(step.signal);
    else if ("sleepMs" in step) await sleep(step.sleepMs);
    else if ("wait" in step || "barrier" in step) {
      if ("barrier" in step) signals.arrive(step.barrier, step.parties ?? 2);
      const name = "wait" in step ? step.wait : step.barrier;
      if (!(await signals.wait(name, step.ms ?? waitMs))) actor.errors.push(`timed out waiting for ${name}`);
    }
  }

  function toolReply(
    name: string,
    actor: Actor,
    step: Extract<Step, { tool: string } | { tools: unknown }>,
  ): Reply {
    const content: ReplyBlock[] = step.text ? [{ type: "text", text: step.text }] : [];
    for (const { tool, input = {} } of "tools" in step ? step.tools : [step]) {
      serial += 1;
      const id = `toolu_${nonce}_${name.replace(/\W/g, "_")}_${String(serial).padStart(4, "0")}`;
      actor.calls.set(id, { tool, input, at: Date.now(), seen: false });
      content.push({ type: "tool_use", id, name: tool, input });
    }
    return { content, stop: "tool_use" };
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    transcript(name) {
      const { sessionId, results, notes, errors, next } = actorOf(name);
      const stepsLeft = Math.max(0, (scripts[name]?.length ?? 0) - next);
      return { sessionId, results, notes, hookNotes: hookNotesIn(notes), errors, stepsLeft };
    },
    signal: (name) => signals.set(name),
    async waitFor(name, ms = waitMs) {
      if (!(await signals.wait(name, ms))) throw new Error(`not signalled within ${ms} ms: ${name}`);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function sessionOf(request: IncomingMessage): string | undefined {
  const id = request.headers["x-claude-code-session-id"];
  return typeof id === "string" ? id : undefined;
}

/** Keeps the tool results, and the texts beside them, that this request brings for the first time. */
function collect(actor: Actor, messages: readonly Message[]): void {
  const note = (text: string): void => {
    const known = text.trim() === "" || text.startsWith("<total_tokens>") || actor.notes.includes(text);
    if (!known) actor.notes.push(text);
  };
  const last = messages.findLastIndex((m) => m.role === "assistant");
  for (const block of messages.slice(last + 1).flatMap((m) => blocksOf(m.content))) {
    if (block.type === "text") {
      const { text, reminders } = splitReminders(block.text ?? "");
      [...reminders, text].forEach(note);
      continue;
    }
    const call = block.type === "tool_result" ? actor.calls.get(block.tool_use_id ?? "") : undefined;
    if (call === undefined || call.seen) continue;
    call.seen = true;
    const { text, reminders } = splitReminders(textOf(block.content));
    actor.results.push({
      tool: call.tool,
      input: call.input,
      isError: block.is_error === true,
      text,
      ms: Date.now() - call.at,
    });
    reminders.forEach(note);
  }
}
