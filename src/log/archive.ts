/**
 * Archives: a sealed segment's committed lines, compressed. A gzip file of many members of about a megabyte,
 * each with its own size in the header's extra field (as BGZF does), so that it is read in constant memory and
 * `zcat` reads it too.
 */

import { Buffer } from "node:buffer";
import type { Disk } from "./disk.ts";
import { crc32 } from "./crc32.ts";
import { LogCorrupt } from "./errors.ts";

/** Plain bytes after which a member is closed. */
const MEMBER = 1 << 20;
/** gzip: magic, deflate, FEXTRA, no time, unknown system, 8 extra bytes: "SB", 4, whole size of the member. */
const HEADER = Buffer.from("1f8b08040000000000ff080053420400", "hex");
const NEWLINE = Buffer.from("\n");
const HEAD = HEADER.length + 4;

function zlib(): typeof import("node:zlib") {
  return process.getBuiltinModule("node:zlib");
}

/** Lines (without their newlines) as the members of an archive. */
export function* pack(lines: Iterable<Buffer>): Generator<Buffer> {
  let plain: Buffer[] = [];
  let size = 0;
  for (const line of lines) {
    plain.push(Buffer.concat([line, NEWLINE]));
    size += line.length + 1;
    if (size >= MEMBER) {
      yield member(Buffer.concat(plain));
      plain = [];
      size = 0;
    }
  }
  if (size > 0) yield member(Buffer.concat(plain));
}

function member(plain: Buffer): Buffer {
  const packed = zlib().deflateRawSync(plain, { level: 6 });
  const bytes = Buffer.alloc(HEAD + packed.length + 8);
  HEADER.copy(bytes);
  bytes.writeUInt32LE(bytes.length, HEADER.length);
  packed.copy(bytes, HEAD);
  bytes.writeUInt32LE(crc32(plain), HEAD + packed.length);
  bytes.writeUInt32LE(plain.length, HEAD + packed.length + 4);
  return bytes;
}

/**
 * The lines of the archive at `path`, without their newlines.
 *
 * @throws LogCorrupt where the compressed bytes are damaged or cut; `seq` is the one its caller expects next
 */
export function* unpack(disk: Disk, path: string, seq: () => number): Generator<Buffer> {
  const fd = disk.open(path, "read");
  try {
    const size = disk.size(fd);
    let plainOff = 0;
    for (let at = 0; at < size;) {
      const head = bytesAt(disk, fd, at, HEAD);
      const length = head.length === HEAD && head.subarray(0, 16).equals(HEADER) ? head.readUInt32LE(16) : 0;
      const whole = length > HEAD + 8 && at + length <= size ? bytesAt(disk, fd, at, length) : undefined;
      const plain = whole?.length === length ? inflate(whole) : undefined;
      if (plain === undefined) {
        const why = `the compressed part at byte ${at} is damaged`;
        throw new LogCorrupt({ file: path, offset: plainOff, seq: seq(), why });
      }
      let start = 0;
      for (let end = plain.indexOf(10); end !== -1; end = plain.indexOf(10, start)) {
        yield plain.subarray(start, end);
        start = end + 1;
      }
      plainOff += plain.length;
      at += length;
    }
  } finally {
    disk.close(fd);
  }
}

/** What can still be read of a damaged archive: the lines of every member that is whole. */
export function* salvage(bytes: Buffer): Generator<Buffer> {
  for (let at = bytes.indexOf(HEADER); at !== -1; at = bytes.indexOf(HEADER, at + 1)) {
    const length = at + HEAD <= bytes.length ? bytes.readUInt32LE(at + HEADER.length) : 0;
    const plain = length > HEAD + 8 ? inflate(bytes.subarray(at, at + length)) : undefined;
    if (plain) for (const line of plain.toString("utf8").split("\n")) yield Buffer.from(line);
  }
}

function inflate(bytes: Buffer): Buffer | undefined {
  try {
    const plain = zlib().inflateRawSync(bytes.subarray(HEAD, -8));
    return crc32(plain) === bytes.readUInt32LE(bytes.length - 8) ? plain : undefined;
  } catch {
    return undefined;
  }
}

function bytesAt(disk: Disk, fd: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  let have = 0;
  while (have < length) {
    const got = disk.read(fd, bytes, have, length - have, at + have);
    if (got === 0) break;
    have += got;
  }
  return bytes.subarray(0, have);
}
