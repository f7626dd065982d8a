import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { type Done, must, run } from "./exec.ts";
import {
  agentPayload,
  bashPayload,
  editPayload,
  type Payload,
  promptPayload,
  sessionEndPayload,
  sessionStartPayload,
} from "./payload.ts";

/** What a Claude hook answered. */
export interface Answer extends Done {
  /** Why the tool call is denied; `undefined` if it may go on. */
  readonly denied: string | undefined;
  /** What the model is told; "" if nothing. */
  readonly told: string;
  /** What the person is shown; "" if nothing. */
  readonly shown: string;
}

export interface Place {
  /** Where the hook entry is. */
  readonly entry: string;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * A session: a real process with the environment that Claude Code gives its hooks and its Bash tool. Its tools
 * call the installed hook entry as the client does.
 */
export class FakeSession {
  readonly process: ChildProcess;
  id: string;
  readonly #place: Place;
  readonly #agent: string | undefined;

  constructor(id: string, place: Place, process_?: ChildProcess, agent?: string) {
    this.id = id;
    this.#place = place;
    this.#agent = agent;
    this.process = process_ ?? spawn("sleep", ["600"], { stdio: "ignore" });
  }

  /** The same process under another id, as after /clear. */
  renamed(id: string): FakeSession {
    return new FakeSession(id, this.#place, this.process, this.#agent);
  }

  /** The same session elsewhere: another working tree, another environment. */
  at(place: Partial<Place>): FakeSession {
    return new FakeSession(this.id, { ...this.#place, ...place }, this.process, this.#agent);
  }

  /** A subagent of it. */
  agent(agent: string): FakeSession {
    return new FakeSession(this.id, this.#place, this.process, agent);
  }

  get env(): Record<string, string> {
    return {
      ...this.#place.env,
      CLAUDE_CODE_SESSION_ID: this.id,
      CLAUDE_PID: String(this.process.pid),
      CLAUDECODE: "1",
    };
  }

  get who() {
    return { session: this.id, cwd: this.#place.cwd, agent: this.#agent };
  }

  async start(source = "startup"): Promise<this> {
    await this.started(source);
    return this;
  }

  started(source = "startup"): Promise<Answer> {
    return this.hook("session-start", sessionStartPayload(this.who, source));
  }

  end(reason = "other"): Promise<Answer> {
    return this.hook("session-end", sessionEndPayload(this.who, reason));
  }

  /** A new turn: the person has said something. */
  prompt(): Promise<Answer> {
    return this.hook("prompt-submit", promptPayload(this.who));
  }

  /** The process dies without a word. */
  async kill(): Promise<void> {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    const gone = new Promise((done) => this.process.once("exit", done));
    this.process.kill("SIGKILL");
    await gone;
  }

  agentStart(kind = "general-purpose"): Promise<Answer> {
    return this.hook("agent-start", agentPayload(this.who, "SubagentStart", kind));
  }

  agentStop(kind = "general-purpose"): Promise<Answer> {
    return this.hook("agent-stop", agentPayload(this.who, "SubagentStop", kind));
  }

  /** Asks the gate alone. */
  ask(file: string, tool = "Edit"): Promise<Answer> {
    const path = resolve(this.#place.cwd, file);
    return this.hook("pre-edit", editPayload(this.who, "PreToolUse", path, tool));
  }

  /** What an edit tool does: ask the gate, write if it may, report. */
  async edit(file: string, text = `by ${this.id}\n`, tool = "Edit"): Promise<Answer> {
    const path = resolve(this.#place.cwd, file);
    const answer = await this.ask(file, tool);
    if (answer.denied !== undefined) return answer;
    mkdirSync(dirname(path), { recursive: true });
    appendFileSync(path, text);
    await this.hook("post-edit", editPayload(this.who, "PostToolUse", path, tool));
    return answer;
  }

  bash(command: string, hook = "pre-bash"): Promise<Answer> {
    return this.hook(
      hook,
      bashPayload(this.who, hook === "pre-bash" ? "PreToolUse" : "PostToolUse", command),
    );
  }

  /** Runs one Claude hook through the installed entry. */
  hook(name: string, payload: Payload | string | Buffer): Promise<Answer> {
    const input = typeof payload === "string" || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
    return this.#call(name, input);
  }

  async #call(name: string, input: string | Buffer): Promise<Answer> {
    const { entry, cwd } = this.#place;
    return parseAnswer(await run(entry, ["claude", name], { cwd, env: this.env, input }));
  }

  git(...args: string[]): Promise<Done> {
    return run("git", args, { cwd: this.#place.cwd, env: this.env });
  }

  /** Git that has to succeed; answers with its stdout. */
  mustGit(...args: string[]): Promise<string> {
    return must("git", args, { cwd: this.#place.cwd, env: this.env });
  }

  sh(script: string): Promise<Done> {
    return run("sh", ["-c", script], { cwd: this.#place.cwd, env: this.env });
  }
}

export function parseAnswer(done: Done): Answer {
  const out = done.stdout.trim();
  if (out === "") return { ...done, denied: undefined, told: "", shown: "" };
  // More than one line, or anything but JSON, is an error of the hook: the client would not understand it.
  const { hookSpecificOutput: specific = {}, systemMessage = "" } = JSON.parse(out) as {
    hookSpecificOutput?: Record<string, string>;
    systemMessage?: string;
  };
  return {
    ...done,
    denied:
      specific["permissionDecision"] === "deny" ? (specific["permissionDecisionReason"] ?? "") : undefined,
    told: specific["additionalContext"] ?? "",
    shown: systemMessage,
  };
}
