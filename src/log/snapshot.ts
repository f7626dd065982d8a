/**
 * Snapshots: what the folds knew at one place in the log, so that opening costs only the tail.
 *
 *     {"format":1,"seq":…,"crc":"…","t":…,"hash":"…","seg":"…","off":…,"len":…,"folds":[…]}\n<crc32 of the line>
 *
 * A snapshot is a hint. It counts only if its checksum holds and its last record is really at that place: after
 * a power loss it can be ahead of the log. Each fold stands under its name and version with the sequence number
 * it has reached, so that another version of a fold neither reads it nor makes it disappear.
 */

import { Buffer } from "node:buffer";
import { crc32, hex8 } from "./crc32.ts";
import { type Disk, nodeDisk, typed } from "./disk.ts";
import {
  build,
  discard,
  type Files,
  filesOf,
  FORMAT,
  orMissing,
  snapshotName,
  snapshotsOf,
} from "./files.ts";
import type { Json, Link } from "./record.ts";

/** The place right behind a committed record, or at the start of a segment (`off` and `len` 0). */
export interface Place {
  readonly head: Link;
  readonly seg: string;
  readonly off: number;
  readonly len: number;
}

/** One fold's state in a snapshot. */
export interface SavedFold {
  readonly name: string;
  readonly version: number;
  readonly seq: number;
  readonly state: Json;
}

export interface Snapshot extends Place {
  readonly folds: readonly SavedFold[];
}

/** Of durable ones more than one, so that the last proven one outlives a compaction that was killed after its own. */
const KEEP = { base: 3, cache: 3 };

/** How far behind the head another version's fold may be before a snapshot no longer carries it along. */
export const CARRY = 4096;

/** The stored bytes of a snapshot. */
export function encodeSnapshot({ head, seg, off, len, folds }: Snapshot): string {
  const { seq, crc, t, hash } = head;
  const body = JSON.stringify({ format: FORMAT, seq, crc, t, hash, seg, off, len, folds });
  return `${body}\n${hex8(crc32(Buffer.from(body)))}`;
}

/** The snapshot in `bytes`, or undefined where it is damaged or in a format that isn't ours. */
export function decodeSnapshot(bytes: Uint8Array): Snapshot | undefined {
  const end = bytes.length - 9;
  if (end < 0 || bytes[end] !== 10) return undefined;
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (hex8(crc32(all, 0, end)) !== all.toString("latin1", end + 1)) return undefined;
  try {
    const body = JSON.parse(all.toString("utf8", 0, end)) as Omit<Snapshot, "head"> &
      Link & { format: number };
    const { format, seq, crc, t, hash, seg, off, len, folds } = body;
    return format === FORMAT ? { head: { seq, crc, t, hash }, seg, off, len, folds } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Writes a snapshot and removes the ones it makes superfluous. A `base` is on the disk, name and all, when this
 * returns; a cache one is not synced.
 */
export function writeSnapshot(files: Files, snapshot: Snapshot, base: boolean): string {
  const { disk } = files;
  const name = snapshotName(snapshot.head.seq, snapshot.head.crc, base);
  const path = build(files, [encodeSnapshot(snapshot)], base);
  try {
    disk.rename(path, files.path("snap", name));
  } catch (error) {
    discard(disk, path);
    throw error;
  }
  if (base) disk.syncDir(files.path("snap"));
  const old = snapshotsOf(files.list("snap")).filter((other) => other.base === base);
  for (const other of old.slice(base ? KEEP.base : KEEP.cache)) discard(disk, files.path("snap", other.name));
  return name;
}

/** A snapshot file, to be compared with what a replay gives. */
export interface Saved {
  /** "snap/<seq>-<crc>.json" */
  readonly name: string;
  readonly seq: number;
  /** The folds that stand at `seq`, as the disk gives them back; `undefined` where it is damaged or gone by now. */
  readonly read: () => readonly SavedFold[] | undefined;
}

/** The log's snapshots, oldest first. Each is read when it is asked for. */
export function savedSnapshots({ dir, disk = nodeDisk }: { dir: string; disk?: Disk }): Saved[] {
  const files = filesOf(typed(disk), dir);
  return snapshotsOf(files.list("snap"))
    .map(({ name, seq }) => ({
      name: `snap/${name}`,
      seq,
      read: () => {
        const bytes = orMissing(() => files.disk.readFile(files.path("snap", name)));
        return bytes === undefined
          ? undefined
          : decodeSnapshot(bytes)?.folds.filter((fold) => fold.seq === seq);
      },
    }))
    .sort((a, b) => a.seq - b.seq);
}
