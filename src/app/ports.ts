import type { ProcessId } from "../domain/sessions.ts";
import type { TrackedTask } from "../domain/tracked.ts";
import type { Needs } from "../policy/guard-facts.ts";
import type { Relations } from "../policy/mod.ts";

/** What the use cases need of the world; `src/adapters` provides it. */
export interface Ports {
  readonly now: () => number;
  readonly processes: Processes;
  readonly spool: Spool;
  readonly views: Views;
  /** How files belong together, as far as it has been found out; read once a process. */
  readonly relations: () => Relations;
}

export interface Processes {
  /** The identity of a running process; `undefined` if there is none with this pid. */
  readonly identify: (pid: number) => ProcessId | undefined;
  /** True only if the process is proven gone. Whatever is ambiguous is alive. */
  readonly isGone: (process: ProcessId) => boolean;
  /**
   * Whether a process lives that this one has started at that time (ms) or later; `undefined` where the system does
   * not tell. It looks at all processes there are.
   */
  readonly hasChildSince: (process: ProcessId, since: number) => boolean | undefined;
}

/** One thing a shell hook left for the next fold. */
export type Spooled =
  /** Until then some hooks could not get into the log. */
  | { readonly kind: "unrecorded"; readonly at: number }
  | {
      readonly kind: "wrote";
      readonly session: string;
      readonly agent?: string | undefined;
      readonly at: number;
      readonly tool: string;
      readonly tree: string;
      readonly path: string;
      /** It was about to be written, by a session that was alone. */
      readonly isBefore: boolean;
      /** Names the entry to `done`. */
      readonly entry: string;
    };

/** A shell command of a session that has begun (ms). */
export interface Running {
  readonly session: string;
  readonly begin: number;
  /** In the background, or for longer than a command usually may: it may have ended unseen. */
  readonly background: boolean;
}

export interface Spool {
  /** What is there, oldest first, a bounded number at a time; what cannot be read is dropped. */
  readonly drain: () => Spooled[];
  /** When a shell hook of a session last ran (ms). */
  readonly lastSeen: (session: string) => number | undefined;
  /** Forgets entries whose events are in the log. */
  readonly done: (entries: readonly string[]) => void;
  /** The log says by now that up to then something is missing from it. */
  readonly doneUnrecorded: (at: number) => void;
  /** Shell commands whose end nobody has told of. */
  readonly commands: () => readonly Running[];
  /** Notes that pre-commit has checked what this git process commits; and forgets it again. */
  readonly markChecked: (gitPid: string) => void;
  readonly unmarkChecked: (gitPid: string) => void;
  /** Keeps what this git process's commit left out, until after the commit. */
  readonly markLeftOut: (gitPid: string, paths: readonly string[]) => void;
  readonly takeLeftOut: (gitPid: string) => readonly string[];
  /** Which of these canonical paths of a working tree a session has read of late. */
  readonly read: (session: string, tree: string, paths: readonly string[]) => ReadonlySet<string>;
  /** Notes that it reads one; `path` as its tool was given it. */
  readonly markRead: (session: string, path: string) => void;
  /** Removes what sessions that are not live, and git processes of long ago, left behind. */
  readonly prune: (live: ReadonlySet<string>) => void;
}

/** Small files that shell hooks read instead of the log; they only ever err on the side of asking. */
export interface Views {
  /** Before a session's first event is appended. */
  readonly addLive: (session: string) => void;
  /** Before a session may first write in a working tree. */
  readonly addIn: (session: string, tree: string) => void;
  /** Where a session's `git` works; without a gitdir it is on its own only in the guard's eyes. */
  readonly setHome: (session: string, home: Home) => void;
  /** After its last event was appended. */
  readonly removeLive: (session: string) => void;
  /** There is something to tell the session; it is about to be told. */
  readonly someNews: (session: string) => void;
  readonly noNews: (session: string) => void;
  readonly hasNews: (session: string) => boolean;
  /** These sessions, and no others, have a place in the queue for files. */
  readonly setWaiting: (sessions: ReadonlySet<string>) => void;
  /** Sessions are coordinated (`src/policy/coordination.ts`); while they are not, edits are only noted. */
  readonly setTogether: (together: boolean) => void;
  /** In this working tree there may be work of sessions that are not there any more; there is none. */
  readonly someLeft: (tree: string) => void;
  readonly noneLeft: (tree: string) => void;
  /** Removes what sessions that are not live left behind a while ago. */
  readonly prune: (live: ReadonlySet<string>) => void;
}

