import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { CLAUDE_HOOKS, type ClaudeHook, GIT_HOOKS, WAKE_HOOK } from "../../hooks/manifest.ts";
import { boxDirOf } from "../adapters/box.ts";
import { GitTrouble } from "../adapters/install/git.ts";
import { type Assets, install, type Installed } from "../adapters/install/perform.ts";
import { findRepo } from "../adapters/locate.ts";
import { loadSettings } from "../adapters/settings.ts";
import { renderChange } from "../app/install/diff.ts";
import { type Change, InstallProblem } from "../app/install/model.ts";
import type { ClaudeMode } from "../app/install/record.ts";
import { command, JSON_OPTION } from "./command.ts";
import { CommandError, EXIT, type ExitCode, usageError } from "./exit.ts";
import { out, outJson, printable, say } from "./output.ts";
import { VERSION } from "./version.ts";

declare const SIGNALBOX_HOOK_SH: string | undefined;
declare const SIGNALBOX_SHIM_SH: string | undefined;

export const initCommand = command({
  name: "init",
  description: "install signalbox in a repository: git hooks, Claude Code hooks, the log",
  args: {
    repo: {
      type: "positional",
      required: false,
      description: "a folder in the repository",
      valueHint: "REPO",
    },
    check: { type: "boolean", description: "print the exact changes and make none; exit 1 if there are any" },
    local: {
      type: "boolean",
      description: "Claude Code hooks in settings.local.json, for you alone (default)",
    },
    shared: { type: "boolean", description: "Claude Code hooks in settings.json, for everybody's clone" },
    plugin: { type: "boolean", description: "leave Claude Code settings alone: the plugin brings the hooks" },
    "tracked-hooks": {
      type: "boolean",
      description: "also write to a git hooks folder that is tracked, or shared with other repositories",
    },
    runtime: { type: "string", valueHint: "node|deno", description: "what installed hooks run on" },
    ...JSON_OPTION,
  },
  words: 1,
  run({ args }) {
    const done = told(() =>
      install({
        cwd: resolve(args.repo ?? "."),
        hooks: { claude: claudeHooks(resolve(args.repo ?? ".")), git: GIT_HOOKS },
        assets: assetsHere(),
        claude: modeOf(args),
        runtime: runtimeOf(args.runtime),
        trackedHooks: args["tracked-hooks"],
        check: args.check ?? false,
      }),
    );
    if (args.json) printJson(done, args.check ?? false);
    else if (args.check) {
      if (done.changes.length > 0) out(done.changes.map(renderChange).join(""));
    } else for (const change of done.changes) out(`${verb(change)} ${printable(change.path)}`);
    for (const note of done.notes) say(`note: ${printable(note)}`);
    for (const { path, why } of done.skipped) say(`left alone: ${printable(path)}: ${printable(why)}`);
    return conclude(done, args.check ?? false);
  },
});

/** Those that are always there, and what settings ask for beside. */
function claudeHooks(cwd: string): readonly ClaudeHook[] {
  const repo = findRepo(cwd);
  const wake =
    repo !== undefined && loadSettings(boxDirOf(repo.commonDir), repo.top, process.env).settings["wait.wake"];
  return wake ? [...CLAUDE_HOOKS, WAKE_HOOK] : CLAUDE_HOOKS;
}

function conclude({ changes, commonDir, worktrees, record }: Installed, check: boolean): ExitCode {
  const where = printable(worktrees[0] ?? commonDir);
  if (changes.length === 0) {
    say(`signalbox ${record.version} is installed in ${where}; nothing to do`);
    return EXIT.ok;
  }
  if (check) {
    say(`${changes.length} changes to make; nothing was changed`);
    return EXIT.failed;
  }
  say(`signalbox ${record.version} is installed in ${where}; see: git signalbox status`);
  return EXIT.ok;
}

function verb({ before, after }: Change): string {
  if (before.kind === "absent") return "created ";
  return after.kind === "absent" ? "removed " : "changed ";
}

function printJson(done: Installed, check: boolean): void {
  const { commonDir, worktrees, record, skipped, notes } = done;
  outJson("init", 1, {
    check,
    commonDir,
    worktrees,
    installed: { version: record.version, claude: record.claude, git: record.git, runtime: record.runtime },
    changes: done.changes.map((change) => ({
      path: change.path,
      role: change.role,
      action: verb(change).trim(),
      bytes: change.after.kind === "file" ? change.after.bytes.length : 0,
      ...(check ? { diff: renderChange(change) } : {}),
    })),
    skipped,
    notes,
  });
}

function modeOf(args: { readonly [K in ClaudeMode]?: boolean | undefined }): ClaudeMode | undefined {
  const chosen = (["local", "shared", "plugin"] as const).filter((mode) => args[mode] === true);
  if (chosen.length > 1)
    throw usageError(`init takes one of --local, --shared and --plugin, not ${chosen.length}`);
  return chosen[0];
}

function runtimeOf(word: string | undefined): "node" | "deno" | undefined {
  if (word === undefined || word === "node" || word === "deno") return word;
  throw usageError(`--runtime takes node or deno, not ${JSON.stringify(word)}`);
}

/** What is installed lies beside this program; run from source, it is what was built last. */
function assetsHere(): Assets {
  const isBuilt = typeof SIGNALBOX_HOOK_SH === "string";
  const here = import.meta.dirname;
  const home = isBuilt ? dirname(here) : join(here, "../..");
  const built = isBuilt ? here : join(home, "dist");
  const read = (name: string) => {
    try {
      return readFileSync(join(built, name), "latin1");
    } catch (error) {
      throw new CommandError(`${(error as Error).message}; build it first: npm run build`);
    }
  };
  return {
    version: VERSION,
    home,
    template: isBuilt ? SIGNALBOX_HOOK_SH : readFileSync(join(home, "hooks/hook.sh"), "utf8"),
    shim:
      typeof SIGNALBOX_SHIM_SH === "string"
        ? SIGNALBOX_SHIM_SH
        : readFileSync(join(home, "hooks/shim.sh"), "utf8"),
    hookBundle: read("hook.cjs"),
    commandBundle: read("signalbox.cjs"),
  };
}

/** Troubles of the user's repository as what they are: messages. */
export function told<T>(body: () => T): T {
  try {
    return body();
  } catch (error) {
    if (error instanceof GitTrouble && error.notRepository) throw usageError(error.message);
    if (error instanceof GitTrouble || error instanceof InstallProblem) throw new CommandError(error.message);
    throw error;
  }
}
