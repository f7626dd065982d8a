import { type GitCommand, type NoCommand } from "./git-command.ts";
import {
  classifyCommit,
  classifyPick,
  classifyMerge,
  classifyPull,
  classifyRebase,
} from "./git-command-history.ts";
import type { Effect, Operation, Resolve } from "./git-command-operation.ts";
import {
  classifyBranch,
  classifyFetch,
  classifyReflog,
  classifySymbolicRef,
  classifyUpdateRef,
  classifyWorktree,
} from "./git-command-refs.ts";
import { classifyStash } from "./git-command-stash.ts";
import * as tree from "./git-command-tree.ts";

type Classifier = (args: readonly string[], resolve: Resolve) => Effect;

const READ: Effect = { kind: "read", index: false };
const LOOK: Effect = { kind: "read", index: true };
const UPKEEP: Effect = { kind: "maintenance", removesTree: undefined };

const readers = (line: string, effect: Effect): [string, Classifier][] =>
  line.split(/\s+/).map((verb) => [verb, () => effect]);

/** Neither looks at the index (but for `:path`) nor changes the tree, the index or a branch. */
const READS =
  "annotate archive blame bugreport bundle cat-file check-mailmap check-ref-format cherry clone column commit-tree " +
  "config count-objects credential credential-cache credential-cache--daemon credential-store cvsserver daemon " +
  "diagnose diff-tree fast-export fetch-pack fmt-merge-msg for-each-ref for-each-repo format-patch format-rev fsck " +
  "fsck-objects get-tar-commit-id hash-object help hook http-backend http-fetch http-push imap-send index-pack init " +
  "init-db instaweb interpret-trailers last-modified log ls-remote ls-tree mailinfo mailsplit merge-base merge-tree mktag " +
  "mktree name-rev notes pack-objects pack-redundant patch-id pickaxe push range-diff receive-pack remote remote-ext " +
  "remote-fd remote-ftp remote-ftps remote-http remote-https replace repo request-pull rev-list rev-parse send-email " +
  "send-pack sh-i18n--envsubst shell shortlog show show-branch show-index show-ref stripspace tag unpack-file " +
  "unpack-objects upload-archive upload-archive--writer upload-pack url-parse var verify-commit verify-pack verify-tag " +
  "version web--browse whatchanged env--helper";

/** The same, through the index. */
const LOOKS =
  "check-attr check-ignore describe diff diff-files diff-index diff-pairs difftool difftool--helper grep ls-files " +
  "mergetool rerere status write-tree";

/** What git calls by itself, with an environment of its own. */
const INTERNAL = "add--interactive bisect--helper checkout--worker submodule--helper";

const UPKEEPS =
  "backfill commit-graph fsmonitor--daemon gc maintenance multi-pack-index pack-refs prune prune-packed refs " +
  "repack update-server-info";

const WHOLE_REWRITES = "filter-branch filter-repo history quiltimport replay";
const MERGE_DRIVERS =
  "merge-index merge-octopus merge-one-file merge-ours merge-recursive merge-recursive-ours merge-recursive-theirs merge-resolve merge-subtree";

const driver = (verb: string): Effect => ({
  kind: "merge",
  verb,
  commits: undefined,
  autostash: false,
  ff: undefined,
  rebase: false,
  commit: false,
});

const CLASSIFIERS = new Map<string, Classifier>([
  ...readers(READS, READ),
  ...readers(LOOKS, LOOK),
  ...readers(INTERNAL, { kind: "unknown", why: "git's own helper" }),
  ...readers("gui citool gitk gitweb cvsimport cvsexportcommit archimport", {
    kind: "unknown",
    why: "a program of its own",
  }),
  ...readers(UPKEEPS, UPKEEP),
  ...WHOLE_REWRITES.split(" ").map((verb): [string, Classifier] => [verb, () => ({ kind: "rebase", verb })]),
  ...MERGE_DRIVERS.split(" ").map((verb): [string, Classifier] => [verb, () => driver(verb)]),
  ["add", tree.classifyAdd],
  ["stage", tree.classifyAdd],
  ["rm", tree.classifyRm],
  ["mv", tree.classifyMv],
  ["checkout", tree.classifyCheckout],
  ["switch", tree.classifySwitch],
  ["restore", tree.classifyRestore],
  ["reset", tree.classifyReset],
  ["clean", tree.classifyClean],
  ["checkout-index", tree.classifyCheckoutIndex],
  ["read-tree", tree.classifyReadTree],
  ["apply", tree.classifyApply],
  ["merge-file", tree.classifyMergeFile],
  ["update-index", () => ({ kind: "index", removes: false, selection: { pathspecs: [], file: undefined } })],
  ["sparse-checkout", tree.classifySparse],
  ["submodule", tree.classifySubmodule],
  ["commit", classifyCommit],
  ["merge", classifyMerge],
  ["pull", classifyPull],
  ["cherry-pick", (args) => classifyPick("cherry-pick", args)],
  ["revert", (args) => classifyPick("revert", args)],
  ["rebase", classifyRebase],
  ["am", (args) => classifyPick("am", args)],
  ["bisect", classifyBisect],
  ["stash", classifyStash],
  ["branch", classifyBranch],
  ["update-ref", classifyUpdateRef],
  ["symbolic-ref", classifySymbolicRef],
  ["fetch", classifyFetch],
  ["reflog", classifyReflog],
  ["fast-import", () => ({ kind: "ref", refs: undefined })],
  ["worktree", classifyWorktree],
  [
    "svn",
    ([first = ""]) =>
      /^(rebase|dcommit|reset|set-tree)$/.test(first) ? { kind: "rebase", verb: "svn" } : READ,
  ],
  [
    "p4",
    ([first = ""]) => (/^(rebase|submit|sync|clone)$/.test(first) ? { kind: "rebase", verb: "p4" } : READ),
  ],
  ["subtree", ([first = ""]) => (/^(split|push)$/.test(first) ? READ : driver("subtree"))],
]);

/** Whether git has a command of that name that is judged on purpose; it cannot be an alias. */
export function isKnownVerb(verb: string): boolean {
  return CLASSIFIERS.has(verb);
}

/** What a call does. Asks `resolve` only where git itself would look. Never throws. */
export function classify(command: GitCommand | NoCommand, resolve: Resolve): Operation {
  if (command.kind === "none")
    return command.why === "information"
      ? { ...READ, command: undefined }
      : { kind: "unknown", why: command.why, command: undefined };
  return { ...effectOf(command, resolve), command };
}

function effectOf({ verb, args }: GitCommand, resolve: Resolve): Effect {
  const classifier = CLASSIFIERS.get(verb);
  if (classifier === undefined) return { kind: "unknown", why: "not a command of git's" };
  if (args[0] === "--help" || (args.length === 1 && args[0] === "-h")) return READ;
  const effect = classifier(args, resolve);
  // `git show :a.txt` is the file as it is staged.
  const throughIndex = effect === READ && args.some((arg) => arg.startsWith(":"));
  return throughIndex ? LOOK : effect;
}

function classifyBisect([first = ""]: readonly string[]): Effect {
  if (/^(log|view|visualize|terms|help|)$/.test(first)) return READ;
  if (first === "reset") return { kind: "step", of: "bisect", step: "abort" };
  return { kind: "rebase", verb: "bisect" };
}