/** What the text of a command lets one look for, and no more. */
export interface Touched {
  /** "any": it does not say which. */
  readonly tasks: readonly string[] | "any";
  /** Those it tries to take. */
  readonly claims: readonly string[];
}

/**
 * Where tasks live that this log alone does not know (docs/tasks.md). Nothing that it is asked takes longer than a
 * few seconds; no answer in that time is `undefined`, and never a grant.
 */
export interface Tracker {
  /** "beads": as events name it. */
  readonly name: string;
  /** What its user is called there, or would be; "" is unknown. */
  readonly user: string;
  /** What a shell command may have done to its tasks; `undefined` is nothing. */
  readonly touchedBy: (command: string) => Touched | undefined;
  /** These tasks; those it does not know are left out. */
  readonly read: (tasks: readonly string[]) => readonly TrackedTask[] | undefined;
  /** All that somebody works on. */
  readonly taken: () => readonly TrackedTask[] | undefined;
  /** All that could be taken now. */
  readonly ready: () => readonly TrackedTask[] | undefined;
  /** Takes a task, unless it is somebody's: whether it went through is to be read afterwards. */
  readonly claim: (task: string, actor: string) => void;
  /** Writes whose a task is, or that it is done. @throws Error saying why it could not */
  readonly write: (task: string, status: "open" | "closed" | "taken", actor: string) => void;
}

/** A working tree, and the gitdir that people's git uses in it. */
export interface TreeAt {
  readonly commonDir: string;
  /** The common dir for the main working tree, else `<common>/worktrees/<id>`. */
  readonly nativeGitDir: string;
  readonly top: string;
}

/** Where a session's `git` works: what the shim reads (`views/home/<session>`). */
export interface Home extends TreeAt {
  readonly tree: string;
  /** Its private gitdir; "" if it has none. */
  readonly gitDir: string;
  /** The repository has a file-system monitor configured. */
  readonly fsmonitor: boolean;
}

/** What carrying an index forward to HEAD came to. */
export type Healed =
  | { readonly kind: "current" }
  | {
      readonly kind: "healed";
      readonly from: string;
      readonly to: string;
      /** Staged paths whose content was merged with HEAD's, and those that are unmerged now. */
      readonly merged: readonly string[];
      readonly conflicted: readonly string[];
    }
  | { readonly kind: "deferred"; readonly why: string };

