import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Settings } from "./environment.ts";

/** One call of a hook by the real client. */
export interface HookCall {
  readonly event: string;
  readonly payload: Readonly<Record<string, unknown>>;
  /** The payload's bytes as they came. */
  readonly stdin: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly ppid: number;
}

export const HOOK_EVENTS = [
  "SessionStart",
  "SessionEnd",
  "UserPromptSubmit",
  "PreToolUse",
  "PostToolUse",
  "PostToolUseFailure",
  "SubagentStart",
  "SubagentStop",
  "Stop",
  "StopFailure",
  "CwdChanged",
  "PreCompact",
] as const;

/** A hook that keeps what it is given and says nothing. */
export interface HookRecorder {
  readonly command: string;
  /** Claude Code settings that install it for `events`. */
  settings(events?: readonly string[]): Settings;
  /** The calls so far, oldest first. */
  calls(): HookCall[];
}

/** Makes a recorder that writes under `dir`. */
export function recordHooks(dir: string): HookRecorder {
  const calls = join(dir, "calls");
  const command = join(dir, "record-hook");
  mkdirSync(calls, { recursive: true });
  // A call is written aside and renamed, so that a reader finds it whole.
  writeFileSync(
    command,
    `#!/bin/sh
at=$(date +%s%N)
call=$(mktemp -d "${dir}/call.XXXXXX")
cat >"$call/stdin"
env -0 >"$call/env"
printf '%s\\0' "$@" >"$call/argv"
echo $PPID >"$call/ppid"
mv "$call" "${calls}/$at.$$"
`,
  );
  chmodSync(command, 0o755);
  return {
    command,
    settings: (events = HOOK_EVENTS) => ({
      hooks: Object.fromEntries(
        events.map((event) => [event, [{ hooks: [{ type: "command", command, args: [event] }] }]]),
      ),
    }),
    calls: () =>
      readdirSync(calls)
        .sort()
        .map((name) => readCall(join(calls, name))),
  };
}

function readCall(dir: string): HookCall {
  const read = (name: string): string => readFileSync(join(dir, name), "utf8");
  const stdin = read("stdin");
  const payload = JSON.parse(stdin) as Record<string, unknown>;
  const pairs = read("env").split("\0").filter(Boolean);
  return {
    event: String(payload["hook_event_name"]),
    payload,
    stdin,
    argv: read("argv").split("\0").slice(0, -1),
    env: Object.fromEntries(pairs.map((pair) => splitAt(pair, pair.indexOf("=")))),
    ppid: Number(read("ppid")),
  };
}

function splitAt(text: string, at: number): [string, string] {
  return [text.slice(0, at), text.slice(at + 1)];
}
