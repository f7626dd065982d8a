/**
 * A stretch of history as one file, to be read on another machine:
 *
 *     {"export":1,"log":"<id>","first":…,"folds":[{"name":…,"version":…,"seq":…,"state":…}]}
 *     …the stored lines of records `first`, `first`+1, …, byte for byte
 *     {"end":<last>,"records":…,"sha256":"<of all bytes before this line>"}
 *
 * compressed as an archive is: `zcat` reads it. `folds` are the states right before `first`, so that a state in the
 * middle can be told without what came before; none where the exporter did not know them.
 */

import { Buffer } from "node:buffer";
import { pack, unpack } from "./archive.ts";
import { type Disk, nodeDisk, typed } from "./disk.ts";
import { LogCorrupt, LogExport, LogFull, LogNewer, LogUnreadable } from "./errors.ts";
import { discard, orMissing } from "./files.ts";
import { decode, encode, follow, GENESIS, type Link, type LogRecord, nonce } from "./record.ts";
import type { SavedFold } from "./snapshot.ts";

const EXPORT_FORMAT = 1;

/** What is said before the first record. */
export interface ExportHeader {
  /** The log's id. */
  readonly log: string;
  /** Number of the first record. */
  readonly first: number;
  readonly folds: readonly SavedFold[];
}

interface End {
  readonly end: number;
  readonly records: number;
  readonly sha256: string;
}

/** What was written. */
export interface Exported {
  readonly records: number;
  readonly sha256: string;
}

/**
 * Writes a file that is not there yet, whole or not at all.
 *
 * @param records from `header.first` on, without a gap
 * @throws LogUnreadable if there is a file of that name; LogFull and the like; then nothing is left of it
 */
export function writeExport(
  path: string,
  header: ExportHeader,
  records: Iterable<LogRecord>,
  disk: Disk = nodeDisk,
): Exported {
  const on = typed(disk);
  const hash = sha256();
  let count = 0;
  let last = header.first - 1;
  function* lines(): Generator<Buffer> {
    const told = (line: Buffer) => {
      hash.update(line).update("\n");
      return line;
    };
    yield told(Buffer.from(JSON.stringify({ export: EXPORT_FORMAT, ...header })));
    for (const record of records) {
      count += 1;
      last = record.s;
      const line = encode(record).subarray(0, -1);
      // What a writer that is not ours has put in other words would no longer fit its checksum.
      if (decode(line)?.c !== record.c)
        throw new LogUnreadable(`Cannot export record ${record.s}: it is not in this program's own words.`);
      yield told(line);
    }
    yield Buffer.from(JSON.stringify({ end: last, records: count, sha256: hash.copy().digest("hex") }));
  }
  const temporary = `${path}.${nonce()}`;
  const fd = on.open(temporary, "create");
  try {
    try {
      for (const bytes of pack(lines()))
        if (on.write(fd, bytes) !== bytes.length)
          throw new LogFull(`Cannot write ${path}: disk is full. Free some space and try again.`);
      on.sync(fd);
    } finally {
      on.close(fd);
    }
    // A link replaces nothing.
    on.link(temporary, path);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST")
      throw new LogUnreadable(
        `Cannot write ${path}: it is there already. Choose another name, or remove it.`,
      );
    throw error;
  } finally {
    discard(on, temporary);
  }
  return { records: count, sha256: hash.digest("hex") };
}

/** An export, opened; reading its records to the end is what proves it whole. */
export interface ExportFile {
  readonly header: ExportHeader;
  /** @throws LogExport at the first place that is not as it was written */
  readonly records: () => Generator<LogRecord>;
}

/** @throws LogUnreadable, LogNewer, LogExport if it is no export that this build can read */
export function readExport(path: string, disk: Disk = nodeDisk): ExportFile {
  const on = typed(disk);
  const lines = () => unpacked(on, path);
  const first = orMissing(() => {
    for (const line of lines()) return parsed(line);
    return undefined;
  });
  const header = first as (ExportHeader & { export: number }) | undefined;
  if (header === undefined || typeof header.export !== "number")
    throw new LogUnreadable(`Cannot read ${path}: it is not there, or no export of signalbox's.`);
  if (header.export > EXPORT_FORMAT)
    throw new LogNewer(`Cannot read ${path}: its format ${header.export} is newer than this program.`);
  return { header, records: () => recordsOf(path, lines(), header.first) };
}

function* unpacked(disk: Disk, path: string): Generator<Buffer> {
  let seq = 0;
  try {
    for (const line of unpack(disk, path, () => seq)) {
      yield line;
      seq = decode(line)?.s ?? seq;
    }
  } catch (error) {
    if (!(error instanceof LogCorrupt)) throw error;
    const { file, offset, why } = error;
    throw new LogExport({ file, offset, seq: seq + 1, why });
  }
}

function* recordsOf(path: string, lines: Iterable<Buffer>, first: number): Generator<LogRecord> {
  const hash = sha256();
  let head: Link | undefined;
  let offset = 0;
  let count = 0;
  let end: End | undefined;
  const fail = (why: string) => new LogExport({ file: path, offset, seq: (head?.seq ?? first - 1) + 1, why });
  for (const line of lines) {
    if (end !== undefined) throw fail("something stands behind its end");
    const record = offset === 0 ? undefined : decode(line);
    if (record !== undefined) {
      // What stood before the first one is known to the log that it was taken from.
      head ??= { ...GENESIS, seq: first - 1, crc: record.p };
      if (record.s !== head.seq + 1 || record.p !== head.crc)
        throw fail(`record ${record.s} does not follow record ${head.seq}`);
      head = follow(head, record);
      count += 1;
      yield record;
    } else if (offset > 0) {
      end = parsed(line) as End | undefined;
      if (typeof end?.end !== "number") throw fail("the record is damaged");
    }
    if (end === undefined) hash.update(line).update("\n");
    offset += line.length + 1;
  }
  if (end === undefined) throw fail("it ends before its end is said");
  if (end.records !== count) throw fail(`${count} records were found, ${end.records} are expected`);
  if (end.sha256 !== hash.digest("hex")) throw fail("its hash is not the one that it ends with");
}

function parsed(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString("utf8"));
  } catch {
    return undefined;
  }
}

function sha256(): import("node:crypto").Hash {
  return process.getBuiltinModule("node:crypto").createHash("sha256");
}