/** The private gitdirs of one working tree's sessions, and every index of that tree. */
export interface Gitdirs {
  readonly at: TreeAt;
  /** The session's own gitdir, made if need be; `none` where there cannot be one now. */
  readonly ensure: (session: string) =>
    | {
        readonly kind: "created" | "there";
        readonly id: string;
        readonly gitDir: string;
        readonly base: string;
      }
    | { readonly kind: "none"; readonly why: string };
  /** The path of a private gitdir that is there. */
  readonly find: (id: string) => string | undefined;
  /** Removes a private gitdir; what is staged in it is under a ref then. */
  readonly remove: (
    id: string,
    session: string,
  ) => { readonly rescue?: string | undefined; readonly paths: readonly string[] };
  /** What is staged in a private gitdir, and not otherwise in the index that people use, is staged there too. */
  readonly handOver: (gitDir: string) => readonly string[];
  /** All private gitdirs of this tree. */
  readonly all: () => readonly { readonly id: string; readonly gitDir: string; readonly session: string }[];
  /** The tree's own HEAD names the branch that this private gitdir has switched to. */
  readonly lead: (gitDir: string) => void;
  /** A private gitdir's HEAD names the branch that the tree is on, or none. */
  readonly follow: (gitDir: string) => string;
  /** The branch of what a private gitdir has to conclude, while the tree is on another. */
  readonly startedOn: (gitDir: string) => string | undefined;
  /** The index that people use is git's alone again: nobody is left whom it has to follow. */
  readonly forget: () => void;
  /** What is staged in people's index is relative to where they have reset to. */
  readonly followReset: () => void;
  /** Carries a gitdir's index forward to HEAD; `indexFile` where git works on another file of it in a commit. */
  readonly heal: (gitDir: string, indexFile?: string) => Healed;
  readonly fsmonitor: () => boolean;
}

/** What the use cases ask of git, in the working tree they run in. */
export interface Git {
  /** Paths that the commit being made changes against HEAD; both names of a rename, deletions too. */
  readonly stagedPaths: () => string[];
  /**
   * How the commit came by its index: `staged`: as it was; `all`: git has added to it (`-a`, `-i`, `-p`); `only`:
   * git has made one of HEAD and the named paths.
   */
  readonly commitMode: () => "staged" | "all" | "only";
  /** Paths that were staged before git added to them. */
  readonly stagedBefore: () => string[];
  /** Takes paths out of what is to be committed: their entries are HEAD's again. */
  readonly leaveOut: (paths: readonly string[]) => void;
  /** The same in the gitdir's own index, after the commit. */
  readonly unstage: (paths: readonly string[]) => void;
  /** Staged paths that are on disk, or are not, as in HEAD: nobody has changed them, yet the commit would. */
  readonly phantoms: (paths: readonly string[]) => Set<string>;
  /** Staged paths that a reset onto others' commits has left as they were before those. */
  readonly rewound: (paths: readonly string[]) => readonly string[];
  /** Paths that the merge, cherry-pick or revert in progress has changed by itself; none if there is none. */
  readonly broughtPaths: () => string[];
  /** Paths whose conflict was resolved in the index; git remembers until the index is made anew. */
  readonly resolvedPaths: () => string[];
  /** The commit HEAD is at; `undefined` before the first one. */
  readonly headCommit: () => CommitFacts | undefined;
  /** A merge, cherry-pick, revert or rebase is in progress. */
  readonly inOperation: () => boolean;
  /** The canonical key of a path as git names it: what reservations know it by. */
  readonly keyOf: (path: string) => string;
  /** Which of these paths have uncommitted changes, untracked ones included. */
  readonly dirty: (paths: readonly string[]) => Set<string>;
}

export interface CommitFacts {
  readonly commit: string;
  readonly parents: string[];
  /** Full name of the branch HEAD is on, if it is on one. */
  readonly branch?: string | undefined;
  readonly subject: string;
  readonly paths: string[];
}

