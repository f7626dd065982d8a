/** Walks the lines of an open segment and sorts them into committed, void, torn and corrupt (record.ts). */

import { Buffer } from "node:buffer";
import type { Disk } from "./disk.ts";
import { LogCorrupt } from "./errors.ts";
import {
  decode,
  decodeFence,
  endsLikeRecord,
  follow,
  GENESIS,
  isBlank,
  isGlued,
  isWholeButNewline,
  type Link,
  type LogRecord,
} from "./record.ts";

/** Where a walk through one segment stands. Changed in place as the walk goes on. */
export interface Spot {
  readonly file: string;
  head: Link;
  /** Everything before this offset has been sorted. */
  off: number;
  /** End and length of the last committed record in this file; 0 and 0 where there is none. */
  end: number;
  len: number;
  /** Bytes after `off` that have no newline yet. */
  rest: number;
  /** The segment that goes on, once this one's seal has been passed. */
  sealed: string | undefined;
  committed: number;
  voids: number;
  torn: number;
}

export function spotAt(file: string, head: Link, off = 0, len = 0): Spot {
  return { file, head, off, end: off, len, rest: 0, sealed: undefined, committed: 0, voids: 0, torn: 0 };
}

/**
 * Called for each committed record, after it has become the head; `line` is only valid during the call.
 * Answering false ends the walk behind this record.
 */
export type Visit = (record: LogRecord, line: Buffer) => boolean | void;

let buffer = Buffer.allocUnsafe(64 * 1024);
let busy = false;

/**
 * Walks from the spot to the end of the file, to its seal, or to where `visit` stops it.
 *
 * @throws LogCorrupt where the stored bytes can't be what was written
 */
export function advance(disk: Disk, fd: number, spot: Spot, visit: Visit): void {
  for (const line of lines(disk, fd, spot)) {
    if (!sort(spot, line, visit) || spot.sealed !== undefined) return;
  }
}

/**
 * The whole lines of a file from `spot.off` on, without their newlines; `spot.off` is behind the line while it
 * is handed out, and `spot.rest` says what is left when the file ends. A line is only valid until the next.
 */
export function* lines(disk: Disk, fd: number, spot: Spot): Generator<Buffer, void> {
  const shared = !busy;
  let bytes = shared ? buffer : Buffer.allocUnsafe(64 * 1024);
  busy = true;
  try {
    let have = 0;
    for (;;) {
      const got = disk.read(fd, bytes, have, bytes.length - have, spot.off + have);
      if (got === 0) break;
      have += got;
      const filled = bytes.subarray(0, have);
      let start = 0;
      for (let end = filled.indexOf(10); end !== -1; end = filled.indexOf(10, start)) {
        const line = filled.subarray(start, end);
        start = end + 1;
        spot.off += line.length + 1;
        yield line;
      }
      bytes.copyWithin(0, start, have);
      have -= start;
      if (have === bytes.length) {
        bytes = Buffer.concat([bytes], bytes.length * 2);
        if (shared) buffer = bytes;
      }
    }
    spot.rest = have;
    if (have > 0 && isWholeButNewline(bytes.subarray(0, have))) {
      throw corrupt(spot, spot.off, "a record's newline is damaged");
    }
  } finally {
    if (shared) busy = false;
  }
}

/** The head before the first committed record of an open segment, whose number is `first`. */
export function firstLink(disk: Disk, fd: number, file: string, first: number): Link {
  if (first === 1) return GENESIS;
  const spot = spotAt(file, { ...GENESIS, seq: first - 1 });
  for (const line of lines(disk, fd, spot)) {
    const record = decode(line);
    if (record?.s === first) return { seq: first - 1, crc: record.p, t: 0, hash: "" };
  }
  throw corrupt(spot, 0, "the record is damaged");
}

function sort(spot: Spot, line: Buffer, visit: Visit): boolean {
  if (isBlank(line)) return true;
  const next = spot.head.seq + 1;
  const at = spot.off - line.length - 1;
  const record = decode(line);
  if (record === undefined) {
    if (endsLikeRecord(line) && !isGlued(line, next)) {
      throw corrupt(spot, at, decodeFence(line) ? "repair has closed the segment" : "the record is damaged");
    }
    spot.torn++;
  } else if (record.s < next) {
    spot.voids++;
  } else if (record.s > next) {
    throw corrupt(spot, at, `record ${record.s} stands where ${next} is missing`);
  } else if (record.p !== spot.head.crc) {
    throw corrupt(spot, at, `record ${next} follows ${record.p}, but the one before it is ${spot.head.crc}`);
  } else {
    spot.head = follow(spot.head, record);
    spot.end = spot.off;
    spot.len = line.length + 1;
    spot.committed++;
    spot.sealed = record.seal;
    return visit(record, line) !== false;
  }
  return true;
}

/** Damage at `offset`, where the walk stays: a later one must not begin behind it. */
function corrupt(spot: Spot, offset: number, why: string): LogCorrupt {
  spot.off = offset;
  return new LogCorrupt({ file: spot.file, offset, seq: spot.head.seq + 1, why });
}
