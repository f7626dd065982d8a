/** Files of a working tree, by bytes of their names, and their contents as git objects, byte for byte. */
import {
  type BigIntStats,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { quoted } from "./rescue-message.ts";
import { type GitAt, git, splitNul, toText, tryGit } from "./run.ts";

/** Something at a path; `mode` is git's, as text. */
export interface Entry {
  readonly path: string;
  readonly mode: string;
  readonly hash: string;
}

export interface OnDisk {
  readonly path: string;
  readonly kind: "file" | "link" | "repository" | "folder" | "other";
  readonly permissions: number;
  /** Changes when the content does, but for a change within one tick of the clock. */
  readonly stamp: string;
}

/** A path as node takes it, whatever its bytes. */
export function onDisk(top: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${top}/`), Buffer.from(path, "latin1")]);
}

/** What is there; `undefined` also if a folder above it is a symbolic link: then it is no path of this tree. */
export function lookAt(top: string, path: string): OnDisk | undefined {
  if (obstacle(top, path) !== undefined) return undefined;
  const stat = statOf(onDisk(top, path));
  if (stat === undefined) return undefined;
  const kind = stat.isFile()
    ? "file"
    : stat.isSymbolicLink()
      ? "link"
      : stat.isDirectory()
        ? statOf(onDisk(top, `${path}/.git`)) === undefined
          ? "folder"
          : "repository"
        : "other";
  return {
    path,
    kind,
    permissions: Number(stat.mode) & 0o7777,
    stamp: `${stat.ino} ${stat.size} ${stat.mtimeNs} ${stat.ctimeNs}`,
  };
}

/** The folder above a path that is something else: a file, a symbolic link. */
export function obstacle(top: string, path: string): string | undefined {
  for (let i = path.indexOf("/"); i > 0; i = path.indexOf("/", i + 1)) {
    const folder = path.slice(0, i);
    const stat = statOf(onDisk(top, folder));
    if (stat === undefined) return undefined;
    if (!stat.isDirectory()) return folder;
  }
  return undefined;
}

function statOf(file: Buffer): BigIntStats | undefined {
  try {
    return lstatSync(file, { bigint: true, throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Everything below a folder that is no other repository. */
export function walk(top: string, folder: string): OnDisk[] {
  const names: string[] = readdirSync(onDisk(top, folder), { encoding: "latin1" as BufferEncoding });
  return names.flatMap((name) => {
    const found = lookAt(top, `${folder}/${name}`);
    if (found === undefined) return [];
    return found.kind === "folder" ? walk(top, found.path) : [found];
  });
}

/**
 * Git's names for the contents of files and symbolic links, in the order given.
 *
 * @throws GitError if one cannot be read
 */
export function hashContents(
  at: GitAt,
  top: string,
  files: readonly OnDisk[],
  { write = false, filters = false }: { write?: boolean; filters?: boolean } = {},
): string[] {
  if (files.length === 0) return [];
  const links = files.some(({ kind }) => kind === "link") ? mkdtempSync(join(tmpdir(), "signalbox-")) : "";
  try {
    const names = files.map(({ path, kind }, i) => {
      if (kind !== "link") return quoted(path);
      // Git would follow it.
      const copy = join(links, String(i));
      writeFileSync(copy, readlinkSync(onDisk(top, path), { encoding: "buffer" }));
      return quoted(Buffer.from(copy).toString("latin1"));
    });
    const how = [...(write ? ["-w"] : []), ...(filters ? [] : ["--no-filters"])];
    const out = git({ ...at, cwd: top }, ["hash-object", "-t", "blob", ...how, "--stdin-paths"], {
      input: names.map((name) => `${name}\n`).join(""),
    });
    return out.split("\n").slice(0, files.length);
  } finally {
    if (links !== "") rmSync(links, { recursive: true, force: true });
  }
}

/** The commit that another repository in this tree is at. */
export function commitIn(at: GitAt, top: string, path: string): string | undefined {
  // A name that is no UTF-8 cannot be said to git as a folder.
  if (Buffer.from(toText(path)).toString("latin1") !== path) return undefined;
  const inner: GitAt = { cwd: join(top, toText(path)), git: at.git };
  const { status, stdout } = tryGit(inner, ["rev-parse", "-q", "--verify", "HEAD^{commit}"]);
  return status === 0 ? stdout.trim() : undefined;
}

/** Setup of ours that no user's configuration may change. */
export const PLAIN = [
  "-c",
  "core.hooksPath=/dev/null",
  "-c",
  "core.splitIndex=false",
  "-c",
  "core.fsmonitor=false",
  "-c",
  "core.protectNTFS=false",
  "-c",
  "core.protectHFS=false",
];

/** A tree of just these entries; of two that cannot both be, the later. */
export function treeOf(at: GitAt, entries: readonly Entry[]): string {
  const dir = mkdtempSync(join(tmpdir(), "signalbox-"));
  try {
    const here = { ...at, indexFile: join(dir, "index") };
    const input = entries.map(({ mode, hash, path }) => `${mode} ${hash} 0\t${path}\0`).join("");
    git(here, [...PLAIN, "update-index", "-z", "--index-info"], { input });
    return git(here, [...PLAIN, "write-tree", "--missing-ok"]).trim();
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const ARGUMENT_BYTES = 60_000;

/** What a commit or tree has at these paths. Costs as much as there are paths, not as the tree is large. */
export function entriesAt(at: GitAt, tree: string, paths: readonly string[]): Map<string, Entry> {
  const wanted = new Set(paths);
  const found = new Map<string, Entry>();
  const sayable = paths.every((path) => Buffer.from(toText(path)).toString("latin1") === path);
  const lists = sayable ? chunks(paths.map(toText)) : [undefined];
  for (const list of lists) {
    const args = list === undefined ? ["-r", tree] : [tree, "--", ...list];
    for (const entry of parseTree(git(at, ["ls-tree", "-z", "--full-tree", ...args])))
      if (wanted.has(entry.path) && entry.mode !== "040000") found.set(entry.path, entry);
  }
  return found;
}

function* chunks(paths: readonly string[]): Generator<string[]> {
  let chunk: string[] = [];
  let bytes = 0;
  for (const path of paths) {
    chunk.push(path);
    bytes += 3 * path.length + 1;
    if (bytes < ARGUMENT_BYTES) continue;
    yield chunk;
    chunk = [];
    bytes = 0;
  }
  if (chunk.length > 0) yield chunk;
}

/** Reads what `git ls-tree -z` prints, with `-l` or without. */
export function parseTree(out: string): (Entry & { readonly size: number })[] {
  return splitNul(out).map((line) => {
    const tab = line.indexOf("\t");
    const [mode, , hash, size] = line.slice(0, tab).split(/ +/);
    return { path: line.slice(tab + 1), mode: mode!, hash: hash!, size: Number(size ?? 0) };
  });
}

/** The commit that HEAD is at; `undefined` if there is none yet. */
export function headCommit(at: GitAt, name = "HEAD"): string | undefined {
  const { status, stdout } = tryGit(at, ["rev-parse", "-q", "--verify", `${name}^{commit}`]);
  return status === 0 ? stdout.trim() : undefined;
}
