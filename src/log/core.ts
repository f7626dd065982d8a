/**
 * The open log: where it stands, how it catches up, and the one step that decides who wins.
 *
 * Invariants (docs/log.md has the reasons):
 * I1 bytes are only appended, so whether a record is committed depends on nothing that comes after it;
 * I2 segments are never created by opening them;
 * I3 a segment is unlinked only when its seal, its archive and a snapshot by the same compactor are durable;
 * I4 nothing after a seal is more durable than the seal;
 * I5 snapshots are hints, checked against the log at each use;
 * I6 a record is acknowledged only after reading it back.
 */

import { Buffer } from "node:buffer";
import { LogCorrupt, LogFull, LogReadOnly, LogTooLarge, LogUnreadable } from "./errors.ts";
import { discard, type Files, orMissing, segmentFirst, snapshotsOf } from "./files.ts";
import { type Folds, foldsOf, type Projection } from "./folds.ts";
import { archiveEnd, type Entry, readHistory } from "./history.ts";
import { decode, encode, follow, GENESIS, type LogRecord, MAX_LINE, nonce, RESYNC } from "./record.ts";
import type { Unsigned } from "./record.ts";
import { advance, firstLink, type Spot, spotAt } from "./segment.ts";
import { decodeSnapshot, type Place, type Snapshot, writeSnapshot } from "./snapshot.ts";

/** What one attempt adds to a record. */
export type Fields = Pick<Unsigned, "by" | "k" | "e" | "seal" | "hash" | "skip">;

export interface Won {
  readonly record: LogRecord;
  /** Makes the record durable. */
  sync(): void;
}

export interface Core {
  readonly files: Files;
  readonly genesis: string;
  readonly folds: Folds;
  readonly now: () => number;
  /** Right behind the last record that has been folded. */
  place(): Place;
  /** Folds everything committed since. */
  catchUp(): void;
  /** One try to append right behind the head; undefined where somebody else was first. */
  attempt(fields: Fields): Won | undefined;
  /** Writes a snapshot of every fold at the head. */
  snapshot(base: boolean): Snapshot;
  /** Records folded since the newest snapshot this instance has read or written. */
  unsaved(): number;
  history(from: number, to: number): Iterable<Entry>;
  close(): void;
}

interface Tail {
  readonly name: string;
  readonly fd: number;
  readonly writable: boolean;
  readonly spot: Spot;
}

/** How often a compactor may overtake one catch-up before that is taken for damage. */
const OVERTAKEN = 8;

