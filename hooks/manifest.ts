/**
 * The one table of all hooks. Install, doctor, the hook entry script, the README table and the tests derive
 * from it: adding a hook is one line here and one handler file.
 */

/**
 * What a hook costs.
 * - `spool`: shell only, never a runtime: leaves a file that the next fold picks up.
 * - `record`: starts the runtime to append facts; never refuses.
 * - `decide`: starts the runtime to fold, decide and append; may refuse when `blocking`.
 */
export type HookMode = "spool" | "record" | "decide";

/**
 * When a hook starts the runtime at all; otherwise it ends in the shell.
 * - `always`;
 * - `live`: a session is live in this repository;
 * - `others`: a session other than the caller's own is live;
 * - `news`: the same, and there is something to tell the caller's own.
 */
export type HookWhen = "always" | "live" | "others" | "news";

export interface ClaudeHook {
  readonly kind: "claude";
  /** Name on the entry's command line and of the handler. Frozen: installed settings carry it. */
  readonly name: string;
  readonly event: string;
  readonly matcher?: string;
  readonly mode: HookMode;
  readonly when: HookWhen;
  readonly blocking: boolean;
  /** It runs in the background, and wakes its session if it ends with 2 (Claude Code: asyncRewake). */
  readonly rewake?: boolean;
  /** Seconds until Claude Code gives up on the hook; the tool then runs. */
  readonly timeoutS: number;
  readonly does: string;
}

export interface GitHook {
  readonly kind: "git";
  /** The hook's name in githooks(5). */
  readonly name: string;
  readonly mode: HookMode;
  readonly when: HookWhen;
  readonly blocking: boolean;
  /** Git gives this hook data on stdin, which must reach every hook in the chain. */
  readonly stdin: boolean;
  readonly does: string;
}

export type Hook = ClaudeHook | GitHook;

const EDIT_TOOLS = "Edit|Write|MultiEdit|NotebookEdit";

export const CLAUDE_HOOKS: readonly ClaudeHook[] = [
  claude(
    "session-start",
    "SessionStart",
    "record",
    "always",
    10,
    "start or continue the session; give it a git of its own; tell it who else is here",
  ),
  claude("prompt-submit", "UserPromptSubmit", "decide", "live", 10, "deliver notices since the last turn"),
  {
    ...claude(
      "pre-edit",
      "PreToolUse",
      "decide",
      "others",
      10,
      "the gate: reserve the path or refuse; alone, note what is about to be written",
    ),
    matcher: EDIT_TOOLS,
    blocking: true,
  },
  {
    ...claude(
      "pre-read",
      "PreToolUse",
      "decide",
      "news",
      10,
      "note what is read, while another session is live; deliver the news",
    ),
    matcher: "Read",
  },
  {
    ...claude("post-edit", "PostToolUse", "spool", "always", 5, "note what was written"),
    matcher: EDIT_TOOLS,
  },
  { ...claude("pre-bash", "PreToolUse", "spool", "always", 5, "note that a command runs"), matcher: "Bash" },
  {
    ...claude(
      "post-bash",
      "PostToolUse",
      "decide",
      "others",
      10,
      "find what the command changed, and whose it is",
    ),
    matcher: "Bash",
  },
  {
    ...claude(
      "post-bash-failure",
      "PostToolUseFailure",
      "decide",
      "others",
      10,
      "the same for one that failed",
    ),
    matcher: "Bash",
  },
  claude("stop", "Stop", "spool", "always", 5, "note activity: a turn ended, the session has not"),
  claude("agent-start", "SubagentStart", "record", "always", 10, "a subagent is a holder of its own"),
  claude("agent-stop", "SubagentStop", "record", "always", 10, "what the subagent held goes to its parent"),
  claude(
    "session-end",
    "SessionEnd",
    "record",
    "always",
    10,
    "release what the session held, save what it had staged; /clear keeps it",
  ),
];

/** With the setting wait.wake only. */
export const WAKE_HOOK: ClaudeHook = {
  ...claude(
    "wake",
    "Stop",
    "decide",
    "others",
    1800,
    "while the session is idle and waits for files: wake it when they are its own",
  ),
  rewake: true,
};

export const GIT_HOOKS: readonly GitHook[] = [
  {
    ...git(
      "pre-commit",
      "decide",
      "others",
      "carry the index forward; leave out and refuse what is another live session's. For a person only where their index is behind",
    ),
    blocking: true,
  },
  {
    ...git("prepare-commit-msg", "decide", "others", "the same for a commit that skipped pre-commit (-n)"),
    blocking: true,
  },
  git(
    "post-commit",
    "record",
    "live",
    "record the commit, and tell people whose files are in it; release what it committed; carry people's index forward",
  ),
  git("post-checkout", "record", "live", "record that HEAD moved; every session's gitdir follows"),
  git("post-merge", "record", "live", "record that HEAD moved"),
  { ...git("post-rewrite", "record", "live", "record amended and rebased commits"), stdin: true },
  { ...git("pre-push", "record", "live", "record what was pushed"), stdin: true },
];

export const HOOKS: readonly Hook[] = [...CLAUDE_HOOKS, ...GIT_HOOKS];

function claude(
  name: string,
  event: string,
  mode: HookMode,
  when: HookWhen,
  timeoutS: number,
  does: string,
): ClaudeHook {
  return { kind: "claude", name, event, mode, when, blocking: false, timeoutS, does };
}

function git(name: string, mode: HookMode, when: HookWhen, does: string): GitHook {
  return { kind: "git", name, mode, when, blocking: false, stdin: false, does };
}
