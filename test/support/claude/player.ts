/** Plays scripts to whoever asks for the next answer, and keeps what the client sent in return. */
import { createHash, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { type Reply, type ReplyBlock } from "./reply.ts";
import { blocksOf, hookNotesIn, type Message, splitReminders, textOf } from "./request.ts";
import { type ApiError, fillIn, type Scripts, type Step, type StepMaker, type ToolResult } from "./script.ts";
import { type Signals } from "./signals.ts";

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

export interface Player {
  /** The next answer of script `name` to a conversation. */
  answer(
    name: string,
    sessionId: string | undefined,
    messages: readonly Message[],
  ): Promise<Reply | ApiError>;
  transcript(name: string): Transcript;
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

export function createPlayer(
  scripts: Scripts,
  vars: Readonly<Record<string, string>>,
  signals: Signals,
  waitMs: number,
): Player {
  const actors = new Map<string, Actor>();
  // Ids must not repeat across servers: a resumed session drops a call whose id it has seen.
  const nonce = randomBytes(4).toString("hex");
  let serial = 0;

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
    async answer(name, sessionId, messages) {
      const actor = actorOf(name);
      actor.sessionId = sessionId;
      // One request at a time per script, in order of arrival.
      const mine = actor.busy.then(() => play(name, actor, messages));
      actor.busy = mine.catch(() => {});
      return mine;
    },
    transcript(name) {
      if (!(name in scripts)) throw new RangeError(`there is no script ${name}`);
      const { sessionId, results, notes, errors, next } = actorOf(name);
      const stepsLeft = Math.max(0, (scripts[name]?.length ?? 0) - next);
      return { sessionId, results, notes, hookNotes: hookNotesIn(notes), errors, stepsLeft };
    },
  };
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
