import { type BigIntStats, lstatSync } from "node:fs";
import type { Seen, Survey } from "../../domain/attribution.ts";
import { canonicalPath } from "../../domain/path-key.ts";
import { git, splitNul, toText } from "./run.ts";

/** The working tree to look at, and through which index; best the caller's own, which its git keeps fresh. */
export interface SurveyAt {
  readonly top: string;
  readonly gitDir?: string | undefined;
  readonly ignoreCase?: boolean | undefined;
}

/** So many paths are looked at; more untracked files than `DIR_PATHS` below one directory are that directory. */
const PATHS = 2000;
const DIR_PATHS = 500;
/** Staged files whose content is compared with HEAD's at most. */
const COMPARED = 500;

interface Entry {
  readonly bytes: string;
  readonly untracked: boolean;
  /** Its blob in HEAD, where only the index may be at odds with HEAD. */
  readonly head?: string | undefined;
  /** Its blob in the index, where it is not on disk any more. */
  readonly gone?: string | undefined;
}

/**
 * What is uncommitted in a working tree: one `git status` without optional locks, one lstat a path. An index that is
 * behind HEAD shows what others have committed since as changed: files that are as in HEAD are no finding.
 *
 * @param known paths of the last survey, as `canonicalPath` gives them: what has become of them is told too
 * @throws GitError
 */
export function survey(at: SurveyAt, known: Iterable<string> = []): Survey {
  const began = Date.now();
  const all = entriesOf(status(at));
  const { kept, wide, omitted } = bounded(all);
  const clean = asInHead(at, kept);
  const paths = new Map<string, Seen>();
  const dirs = new Map<string, number>();
  for (const { bytes } of kept) {
    const path = keyOf(bytes, at);
    if (!clean.has(bytes)) paths.set(path, look(at.top, bytes, true, dirs));
  }
  for (const [bytes, when] of movedWithFolder(at, kept, dirs)) {
    const path = keyOf(bytes, at);
    const seen = paths.get(path);
    if (seen !== undefined && seen.at < when) paths.set(path, { ...seen, at: when });
  }
  const tooWide = wide.map((dir) => keyOf(dir, at));
  for (const path of known) {
    if (paths.has(path) || tooWide.some((dir) => path.startsWith(`${dir}/`))) continue;
    if (omitted > 0 && paths.size >= PATHS) continue;
    paths.set(path, look(at.top, Buffer.from(path, "utf8").toString("latin1"), false, dirs));
  }
  return { at: began, paths, wide: tooWide, omitted };
}

function status({ top, gitDir }: SurveyAt): string[] {
  return splitNul(
    git({ cwd: top, ...(gitDir === undefined ? {} : { gitDir, workTree: top }) }, [
      "-c",
      "status.relativePaths=false",
      "status",
      "--porcelain=v2",
      "-z",
      "--untracked-files=all",
      "--no-renames",
      "--ignore-submodules=dirty",
    ]),
  );
}

function entriesOf(lines: readonly string[]): Entry[] {
  const found = new Map<string, Entry>();
  for (const line of lines) {
    if (line.startsWith("? ")) {
      const bytes = line.slice(2);
      // A repository of its own.
      if (bytes.endsWith("/")) continue;
      // The index has it as deleted: a file that is in HEAD all the same.
      found.set(bytes, { bytes, untracked: !found.has(bytes), head: found.get(bytes)?.head });
    } else if (line.startsWith("1 ")) {
      const [, xy = "", , , , , head, index, ...name] = line.split(" ");
      const bytes = name.join(" ");
      found.set(bytes, {
        bytes,
        untracked: false,
        head: xy.startsWith(".") ? undefined : head,
        gone: xy.endsWith("D") ? index : undefined,
      });
    } else if (line.startsWith("u ")) {
      const bytes = line.split(" ").slice(10).join(" ");
      found.set(bytes, { bytes, untracked: false });
    }
  }
  return [...found.values()];
}

