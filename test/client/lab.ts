/**
 * A repository with signalbox installed in it as a user does it, real Claude Code sessions on scripted models that
 * share one HOME, and the person beside them.
 */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Event } from "../../events/mod.ts";
import type { StatusView } from "../../src/app/status.ts";
import {
  type ClaudeOptions,
  type ClaudeRun,
  type ClaudeSession,
  type FakeApi,
  makeScratch,
  type Scratch,
  type Scripts,
  startClaude,
  startFakeApi,
  startTui,
  type Step,
  type StepMaker,
  type ToolCall,
  type ToolResult,
  type Tui,
} from "../support/claude/mod.ts";
import { builtCommand, type Done, run } from "../support/repo/mod.ts";

export type Moment = Event & { readonly seq: number; readonly t: number };

type SessionOptions = Partial<Omit<ClaudeOptions, "home" | "url">>;

export interface LabOptions {
  readonly scripts: Scripts;
  readonly files?: Readonly<Record<string, string>>;
  readonly vars?: Readonly<Record<string, string>>;
  /** False: git alone, to show what happens without signalbox. */
  readonly install?: boolean;
}

const FILES = { "a.txt": "one\n", "b.txt": "two\n", "c.txt": "three\n" };

export async function makeLab(t: TestContext, options: LabOptions): Promise<Lab> {
  const scratch = makeScratch(options.files ?? FILES);
  const api = await startFakeApi({
    scripts: options.scripts,
    vars: { repo: scratch.repo, dir: scratch.dir, ...options.vars },
    waitMs: 60_000,
  });
  const lab = new Lab(scratch, api);
  t.after(() => lab.close());
  if (options.install !== false) await lab.install();
  return lab;
}

export class Lab {
  readonly scratch: Scratch;
  readonly repo: string;
  readonly api: FakeApi;
  readonly #sessions: ClaudeSession[] = [];
  readonly #tuis: Tui[] = [];

  constructor(scratch: Scratch, api: FakeApi) {
    this.scratch = scratch;
    this.repo = scratch.repo;
    this.api = api;
  }

  get boxDir(): string {
    return join(this.repo, ".git", "signalbox");
  }

  async install(repo = this.repo): Promise<void> {
    const { code, stderr } = await this.signalboxIn(repo, "init");
    assert.equal(code, 0, stderr);
  }

  /** A headless session in the background; the script's name is its own. */
  start(script: string, options: SessionOptions = {}): ClaudeSession {
    const { home } = this.scratch;
    const session = startClaude({
      script,
      cwd: this.repo,
      timeoutMs: 240_000,
      ...options,
      home,
      url: this.api.url,
    });
    this.#sessions.push(session);
    return session;
  }

  /** A headless session to its end. */
  async run(script: string, options: SessionOptions = {}): Promise<ClaudeRun> {
    return finished(await this.start(script, options).done);
  }

  async startTui(): Promise<Tui> {
    const tui = await startTui({
      cwd: this.repo,
      home: this.scratch.home,
      url: this.api.url,
      args: ["--dangerously-skip-permissions"],
    });
    this.#tuis.push(tui);
    return tui;
  }

  /** What the model was sent for its tool calls; every step has been played and none went wrong. */
  played(script: string): readonly ToolResult[] {
    const { errors, stepsLeft, results } = this.api.transcript(script);
    assert.deepEqual(errors, [], script);
    assert.equal(stepsLeft, 0, `steps left of ${script}`);
    return results;
  }

  /** The person's shell, in the repository. */
  sh(command: string, env: Readonly<Record<string, string>> = {}): Promise<Done> {
    return run("sh", ["-c", command], { cwd: this.repo, env: { ...this.personEnv, ...env } });
  }

  async mustSh(command: string): Promise<string> {
    const { code, stdout, stderr } = await this.sh(command);
    assert.equal(code, 0, `${command}: ${stderr}`);
    return stdout;
  }

  /** The command as the person runs it. */
  signalbox(...args: readonly string[]): Promise<Done> {
    return this.signalboxIn(this.repo, ...args);
  }

