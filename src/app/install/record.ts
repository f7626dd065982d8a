/**
 * `signalbox/runtime/install.json`: what install has touched, and how it was before. Written before anything of
 * the user's is changed, so that whatever is interrupted can be gone on with or taken back.
 */
import { createHash } from "node:crypto";
import type { Runtime } from "./entry.ts";
import { ABSENT, type Bytes, type FileState, type Role } from "./model.ts";

export const RECORD_FORMAT = 1;

/** Where Claude Code's hooks are. */
export type ClaudeMode = "local" | "shared" | "plugin";

/** How git's hooks are installed. */
export type GitMode = "files" | "config";

/** How a file was. `moved`: it lies there, unchanged. */
export type Kept =
  | { readonly kind: "absent" }
  | { readonly kind: "file"; readonly mode: number; readonly text?: string; readonly base64?: string }
  | { readonly kind: "link"; readonly target: string }
  | { readonly kind: "moved"; readonly to: string };

export interface Touched {
  /** Relative to the git common dir: a repository that moves as a whole takes its record along. */
  readonly path: string;
  readonly role: Role;
  readonly before: Kept;
  /** The name that the user's hook was kept under, relative likewise. */
  readonly chained?: string;
  /** Hashes of what we may have left there since; anything else is the user's change. */
  readonly written: readonly string[];
}

export interface InstallRecord {
  readonly format: number;
  readonly version: string;
  readonly claude: ClaudeMode;
  readonly git: GitMode;
  readonly trackedHooks: boolean;
  readonly runtime: Runtime;
  readonly touched: readonly Touched[];
  /** Folders that install made, relative to the git common dir, outermost first. */
  readonly folders: readonly string[];
  /** What was left alone, and why. */
  readonly skipped: readonly Skipped[];
}

export interface Skipped {
  /** Absolute. */
  readonly path: string;
  readonly why: string;
}

/** @throws TypeError if it is none, or of a newer format */
export function parseRecord(text: string): InstallRecord {
  const value = JSON.parse(text) as Partial<InstallRecord> | null;
  if (typeof value?.format !== "number") throw new TypeError("it is not a record of an install");
  if (value.format > RECORD_FORMAT)
    throw new TypeError(
      `its format is ${value.format}, this program knows ${RECORD_FORMAT}; use a newer one`,
    );
  if (!Array.isArray(value.touched) || !Array.isArray(value.folders) || value.runtime === undefined)
    throw new TypeError("it is not complete");
  return value as InstallRecord;
}

export function renderRecord(record: InstallRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

export function keep(state: FileState): Kept {
  if (state.kind === "link")
    return { kind: "link", target: Buffer.from(state.target, "latin1").toString("base64") };
  if (state.kind !== "file") return { kind: "absent" };
  const bytes = Buffer.from(state.bytes, "latin1");
  const asText = bytes.toString("utf8");
  return Buffer.from(asText, "utf8").equals(bytes)
    ? { kind: "file", mode: state.mode, text: asText }
    : { kind: "file", mode: state.mode, base64: bytes.toString("base64") };
}

/** @param read reads a file that was moved */
export function restored(kept: Kept, read: (path: string) => FileState): FileState {
  switch (kept.kind) {
    case "absent":
      return ABSENT;
    case "moved":
      return read(kept.to);
    case "link":
      return { kind: "link", target: Buffer.from(kept.target, "base64").toString("latin1") };
    case "file": {
      const bytes =
        kept.base64 === undefined ? Buffer.from(kept.text ?? "", "utf8") : Buffer.from(kept.base64, "base64");
      return { kind: "file", mode: kept.mode, bytes: bytes.toString("latin1") };
    }
  }
}

/** What a state is recognised by; a changed mode alone does not make it another's. */
export function hashOf(state: FileState): string {
  const content: Bytes =
    state.kind === "file" ? state.bytes : state.kind === "link" ? `link ${state.target}` : state.kind;
  return createHash("sha256").update(Buffer.from(content, "latin1")).digest("hex");
}
