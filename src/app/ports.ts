import type { ProcessId } from "../domain/sessions.ts";

/** What the use cases need of the world; `src/adapters` provides it. */
export interface Ports {
  readonly now: () => number;
  readonly processes: Processes;
  readonly spool: Spool;
  readonly views: Views;
}

export interface Processes {
  /** The identity of a running process; `undefined` if there is none with this pid. */
  readonly identify: (pid: number) => ProcessId | undefined;
  /** True only if the process is proven gone. Whatever is ambiguous is alive. */
  readonly isGone: (process: ProcessId) => boolean;
}

/** One thing a shell hook left for the next fold. */
export type Spooled =
  | { readonly kind: "seen"; readonly session: string; readonly at: number }
  | {
      readonly kind: "wrote";
      readonly session: string;
      readonly agent?: string | undefined;
      readonly at: number;
      readonly tool: string;
      readonly tree: string;
      readonly path: string;
      /** Names the entry to `done`. */
      readonly entry: string;
    };

export interface Spool {
  /** What is there, oldest first, a bounded number at a time; what cannot be read is dropped. */
  readonly drain: () => Spooled[];
  /** Forgets entries whose events are in the log. */
  readonly done: (entries: readonly string[]) => void;
  /** Notes that pre-commit has checked what this git process commits; and forgets it again. */
  readonly markChecked: (gitPid: string) => void;
  readonly unmarkChecked: (gitPid: string) => void;
  /** Removes what sessions that are not live, and git processes of long ago, left behind. */
  readonly prune: (live: ReadonlySet<string>) => void;
}

/** Small files that shell hooks read instead of the log; they only ever err on the side of asking. */
export interface Views {
  /** Before a session's first event is appended. */
  readonly addLive: (session: string) => void;
  /** After its last event was appended. */
  readonly removeLive: (session: string) => void;
  /** Removes what sessions that are not live left behind a while ago. */
  readonly prune: (live: ReadonlySet<string>) => void;
}

/** What the use cases ask of git, in the working tree they run in. */
export interface Git {
  /** Paths that the commit being made changes against HEAD; both names of a rename, deletions too. */
  readonly stagedPaths: () => string[];
  /** Paths that the merge, cherry-pick or revert in progress has changed by itself; none if there is none. */
  readonly broughtPaths: () => string[];
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
