/** What install and uninstall plan with: files as they are, files as they shall be. */

/** File contents, one character a byte (latin1), so that nothing is lost on the way through a string. */
export type Bytes = string;

export type FileState =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly bytes: Bytes; readonly mode: number }
  | { readonly kind: "link"; readonly target: Bytes }
  /** A directory, a socket …: never touched. */
  | { readonly kind: "other" };

export const ABSENT: FileState = { kind: "absent" };

/** Whose file it is and how our part in it is told apart. */
export type Role = "own" | "record" | "exclude" | "config" | "git-hook" | "chained" | "settings";

/** One file to be replaced, made or removed, all at once. */
export interface Change {
  readonly path: string;
  readonly role: Role;
  readonly before: FileState;
  readonly after: FileState;
  /** The file that `after` is now; it is linked or renamed here rather than written anew. */
  readonly from?: string;
}

/** One row of hooks/manifest.ts, as far as settings need it. */
export interface ClaudeHookSpec {
  readonly name: string;
  readonly event: string;
  readonly matcher?: string;
  readonly mode: "spool" | "record" | "decide";
  readonly when: "always" | "live" | "others" | "news";
  readonly timeoutS: number;
  /** It runs in the background, and wakes its session if it ends with 2. */
  readonly rewake?: boolean;
}

/** One row of hooks/manifest.ts, as far as hook files need it. */
export interface GitHookSpec {
  readonly name: string;
  readonly mode: "spool" | "record" | "decide";
  readonly when: "always" | "live" | "others" | "news";
  readonly stdin: boolean;
}

export interface HookTable {
  readonly claude: readonly ClaudeHookSpec[];
  readonly git: readonly GitHookSpec[];
}

/** A file of the user's is in the way of the plan; nothing has been changed. */
export class InstallProblem extends Error {
  override readonly name = "InstallProblem";
}

export function file(bytes: Bytes, mode = 0o644): FileState {
  return { kind: "file", bytes, mode };
}

/** Text as bytes. */
export function utf8(text: string): Bytes {
  return Buffer.from(text, "utf8").toString("latin1");
}

/** Bytes as text. */
export function text(bytes: Bytes): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

export function sameState(a: FileState, b: FileState): boolean {
  if (a.kind === "file" && b.kind === "file") return a.bytes === b.bytes && a.mode === b.mode;
  if (a.kind === "link" && b.kind === "link") return a.target === b.target;
  return a.kind === b.kind && a.kind !== "other";
}
