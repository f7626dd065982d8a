import { existsSync, mkdirSync, mkdtempSync, realpathSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join, resolve } from "node:path";

/** A made-up key. Nothing checks it: the only server that the client is told of is ours. */
const FAKE_KEY = "sk-ant-api03-fake-key-for-tests-0000000000000000000000000000";

export type Settings = Readonly<Record<string, unknown>>;

/**
 * The client under test: $CLAUDE_BIN, else `claude` on PATH.
 *
 * @throws Error naming the command that fetches one
 */
export function findClaude(): string {
  const given = process.env["CLAUDE_BIN"];
  if (given) return resolve(given);
  const found = (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((dir) => join(dir, "claude"))
    .find((file) => existsSync(file));
  if (found === undefined) throw new Error("no claude CLI: run `npm run test:client`, or set CLAUDE_BIN");
  return realpathSync(found);
}

/**
 * A HOME for any number of sessions. Its ~/.claude.json answers beforehand what an interactive start would ask:
 * onboarding, the key, trust in the folders given.
 */
export function makeHome({
  dir = mkdtempSync(join(tmpdir(), "claude-home-")),
  trust = [],
  settings,
}: { dir?: string; trust?: readonly string[]; settings?: Settings } = {}): string {
  const trusted = { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true, allowedTools: [] };
  writeJson(join(dir, ".claude.json"), {
    hasCompletedOnboarding: true,
    theme: "dark",
    numStartups: 5,
    autoUpdates: false,
    bypassPermissionsModeAccepted: true,
    customApiKeyResponses: { approved: [FAKE_KEY.slice(-20)], rejected: [] },
    projects: Object.fromEntries(trust.map((path) => [realpathSync(path), trusted])),
  });
  if (settings) writeJson(join(dir, ".claude", "settings.json"), settings);
  return dir;
}

/** Writes a repository's Claude Code settings; by default those that git does not track. */
export function writeProjectSettings(
  repo: string,
  settings: Settings,
  name: "settings.json" | "settings.local.json" = "settings.local.json",
): string {
  const file = join(repo, ".claude", name);
  writeJson(file, settings);
  return file;
}

function writeJson(file: string, value: unknown): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, JSON.stringify(value, null, 2));
}

/** The client's whole environment: of the caller's, only PATH is passed on. */
export function claudeEnv({
  home,
  url,
  env = {},
}: {
  home: string;
  url: string;
  env?: Readonly<Record<string, string>>;
}): Record<string, string> {
  return {
    HOME: home,
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    LANG: "C.UTF-8",
    SHELL: "/bin/bash",
    TERM: "xterm-256color",
    TMPDIR: tmpdir(),
    // Else the client leaves task files and sockets in /tmp.
    CLAUDE_CODE_TMPDIR: home,
    ANTHROPIC_API_KEY: FAKE_KEY,
    ANTHROPIC_BASE_URL: url,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_UPDATES: "1",
    DISABLE_GROWTHBOOK: "1",
    DISABLE_INSTALLATION_CHECKS: "1",
    // Else 1.5 s for those whose settings name no timeout: too short for a loaded machine.
    CLAUDE_CODE_SESSIONEND_HOOKS_TIMEOUT_MS: "30000",
    // If anything still tries, a proxy on a closed loopback port stops it (loopback itself is exempt).
    HTTPS_PROXY: "http://127.0.0.1:9",
    HTTP_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1,localhost",
    // --dangerously-skip-permissions refuses to run as root unless the caller says that this is a sandbox.
    IS_SANDBOX: "1",
    // HOME is fresh as well: set user.name and user.email in the repository.
    GIT_CONFIG_NOSYSTEM: "1",
    ...env,
  };
}
