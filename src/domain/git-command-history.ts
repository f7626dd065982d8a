import type { Commit, Effect, Merge } from "./git-command-operation.ts";
import { isOn, parseOptions, type ParsedOptions, valueOf } from "./git-command-options.ts";
import { tableOf } from "./git-command-tables.ts";
import { selectionOf, wordsToKeep } from "./git-command-tree.ts";

const STEPS = ["abort", "continue", "skip", "quit"] as const;

function stepOf(parsed: ParsedOptions): (typeof STEPS)[number] | undefined {
  if (isOn(parsed, "resolved", "retry")) return "continue";
  return STEPS.find((step) => isOn(parsed, step));
}

export function classifyCommit(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("commit"), args);
  // These four imply --dry-run.
  if (isOn(parsed, "dry-run", "short", "porcelain", "long", "null")) return { kind: "read", index: true };
  const message = messageOf(parsed);
  const interactive = isOn(parsed, "interactive", "patch");
  return {
    kind: "commit",
    all: isOn(parsed, "all"),
    include: isOn(parsed, "include"),
    selection: selectionOf(parsed),
    amend: isOn(parsed, "amend"),
    noVerify: isOn(parsed, "no-verify"),
    interactive,
    allowEmpty: isOn(parsed, "allow-empty"),
    message,
    scope: {
      words: wordsToKeep(parsed, "all", "include", "only"),
      listed: message === "given" && !interactive,
    },
  };
}

function messageOf(parsed: ParsedOptions): Commit["message"] {
  const file = valueOf(parsed, "file");
  if (file === "-") return "stdin";
  const edit = parsed.options.findLast((o) => o.name === "edit");
  if (edit !== undefined) return edit.on ? "editor" : "given";
  const fixup = valueOf(parsed, "fixup");
  if (fixup !== undefined && /^(amend|reword):/.test(fixup)) return "editor";
  const given =
    file ??
    fixup ??
    valueOf(parsed, "message") ??
    valueOf(parsed, "reuse-message") ??
    valueOf(parsed, "squash");
  return given === undefined ? "editor" : "given";
}

export function classifyMerge(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("merge"), args);
  const step = stepOf(parsed);
  if (step !== undefined) return { kind: "step", of: "merge", step };
  return mergeOf("merge", parsed, parsed.positional);
}

function mergeOf(verb: string, parsed: ParsedOptions, commits: Merge["commits"]): Merge {
  const autostash = parsed.options.findLast((o) => o.name === "autostash")?.on;
  const commit = parsed.options.findLast((o) => o.name === "commit")?.on ?? true;
  return {
    kind: "merge",
    verb,
    commits,
    autostash,
    rebase: false,
    commit: commit && !isOn(parsed, "squash", "ff-only"),
    ff: forwardOf(parsed),
  };
}

/** git-merge(1): of `--ff`, `--no-ff` and `--ff-only` the last one counts. */
function forwardOf(parsed: ParsedOptions): Merge["ff"] {
  const last = parsed.options.findLast(({ name }) => name === "ff" || name === "ff-only");
  if (last === undefined) return undefined;
  if (!last.on) return "no";
  return last.name === "ff-only" ? "only" : "yes";
}

export function classifyPull(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("pull"), args);
  if (isOn(parsed, "dry-run")) return { kind: "read", index: false };
  const rebase = parsed.options.findLast((o) => o.name === "rebase");
  const merge = mergeOf("pull", parsed, undefined);
  return {
    ...merge,
    rebase: rebase === undefined ? undefined : rebase.on && !/^(false|no|off|0)$/i.test(rebase.value ?? ""),
  };
}

/** cherry-pick, revert, and am, which has steps of the same names. */
export function classifyPick(verb: "cherry-pick" | "revert" | "am", args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf(verb), args);
  const step = stepOf(parsed);
  if (step !== undefined) return { kind: "step", of: verb, step };
  if (verb === "am")
    return isOn(parsed, "show-current-patch") ? { kind: "read", index: false } : { kind: "rebase", verb };
  // The rest is for rev-list (`--stdin`, `--reverse`, `-3`): which commits it means is known while it runs.
  const forRevList = parsed.options.some(({ name }) => name.startsWith("-"));
  return {
    kind: "merge",
    verb,
    commits: forRevList ? undefined : parsed.positional,
    autostash: false,
    rebase: false,
    commit: !isOn(parsed, "no-commit"),
    ff: undefined,
  };
}

export function classifyRebase(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("rebase"), args);
  const step = stepOf(parsed);
  if (step !== undefined) return { kind: "step", of: "rebase", step };
  if (isOn(parsed, "show-current-patch", "edit-todo")) return { kind: "read", index: false };
  return { kind: "rebase", verb: "rebase" };
}
