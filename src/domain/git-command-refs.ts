import type { Effect } from "./git-command-operation.ts";
import { isOn, parseOptions, valueOf } from "./git-command-options.ts";
import { CLEARED, stashOf } from "./git-command-stash.ts";
import { tableOf } from "./git-command-tables.ts";

const READ: Effect = { kind: "read", index: false };
const UPKEEP: Effect = { kind: "maintenance", removesTree: undefined };

const branchRef = (name: string): string => `refs/heads/${name}`;

export function classifyBranch(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("branch"), args);
  const names = parsed.positional;
  if (isOn(parsed, "delete", "D")) {
    return isOn(parsed, "remotes") ? READ : { kind: "ref", refs: names.map(branchRef) };
  }
  // Without a second name the branch of HEAD is renamed.
  if (isOn(parsed, "move", "M")) {
    return { kind: "ref", refs: names.length < 2 ? ["HEAD"] : names.map(branchRef) };
  }
  if (isOn(parsed, "C") || (isOn(parsed, "copy") && isOn(parsed, "force")))
    return { kind: "ref", refs: names.slice(-1).map(branchRef) };
  if (isOn(parsed, "force") && names.length > 0) return { kind: "ref", refs: [branchRef(names[0]!)] };
  return READ;
}

export function classifyUpdateRef(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("update-ref"), args);
  if (isOn(parsed, "stdin")) return { kind: "ref", refs: undefined };
  const ref = parsed.positional[0];
  if (ref === "refs/stash" && isOn(parsed, "d")) return CLEARED;
  return ref === undefined ? READ : { kind: "ref", refs: [ref] };
}

export function classifySymbolicRef(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("symbolic-ref"), args);
  const [name] = parsed.positional;
  const writes = isOn(parsed, "delete") || parsed.positional.length > 1;
  return writes && name !== undefined ? { kind: "ref", refs: [name] } : READ;
}

/** The stash is a reflog: what is dropped from it is an entry of somebody's. */
export function classifyReflog(args: readonly string[]): Effect {
  const [first = "", ...rest] = args;
  const parsed = parseOptions(tableOf("reflog expire"), rest);
  if (!/^(expire|delete|drop)$/.test(first) || isOn(parsed, "dry-run")) return UPKEEP;
  const entries = parsed.positional.filter((word) => /^(refs\/)?stash(@|$)/.test(word));
  if (first === "delete") {
    const [entry, ...more] = entries;
    if (entry === undefined) return UPKEEP;
    return more.length === 0 ? stashOf("drop", { entry }) : CLEARED;
  }
  // Unless it is told when, git never expires the stash.
  const ages = [valueOf(parsed, "expire"), valueOf(parsed, "expire-unreachable")];
  const old = first === "drop" || ages.some((age) => age !== undefined && !/^(never|false)$/.test(age));
  return old && (entries.length > 0 || isOn(parsed, "all")) ? CLEARED : UPKEEP;
}

/** `fetch -u origin x:main` moves a branch that is checked out; without -u git refuses that. */
export function classifyFetch(args: readonly string[]): Effect {
  if (!args.some((arg) => arg.startsWith("--update-h") || /^-[a-zA-Z]*u/.test(arg))) return READ;
  const refs = args
    .filter((arg) => !arg.startsWith("-") && /^\+?[^:]*:[^:/]/.test(arg))
    .map((arg) => arg.slice(arg.indexOf(":") + 1))
    .map((name) => (name.startsWith("refs/") ? name : branchRef(name)));
  return refs.length === 0 ? READ : { kind: "ref", refs };
}

export function classifyWorktree(args: readonly string[]): Effect {
  const [first = "list", ...rest] = args;
  if (first === "list") return READ;
  const parsed = parseOptions(tableOf("worktree"), rest);
  if (first === "add") {
    const anew = valueOf(parsed, "B");
    return anew === undefined ? UPKEEP : { kind: "ref", refs: [branchRef(anew)] };
  }
  const forced = first === "remove" && isOn(parsed, "force");
  return { kind: "maintenance", removesTree: forced ? parsed.positional[0] : undefined };
}
