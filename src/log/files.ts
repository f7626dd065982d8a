/**
 * The log's directory. Every name is written once and there is no mutable pointer: the newest snapshot by name
 * is the way in.
 *
 *     FORMAT                                {"format":1,"log":"<id>","genesis":"<segment>"}
 *     seg/<first, 16 digits>-<nonce>.jsonl  segments, named by the first sequence number they can hold
 *     snap/<seq>-<crc>.json                 snapshots that appenders leave: a cache, newest 3 kept
 *     snap/<seq>-<crc>.base.json            durable snapshots, by compaction and repair, newest 2 kept
 *     arch/<first>-<last>-<crc>.jsonl.gz    sealed segments, committed records only
 *     tmp/                                  everything is built here and moved by rename or link
 *     broken/                               what repair has put aside
 */

import { Buffer } from "node:buffer";
import type { Disk } from "./disk.ts";
import { errno, LogFull } from "./errors.ts";
import { nonce } from "./record.ts";

/** The version of the whole layout that this code writes, and the newest it reads. */
export const FORMAT = 1;

export type Folder = "seg" | "snap" | "arch" | "tmp" | "broken";

export interface Files {
  readonly disk: Disk;
  readonly dir: string;
  readonly format: string;
  path(folder: Folder, name?: string): string;
  /** Names in a folder, ascending; a folder that is not there has none. */
  list(folder: Folder): string[];
}

export function filesOf(disk: Disk, dir: string): Files {
  const path = (folder: Folder, name?: string) => (name ? `${dir}/${folder}/${name}` : `${dir}/${folder}`);
  return {
    disk,
    dir,
    path,
    format: `${dir}/FORMAT`,
    list: (folder) => (orMissing(() => disk.list(path(folder))) ?? []).sort(),
  };
}

/** What `action` answers, or undefined where the file it needs is not there. */
export function orMissing<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (errno(error) === "ENOENT") return undefined;
    throw error;
  }
}

const digits = (seq: number) => String(seq).padStart(16, "0");

export function segmentName(first: number, unique = nonce()): string {
  return `${digits(first)}-${unique}.jsonl`;
}

/** The first sequence number a segment can hold, by its name. */
export function segmentFirst(name: string): number {
  return Number(name.slice(0, 16));
}

export function isSegment(name: string): boolean {
  return /^\d{16}-[0-9a-z]+\.jsonl$/.test(name);
}

export function snapshotName(seq: number, crc: string, base: boolean): string {
  return `${digits(seq)}-${crc}${base ? ".base" : ""}.json`;
}

/** Snapshots among `names`, newest first; of two at one place the durable one first. */
export function snapshotsOf(names: readonly string[]): { name: string; seq: number; base: boolean }[] {
  return names
    .filter((name) => /^\d{16}-[0-9a-f]{8}(\.base)?\.json$/.test(name))
    .map((name) => ({ name, seq: Number(name.slice(0, 16)), base: name.endsWith(".base.json") }))
    .sort((a, b) => b.seq - a.seq || Number(b.base) - Number(a.base));
}

export interface ArchiveName {
  readonly name: string;
  readonly first: number;
  readonly last: number;
  readonly crc: string;
}

export function archiveName(first: number, last: number, crc: string): string {
  return `${digits(first)}-${digits(last)}-${crc}.jsonl.gz`;
}

/** Archives among `names`, oldest first. */
export function archivesOf(names: readonly string[]): ArchiveName[] {
  return names
    .filter((name) => /^\d{16}-\d{16}-[0-9a-f]{8}\.jsonl\.gz$/.test(name))
    .map((name) => ({
      name,
      first: Number(name.slice(0, 16)),
      last: Number(name.slice(17, 33)),
      crc: name.slice(34, 42),
    }))
    .sort((a, b) => a.first - b.first || b.last - a.last);
}

/** Builds a file in tmp/, whole, and answers its path. */
export function build(files: Files, chunks: Iterable<Uint8Array | string>, sync: boolean): string {
  const path = files.path("tmp", nonce());
  const { disk } = files;
  const fd = disk.open(path, "create");
  try {
    for (const chunk of chunks) {
      const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      if (disk.write(fd, bytes) !== bytes.length) {
        throw new LogFull(`Cannot write ${path}: disk is full. Free some space and try again.`);
      }
    }
    if (sync) disk.sync(fd);
  } catch (error) {
    disk.close(fd);
    discard(disk, path);
    throw error;
  }
  disk.close(fd);
  return path;
}

/** Removes a file of ours that nothing refers to; whether that works changes nothing. */
export function discard(disk: Disk, path: string): void {
  try {
    disk.unlink(path);
  } catch {}
}
