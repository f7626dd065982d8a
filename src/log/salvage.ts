/** Puts what is left of a damaged stretch of history back into one chain, each hole marked by a skip record. */

import type { Buffer } from "node:buffer";
import {
  decode,
  encode,
  endsLikeRecord,
  type Fence,
  follow,
  isGlued,
  type Link,
  type LogRecord,
} from "./record.ts";

export interface Hole {
  readonly from: number;
  readonly to: number;
}

export interface Salvaged {
  /** Lines without their newlines: the stored ones unchanged, and a skip record for each hole. */
  readonly lines: Buffer[];
  readonly head: Link;
  readonly holes: Hole[];
  /** Checksums of the records that are there, by sequence number. */
  readonly crcs: Map<number, string>;
}

/**
 * The longest chain after `head` that the lines still hold, in file order. `end` is where it must lead, if that
 * is known: what is missing up to there is one more hole. The result depends on the arguments only, `sign`
 * included, so that two repairs of the same bytes write the same.
 */
export function salvageChain(
  head: Link,
  stored: Iterable<Buffer>,
  sign: Fence,
  end?: { seq: number; crc: string },
): Salvaged {
  const found: { line: Buffer; record: LogRecord; damaged: boolean }[] = [];
  const named = new Set<string>();
  const numbers = new Set<number>();
  let damaged = false;
  for (const line of stored) {
    const record = decode(line);
    damaged ||= !record && endsLikeRecord(line) && !isGlued(line, Number.MAX_SAFE_INTEGER);
    if (!record) continue;
    found.push({ line, record, damaged });
    named.add(record.p);
    numbers.add(record.s);
    damaged = false;
  }
  const out: Salvaged & { head: Link } = { lines: [], head, holes: [], crcs: new Map() };
  const add = (line: Buffer, record: LogRecord) => {
    out.lines.push(line);
    out.head = follow(out.head, record);
    out.crcs.set(out.head.seq, out.head.crc);
  };
  const skip = (to: number, crc: string | undefined) => {
    const { seq, crc: p, t } = out.head;
    const hole = { to, ...(crc !== undefined && { crc }), why: "lost; the log was repaired" };
    const line = encode({ s: seq + 1, p, t, n: `${sign.fence}-${seq + 1}`, e: [], skip: hole }).subarray(
      0,
      -1,
    );
    out.holes.push({ from: seq + 1, to });
    add(line, decode(line)!);
  };
  let hole = false;
  for (const { line, record, damaged } of found) {
    hole ||= damaged;
    const { seq, crc } = out.head;
    if (record.s <= seq || (end && record.s > end.seq)) continue;
    const follows = record.s === seq + 1 && record.p === crc;
    // A lost race's record is named by no successor. Where no successor is left to ask, it is taken for the
    // winner, but not behind a hole, which has probably swallowed the winner.
    const trusted = named.has(record.c) || (!numbers.has(record.s + 1) && !(hole && record.s === seq + 1));
    if (!trusted || (!follows && record.s === seq + 1)) continue;
    if (!follows) skip(record.s - 1, record.p);
    add(line, record);
    hole = false;
  }
  if (!end && damaged) skip(out.head.seq + 1, undefined);
  if (end && out.head.seq < end.seq) skip(end.seq, end.crc);
  return out;
}