export function openCore(
  files: Files,
  genesis: string,
  projections: readonly Projection[],
  now: () => number,
): Core {
  const { disk } = files;
  const folds = foldsOf(projections, function* (from, to) {
    for (const { record } of history(from, to)) yield record;
  });
  let saved = 0;
  const rejected = new Set<string>();
  let near: Place | undefined;
  let tail = load();
  let closed = false;

  function history(from: number, to: number): Iterable<Entry> {
    const start = near && near.head.seq < from ? near : segmentStart(from);
    return readHistory(files, { genesis, near: start }, from, to);
  }

  /** The beginning of the live segment, where it holds `from`: saves reading archives to find it. */
  function segmentStart(from: number): Place | undefined {
    const { name, fd, spot } = tail;
    const first = segmentFirst(name);
    if (from < first || from > spot.head.seq) return undefined;
    return { head: firstLink(disk, fd, spot.file, first), seg: name, off: 0, len: 0 };
  }

  function opened(name: string, head: Place["head"], off = 0, len = 0): Tail | undefined {
    return orMissing(() => {
      const path = files.path("seg", name);
      const spot = spotAt(path, head, off, len);
      try {
        return { name, fd: disk.open(path, "append"), writable: true, spot };
      } catch (error) {
        if (!(error instanceof LogReadOnly)) throw error;
        return { name, fd: disk.open(path, "read"), writable: false, spot };
      }
    });
  }

  /** The tail from the newest snapshot that the log confirms; else from the first segment or the archives. */
  function load(): Tail {
    for (let pass = 0; ; pass++) {
      let overtaken = false;
      for (const { name } of snapshotsOf(files.list("snap"))) {
        const snapshot = readSnapshot(name);
        const found = snapshot && opened(snapshot.seg, snapshot.head, snapshot.off, snapshot.len);
        if (snapshot && found && confirmed(found.fd, snapshot)) {
          folds.take(snapshot.folds);
          saved = snapshot.head.seq;
          near = snapshot;
          return found;
        }
        if (found) disk.close(found.fd);
        if (found || !snapshot) rejected.add(name);
        // The segment or the snapshot has just been cleaned up, so there is something newer: look again.
        overtaken ||= found === undefined;
        if (overtaken && pass < 2) break;
      }
      if (!overtaken || pass >= 2) break;
    }
    const first = opened(genesis, GENESIS);
    if (first) return first;
    const end = archiveEnd(files);
    const rest = end && opened(end.seg, end.head);
    if (rest) {
      near = end;
      return rest;
    }
    const file = files.path("seg", end?.seg ?? genesis);
    throw new LogCorrupt({ file, offset: 0, seq: (end?.head.seq ?? 0) + 1, why: "the segment is missing" });
  }

  function readSnapshot(name: string): Snapshot | undefined {
    try {
      const bytes = orMissing(() => disk.readFile(files.path("snap", name)));
      return bytes && decodeSnapshot(bytes);
    } catch (error) {
      // A snapshot is a hint: an older one, or the log itself, answers too.
      if (error instanceof LogUnreadable) return undefined;
      throw error;
    }
  }

  function confirmed(fd: number, { seg, head, off, len }: Place): boolean {
    if (len === 0) return off === 0 && segmentFirst(seg) === head.seq + 1;
    const bytes = Buffer.alloc(len);
    if (disk.read(fd, bytes, 0, len, off - len) !== len || bytes[len - 1] !== 10) return false;
    const record = decode(bytes.subarray(0, -1));
    const after = record && follow(head, record);
    return after?.seq === head.seq && after.crc === head.crc;
  }

  /** Folds to the end of the chain; answers the record with nonce `mine` if it is among the committed ones. */
  function fold(mine?: string): LogRecord | undefined {
    let won: LogRecord | undefined;
    for (let overtaken = 0; ;) {
      const { spot } = tail;
      let before = spot.head.seq;
      try {
        advance(disk, tail.fd, spot, (record) => {
          if (record.n === mine) won = record;
          folds.apply(record, before, spot.head.seq);
          before = spot.head.seq;
        });
      } catch (error) {
        if (!(error instanceof LogCorrupt) || !repaired(++overtaken)) throw error;
        continue;
      }
      if (spot.sealed === undefined) return won;
      if (tail.writable) disk.sync(tail.fd); // I4
      const old = tail;
      const next = opened(spot.sealed, spot.head);
      if (next) {
        near = { head: spot.head, seg: next.name, off: 0, len: 0 };
        tail = next;
      } else {
        const found = load();
        if (found.spot.head.seq < spot.head.seq || ++overtaken > OVERTAKEN) {
          disk.close(found.fd);
          const file = files.path("seg", spot.sealed);
          throw new LogCorrupt({ file, offset: 0, seq: spot.head.seq + 1, why: "the segment is missing" });
        }
        tail = found;
      }
      disk.close(old.fd);
    }
  }

  /** Goes on behind a damaged place, where repair has made a newer beginning. */
  function repaired(tries: number): boolean {
    const found = load();
    if (found.name === tail.name || found.spot.head.seq < tail.spot.head.seq || tries > OVERTAKEN) {
      disk.close(found.fd);
      return false;
    }
    disk.close(tail.fd);
    tail = found;
    return true;
  }

  function attempt(fields: Fields): Won | undefined {
    const { fd, spot, writable } = tail;
    if (!writable) throw new LogReadOnly(`Cannot append to ${spot.file}: it may only be read.`);
    const { seq, crc, t } = spot.head;
    const n = nonce();
    const line = encode({ s: seq + 1, p: crc, t: Math.max(now(), t), n, ...fields });
    if (line.length > MAX_LINE) {
      throw new LogTooLarge(
        `Cannot append ${line.length} bytes to ${spot.file}: a record may have ${MAX_LINE}. Store large content elsewhere and name it.`,
      );
    }
    // Somebody has been faster: the write would be void. Skipping it saves bytes, nothing depends on it.
    if (disk.size(fd) !== spot.off + spot.rest) return undefined;
    const bytes = spot.rest > 0 ? Buffer.concat([Buffer.from(RESYNC), line]) : line;
    const written = disk.write(fd, bytes);
    const record = fold(n); // I6
    if (record) return { record, sync: () => tail.fd === fd && disk.sync(fd) };
    if (written !== bytes.length) {
      throw new LogFull(
        `Cannot append to ${spot.file}: disk is full (${written} of ${bytes.length} bytes). Free some space and try again.`,
      );
    }
    return undefined;
  }

  function place(): Place {
    const { name, spot } = tail;
    return { head: spot.head, seg: name, off: spot.end, len: spot.len };
  }

  return {
    files,
    genesis,
    folds,
    now,
    place,
    catchUp: () => void fold(),
    attempt,
    snapshot(base) {
      const snapshot = { ...place(), folds: folds.save(tail.spot.head.seq) };
      // A durable snapshot must not outlive the record it stands on.
      if (base && tail.writable) disk.sync(tail.fd);
      // Damaged, or from before a power loss and ahead of the log: they would outlive the ones that count.
      for (const name of rejected) discard(disk, files.path("snap", name));
      rejected.clear();
      writeSnapshot(files, snapshot, base);
      saved = snapshot.head.seq;
      near = snapshot;
      return snapshot;
    },
    unsaved: () => tail.spot.head.seq - saved,
    history,
    close() {
      if (!closed) disk.close(tail.fd);
      closed = true;
    },
  };
}
