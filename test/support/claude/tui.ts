import { spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { claudeEnv, findClaude } from "./environment.ts";

export interface TuiOptions {
  readonly cwd: string;
  readonly home: string;
  readonly url: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
}

/**
 * The interactive client in a terminal, for what only a terminal shows: /clear, dialogs, the statusline.
 *
 *     const tui = await startTui({ cwd: repo, home, url: api.url });
 *     await tui.type("[[script:alice]] go");
 *     await tui.waitFor(/alice is done/);
 *     await tui.stop();
 */
export interface Tui {
  /** Of the client itself. */
  readonly pid: number;
  /** Types a line, then Enter once the client shows it. */
  type(text: string): Promise<void>;
  /** Keys by tmux's names: "Escape", "C-c", "Enter". */
  keys(...names: readonly string[]): void;
  screen(): string;
  /**
   * The screen, once it shows `what`.
   *
   * @throws Error with the screen, if it does not within `ms` (90 s: five times what a loaded machine took)
   */
  waitFor(what: RegExp, ms?: number): Promise<string>;
  /** Resolves when the client has ended by itself. */
  ended(ms?: number): Promise<void>;
  /** Closes the terminal; a client that stays is killed. */
  stop(): Promise<void>;
}

/** For a test's `skip` option: false if there is tmux, else why the test is skipped. */
export function noTmux(): string | false {
  return spawnSync("tmux", ["-V"]).status === 0 ? false : "tmux is not installed";
}

/** @throws Error if tmux does not start, or the client shows no prompt */
export async function startTui(options: TuiOptions): Promise<Tui> {
  // A server of its own: the caller's is never touched.
  const socket = `signalbox-test-${process.pid}-${randomBytes(4).toString("hex")}`;
  const tmux = (...args: readonly string[]): string => {
    const { status, stdout, stderr } = spawnSync("tmux", ["-L", socket, "-f", "/dev/null", ...args], {
      encoding: "utf8",
      env: claudeEnv(options),
    });
    if (status !== 0) throw new Error(`tmux ${args[0]}: ${stderr}`);
    return stdout;
  };
  const size = ["-x", String(options.columns ?? 120), "-y", String(options.rows ?? 40)];
  // "manual": an interactive start is in auto mode by default, and shows no permission dialogs.
  const args = options.args ?? ["--permission-mode", "manual"];
  tmux(
    "new-session",
    "-d",
    ...size,
    "-c",
    options.cwd,
    findClaude(),
    ...args,
    ";",
    "set",
    "-g",
    "remain-on-exit",
    "on",
  );
  const pid = Number(tmux("list-panes", "-F", "#{pane_pid}").trim());

  const screen = (): string => tmux("capture-pane", "-p");
  const shows = async (isThere: (shown: string) => boolean, what: string, ms = 90_000): Promise<string> => {
    const until = Date.now() + ms;
    for (;;) {
      const shown = screen();
      if (isThere(shown)) return shown;
      if (Date.now() > until) throw new Error(`not on screen within ${ms} ms: ${what}\n${shown}`);
      await sleep(100);
    }
  };
  const waitFor = (what: RegExp, ms?: number): Promise<string> =>
    shows((shown) => what.test(shown), String(what), ms);
  const ended = async (ms = 60_000): Promise<void> => {
    const until = Date.now() + ms;
    while (tmux("list-panes", "-F", "#{pane_dead}").trim() !== "1") {
      if (Date.now() > until) throw new Error(`still there after ${ms} ms:\n${screen()}`);
      await sleep(50);
    }
  };
  const stop = async (): Promise<void> => {
    const ran = tmux("list-panes", "-F", "#{pane_dead}").trim() !== "1";
    const file = tmux("display-message", "-p", "#{socket_path}").trim();
    tmux("kill-server");
    // tmux leaves its socket behind.
    rmSync(file, { force: true });
    if (ran) await end(pid);
  };

  try {
    const first = await waitFor(/❯/);
    // Accepted already in the scratch home; but clients that start at once write that file over each other.
    if (first.includes("Yes, I accept")) {
      tmux("send-keys", "Down");
      await waitFor(/❯ Yes, I accept/);
      tmux("send-keys", "Enter");
      await shows((shown) => !shown.includes("Yes, I accept") && shown.includes("❯"), "the prompt");
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    pid,
    async type(text) {
      tmux("send-keys", "-l", text);
      // An Enter that the client reads together with the text would be taken for part of a paste.
      await shows((shown) => promptOf(shown).includes(text), `${text}, typed`);
      await sleep(400);
      tmux("send-keys", "Enter");
    },
    keys(...names) {
      tmux("send-keys", ...names);
    },
    screen,
    waitFor,
    ended,
    stop,
  };
}

/** What stands in the input line: earlier prompts are further up. */
function promptOf(shown: string): string {
  return shown.split("\n").findLast((line) => line.includes("❯")) ?? "";
}

/** A closed terminal lets SessionEnd hooks run; who stays for 3 s is killed. */
async function end(pid: number): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    if (!isThere(pid)) return;
    await sleep(50);
  }
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended since.
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
