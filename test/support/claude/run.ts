import { type ChildProcess, spawn } from "node:child_process";
import { rmSync, realpathSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { claudeEnv, findClaude, makeHome, type Settings } from "./environment.ts";
import { type FakeApi, startFakeApi } from "./fake-api.ts";
import { type Scripts } from "./script.ts";

/** A headless run of the client. */
export interface ClaudeOptions {
  /** The script that answers this session. */
  readonly script: string;
  /** Where the client starts: a repository, a linked worktree, a folder below. */
  readonly cwd: string;
  /** Sessions of one user share one. */
  readonly home: string;
  readonly url: string;
  readonly prompt?: string;
  /** For --settings. Without, only the user's and the project's own settings count. */
  readonly settings?: Settings;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** "skip" (the default) allows every tool; with "ask", pass --allowedTools or --permission-mode in `args`. */
  readonly permissions?: "skip" | "ask";
  /** Killed after so long (240 s). */
  readonly timeoutMs?: number;
}

/** One line of the client's stream-json output. */
export type ClaudeEvent = Readonly<Record<string, unknown>> & { readonly type: string };

export interface ClaudeRun {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly timedOut: boolean;
  readonly sessionId: string | undefined;
  /** The last text of the model; undefined if the run broke off. */
  readonly reply: string | undefined;
  readonly events: readonly ClaudeEvent[];
  readonly stderr: string;
  readonly ms: number;
}

/** A headless session in the background. */
export interface ClaudeSession {
  /** Of the client itself. */
  readonly pid: number;
  /** Settles when the process has gone; never rejects for what the client does. */
  readonly done: Promise<ClaudeRun>;
  /** SIGKILL by default: a crash, of which no hook hears. */
  kill(signal?: NodeJS.Signals): Promise<ClaudeRun>;
}

/** A tool's child that outlives a killed client may hold its stdout for as long as it likes. */
const DRAIN_MS = 1000;

export async function runClaude(options: ClaudeOptions): Promise<ClaudeRun> {
  return startClaude(options).done;
}

/** @throws Error if the client cannot be started */
export function startClaude(options: ClaudeOptions): ClaudeSession {
  const started = Date.now();
  const child = spawn(findClaude(), argvOf(options), {
    cwd: options.cwd,
    env: claudeEnv(options),
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (child.pid === undefined) throw new Error(`Cannot start ${child.spawnfile} in ${options.cwd}`);
  let stdout = "";
  let stderr = "";
  let timedOut = false;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill("SIGKILL");
  }, options.timeoutMs ?? 240_000);
  const done = ending(child).then(({ code, signal }): ClaudeRun => {
    clearTimeout(timer);
    const events = eventsOf(stdout);
    const result = events.findLast((event) => event.type === "result");
    // Not the first event's: with --continue that is an id which is given up again.
    const named = result ?? events.findLast((event) => "session_id" in event);
    return {
      code,
      signal,
      timedOut,
      sessionId: stringIn(named, "session_id"),
      reply: stringIn(result, "result"),
      events,
      stderr,
      ms: Date.now() - started,
    };
  });
  return {
    pid: child.pid,
    done,
    kill(signal = "SIGKILL") {
      child.kill(signal);
      return done;
    },
  };
}

function argvOf({
  script,
  prompt = "go",
  settings,
  args = [],
  permissions = "skip",
}: ClaudeOptions): string[] {
  return [
    "-p",
    `[[script:${script}]] ${prompt}`,
    "--output-format",
    "stream-json",
    "--verbose",
    "--model",
    "sonnet",
    ...(permissions === "skip" ? ["--dangerously-skip-permissions"] : []),
    ...(settings ? ["--settings", JSON.stringify(settings)] : []),
    ...args,
  ];
}

async function ending(child: ChildProcess): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  const closed = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const end = await new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  await Promise.race([closed, sleep(DRAIN_MS, undefined, { ref: false })]);
  child.stdout?.destroy();
  child.stderr?.destroy();
  return end;
}

function stringIn(event: ClaudeEvent | undefined, field: string): string | undefined {
  const value = event?.[field];
  return typeof value === "string" ? value : undefined;
}

/** The last line of a killed client may be torn. */
function eventsOf(stdout: string): ClaudeEvent[] {
  return stdout.split("\n").flatMap((line) => {
    try {
      return line.startsWith("{") ? [JSON.parse(line) as ClaudeEvent] : [];
    } catch {
      return [];
    }
  });
}

/** Sessions side by side against one fake API. */
export interface Scenario {
  readonly repo: string;
  readonly scripts: Scripts;
  readonly sessions: readonly ScenarioSession[];
  /** `{{repo}}` is always there. */
  readonly vars?: Readonly<Record<string, string>>;
  /** Kept for a look afterwards or a later scenario; without, a HOME for all sessions is made and removed. */
  readonly home?: string;
  readonly waitMs?: number;
}

export type ScenarioSession = Omit<ClaudeOptions, "url" | "home" | "cwd"> & {
  /** Default: the repository's top. */
  readonly cwd?: string;
};

/** @returns the runs, in the order of `sessions`; the closed API's transcripts stay readable */
export async function runScenario(scenario: Scenario): Promise<{ runs: readonly ClaudeRun[]; api: FakeApi }> {
  const repo = realpathSync(scenario.repo);
  const api = await startFakeApi({
    scripts: scenario.scripts,
    vars: { repo, ...scenario.vars },
    ...(scenario.waitMs === undefined ? {} : { waitMs: scenario.waitMs }),
  });
  const home = scenario.home ?? makeHome({ trust: [repo] });
  try {
    const runs = await Promise.all(
      scenario.sessions.map((session) => runClaude({ cwd: repo, ...session, home, url: api.url })),
    );
    return { runs, api };
  } finally {
    await api.close();
    if (scenario.home === undefined) rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
