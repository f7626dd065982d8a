/** Whose a path, commit or stash entry is. */
export type Owner =
  | { readonly kind: "mine" }
  | {
      readonly kind: "session";
      readonly session: string;
      /** ms since the epoch */
      readonly since: number;
      readonly how: "reservation" | "edit" | "attributed";
    }
  /** Nobody's on record: a person's, or made by something unseen. */
  | { readonly kind: "unknown" };

/** A path with uncommitted work, or one that is unchanged and reserved. */
export interface DirtyPath {
  /** Relative to the top of the tree, as `canonicalPath` gives it. */
  readonly path: string;
  /** As git names it, where that differs: a file system may ignore case. */
  readonly name?: string | undefined;
  /** In the caller's index other than in HEAD. */
  readonly staged: boolean;
  /** On disk other than in the caller's index. An untracked path is not in the index. */
  readonly unstaged: boolean;
  readonly state: "modified" | "added" | "deleted" | "unmerged" | "untracked" | "ignored" | "clean";
  readonly owner: Owner;
}

export interface OwnedCommit {
  readonly commit: string;
  readonly owner: Owner;
}

export interface StashEntry {
  /** n of `stash@{n}`. */
  readonly n: number;
  readonly commit: string;
  readonly owner: Owner;
}

/**
 * What the judgement rests on. Only what `needsOf` asks for has to be there; a fact that is asked for and missing is
 * the caller's mistake and throws.
 */
export interface Facts {
  readonly now: number;
  /** The other sessions that are live in this working tree; the judgement is asked only if there are any. */
  readonly others: readonly string[];
  /** Since when each of them is there (ms), in the same order. */
  readonly othersSince?: readonly number[] | undefined;
  /** Absolute path of the tree's top, with `/`. */
  readonly top: string;
  /** The caller's directory (after `-C`) below the top: "" or "src/lib/". */
  readonly prefix: string;
  readonly ignoreCase?: boolean | undefined;
  /** The branch of this tree, without refs/heads/; undefined: detached. */
  readonly branch?: string | undefined;
  /** The branches of all working trees of the repository, this one's too. */
  readonly branches?: readonly string[] | undefined;
  readonly dirty?: readonly DirtyPath[] | undefined;
  /** What the command would change, as far as that is known before it runs; undefined: unknown. */
  readonly touched?: readonly string[] | undefined;
  /** What is merged has HEAD behind it, or is behind HEAD: there is nothing to merge three ways. */
  readonly forward?: boolean | undefined;
  /** Whose the commit at HEAD is. */
  readonly head?: Owner | undefined;
  /** Going to the target: commits that leave the branch (newest first), and how many come. */
  readonly moved?: { readonly dropped: readonly OwnedCommit[]; readonly gained: number } | undefined;
  /** Newest first. */
  readonly stash?: readonly StashEntry[] | undefined;
  /** A merge, rebase … that is not finished in the caller's gitdir; null: there is none. */
  readonly inProgress?: InProgress | null | undefined;
  /** A rebase, am or bisect that takes the working tree through commits, by whomever; null: there is none. */
  readonly moving?: InProgress | null | undefined;
  /** Settings in force, `-c` included; keys in lower case. `branch.<current>.rebase` is to be given as pull.rebase. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Sessions live in the working tree that the command removes. */
  readonly liveThere?: readonly string[] | undefined;
}

export interface InProgress {
  readonly what: string;
  readonly owner: Owner;
  /** The session that began it is gone, and does not come back to it. */
  readonly left?: boolean | undefined;
}

/** What to find out before `judge`; each costs git processes. What is not there is not needed. */
export interface Needs {
  /** Uncommitted paths; with pathspecs, those that match. */
  readonly dirty?: {
    readonly pathspecs: readonly string[];
    /** File that lists the pathspecs; for "-" (stdin) take the whole tree. */
    readonly file: string | undefined;
    /** Paths to be looked up besides, relative to the caller's directory and literal. */
    readonly exact: readonly string[];
    readonly untracked: boolean;
    readonly ignored: boolean;
    /** Reserved paths among those that match, though unchanged. */
    readonly clean: boolean;
  };
  /** Paths that would change. */
  readonly touched?:
    /** What a merge of each would change; empty: the upstream. */
    | { readonly by: "merge"; readonly commits: readonly string[] }
    /** `git diff-tree --name-only` of each commit (a range may be among them). */
    | { readonly by: "pick"; readonly commits: readonly string[] }
    /** `git diff --name-only HEAD <tree>` */
    | { readonly by: "tree"; readonly tree: string }
    /** `git apply --numstat -z` with these arguments */
    | { readonly by: "patch"; readonly args: readonly string[] };
  /** Whether these commits are ahead of HEAD or behind it; empty: the upstream. */
  readonly forward?: readonly string[];
  readonly head?: true;
  /** `<target>..HEAD` with owners and the number of `HEAD..<target>`; "rebase": the target is where the rebase began. */
  readonly moved?: { readonly target: string } | { readonly rebase: true };
  readonly stash?: true;
  readonly inProgress?: true;
  readonly moving?: true;
  readonly branch?: true;
  readonly branches?: true;
  /** Values of these settings. */
  readonly settings?: readonly string[];
  readonly liveThere?: string;
}

export type Verdict =
  /** As it is. */
  | { readonly kind: "go"; readonly note?: string }
  /** `argv` instead; with `paths`, those go to its stdin, each ended by NUL. */
  | {
      readonly kind: "scope";
      readonly argv: readonly string[];
      readonly paths?: readonly string[];
      readonly note: string;
      readonly leftOut: readonly string[];
    }
  | {
      readonly kind: "refuse";
      readonly reason: string;
      readonly paths: readonly string[];
      /** What goes on instead, a line each. */
      readonly offers: readonly string[];
    };
