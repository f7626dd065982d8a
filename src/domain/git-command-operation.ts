import type { GitCommand } from "./git-command.ts";

/** What only the repository can tell: `checkout x` is a branch or a file. */
export interface Resolve {
  /** Whether git takes the word for a commit or tree (`git rev-parse -q --verify <word>^{}`). */
  readonly isRevision: (word: string) => boolean;
  /** Whether a file of that name is there, or was tracked there. */
  readonly isPath: (word: string) => boolean;
}

/** Which paths a command names. */
export interface Selection {
  /** As given; none (and no `file`): nothing is named, which for most verbs means the whole tree. */
  readonly pathspecs: readonly string[];
  /** The file that lists them, `-` for stdin. */
  readonly file: string | undefined;
}

/** What happens to which kinds of paths: a kind that is true is lost, overwritten, moved or taken away. */
export interface Hits {
  /** Tracked, and on disk other than in the caller's index (deleted ones too). */
  readonly unstaged: boolean;
  /** In the caller's index other than in HEAD. */
  readonly staged: boolean;
  readonly untracked: boolean;
  readonly ignored: boolean;
  /** Tracked and unchanged: of interest if somebody has it reserved. */
  readonly clean: boolean;
}

/** A command whose path list can be replaced: `words` are its options, in full, without those that name paths. */
export interface Scopable {
  readonly words: readonly string[];
  /** Whether the verb takes `--pathspec-from-file` with these options, and its stdin is not needed. */
  readonly listed: boolean;
}

/** Looks only. `index`: at the index too, so a stale one has to be healed before. */
export interface Read {
  readonly kind: "read";
  readonly index: boolean;
}

/** Not git's own, or not understood: let through. */
export interface Unknown {
  readonly kind: "unknown";
  readonly why: string;
}

/** Puts what is on disk into the caller's index. */
export interface Stage {
  readonly kind: "stage";
  readonly selection: Selection;
  /** Whether it takes untracked files, ignored ones, deletions. */
  readonly untracked: boolean;
  readonly ignored: boolean;
  readonly deleted: boolean;
  /** Undefined: it does the same to unchanged files, so a list of changed ones cannot stand for it. */
  readonly scope: Scopable | undefined;
}

/** Changes the caller's index alone. `removes`: the commit after it deletes the selected paths. */
export interface IndexOnly {
  readonly kind: "index";
  readonly removes: boolean;
  readonly selection: Selection;
}

export interface Commit {
  readonly kind: "commit";
  /** `-a`: every tracked change, besides what is staged. */
  readonly all: boolean;
  /** `-i`: the selected paths besides what is staged. With neither and paths named: those alone. */
  readonly include: boolean;
  readonly selection: Selection;
  readonly amend: boolean;
  /** The pre-commit hook is not run. */
  readonly noVerify: boolean;
  /** Hunks are picked by hand. */
  readonly interactive: boolean;
  readonly allowEmpty: boolean;
  /** `given`: without an editor and without stdin, so a commit that lost a race may be made again as it is. */
  readonly message: "given" | "stdin" | "editor";
  readonly scope: Scopable;
}

/** Throws away or moves what is in the working tree. */
export interface Discard {
  readonly kind: "discard";
  readonly selection: Selection;
  readonly hits: Hits;
  /** The tree-ish that is written there; undefined: the index. Paths that differ in it are hit even if clean or untracked. */
  readonly from: string | undefined;
  /** Paths it overwrites besides, relative to the caller's directory. */
  readonly exact: readonly string[];
  readonly scope: Scopable | undefined;
}

/** Writes a patch into the working tree. */
export interface Write {
  readonly kind: "write";
  /** `git apply --numstat -z` with these arguments lists the paths; undefined if it comes by stdin. */
  readonly patch: readonly string[] | undefined;
}

/** `git reset` without paths: no compare-and-swap protects the branch. */
export interface Reset {
  readonly kind: "reset";
  readonly mode: "soft" | "mixed" | "hard" | "keep" | "merge";
  /** "HEAD" if none is named. */
  readonly target: string;
  readonly quiet: boolean;
  readonly intentToAdd: boolean;
}

/** Puts HEAD on another branch or commit, and the tree with it. */
export interface Switch {
  readonly kind: "switch";
  readonly to: string | undefined;
  /** A branch that is made or, with `force`, set anew. */
  readonly create: string | undefined;
  readonly orphan: boolean;
  readonly detach: boolean;
  /** Local changes are thrown away or merged in. */
  readonly force: boolean;
}

/** Brings in changes of commits: merge, pull, cherry-pick, revert. */
export interface Merge {
  readonly kind: "merge";
  readonly verb: string;
  /** What is merged or picked; empty: the upstream. Undefined: only known while it runs. */
  readonly commits: readonly string[] | undefined;
  readonly autostash: boolean | undefined;
  /** pull: true, false, or as the settings say. */
  readonly rebase: boolean | undefined;
  /** Whether it may make a commit. */
  readonly commit: boolean;
  /** merge, pull: "only" brings the branch forward or fails, "no" always merges; else as the settings say. */
  readonly ff: "only" | "no" | "yes" | undefined;
}

/** Rewrites commits, or walks the tree through several: rebase, am, bisect, filter-branch. */
export interface Rebase {
  readonly kind: "rebase";
  readonly verb: string;
}

/** Goes on with what is in progress, or ends it. */
export interface Step {
  readonly kind: "step";
  readonly of: "merge" | "rebase" | "cherry-pick" | "revert" | "am" | "bisect";
  readonly step: "abort" | "continue" | "skip" | "quit";
}

/** Moves, renames or deletes refs, without the tree. */
export interface Ref {
  readonly kind: "ref";
  /** Full names (`refs/heads/x`, `HEAD`); undefined: read from stdin. */
  readonly refs: readonly string[] | undefined;
}

export interface Stash {
  readonly kind: "stash";
  readonly action: "push" | "pop" | "apply" | "drop" | "clear" | "store" | "branch";
  /** As given: `2`, `stash@{2}`, a commit; undefined: the newest. */
  readonly entry: string | undefined;
  readonly selection: Selection;
  /** What a push takes. */
  readonly hits: Hits;
  readonly scope: Scopable;
}

/** The repository's upkeep: objects, reflogs, worktree entries, settings. */
export interface Maintenance {
  readonly kind: "maintenance";
  /** A linked working tree that it removes whatever is in it. */
  readonly removesTree: string | undefined;
}

export type Effect =
  | Read
  | Unknown
  | Stage
  | IndexOnly
  | Commit
  | Discard
  | Write
  | Reset
  | Switch
  | Merge
  | Rebase
  | Step
  | Ref
  | Stash
  | Maintenance;

/** What a call of git does, as far as others in the same working tree are concerned. */
export type Operation = Effect & { readonly command: GitCommand | undefined };

export const WHOLE_TREE: Selection = { pathspecs: [], file: undefined };
export const NO_HITS: Hits = {
  unstaged: false,
  staged: false,
  untracked: false,
  ignored: false,
  clean: false,
};