/** What the guard asks of git, in the caller's directory and with the caller's index. Paths are as git names them. */
export interface GuardGit {
  readonly aliasOf: (word: string) => string | undefined;
  readonly isRevision: (word: string) => boolean;
  readonly isPath: (word: string) => boolean;
  /** Uncommitted work that matches. */
  readonly dirty: (what: {
    readonly pathspecs: readonly string[];
    readonly file: string | undefined;
    readonly exact: readonly string[];
    readonly untracked: boolean;
    readonly ignored: boolean;
  }) => readonly {
    readonly path: string;
    readonly staged: boolean;
    readonly unstaged: boolean;
    readonly state: "modified" | "deleted" | "added" | "untracked" | "ignored" | "unmerged";
  }[];
  /** Tracked paths that match. */
  readonly tracked: (pathspecs: readonly string[]) => readonly string[];
  /** Paths that a command would change; `undefined` if that cannot be told before it runs. */
  readonly touched: (by: NonNullable<Needs["touched"]>) => readonly string[] | undefined;
  /** Whether each of these commits has HEAD behind it or is behind HEAD; none: the upstream. */
  readonly isForward: (commits: readonly string[]) => boolean;
  readonly commitOf: (name: string) => string | undefined;
  /** Commits that are in one and not in the other, newest first; a bounded number. */
  readonly onlyIn: (tip: string, base: string) => readonly string[];
  /** Without refs/heads/; `undefined`: HEAD is detached. */
  readonly branch: () => string | undefined;
  readonly branches: () => readonly string[];
  /** Commits of the stash's entries, newest first. */
  readonly stash: () => readonly string[];
  /** A rebase, am or bisect in the tree's own gitdir, and the session that began it. */
  readonly moving: () => { readonly what: string; readonly by: string | undefined } | undefined;
  /** A merge, rebase … that waits, and who began it: "caller", a session, or nobody who is on record. */
  readonly inProgress: () => { readonly what: string; readonly by: string | undefined } | undefined;
  /** The commit that the rebase in progress began at. */
  readonly rebasedFrom: () => string | undefined;
  readonly setting: (name: string) => string | undefined;
  /** The working tree that a folder is in, as events name it. */
  readonly treeOf: (path: string) => string | undefined;
}

/** Where a branch stands to the one it is based on. */
export type Standing =
  | { readonly kind: "none"; readonly why: string }
  | {
      readonly kind: "branch";
      /** Short names, and the commits they are at. */
      readonly branch: string;
      readonly head: string;
      readonly base: string;
      readonly target: string;
      /** Commits that only the branch has, and only its base. */
      readonly ahead: number;
      readonly behind: number;
      /** Merge commits among its own, and those of its own that a remote has. */
      readonly merges: number;
      readonly published: number;
    };

/** Why a working tree cannot be moved now. */
export type Obstacle =
  | { readonly kind: "operation"; readonly what: string }
  | { readonly kind: "dirty"; readonly paths: readonly string[] }
  | { readonly kind: "staged"; readonly paths: readonly string[]; readonly session: string };

/** What coming up to its base would come to. */
export type Prediction =
  | { readonly kind: "current" }
  | { readonly kind: "forward" }
  | {
      readonly kind: "clean";
      readonly commits: number;
      /** What it comes to, made already, each commit beside the one that it replaces; without, git is to do it. */
      readonly replay?: { readonly tip: string; readonly rewritten: readonly (readonly [string, string])[] };
    }
  /** Its own merges: a rebase would take them apart. Its own commits that a remote has: others may build on them. */
  | { readonly kind: "merges" }
  | { readonly kind: "published" }
  | { readonly kind: "conflict"; readonly commit: string; readonly paths: readonly string[] };

export type SyncOutcome =
  | { readonly kind: "done"; readonly from: string; readonly to: string }
  /** It was not foreseen; all is as it was. */
  | { readonly kind: "conflict"; readonly paths: readonly string[] }
  /** Somebody else has moved the branch meanwhile: where it stands is to be found out anew. */
  | { readonly kind: "overtaken"; readonly why: string }
  | { readonly kind: "failed"; readonly why: string };

/** The branch of one working tree, and the one it is based on. */
export interface Branches {
  /** @param base a branch or commit; "auto": the upstream, else the default branch */
  readonly standing: (base: string) => Standing;
  readonly fetch: () => boolean;
  readonly obstacle: () => Obstacle | undefined;
  readonly predict: (standing: Extract<Standing, { kind: "branch" }>) => Prediction;
  readonly bringUp: (
    standing: Extract<Standing, { kind: "branch" }>,
    prediction: Extract<Prediction, { kind: "forward" | "clean" }>,
  ) => SyncOutcome;
}
