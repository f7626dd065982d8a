import {
  type Discard,
  type Effect,
  NO_HITS,
  type Resolve,
  type Selection,
  WHOLE_TREE,
} from "./git-command-operation.ts";
import { isOn, parseOptions, type ParsedOptions, valueOf, wordsWithout } from "./git-command-options.ts";
import { tableOf } from "./git-command-tables.ts";

const PATHSPEC_OPTIONS = ["pathspec-from-file", "pathspec-file-nul"];
const UNCHANGED: Effect = { kind: "read", index: true };

/** What the rest of the words names, or the file they are in. */
export function selectionOf(parsed: ParsedOptions, pathspecs = parsed.positional): Selection {
  return { pathspecs, file: valueOf(parsed, "pathspec-from-file") };
}

/** Options to keep when the paths are replaced. */
export function wordsToKeep(parsed: ParsedOptions, ...dropped: string[]): string[] {
  return wordsWithout(parsed, [...PATHSPEC_OPTIONS, ...dropped]);
}

export function isEmpty({ pathspecs, file }: Selection): boolean {
  return pathspecs.length === 0 && file === undefined;
}

function discard(selection: Selection, what: Partial<Discard>): Effect {
  return { kind: "discard", selection, hits: NO_HITS, from: undefined, exact: [], scope: undefined, ...what };
}

export function classifyAdd(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("add"), args);
  if (isOn(parsed, "dry-run", "refresh")) return UNCHANGED;
  const selection = selectionOf(parsed);
  const byHand = isOn(parsed, "interactive", "patch", "edit");
  const everywhere = byHand || isOn(parsed, "all", "update", "renormalize");
  if (isEmpty(selection) && !everywhere) return UNCHANGED;
  const rigid = isOn(parsed, "renormalize") || valueOf(parsed, "chmod") !== undefined;
  const keepsDeleted =
    isOn(parsed, "ignore-removal") || parsed.options.some((o) => o.name === "all" && !o.on);
  return {
    kind: "stage",
    selection,
    untracked: !isOn(parsed, "update", "renormalize", "patch", "edit"),
    ignored: isOn(parsed, "force"),
    deleted: !keepsDeleted,
    scope: rigid
      ? undefined
      : { words: wordsToKeep(parsed, "all", "update", "ignore-removal"), listed: !byHand },
  };
}

export function classifyRm(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("rm"), args);
  const selection = selectionOf(parsed);
  if (isOn(parsed, "dry-run") || isEmpty(selection)) return UNCHANGED;
  if (isOn(parsed, "cached")) return { kind: "index", removes: true, selection };
  return discard(selection, { hits: { ...NO_HITS, unstaged: true, staged: true, clean: true } });
}

export function classifyMv(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("mv"), args);
  const sources = parsed.positional.slice(0, -1);
  const target = parsed.positional.at(-1);
  if (isOn(parsed, "dry-run") || sources.length === 0 || target === undefined) return UNCHANGED;
  const folder = target.replace(/\/+$/, "");
  // The target is a name or a folder that they go into; without -f nothing is overwritten.
  const exact = isOn(parsed, "force")
    ? [target, ...sources.map((source) => `${folder}/${source.replace(/\/+$/, "").split("/").at(-1)}`)]
    : [];
  const hits = { unstaged: true, staged: true, untracked: true, ignored: true, clean: true };
  return discard({ pathspecs: sources, file: undefined }, { hits, exact });
}

export function classifyRestore(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("restore"), args);
  const selection = selectionOf(parsed);
  const staged = isOn(parsed, "staged");
  const worktree = isOn(parsed, "worktree") || !staged;
  if (!worktree) return { kind: "index", removes: false, selection };
  if (isEmpty(selection) && !isOn(parsed, "patch")) return UNCHANGED;
  const source = valueOf(parsed, "source");
  const from = source ?? (staged ? "HEAD" : undefined);
  return discard(selection, {
    hits: { ...NO_HITS, unstaged: true, staged: from !== undefined },
    from: from === undefined || isHead(from) ? undefined : from,
    scope: { words: wordsToKeep(parsed), listed: !isOn(parsed, "patch") },
  });
}