  signalboxIn(cwd: string, ...args: readonly string[]): Promise<Done> {
    return run(process.execPath, [builtCommand(), ...args], { cwd, env: this.personEnv });
  }

  get personEnv(): Record<string, string> {
    const { home } = this.scratch;
    const PATH = process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin";
    return { PATH, HOME: home, LANG: "C.UTF-8", GIT_CONFIG_NOSYSTEM: "1", NO_COLOR: "1" };
  }

  async status(cwd = this.repo): Promise<StatusView> {
    const { code, stdout, stderr } = await this.signalboxIn(cwd, "status", "--json");
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout) as StatusView;
  }

  /** What each live session holds, by session id. */
  async holdings(): Promise<Record<string, string[]>> {
    const { sessions } = await this.status();
    return Object.fromEntries(sessions.map(({ id, holds }) => [id, holds.map((held) => held.target).sort()]));
  }

  /** The log, oldest first. */
  async story(): Promise<Moment[]> {
    const { code, stdout, stderr } = await this.signalbox("replay", "--json");
    assert.equal(code, 0, stderr);
    return stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Moment);
  }

  async storyOf<T extends Event["type"]>(type: T): Promise<Extract<Moment, { type: T }>[]> {
    return (await this.story()).filter((e): e is Extract<Moment, { type: T }> => e.type === type);
  }

  /** What `look` finds, as soon as it finds something. */
  async eventually<T>(look: () => Promise<T | undefined>): Promise<T> {
    for (const until = Date.now() + 60_000; ;) {
      const found = await look();
      if (found !== undefined) return found;
      if (Date.now() > until) throw new Error(`not within 60 s: ${String(look)}`);
      await sleep(50);
    }
  }

  read(file: string): string {
    return readFileSync(join(this.repo, file), "utf8");
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.repo, file)), { recursive: true });
    writeFileSync(join(this.repo, file), text);
  }

  /** Without the scratch folder's path: it differs, and has our name in it. */
  plain(text: string): string {
    return text
      .replaceAll(this.scratch.dir, "DIR")
      .replaceAll(this.scratch.dir.replace(/[^A-Za-z0-9]/g, "-"), "DIR");
  }

  /** Lines of errors.log. */
  errors(): string[] {
    const file = join(this.boxDir, "errors.log");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.#sessions.map((session) => session.kill()),
      ...this.#tuis.map((tui) => tui.stop().catch(() => undefined)),
    ]);
    await this.api.close();
    this.scratch.remove();
  }
}

/** The run ended by itself and well. */
export function finished(done: ClaudeRun): ClaudeRun {
  assert.equal(done.code, 0, `${done.signal} ${done.stderr} ${JSON.stringify(done.events.slice(-2))}`);
  return done;
}

/** Steps of a script: the client edits only what it has read. */
export function edit(file: string, from: string, to: string): Step[] {
  return [read(file), { tool: "Edit", input: { file_path: pathOf(file), old_string: from, new_string: to } }];
}

export function read(file: string): Step & ToolCall {
  return { tool: "Read", input: { file_path: pathOf(file) } };
}

export function write(file: string, content: string): Step & ToolCall {
  return { tool: "Write", input: { file_path: pathOf(file), content } };
}

export function bash(command: string): Step & ToolCall {
  return { tool: "Bash", input: { command } };
}

/** Something of the test's own between two steps. */
export function meanwhile(act: () => Promise<unknown>): StepMaker {
  return async () => {
    await act();
    return [];
  };
}

export function agent(script: string, background = false): Step & ToolCall {
  return {
    tool: "Agent",
    input: {
      description: script,
      prompt: `[[script:${script}]] go`,
      subagent_type: "general-purpose",
      run_in_background: background,
    },
  };
}

function pathOf(file: string): string {
  return file.startsWith("/") || file.startsWith("{{") ? file : `{{repo}}/${file}`;
}

/** How messages name a session. */
export function short(id: string | undefined): string {
  assert.ok(id, "the session has an id");
  return id.slice(0, 8);
}
