/** Archives, sealed segments and the live one, read as one history in constant memory. */

import { Buffer } from "node:buffer";
import { unpack } from "./archive.ts";
import { LogCorrupt, LogPruned } from "./errors.ts";
import { archivesOf, type Files, orMissing } from "./files.ts";
import { decode, follow, GENESIS, type Link, type LogRecord } from "./record.ts";
import { advance, spotAt } from "./segment.ts";
import type { Place } from "./snapshot.ts";

export interface Entry {
  readonly record: LogRecord;
  /** The head after the record. */
  readonly head: Link;
  /** The stored line without its newline; valid until the next entry is asked for. */
  readonly line: Buffer;
}

/** Where history is read from: a known place in a segment, or the beginning of the archives. */
export interface Start {
  readonly genesis: string;
  /** A place at or before `from`, to save the way there. */
  readonly near?: Place | undefined;
}

/** How many committed records a walk hands on at once: bounds memory, saves reading twice. */
const BATCH = 512;

/**
 * The committed records `from`…`to`, in order, each checked to follow the one before it.
 *
 * @throws LogPruned where retention has deleted `from`; LogCorrupt at a gap or damage
 */
export function* readHistory(files: Files, start: Start, from: number, to: number): Generator<Entry> {
  if (from > to) return;
  let head: Link | undefined;
  let segment = start.genesis;
  let off = 0;
  if (start.near && start.near.head.seq < from) {
    ({ head, seg: segment, off } = start.near);
  }
  // A compactor may move a segment into the archives at any moment: look where the next record is each time.
  for (let misses = 0; (head?.seq ?? 0) < to;) {
    const found = findArchive(files, head?.seq ?? 0, from, head === undefined);
    if (found) {
      head ??= found.before;
      for (const entry of readArchive(files, found.name, head)) {
        head = entry.head;
        segment = entry.record.seal ?? segment;
        off = 0;
        if (head.seq >= from) yield entry;
        if (head.seq >= to) return;
      }
      misses = 0;
      continue;
    }
    const before: Link = head ?? GENESIS;
    const entries = orMissing(() => readSegment(files, segment, before, off));
    if (entries === undefined) {
      if (++misses < 3) continue;
      throw missing(files, segment, before.seq + 1);
    }
    head = before;
    for (const entry of entries) {
      head = entry.head;
      if (head.seq >= from) yield entry;
      if (head.seq >= to) return;
      if (entry.record.seal) {
        segment = entry.record.seal;
        off = 0;
      }
    }
    if (head.seq === before.seq) throw missing(files, segment, head.seq + 1);
    misses = 0;
  }
}

function missing(files: Files, segment: string, seq: number): LogCorrupt {
  return new LogCorrupt({ file: files.path("seg", segment), offset: 0, seq, why: "the record is missing" });
}

/** The archive that holds the record after `seq`, or at the very start the one that holds `from`. */
function findArchive(
  files: Files,
  seq: number,
  from: number,
  starting: boolean,
): { name: string; before: Link | undefined } | undefined {
  const archives = archivesOf(files.list("arch"));
  const next = starting ? from : seq + 1;
  const at = archives.findIndex(({ first, last }) => first <= next && next <= last);
  const found = archives[at];
  if (!found) {
    const [oldest] = archives;
    if (starting && oldest && from < oldest.first) {
      throw new LogPruned(
        `Cannot read record ${from}: history before ${oldest.first} was deleted by archive retention.`,
      );
    }
    // Everything archived is before `from`: pass over the last one to learn which segment goes on.
    const last = starting ? archives.at(-1) : undefined;
    return last && { name: last.name, before: linkBefore(archives, archives.length - 1) };
  }
  return { name: found.name, before: linkBefore(archives, at) };
}

/** The head before an archive, as far as names tell: undefined checksum where the one before it is gone. */
export function linkBefore(archives: ReturnType<typeof archivesOf>, at: number): Link | undefined {
  const { first } = archives[at]!;
  if (first === 1) return GENESIS;
  const before = archives.findLast(({ last }) => last === first - 1);
  return before && { seq: before.last, crc: before.crc, t: 0, hash: "" };
}

/** The records of one archive after `head`; without a head, its first record is taken at its word. */
export function* readArchive(
  files: Files,
  name: string,
  head: Link | undefined,
  path = files.path("arch", name),
): Generator<Entry> {
  let offset = 0;
  for (const line of unpack(files.disk, path, () => (head?.seq ?? 0) + 1)) {
    const record = decode(line);
    const at = offset;
    offset += line.length + 1;
    const fail = (why: string) => new LogCorrupt({ file: path, offset: at, seq: (head?.seq ?? 0) + 1, why });
    if (!record) throw fail("the record is damaged");
    head ??= { seq: record.s - 1, crc: record.p, t: 0, hash: "" };
    if (record.s <= head.seq) continue;
    if (record.s !== head.seq + 1 || record.p !== head.crc) {
      throw fail(`record ${record.s} does not follow record ${head.seq}`);
    }
    head = follow(head, record);
    yield { record, head, line };
  }
  const [{ last, crc }] = archivesOf([name]) as [ReturnType<typeof archivesOf>[number]];
  if (head === undefined || head.seq < last || (head.seq === last && head.crc !== crc)) {
    const seq = (head?.seq ?? 0) + 1;
    throw new LogCorrupt({ file: path, offset, seq, why: `it ends before record ${last}` });
  }
}

/** Committed records of a segment after `off`, with the segment opened before the first one is asked for. */
export function readSegment(files: Files, name: string, head: Link, off: number): Iterable<Entry> {
  const { disk } = files;
  const path = files.path("seg", name);
  const fd = disk.open(path, "read");
  const spot = spotAt(path, head, off);
  return (function* () {
    try {
      for (;;) {
        const batch: Entry[] = [];
        let failure: unknown;
        try {
          advance(disk, fd, spot, (record, line) => {
            batch.push({ record, head: spot.head, line: Buffer.from(line) });
            return batch.length < BATCH;
          });
        } catch (error) {
          failure = error;
        }
        yield* batch;
        if (failure) throw failure;
        if (batch.length < BATCH || spot.sealed !== undefined) return;
      }
    } finally {
      disk.close(fd);
    }
  })();
}

/** Where the archives end: the place at which the segment that their last record names begins. */
export function archiveEnd(files: Files): Place | undefined {
  const archives = archivesOf(files.list("arch"));
  const last = archives.at(-1);
  if (!last) return undefined;
  let end: Entry | undefined;
  for (const entry of readArchive(files, last.name, linkBefore(archives, archives.length - 1))) end = entry;
  const seg = end?.record.seal;
  if (!end || seg === undefined) {
    throw new LogCorrupt({
      file: files.path("arch", last.name),
      offset: 0,
      seq: last.last,
      why: "no seal ends it",
    });
  }
  return { head: end.head, seg, off: 0, len: 0 };
}
