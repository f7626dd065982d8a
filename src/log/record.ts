/**
 * # The record: one line of a segment
 *
 *     {"s":42,"p":"9f02ab11","t":1795389589138,"n":"k3x9","by":"…","k":"…","e":[…],"c":"5d1e77aa"}\n
 *
 * | key    | meaning                                                                                   |
 * |--------|-------------------------------------------------------------------------------------------|
 * | `s`    | the sequence number its writer expected to get: 1 + the head it was decided on            |
 * | `p`    | `c` of the record before it; `00000000` for the first                                     |
 * | `t`    | milliseconds since 1970, never smaller than the predecessor's                              |
 * | `n`    | nonce, different in every attempt: how a writer recognises its own record                  |
 * | `by`   | the writer; optional                                                                      |
 * | `k`    | idempotency key, opaque here; optional                                                    |
 * | `e`    | the events of one decision: opaque JSON, committed together or not at all                 |
 * | `seal` | this is the last record of its file, and the segment named here goes on; optional         |
 * | `hash` | beside `seal`: SHA-256 of the previous seal's hash and the segment's committed lines       |
 * | `skip` | written by repair: records `s` to `skip.to` are lost, `skip.crc` was the last one's `c`    |
 * | `c`    | CRC-32 of the line's bytes before `,"c":"`, 8 hex digits. Always the last 16 bytes         |
 *
 * Key order is fixed. UTF-8, no raw newline inside (JSON escapes them).
 *
 * Since `p` is inside the checksummed bytes, the checksums chain: order, gaps, splices and forks show.
 *
 * ## Which lines count
 *
 * Walking a file from a known head, splitting at `\n`, a line is
 *
 * 1. **committed** if it is valid, `s` = head.s + 1 and `p` = head.c. It becomes the head;
 * 2. **void** if it is valid and `s` ≤ head.s: its writer lost a race;
 * 3. **torn** if it isn't valid and does not end like a record, or ends in a valid record that was glued to
 *    what a dying writer left: skipped, counted, never in the way;
 * 4. **corrupt** otherwise: a gap (`s` > head.s + 1), a fork (another `p`), or a damaged record. Nobody reads
 *    or appends past it.
 *
 * Bytes after the last newline are not committed yet. The next writer ends them with `!\n` before its own
 * record: with a newline alone, a record that was whole but for its newline, and whose writer has been told
 * that the disk is full, would become committed after all. A line that is only `!` is nothing.
 */

import { Buffer } from "node:buffer";
import { crc32, hex8 } from "./crc32.ts";

/** What may stand in an event or in a snapshot. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** One transaction. The header of this file says what each key means. */
export interface LogRecord {
  readonly s: number;
  readonly p: string;
  readonly t: number;
  readonly n: string;
  readonly by?: string;
  readonly k?: string;
  readonly e: readonly Json[];
  readonly seal?: string;
  readonly hash?: string;
  readonly skip?: Skip;
  readonly c: string;
}

/** A hole that repair has marked. */
export interface Skip {
  /** Last lost sequence number; the record's own `s` is the first. */
  readonly to: number;
  /** `c` of the last lost record where a surviving one names it. Absent: this record's own `c` goes on. */
  readonly crc?: string;
  readonly why: string;
}

/** A record before it has its checksum. */
export type Unsigned = Omit<LogRecord, "c">;

/** Where a log stands: the last committed record's number, checksum and time. */
export interface Head {
  readonly seq: number;
  readonly crc: string;
  readonly t: number;
}

/** The head, with the hash of the last seal, which the next one continues. */
export interface Link extends Head {
  readonly hash: string;
}

/** The head of a log without records. */
export const GENESIS: Link = { seq: 0, crc: "00000000", t: 0, hash: "" };

/** Longest line a writer may produce, in bytes. Larger payloads belong in a file that the event names. */
export const MAX_LINE = 1 << 20;

const TRAILER = 16;
const COMMA = 0x2c;
const QUOTE = 0x22;
const BRACE = 0x7d;
const OPEN = 0x7b;
/** `!`, the mark of a resync. */
export const BANG = 0x21;
const RECORD_START = Buffer.from('{"s":');

const FENCE_START = Buffer.from('{"fence":"');

/** What a writer puts before its record where the file ends in a partial line. */
export const RESYNC = "!\n";