export function classifyCheckout(args: readonly string[], resolve: Resolve): Effect {
  const parsed = parseOptions(tableOf("checkout"), args);
  const { positional, dashDash } = parsed;
  const branch = valueOf(parsed, "b", "B", "orphan");
  const force = isOn(parsed, "force");
  if (branch !== undefined || isOn(parsed, "detach")) {
    return {
      kind: "switch",
      to: positional[0],
      create: branch,
      orphan: valueOf(parsed, "orphan") !== undefined,
      detach: branch === undefined,
      force: force || isOn(parsed, "merge") || valueOf(parsed, "B") !== undefined,
    };
  }
  const { treeish, pathspecs } = splitCheckout(positional, dashDash, resolve);
  const selection = selectionOf(parsed, pathspecs);
  if (!isEmpty(selection) || isOn(parsed, "patch")) {
    return discard(selection, {
      hits: { ...NO_HITS, unstaged: true, staged: treeish !== undefined },
      from: treeish === undefined || isHead(treeish) ? undefined : treeish,
      scope: {
        words: [...wordsToKeep(parsed), ...(treeish === undefined ? [] : [treeish])],
        listed: !isOn(parsed, "patch"),
      },
    });
  }
  // Any other way to say HEAD detaches it.
  if (treeish === undefined || treeish === "HEAD") return force ? discardAll() : UNCHANGED;
  return {
    kind: "switch",
    to: treeish,
    create: undefined,
    orphan: false,
    detach: false,
    force: force || isOn(parsed, "merge"),
  };
}

/** Which words of `checkout` are paths; the rules are those of parse_branchname_arg in git's builtin/checkout.c. */
function splitCheckout(
  positional: readonly string[],
  dashDash: number | undefined,
  resolve: Resolve,
): { treeish: string | undefined; pathspecs: readonly string[] } {
  const [first, ...rest] = positional;
  if (first === undefined || dashDash === 0) return { treeish: undefined, pathspecs: positional };
  if (dashDash !== undefined) return { treeish: first, pathspecs: rest };
  if (first === "-" || resolve.isRevision(first)) return { treeish: first, pathspecs: rest };
  // A name that only a remote has makes a branch; a file of that name, or a pattern, is a path.
  const pathish = rest.length > 0 || resolve.isPath(first) || /^[.:/]|[*?[\]]/.test(first);
  return pathish ? { treeish: undefined, pathspecs: positional } : { treeish: first, pathspecs: [] };
}

/** `checkout -f`, and the like of it: the tree as HEAD has it. */
function discardAll(): Effect {
  return discard(WHOLE_TREE, { hits: { ...NO_HITS, unstaged: true, staged: true } });
}

export function classifySwitch(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("switch"), args);
  const anew = valueOf(parsed, "force-create");
  const orphan = valueOf(parsed, "orphan");
  const create = valueOf(parsed, "create") ?? anew ?? orphan;
  const to = parsed.positional[0];
  if (to === undefined && create === undefined && !isOn(parsed, "detach")) return UNCHANGED;
  return {
    kind: "switch",
    to,
    create,
    orphan: orphan !== undefined,
    detach: isOn(parsed, "detach"),
    force: anew !== undefined || isOn(parsed, "force", "discard-changes", "merge"),
  };
}

const RESET_MODES = ["soft", "mixed", "hard", "keep", "merge"] as const;

export function classifyReset(args: readonly string[], resolve: Resolve): Effect {
  const parsed = parseOptions(tableOf("reset"), args);
  const { positional, dashDash } = parsed;
  const [first] = positional;
  // Only the mixed one takes paths.
  const moves = isOn(parsed, "hard", "soft", "keep", "merge");
  const isTarget = (word: string) =>
    dashDash === undefined ? moves || resolve.isRevision(word) : dashDash > 0;
  const hasTarget = first !== undefined && isTarget(first);
  const selection = selectionOf(parsed, hasTarget ? positional.slice(1) : positional);
  if (!isEmpty(selection) || isOn(parsed, "patch")) return { kind: "index", removes: false, selection };
  const given = parsed.options.findLast((o) => o.on && RESET_MODES.some((mode) => mode === o.name));
  // An abbreviation of several modes would be refused by git; the hardest of them is assumed.
  const hard = isOn(parsed, "hard");
  return {
    kind: "reset",
    mode: hard ? "hard" : (RESET_MODES.find((mode) => mode === given?.name) ?? "mixed"),
    target: hasTarget && !isHead(first) ? first : "HEAD",
    quiet: isOn(parsed, "quiet"),
    intentToAdd: isOn(parsed, "intent-to-add"),
  };
}

