import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { type Done, must, run } from "./exec.ts";
import {
  agentPayload,
  bashPayload,
  editPayload,
  type Payload,
  promptPayload,
  readPayload,
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

  /** What SessionStart writes and the client sources before every command of the Bash tool. */
  get envFile(): string {
    return join(this.#place.env["TMPDIR"] ?? this.#place.cwd, `claude-env-${this.process.pid}.sh`);
  }

  async start(source = "startup"): Promise<this> {
    await this.started(source);
    return this;
  }

  started(source = "startup"): Promise<Answer> {
    const input = JSON.stringify(sessionStartPayload(this.who, source));
    return this.#call("session-start", input, { CLAUDE_ENV_FILE: this.envFile });
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

  /** Asks before it reads a file, as its client does. */
  read(file: string): Promise<Answer> {
    return this.hook("pre-read", readPayload(this.who, resolve(this.#place.cwd, file)));
  }

  /** Calls one of the hooks around a command of the Bash tool; runs nothing. */
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

  async #call(name: string, input: string | Buffer, env: Readonly<Record<string, string>> = {}) {
    const { entry, cwd } = this.#place;
    return parseAnswer(await run(entry, ["claude", name], { cwd, env: { ...this.env, ...env }, input }));
  }

  /** A script in the session's shell, where `git` is the session's own. */
  shell(script: string, env: Readonly<Record<string, string>> = {}): Promise<Done> {
    return run("sh", ["-c", `${SOURCE}\n${script}`, "sh"], this.#inShell(env));
  }

  /**
   * What the Bash tool does: asks the hook before, runs the script in the session's shell, reports to the hook
   * after. A script that the hook denies does not run, and what it said is on stderr.
   */
  async command(script: string): Promise<Done & { readonly told: string }> {
    const before = await this.bash(script);
    if (before.denied !== undefined) return { ...before, code: 1, stdout: "", stderr: before.denied };
    const done = await this.shell(script);
    const after = await this.bash(script, done.code === 0 ? "post-bash" : "post-bash-failure");
    return { ...done, told: after.told };
  }

  /** The session's own git, as its shell finds it. */
  git(...args: string[]): Promise<Done> {
    return run("sh", ["-c", `${SOURCE}\nexec git "$@"`, "sh", ...args], this.#inShell());
  }

  /** Git that has to succeed; answers with its stdout. */
  mustGit(...args: string[]): Promise<string> {
    return must("sh", ["-c", `${SOURCE}\nexec git "$@"`, "sh", ...args], this.#inShell());
  }

  /** Git past the session's own, as a program calls it that knows where it is. */
  plainGit(...args: string[]): Promise<Done> {
    return run("git", args, { cwd: this.#place.cwd, env: this.env });
  }

  /** The same, where it has to succeed; answers with its stdout. */
  mustPlainGit(...args: string[]): Promise<string> {
    return must("git", args, { cwd: this.#place.cwd, env: this.env });
  }

  /** A script for which `git` is the plain one. */
  sh(script: string): Promise<Done> {
    return run("sh", ["-c", script], { cwd: this.#place.cwd, env: this.env });
  }

  #inShell(env: Readonly<Record<string, string>> = {}) {
    return { cwd: this.#place.cwd, env: { ...this.env, ENV_FILE: this.envFile, ...env } };
  }
}

/** As the client does; without a file, or with one that is not for this shell, the command runs all the same. */
const SOURCE = '[ ! -r "$ENV_FILE" ] || . "$ENV_FILE"; unset ENV_FILE';

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
