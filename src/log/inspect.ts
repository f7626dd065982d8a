/** A health report of a log, from reading alone: every archive, segment and snapshot, whole. */

import { readFormat } from "./create.ts";
import { type Disk, nodeDisk, typed } from "./disk.ts";
import { LogCorrupt, type Place } from "./errors.ts";
import { archivesOf, type Files, filesOf, isSegment, orMissing, snapshotsOf } from "./files.ts";
import { type Entry, linkBefore, readArchive } from "./history.ts";
import { GENESIS, type Head, type Link, type Skip } from "./record.ts";
import { advance, type Spot, spotAt } from "./segment.ts";
import { decodeSnapshot } from "./snapshot.ts";

export interface FileHealth {
  readonly name: string;
  readonly ok: boolean;
  /** What is wrong with it. */
  readonly why?: string;
}

export interface Health {
  /** Whether everything that was written can be read. Torn lines are no damage. */
  readonly ok: boolean;
  readonly format: FileHealth & { readonly version?: number; readonly log?: string };
  readonly head: Head;
  readonly archives: readonly FileHealth[];
  /** `unreferenced`: a dead sealer's or already archived; compaction removes it. */
  readonly segments: readonly (FileHealth & { readonly state: "live" | "sealed" | "unreferenced" })[];
  readonly snapshots: readonly (FileHealth & { readonly seq: number; readonly durable: boolean })[];
  readonly committed: number;
  readonly voids: number;
  readonly torn: number;
  readonly corrupt: readonly Place[];
  /** Holes that repairs have marked: from the record's number to `skip.to`. */
  readonly skipped: readonly (Skip & { readonly from: number })[];
  readonly temporary: number;
  readonly broken: readonly string[];
}

/** @throws LogMissing, LogNewer, LogUnreadable */
export function inspectLog({ dir, disk = nodeDisk }: { dir: string; disk?: Disk }): Health {
  const files = filesOf(typed(disk), dir);
  const corrupt: Place[] = [];
  const skipped: (Skip & { from: number })[] = [];
  let committed = 0;
  const check = checker(corrupt);
  const visit = (file: string, { record, line }: Pick<Entry, "record" | "line">, before: Link) => {
    committed++;
    if (record.skip) skipped.push({ from: record.s, ...record.skip });
    check.seal(file, record, line, before);
  };

  let genesis = "";
  const format = check.file("FORMAT", () => {
    const found = readFormat(files);
    ({ genesis } = found);
    return { version: found.format, log: found.log };
  });
  const listed = archivesOf(files.list("arch"));
  let head: Link = GENESIS;
  let next: string | undefined = genesis;
  const archives = listed.map(({ name, first, last, crc }, at) =>
    check.file(name, () => {
      const path = files.path("arch", name);
      const linked: Link | undefined = at === 0 ? linkBefore(listed, 0) : head;
      head = { seq: last, crc, t: head.t, hash: "" };
      if (linked && first > linked.seq + 1) {
        throw new LogCorrupt({
          file: path,
          offset: 0,
          seq: linked.seq + 1,
          why: "records before it are missing",
        });
      }
      check.restart();
      let before = linked ?? { ...GENESIS, seq: first - 1 };
      for (const entry of readArchive(files, name, linked)) {
        visit(path, entry, before);
        before = entry.head;
        next = entry.record.seal;
      }
      head = before;
      return {};
    }),
  );

  const names = files.list("seg").filter(isSegment);
  const ends = new Map<string, Spot>();
  const chain: (FileHealth & { state: "live" | "sealed" })[] = [];
  let voids = 0;
  let torn = 0;
  while (next !== undefined && next !== "") {
    const name: string = next;
    next = undefined;
    const spot = spotAt(files.path("seg", name), head);
    check.restart();
    const health = check.file(name, () => {
      const fd = orMissing(() => files.disk.open(spot.file, "read"));
      if (fd === undefined) {
        throw new LogCorrupt({
          file: spot.file,
          offset: 0,
          seq: head.seq + 1,
          why: "the segment is missing",
        });
      }
      let before = spot.head;
      try {
        advance(files.disk, fd, spot, (record, line) => {
          visit(spot.file, { record, line }, before);
          before = spot.head;
        });
      } finally {
        files.disk.close(fd);
      }
      return {};
    });
    ({ head } = spot);
    voids += spot.voids;
    torn += spot.torn + (spot.rest > 0 ? 1 : 0);
    next = spot.sealed;
    ends.set(name, spot);
    chain.push({ ...health, state: next === undefined ? "live" : "sealed" });
  }
  const rest = names
    .filter((name) => !ends.has(name))
    .map((name) => ({ name, ok: true, state: "unreferenced" as const }));
  return {
    ok: corrupt.length === 0,
    format,
    head: { seq: head.seq, crc: head.crc, t: head.t },
    archives,
    segments: [...chain, ...rest],
    snapshots: snapshotHealth(files, head.seq),
    committed,
    voids,
    torn,
    corrupt,
    skipped,
    temporary: files.list("tmp").length,
    broken: files.list("broken"),
  };
}

function snapshotHealth(files: Files, head: number): Health["snapshots"] {
  return snapshotsOf(files.list("snap")).map(({ name, seq, base }) => {
    const bytes = orMissing(() => files.disk.readFile(files.path("snap", name)));
    const problem =
      bytes === undefined || !decodeSnapshot(bytes)
        ? "the checksum does not hold"
        : seq > head
          ? `it is ahead of the log, which ends at ${head}`
          : undefined;
    return problem === undefined
      ? { name, seq, durable: base, ok: true }
      : { name, seq, durable: base, ok: false, why: problem };
  });
}

/** Collects damage file by file, and compares each seal's hash with the lines before it. */
function checker(corrupt: Place[]) {
  let sha: import("node:crypto").Hash | undefined;
  let known = false;
  return {
    file<T extends object>(name: string, read: () => T): FileHealth & Partial<T> {
      try {
        return { name, ok: true, ...read() };
      } catch (error) {
        if (!(error instanceof LogCorrupt)) throw error;
        corrupt.push({ file: error.file, offset: error.offset, seq: error.seq, why: error.why });
        return { name, ok: false, why: error.why } as FileHealth & Partial<T>;
      }
    },
    restart() {
      sha = undefined;
    },
    seal(file: string, record: Entry["record"], line: Entry["line"], before: Link) {
      if (!sha) {
        sha = process.getBuiltinModule("node:crypto").createHash("sha256").update(before.hash);
        known = before.seq === 0 || before.hash !== "";
      }
      if (record.skip) known = false;
      if (record.hash !== undefined && known && sha.copy().digest("hex") !== record.hash) {
        throw new LogCorrupt({
          file,
          offset: 0,
          seq: record.s,
          why: "the seal's hash is not that of the lines",
        });
      }
      sha.update(line).update("\n");
    },
  };
}
