/** Puts what is left of a damaged stretch of history back into one chain, each hole marked by a skip record. */

import type { Buffer } from "node:buffer";
import {
  BANG,
  decode,
  encode,
  endsLikeRecord,
  type Fence,
  follow,
  isGlued,
  isWholeButNewline,
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
}

/**
 * The longest chain after `head` that the lines still hold, in file order. `end` is where it must lead, if that
 * is known: what is missing up to there is one more hole; `missing`, that something is missing anyhow. The
 * result depends on the arguments only, `sign` included, so that two repairs of the same bytes write the same.
 */
export function salvageChain(
  head: Link,
  stored: Iterable<Buffer>,
  sign: Fence,
  end?: { seq: number; crc: string },
  missing = false,
): Salvaged {
  const { found, damaged } = parse(stored, missing);
  const good = chained(found);
  const out: Salvaged & { head: Link } = { lines: [], head, holes: [] };
  const add = (line: Buffer, record: LogRecord) => {
    out.lines.push(line);
    out.head = follow(out.head, record);
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
  for (const item of found) {
    const { line, record } = item;
    hole ||= item.damaged;
    const { seq, crc } = out.head;
    if (record.s <= seq || (end && record.s > end.seq) || !good.has(record.c)) continue;
    const follows = record.s === seq + 1 && record.p === crc;
    // A hole has probably swallowed the winner of the race that this record then lost.
    const loser = hole && record.s === seq + 1 && !good.get(record.c);
    if (loser || (!follows && record.s === seq + 1)) continue;
    if (!follows) skip(record.s - 1, record.p);
    add(line, record);
    hole = false;
  }
  if (!end && damaged) skip(out.head.seq + 1, undefined);
  if (end && out.head.seq < end.seq) skip(end.seq, end.crc);
  return out;
}

interface Found {
  readonly line: Buffer;
  readonly record: LogRecord;
  /** Whether damaged bytes stand between it and the one before. */
  readonly damaged: boolean;
}

function parse(stored: Iterable<Buffer>, missing: boolean): { found: Found[]; damaged: boolean } {
  const found: Found[] = [];
  let damaged = missing;
  for (const whole of stored) {
    const parts = decode(whole) ? [whole] : mend(whole);
    damaged ||= parts.length === 0 && endsLikeRecord(whole) && !isGlued(whole, Number.MAX_SAFE_INTEGER);
    for (const line of parts) {
      found.push({ line, record: decode(line)!, damaged });
      damaged = false;
    }
  }
  return { found, damaged };
}

/** The records of a line whose only damage is in the newlines between them. */
function mend(line: Buffer): Buffer[] {
  const parts: Buffer[] = [];
  let start = 0;
  for (let at = line.indexOf('{"s":', 1); at !== -1; at = line.indexOf('{"s":', at + 1)) {
    if (!isWholeButNewline(line.subarray(start, at))) continue;
    parts.push(line.subarray(start, at - 1));
    start = at;
  }
  const rest = line.subarray(start);
  // The fence has put its own `!` behind the last line.
  if (isWholeButNewline(rest.subarray(0, -1)) && rest.at(-1) === BANG) parts.push(rest.subarray(0, -2));
  else if (parts.length > 0 && decode(rest)) parts.push(rest);
  return parts;
}

/**
 * The records that can be part of the chain, by checksum: those that a successor names (true), and those that
 * have no successor left to ask (false). A record that lost its race has a successor that names another.
 */
function chained(found: readonly Found[]): Map<string, boolean> {
  const good = new Map<string, boolean>();
  const named = new Set<string>();
  const numbers = new Set<number>();
  for (const { record } of found.toSorted((a, b) => b.record.s - a.record.s)) {
    const { s, p, c } = record;
    if (!named.has(c) && numbers.has(s + 1)) continue;
    good.set(c, named.has(c));
    named.add(p);
    numbers.add(s);
  }
  return good;
}
