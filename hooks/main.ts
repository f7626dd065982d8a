/**
 * The bundle that installed hooks run: `hook.cjs <claude|git> <name> [git's arguments]`. It lies in
 * `<git common dir>/signalbox/runtime/`, and that signal box is its own.
 *
 * Exit code: 0 go on, 3 refused (git hooks). Whatever breaks lets the operation through, says so in one line,
 * and puts it on record: as an event, or in errors.log when the log is what broke.
 */
import { appendFileSync, writeFileSync, writeSync } from "node:fs";
import { dirname, join } from "node:path";
import { openBox } from "../src/adapters/box.ts";
import { parseHookInput } from "../src/adapters/claude.ts";
import { findRepo } from "../src/adapters/locate.ts";
import type { Box } from "../src/app/box.ts";
import { describe, recordFailure } from "../src/app/failure.ts";
import { sessionOf } from "../src/app/identity.ts";
import { wakeUp } from "../src/app/turn.ts";
import { SETTINGS, settingsFromEnv } from "../src/app/settings.ts";
import { CLAUDE_HANDLERS, hookNameOf } from "./claude/mod.ts";
import { gitCall } from "./git/call.ts";
import { GIT_HANDLERS } from "./git/mod.ts";
import { shim } from "./shim/mod.ts";
import { GIT_HOOKS } from "./manifest.ts";
import { endStuck, readStdin } from "./stdin.ts";

const REFUSED = 3;

declare const SIGNALBOX_VERSION: string | undefined;
const VERSION = typeof SIGNALBOX_VERSION === "string" ? SIGNALBOX_VERSION : "dev";

/** Runs one hook and answers with its exit code. */
export async function main(
  boxDir: string,
  [kind, name = "auto", ...args]: readonly string[],
): Promise<number> {
  let box: Box | undefined;
  const open = () => (box ??= openBox(boxDir, process.env["SIGNALBOX_TOP"] || findRepo(process.cwd())?.top));
  let stuck = false;
  const stdin = async (what: "json" | "lines") => {
    const input = await readStdin(stdinDeadlineMs(), what);
    ({ stuck } = input);
    return input.text;
  };
  try {
    if (kind === "version") return (print(VERSION), 0);
    if (kind === "wake") return (print(wakeUp(open(), name)), 0);
    if (kind === "git") return await git(open, name, args, stdin);
    if (kind === "shim") {
      const { code, out } = shim(open(), [name, ...args]);
      print(out);
      return code;
    }
    await claude(open, name, stdin);
    return 0;
  } catch (error) {
    // The shim says so itself, and takes what is printed for a program.
    if (kind === "shim") return (record(boxDir, box, `shim ${name}`, error), 1);
    const line = `signalbox: ${kind} hook ${name} broke and let this through unguarded: ${describe(error)}; run: git signalbox doctor`;
    print(kind === "git" ? line : JSON.stringify({ systemMessage: line }));
    record(boxDir, box, `${kind} ${name}`, error);
    return 0;
  } finally {
    box?.log.close();
    if (stuck) endStuck();
  }
}

type Stdin = (kind: "json" | "lines") => Promise<string>;

async function claude(open: () => Box, name: string, stdin: Stdin): Promise<void> {
  const input = parseHookInput(await stdin("json"));
  const handler = CLAUDE_HANDLERS[name === "auto" ? hookNameOf(input) : name];
  if (handler !== undefined) print(handler({ input, box: open() }));
}

async function git(open: () => Box, name: string, args: readonly string[], stdin: Stdin): Promise<number> {
  const handler = GIT_HANDLERS[name];
  if (handler === undefined) return 0;
  const wantsStdin = GIT_HOOKS.some((hook) => hook.name === name && hook.stdin);
  const { refused, say = "" } = handler(gitCall(open(), args, wantsStdin ? await stdin("lines") : ""));
  print(say);
  return refused === true ? REFUSED : 0;
}

function stdinDeadlineMs(): number {
  const fromEnv = settingsFromEnv(process.env).values["hooks.stdinDeadlineMs"];
  return typeof fromEnv === "number" ? fromEnv : SETTINGS["hooks.stdinDeadlineMs"].fallback;
}

function record(boxDir: string, box: Box | undefined, where: string, error: unknown): void {
  try {
    if (box === undefined) throw error;
    recordFailure(box, where, error, sessionOf(process.env));
  } catch {
    try {
      markUnrecorded(boxDir);
      appendFileSync(
        join(boxDir, "errors.log"),
        `${new Date().toISOString()} ${where}: ${describe(error)}\n`,
      );
    } catch {
      // Nowhere left to write; the line on the screen has said it.
    }
  }
}

/** For the next decision that gets into the log. An empty file needs no room on a full disk. */
function markUnrecorded(boxDir: string): void {
  writeFileSync(join(boxDir, "spool", "unrecorded"), "");
}

function print(text: string): void {
  if (text !== "") writeSync(1, `${text}\n`);
}

// oxlint-disable-next-line unicorn/prefer-module -- the bundle is CommonJS: Node 20 starts it 5 ms sooner
if (typeof __filename === "string") {
  void main(dirname(dirname(__filename)), process.argv.slice(2)).then((code) => {
    process.exitCode = code;
  });
}
