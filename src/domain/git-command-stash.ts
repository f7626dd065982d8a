import { type Effect, NO_HITS, type Stash, WHOLE_TREE } from "./git-command-operation.ts";
import { isOn, parseOptions, type ParsedOptions } from "./git-command-options.ts";
import { tableOf } from "./git-command-tables.ts";
import { selectionOf, wordsToKeep } from "./git-command-tree.ts";

export function classifyStash(args: readonly string[]): Effect {
  const [first, ...rest] = args;
  // Without a subcommand, options and `--` belong to push.
  if (first === undefined || first.startsWith("-")) return push(parseOptions(tableOf("stash"), args));
  switch (first) {
    case "push":
      return push(parseOptions(tableOf("stash"), rest));
    case "save":
      return save(parseOptions(tableOf("stash"), rest));
    case "pop":
    case "apply":
    case "drop":
    case "branch": {
      const parsed = parseOptions(tableOf("stash pop"), rest);
      const [a, b] = parsed.positional;
      return stashOf(first, {
        entry: first === "branch" ? b : a,
        scope: { words: wordsToKeep(parsed), listed: false },
      });
    }
    case "clear":
    case "store":
      return stashOf(first, {});
    default:
      return { kind: "read", index: first === "create" };
  }
}

function push(parsed: ParsedOptions): Effect {
  const byHand = isOn(parsed, "patch");
  return stashOf("push", {
    selection: selectionOf(parsed),
    hits: hitsOf(parsed),
    scope: { words: wordsToKeep(parsed), listed: !byHand },
  });
}

/** The old form: all that is no option is the message. */
function save(parsed: ParsedOptions): Effect {
  const message = parsed.positional.join(" ");
  const words = message === "" ? [] : [`--message=${message}`];
  return stashOf("push", {
    hits: hitsOf(parsed),
    scope: { words: [...wordsToKeep(parsed), ...words], listed: !isOn(parsed, "patch") },
  });
}

function hitsOf(parsed: ParsedOptions): Stash["hits"] {
  if (isOn(parsed, "staged")) return { ...NO_HITS, staged: true };
  const all = isOn(parsed, "all");
  return {
    ...NO_HITS,
    unstaged: true,
    staged: true,
    untracked: all || isOn(parsed, "include-untracked"),
    ignored: all,
  };
}

export function stashOf(action: Stash["action"], what: Partial<Stash>): Effect {
  return {
    kind: "stash",
    action,
    entry: undefined,
    selection: WHOLE_TREE,
    hits: NO_HITS,
    scope: { words: [], listed: false },
    ...what,
  };
}

/** Every entry is dropped, whatever the command. */
export const CLEARED: Effect = stashOf("clear", {});