function bounded(all: readonly Entry[]): { kept: Entry[]; wide: string[]; omitted: number } {
  if (all.length <= DIR_PATHS) return { kept: [...all], wide: [], omitted: 0 };
  const perDir = new Map<string, number>();
  for (const { bytes, untracked } of all) {
    const dir = topDir(bytes);
    if (untracked && dir !== undefined) perDir.set(dir, (perDir.get(dir) ?? 0) + 1);
  }
  const wide = [...perDir].filter(([, n]) => n > DIR_PATHS).map(([dir]) => dir);
  const isWide = new Set(wide);
  const rest = all.filter(({ bytes, untracked }) => !untracked || !isWide.has(topDir(bytes) ?? ""));
  // Tracked ones first: there is something to lose in HEAD's terms.
  const sorted = [...rest.filter((e) => !e.untracked), ...rest.filter((e) => e.untracked)];
  return { kept: sorted.slice(0, PATHS), wide, omitted: Math.max(0, sorted.length - PATHS) };
}

function topDir(path: string): string | undefined {
  const slash = path.indexOf("/");
  return slash < 0 ? undefined : path.slice(0, slash);
}

/** Those whose content on disk is HEAD's, whatever the index says. */
function asInHead({ top, gitDir }: SurveyAt, entries: readonly Entry[]): Set<string> {
  const suspects = entries
    .filter(({ bytes, head }) => head !== undefined && !/^0+$/.test(head) && !bytes.includes("\n"))
    .filter(({ bytes }) => statOf(top, bytes)?.isFile() === true)
    .slice(0, COMPARED);
  const hashes = hashesOf({ top, gitDir }, suspects);
  return new Set(suspects.flatMap(({ bytes, head }, i) => (hashes[i] === head ? [bytes] : [])));
}

function hashesOf({ top, gitDir }: SurveyAt, entries: readonly Entry[]): string[] {
  if (entries.length === 0) return [];
  const at = { cwd: top, ...(gitDir === undefined ? {} : { gitDir, workTree: top }) };
  const input = entries.map(({ bytes }) => `${bytes}\n`).join("");
  return git(at, ["hash-object", "--stdin-paths"], { input }).split("\n");
}

/**
 * A folder that is renamed takes its files along as they are, times and all. An untracked file with the content of a
 * tracked one that is gone, older than its going, came to be there by that.
 */
function movedWithFolder(
  at: SurveyAt,
  entries: readonly Entry[],
  dirs: Map<string, number>,
): Map<string, number> {
  const went = new Map<string, number>();
  for (const { bytes, gone } of entries)
    if (gone !== undefined) went.set(gone, Math.max(went.get(gone) ?? 0, goneAt(at.top, bytes, dirs)));
  if (went.size === 0) return new Map();
  const candidates = entries
    .filter(({ bytes, untracked }) => untracked && bytes.includes("/") && !bytes.includes("\n"))
    .filter(({ bytes }) => statOf(at.top, bytes)?.isFile() === true)
    .slice(0, COMPARED);
  return new Map(
    hashesOf(at, candidates).flatMap((hash, i): [string, number][] => {
      const when = went.get(hash);
      return when === undefined || candidates[i] === undefined ? [] : [[candidates[i].bytes, when]];
    }),
  );
}

function keyOf(bytes: string, { ignoreCase = false }: SurveyAt): string {
  return canonicalPath(toText(bytes), { ignoreCase });
}

function look(top: string, bytes: string, dirty: boolean, dirs: Map<string, number>): Seen {
  const stat = statOf(top, bytes);
  if (stat === undefined || stat.isDirectory()) return { dirty, stamp: "", at: goneAt(top, bytes, dirs) };
  return {
    dirty,
    stamp: [stat.ctimeNs, stat.mtimeNs, stat.size, stat.ino, stat.mode].map((n) => n.toString(36)).join("."),
    at: Number(stat.ctimeNs) / 1e6,
  };
}

/** When the nearest directory that is still there last lost or got an entry. */
function goneAt(top: string, bytes: string, dirs: Map<string, number>): number {
  const dir = bytes.includes("/") ? bytes.slice(0, bytes.lastIndexOf("/")) : "";
  const known = dirs.get(dir);
  if (known !== undefined) return known;
  const stat = statOf(top, dir);
  const at =
    stat?.isDirectory() === true ? Number(stat.mtimeNs) / 1e6 : dir === "" ? 0 : goneAt(top, dir, dirs);
  dirs.set(dir, at);
  return at;
}

function statOf(top: string, bytes: string): BigIntStats | undefined {
  try {
    return lstatSync(Buffer.concat([Buffer.from(`${top}/`), Buffer.from(bytes, "latin1")]), {
      bigint: true,
      throwIfNoEntry: false,
    });
  } catch {
    // Below something that is no directory, or not ours to read.
    return undefined;
  }
}