export function classifyClean(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("clean"), args);
  if (isOn(parsed, "dry-run")) return UNCHANGED;
  const onlyIgnored = isOn(parsed, "X");
  return discard(selectionOf(parsed), {
    hits: { ...NO_HITS, untracked: !onlyIgnored, ignored: onlyIgnored || isOn(parsed, "x") },
    scope: { words: wordsToKeep(parsed), listed: false },
  });
}

export function classifyCheckoutIndex(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("checkout-index"), args);
  if (isOn(parsed, "temp") || valueOf(parsed, "prefix") !== undefined) return UNCHANGED;
  const everything = isOn(parsed, "all", "stdin");
  const selection = everything ? WHOLE_TREE : selectionOf(parsed);
  if (!everything && isEmpty(selection)) return UNCHANGED;
  return discard(selection, { hits: { ...NO_HITS, unstaged: true, untracked: isOn(parsed, "force") } });
}

export function classifyReadTree(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("read-tree"), args);
  if (isOn(parsed, "dry-run")) return UNCHANGED;
  if (!isOn(parsed, "u")) return { kind: "index", removes: false, selection: WHOLE_TREE };
  const trees = parsed.positional;
  return discard(WHOLE_TREE, {
    hits: { ...NO_HITS, unstaged: true, staged: true },
    from: trees.length === 1 && isHead(trees[0]!) ? undefined : trees.at(-1),
  });
}

export function classifyApply(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("apply"), args);
  const looks = isOn(parsed, "stat", "numstat", "summary", "check");
  if (looks && !isOn(parsed, "apply")) return UNCHANGED;
  if (isOn(parsed, "cached")) return { kind: "index", removes: false, selection: WHOLE_TREE };
  const files = parsed.positional;
  const byStdin = files.length === 0 || files.includes("-");
  const limits = parsed.options.filter((o) =>
    ["p", "directory", "include", "exclude", "reverse"].includes(o.name),
  );
  return { kind: "write", patch: byStdin ? undefined : [...limits.map((o) => o.word), "--", ...files] };
}

export function classifyMergeFile(args: readonly string[]): Effect {
  const parsed = parseOptions(tableOf("merge-file"), args);
  const [file] = parsed.positional;
  if (file === undefined || isOn(parsed, "stdout", "object-id")) return UNCHANGED;
  const hits = { unstaged: true, staged: true, untracked: true, ignored: true, clean: true };
  return discard({ pathspecs: [file], file: undefined }, { hits });
}

/** Settings of a sparse checkout are a gitdir's own, but the files that go or come are in the tree of all. */
export function classifySparse([first = ""]: readonly string[]): Effect {
  return /^(list|check-rules|)$/.test(first) ? UNCHANGED : { kind: "rebase", verb: "sparse-checkout" };
}

export function classifySubmodule(args: readonly string[]): Effect {
  const words = args.filter((arg) => !/^(-q|--quiet|--cached)$/.test(arg));
  const [first = "status", ...rest] = words;
  if (first === "update" || first === "deinit") {
    const at = rest.indexOf("--");
    const paths = at >= 0 ? rest.slice(at + 1) : [];
    const hits = { ...NO_HITS, unstaged: true, staged: true, untracked: true, clean: true };
    return discard({ pathspecs: paths, file: undefined }, { hits });
  }
  // Settings and new entries of its own; `foreach` calls git again.
  return /^(add|init|set-branch|set-url|sync|absorbgitdirs)$/.test(first)
    ? { kind: "index", removes: false, selection: WHOLE_TREE }
    : UNCHANGED;
}

/** Ways to say HEAD that need no look-up. */
export function isHead(revision: string): boolean {
  return /^(HEAD|@)([~^]0)?$/.test(revision);
}
