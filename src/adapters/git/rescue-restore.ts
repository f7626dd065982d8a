/** Puts back what a rescue holds; what is there meanwhile is never lost. */
import {
  chmodSync,
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { childProcess } from "../child-process.ts";
import { parseRaw } from "../../domain/staged-delta.ts";
import { readRescue, saveRescue } from "./rescue.ts";
import {
  type Entry,
  entriesAt,
  hashContents,
  headCommit,
  lookAt,
  obstacle,
  onDisk,
  type OnDisk,
  parseTree,
  walk,
} from "./rescue-disk.ts";
import type { Contents } from "./rescue-message.ts";
import { cleanGitEnv, type GitAt, GitError, git, toText } from "./run.ts";

export interface RestoreOptions {
  /** Restore over other content too; that is saved as a rescue of its own first. */
  readonly force?: boolean | undefined;
  /** Stage again what was staged, in the index of `at`. */
  readonly index?: boolean | undefined;
}

export interface Restored {
  readonly restored: string[];
  /** What was not restored. */
  readonly kept: { readonly path: string; readonly why: string }[];
  /** The rescue that holds what was replaced by force. */
  readonly saved?: string | undefined;
}

type Sized = Entry & { readonly size: number };

/** What is to be done about one path: `found` is what is there now, `undefined` if nothing. */
type Step =
  | { readonly kind: "done"; readonly path: string; readonly found?: OnDisk | undefined }
  | { readonly kind: "keep"; readonly path: string; readonly why: string }
  | {
      readonly kind: "put";
      readonly entry: Sized;
      readonly found: OnDisk | undefined;
      readonly foreign: boolean;
    }
  | { readonly kind: "remove"; readonly path: string; readonly found: OnDisk; readonly foreign: boolean };

const OTHER = "it has other content now";
const NOT_STAGED = "its removal was staged: --index stages it again";
const CONFLICT = "it has the sides of a conflict only: --index stages them again";

/**
 * Puts the files of a rescue back as they were: content, permissions, symbolic links, deletions. A file that has
 * neither the content it is to get nor that of HEAD stays, unless `force`.
 *
 * @throws GitError if there is no such rescue, or what is to be replaced cannot be saved
 */
export function restoreRescue(
  at: GitAt,
  ref: string,
  { force = false, index = false }: RestoreOptions = {},
): Restored {
  const top = at.workTree ?? at.cwd;
  const here = { ...at, cwd: top };
  const contents = readRescue(here, ref);
  const entries = parseTree(git(here, ["ls-tree", "-r", "-z", "-l", "--full-tree", ref]));
  const steps = plan(here, top, contents, entries);
  const staging = index ? planIndex(here, contents) : { lines: [], paths: [], foreign: [], foreignPaths: [] };

  const foreign = steps.flatMap((step) =>
    (step.kind === "put" || step.kind === "remove") && step.foreign ? [step] : [],
  );
  const overwritten = foreign.flatMap(({ found }) => (found === undefined ? [] : [toText(found.path)]));
  const isForced = force && overwritten.length + staging.foreign.length > 0;
  const saved = isForced
    ? saveRescue(here, {
        session: toText(contents.session),
        reason: `before: rescue restore ${ref}`,
        files: overwritten,
        index: staging.foreign.length > 0 ? here : undefined,
      })
    : undefined;

  const restored = new Set<string>();
  const kept: { path: string; why: string }[] = [];
  const puts: Extract<Step, { kind: "put" }>[] = [];
  const permissions = new Map(
    [...contents.files, ...contents.added].map((one) => [one.path, one.permissions]),
  );
  for (const step of steps) {
    if (step.kind === "keep") kept.push({ path: toText(step.path), why: step.why });
    else if (step.kind === "done") {
      const wanted = permissions.get(step.path);
      if (step.found?.kind === "file" && wanted !== undefined && wanted !== step.found.permissions)
        chmodSync(onDisk(top, step.path), wanted);
      restored.add(toText(step.path));
    } else if (step.foreign && !force)
      kept.push({ path: toText(step.kind === "put" ? step.entry.path : step.path), why: OTHER });
    else if (step.kind === "put") puts.push(step);
    else {
      if (lookAt(top, step.path)?.stamp === step.found.stamp) rmSync(onDisk(top, step.path));
      restored.add(toText(step.path));
    }
  }
  for (const { step, why } of putAll(here, top, puts, permissions)) {
    if (why === undefined) restored.add(toText(step.entry.path));
    else kept.push({ path: toText(step.entry.path), why });
  }

  const told = new Set([...restored, ...kept.map(({ path }) => path)]);
  if (index) {
    const stagePaths = force ? [...staging.paths, ...staging.foreignPaths] : staging.paths;
    const lines = force ? [...staging.lines, ...staging.foreign] : staging.lines;
    if (lines.length > 0) git(here, ["update-index", "-z", "--index-info"], { input: lines.join("") });
    for (const path of stagePaths) restored.add(toText(path));
    if (!force)
      for (const path of staging.foreignPaths)
        kept.push({ path: toText(path), why: "something else is staged there now" });
  } else {
    const only = (paths: readonly string[], why: string) => {
      for (const path of paths.map(toText)) if (!told.has(path)) kept.push({ path, why });
    };
    only(contents.unstaged, NOT_STAGED);
    only(contents.unmerged, CONFLICT);
  }
  const keptPaths = new Set(kept.map(({ path }) => path));
  return { restored: [...restored].filter((path) => !keptPaths.has(path)).sort(), kept, saved: saved?.ref };
}

function plan(at: GitAt, top: string, contents: Contents, entries: readonly Sized[]): Step[] {
  const paths = [...entries.map(({ path }) => path), ...contents.deleted];
  const found = new Map(paths.map((path) => [path, lookAt(top, path)]));
  const head = headCommit(at);
  const ofHead = head === undefined ? new Map<string, Entry>() : entriesAt(at, head, paths);
  const there = [...found.values()].filter((one) => one?.kind === "file" || one?.kind === "link") as OnDisk[];
  const hashes = hashContents(at, top, there);
  const now = new Map(there.map((one, i) => [one.path, hashes[i]!]));
  const isHeads = ({ path, kind }: OnDisk) => {
    const own = ofHead.get(path);
    if (own === undefined || (own.mode === "120000") !== (kind === "link")) return false;
    return own.hash === now.get(path) || (kind === "file" && cleaned(at, top, found.get(path)!) === own.hash);
  };

  // What the rescue knows as deleted makes way.
  const deleted = new Set(contents.deleted);
  const puts = entries.map((entry): Step => {
    const { path, mode, hash } = entry;
    const one = found.get(path);
    if (mode === "160000") return { kind: "keep", path, why: `it is a repository of its own, at ${hash}` };
    if (one === undefined) {
      const above = obstacle(top, path);
      if (above !== undefined && !deleted.has(above))
        return { kind: "keep", path, why: `${toText(above)} is no folder now` };
      return { kind: "put", entry, found: undefined, foreign: false };
    }
    if (one.kind === "folder" && walk(top, path).every((inner) => deleted.has(inner.path)))
      return { kind: "put", entry, found: undefined, foreign: false };
    if (one.kind !== "file" && one.kind !== "link") return { kind: "keep", path, why: "it is a folder now" };
    const isSame = (mode === "120000") === (one.kind === "link") && now.get(path) === hash;
    if (isSame && (one.kind === "link" || (mode === "100755") === ((one.permissions & 0o100) !== 0)))
      return { kind: "done", path, found: one };
    return { kind: "put", entry, found: one, foreign: !isSame && !isHeads(one) };
  });
  const removals = contents.deleted.map((path): Step => {
    const one = found.get(path);
    if (one?.kind !== "file" && one?.kind !== "link") return { kind: "done", path };
    return { kind: "remove", path, found: one, foreign: !isHeads(one) };
  });
  return [...removals, ...puts];
}

/** The name of a file's content as git would commit it. */
function cleaned(at: GitAt, top: string, one: OnDisk): string | undefined {
  try {
    return hashContents(at, top, [one], { filters: true })[0];
  } catch {
    // A filter that fails has not shown it to be HEAD's.
    return undefined;
  }
}

const CHUNK_BYTES = 64 << 20;

/** Content is read in pieces of bounded size; a file larger than that goes from git to the disk directly. */
function* putAll(
  at: GitAt,
  top: string,
  puts: readonly Extract<Step, { kind: "put" }>[],
  permissions: ReadonlyMap<string, number | undefined>,
): Generator<{ step: Extract<Step, { kind: "put" }>; why?: string }> {
  const tried = (step: Extract<Step, { kind: "put" }>, content?: string) => {
    try {
      return { step, ...put(at, top, step, permissions.get(step.entry.path), content) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined && !(error instanceof GitError)) throw error;
      return { step, why: (error as Error).message };
    }
  };
  let chunk: Extract<Step, { kind: "put" }>[] = [];
  let bytes = 0;
  const flush = function* () {
    const contents = readBlobs(
      at,
      chunk.map(({ entry }) => entry.hash),
    );
    for (const [i, step] of chunk.entries()) yield tried(step, contents[i]);
    chunk = [];
    bytes = 0;
  };
  for (const step of puts) {
    if (step.entry.size > CHUNK_BYTES) {
      yield tried(step);
      continue;
    }
    chunk.push(step);
    bytes += step.entry.size;
    if (bytes > CHUNK_BYTES) yield* flush();
  }
  yield* flush();
}

function readBlobs(at: GitAt, hashes: readonly string[]): string[] {
  if (hashes.length === 0) return [];
  const out = git(at, ["cat-file", "--batch=%(objectsize)"], {
    input: hashes.map((hash) => `${hash}\n`).join(""),
  });
  let from = 0;
  return hashes.map((hash) => {
    const start = out.indexOf("\n", from) + 1;
    const size = Number(out.slice(from, start));
    if (Number.isNaN(size)) throw new GitError(["cat-file", hash], 0, out.slice(from, start));
    from = start + size + 1;
    return out.slice(start, start + size);
  });
}

let temporaries = 0;

/** A file comes into being with its content, and only where what was seen before still is. */
function put(
  at: GitAt,
  top: string,
  { entry, found }: Extract<Step, { kind: "put" }>,
  permissions: number | undefined,
  content: string | undefined,
): { why?: string } {
  const target = onDisk(top, entry.path);
  const slash = entry.path.lastIndexOf("/");
  const folder = entry.path.slice(0, slash + 1);
  if (slash > 0) mkdirSync(onDisk(top, entry.path.slice(0, slash)), { recursive: true });
  const temporary = onDisk(top, `${folder}.signalbox-${process.pid}-${++temporaries}`);
  try {
    if (entry.mode === "120000") symlinkSync(Buffer.from(content!, "latin1"), temporary);
    else {
      if (content === undefined) writeLarge(at, entry.hash, temporary);
      else writeFileSync(temporary, content, { encoding: "latin1", flag: "wx" });
      const bits = permissions ?? usual(temporary, entry.mode);
      if (bits !== undefined) chmodSync(temporary, bits);
    }
    if (found === undefined && lookAt(top, entry.path)?.kind === "folder") rmdirSync(target);
    if (lookAt(top, entry.path)?.stamp !== found?.stamp) return { why: "it is being changed right now" };
    if (found === undefined && linked(temporary, target)) return {};
    renameSync(temporary, target);
    return {};
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** @throws if something is there by now; false if this file system has no hard links (to such files) */
function linked(from: Buffer, to: Buffer): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw error;
    return false;
  }
}

/** What a new file gets here, and what git adds to it for one that can be run. */
function usual(file: Buffer, mode: string): number | undefined {
  if (mode !== "100755") return undefined;
  const { mode: bits } = lstatSync(file);
  return (bits & 0o777) | ((bits & 0o444) >> 2);
}

function writeLarge(at: GitAt, hash: string, file: Buffer): void {
  const out = openSync(file, "wx");
  try {
    const program = at.git ?? (process.env["SIGNALBOX_GIT"] || "git");
    const env = {
      ...cleanGitEnv(),
      SIGNALBOX: "0",
      ...(at.gitDir === undefined ? {} : { GIT_DIR: at.gitDir }),
    };
    const args = ["cat-file", "blob", hash];
    const { status, error } = childProcess().spawnSync(program, args, {
      cwd: at.cwd,
      env,
      stdio: ["ignore", out, "ignore"],
    });
    if (status !== 0) throw new GitError(args, status, error?.message ?? "");
  } finally {
    closeSync(out);
  }
}

/** Lines for `update-index --index-info`; `foreign` for paths where something else is staged now. */
interface Staging {
  readonly lines: string[];
  readonly paths: string[];
  readonly foreign: string[];
  readonly foreignPaths: string[];
}

function planIndex(at: GitAt, contents: Contents): Staging {
  const entries =
    contents.index === undefined
      ? []
      : parseTree(git(at, ["ls-tree", "-r", "-z", "--full-tree", contents.index])).map((entry) => ({
          ...entry,
          stage: Number(entry.path[0]),
          path: entry.path.slice(2),
        }));
  const wanted = new Map<string, { mode: string; hash: string; stage: number }[]>();
  for (const entry of entries) wanted.set(entry.path, [...(wanted.get(entry.path) ?? []), entry]);
  for (const path of contents.unstaged) wanted.set(path, []);

  const head = headCommit(at);
  const empty = git(at, ["hash-object", "-t", "tree", "--stdin"], { input: "" }).trim();
  const zeros = "0".repeat(empty.length);
  const raw = [
    "diff-index",
    "--cached",
    "--raw",
    "-z",
    "--no-renames",
    "--no-abbrev",
    "--ita-invisible-in-index",
  ];
  const now = new Map(
    parseRaw(git(at, [...raw, head ?? empty, "--"])).map((change) => [change.path, change]),
  );
  const staging: Staging = { lines: [], paths: [], foreign: [], foreignPaths: [] };
  for (const [path, stages] of wanted) {
    const other = now.get(path);
    const [only] = stages;
    const isSame =
      other !== undefined &&
      other.status !== "U" &&
      (only === undefined
        ? other.newMode === "000000"
        : only.stage === 0 && only.mode === other.newMode && only.hash === other.newHash);
    const isFree = other === undefined || isSame;
    const lines = [
      `0 ${zeros}\t${path}\0`,
      ...stages.map(({ mode, hash, stage }) => `${mode} ${hash} ${stage}\t${path}\0`),
    ];
    (isFree ? staging.lines : staging.foreign).push(...lines);
    (isFree ? staging.paths : staging.foreignPaths).push(path);
  }
  return staging;
}