/** The stored line, newline included. */
export function encode(record: Unsigned): Buffer {
  const { s, p, t, n, by, k, e, seal, hash, skip } = record;
  const body = JSON.stringify({ s, p, t, n, by, k, e, seal, hash, skip }).slice(0, -1);
  return Buffer.from(`${body},"c":"${hex8(crc32(Buffer.from(body)))}"}\n`);
}

/** The record that `line` (without its newline) holds, or undefined where it is not a valid one. */
export function decode(line: Buffer): LogRecord | undefined {
  if (!endsLikeRecord(line)) return undefined;
  const body = line.length - TRAILER;
  if (hex8(crc32(line, 0, body)) !== line.toString("latin1", body + 6, body + 14)) return undefined;
  let record: LogRecord;
  try {
    record = JSON.parse(line.toString("utf8")) as LogRecord;
  } catch {
    return undefined;
  }
  const shaped =
    Number.isSafeInteger(record.s) &&
    typeof record.p === "string" &&
    Number.isFinite(record.t) &&
    typeof record.n === "string" &&
    Array.isArray(record.e);
  return shaped ? record : undefined;
}

/** Whether `line` ends in `,"c":"xxxxxxxx"}`, which no torn write does. */
export function endsLikeRecord(line: Buffer): boolean {
  const at = line.length - TRAILER;
  if (at < 0 || line[at] !== COMMA || line[at + 14] !== QUOTE || line[at + 15] !== BRACE) return false;
  return /^,"c":"[0-9a-f]{8}"\}$/.test(line.toString("latin1", at));
}

/** Whether `line` is nothing: empty, or a resync mark that came too late to be needed. */
export function isBlank(line: Buffer): boolean {
  return line.length === 0 || (line.length === 1 && line[0] === BANG);
}

/**
 * Whether an invalid `line` is what a dying writer left with a later writer's whole record glued to it. That
 * later record expected at most `next`. One stray byte between two whole records is a damaged newline instead.
 */
export function isGlued(line: Buffer, next: number): boolean {
  for (let at = line.indexOf(RECORD_START, 1); at !== -1; at = line.indexOf(RECORD_START, at + 1)) {
    const record = decode(line.subarray(at));
    if (record) return record.s <= next && !isWholeButNewline(line.subarray(0, at));
  }
  return false;
}

/**
 * Whether `rest` is a whole record whose newline has become another byte. A resync mark or the first byte of
 * the next record in that place are no damage: the record's writer died one byte short.
 */
export function isWholeButNewline(rest: Buffer): boolean {
  const last = rest.at(-1);
  return last !== BANG && last !== OPEN && decode(rest.subarray(0, -1)) !== undefined;
}

/** The head after a committed `record`. */
export function follow(head: Link, record: LogRecord): Link {
  return {
    seq: record.skip?.to ?? record.s,
    crc: record.skip?.crc ?? record.c,
    t: Math.max(record.t, head.t),
    // What was hashed of lost records nobody knows: the next seal's hash cannot be compared.
    hash: record.hash ?? (record.skip === undefined ? head.hash : ""),
  };
}

/** A line that closes a segment for good, written by repair: no reader passes it, so no writer can win behind it. */
export interface Fence {
  readonly fence: string;
  readonly t: number;
}

export function encodeFence({ fence, t }: Fence): Buffer {
  const body = JSON.stringify({ fence, t }).slice(0, -1);
  return Buffer.from(`${RESYNC}${body},"c":"${hex8(crc32(Buffer.from(body)))}"}\n`);
}

export function decodeFence(line: Buffer): Fence | undefined {
  if (!endsLikeRecord(line) || !line.subarray(0, 10).equals(FENCE_START)) return undefined;
  const body = line.length - TRAILER;
  if (hex8(crc32(line, 0, body)) !== line.toString("latin1", body + 6, body + 14)) return undefined;
  return JSON.parse(line.toString("utf8")) as Fence;
}

const PROCESS = Math.random().toString(36).slice(2, 10) + process.pid.toString(36);
let count = 0;

/** A short text that no other attempt of any process has used. Not secret. */
export function nonce(): string {
  return `${PROCESS}${(count++).toString(36)}${Math.random().toString(36).slice(2, 6)}`;
}
