/**
 * Repair: after it a damaged log can be appended to again, and the hole is marked in its history.
 *
 * Nothing is changed in place. What a damaged stretch still holds becomes an archive, with a skip record for
 * what is lost; a fresh segment follows it; a durable snapshot leads there; the damaged files go to `broken/`.
 * Damaged segments are closed by a fence line first: a writer that still has one open reads the fence behind
 * its record, or its record before the fence is among what is kept. Everything written depends on the bytes up
 * to the first fence only, so that two repairs at once, or one after a crash, write the same.
 */

import { Buffer } from "node:buffer";
import { pack, salvage } from "./archive.ts";
import { openCore } from "./core.ts";
import { addSegment, type Format, linkFormat, readFormat } from "./create.ts";
import { type Disk, nodeDisk, typed } from "./disk.ts";
import { errno, LogCorrupt } from "./errors.ts";
import { type ArchiveName, archiveName, archivesOf, build, discard, type Files, filesOf } from "./files.ts";
import { isSegment, orMissing, segmentFirst, segmentName, snapshotsOf } from "./files.ts";
import { foldsOf, type Projection } from "./folds.ts";
import { archiveEnd, readArchive, readHistory, readSegment } from "./history.ts";
import { decode, decodeFence, encode, encodeFence, type Fence, GENESIS, type Link, nonce } from "./record.ts";
import { type Hole, type Salvaged, salvageChain } from "./salvage.ts";
import { lines, spotAt } from "./segment.ts";
import { decodeSnapshot, type Place, type Snapshot, writeSnapshot } from "./snapshot.ts";

export interface RepairOptions {
  readonly dir: string;
  /** Every fold in use: their states are carried over the hole from the newest provable snapshot. */
  readonly projections: readonly Projection[];
  readonly disk?: Disk | undefined;
  readonly now?: (() => number) | undefined;
}

export interface RepairReport {
  /** False where nothing was damaged. */
  readonly repaired: boolean;
  /** Sequence numbers that are lost. */
  readonly holes: readonly Hole[];
  /** Copies of what was damaged, in `broken/`. */
  readonly broken: readonly string[];
}

/** @throws LogMissing, LogNewer, LogUnreadable, LogReadOnly, LogFull */
export function repairLog({ dir, projections, disk, now = Date.now }: RepairOptions): RepairReport {
  const files = filesOf(typed(disk ?? nodeDisk), dir);
  const holes: Hole[] = [];
  const broken: string[] = [];
  const keep = (folder: "seg" | "arch" | "snap", name: string) => {
    const copy = `${name}.broken`;
    if (linked(files, files.path(folder, name), files.path("broken", copy))) broken.push(copy);
  };
  const sign: Fence = { fence: nonce(), t: now() };

  for (const folder of ["seg", "snap", "arch", "tmp", "broken"] as const)
    files.disk.mkdir(files.path(folder));
  files.disk.syncDir(files.dir);
  const { format, made } = repairFormat(files, broken);
  for (const { name } of snapshotsOf(files.list("snap"))) {
    const bytes = orMissing(() => files.disk.readFile(files.path("snap", name)));
    if (!bytes || decodeSnapshot(bytes)) continue;
    keep("snap", name);
    discard(files.disk, files.path("snap", name));
  }
  holes.push(...repairArchives(files, sign, keep));
  const chain = repairChain(files, format.genesis, sign, keep, projections);
  if (chain) holes.push(...chain);
  // Whatever was found, what is left must open.
  const core = openCore(files, format.genesis, projections, now);
  core.catchUp();
  core.close();
  return { repaired: made || broken.length > 0 || chain !== undefined, holes, broken };
}

function linked(files: Files, from: string, to: string): boolean {
  try {
    files.disk.link(from, to);
  } catch (error) {
    if (errno(error) !== "EEXIST" && errno(error) !== "ENOENT") throw error;
    return false;
  }
  files.disk.syncDir(files.path("broken"));
  return true;
}

function repairFormat(files: Files, broken: string[]): { format: Format; made: boolean } {
  try {
    return { format: readFormat(files), made: false };
  } catch (error) {
    if (!(error instanceof LogCorrupt)) throw error;
  }
  if (linked(files, files.format, files.path("broken", "FORMAT.broken"))) broken.push("FORMAT.broken");
  orMissing(() => files.disk.unlink(files.format));
  const genesis = files.list("seg").find((name) => segmentFirst(name) === 1 && sizeOf(files, name) > 0);
  linkFormat(files, genesis ?? "archived");
  files.disk.syncDir(files.dir);
  return { format: readFormat(files), made: true };
}

function sizeOf(files: Files, segment: string): number {
  const fd = files.disk.open(files.path("seg", segment), "read");
  try {
    return files.disk.size(fd);
  } finally {
    files.disk.close(fd);
  }
}

type Keep = (folder: "seg" | "arch" | "snap", name: string) => void;

/** Replaces each damaged archive by what it still holds, and each missing one by a skip record. */
function repairArchives(files: Files, sign: Fence, keep: Keep): Hole[] {
  const holes: Hole[] = [];
  let before: ArchiveName | undefined;
  for (const archive of archivesOf(files.list("arch"))) {
    const { name, first, last, crc } = archive;
    let head: Link | undefined = first === 1 ? GENESIS : undefined;
    if (before) head = { seq: before.last, crc: before.crc, t: 0, hash: "" };
    const readable = tryRead(() => {
      for (const _ of readArchive(files, name, head));
    });
    if (!readable || (head && first > head.seq + 1)) {
      keep("arch", name);
      const stored = salvage(Buffer.from(files.disk.readFile(files.path("arch", name))));
      const from = head ?? { seq: first - 1, crc: "00000000", t: 0, hash: "" };
      const salvaged = salvageChain(from, stored, sign, { seq: last, crc });
      const whole = archiveName(from.seq + 1, last, crc);
      store(files, whole, sealed(files, salvaged, sign));
      if (whole !== name) discard(files.disk, files.path("arch", name));
      holes.push(...salvaged.holes);
    }
    before = archive;
  }
  return holes;
}

/** Lines of an archive, whose last record names the segment that goes on even where the seal itself is lost. */
function sealed(files: Files, { lines: stored, head }: Salvaged, sign: Fence): Buffer[] {
  const last = stored.at(-1)!;
  const record = JSON.parse(last.toString()) as Parameters<typeof encode>[0];
  if (record.seal !== undefined) return stored;
  const after = files.list("seg").filter((name) => isSegment(name) && segmentFirst(name) === head.seq + 1);
  const next = after.find((name) => sizeOf(files, name) > 0) ?? after[0];
  if (next === undefined) return stored;
  const signed = encode({ ...record, n: `${sign.fence}-seal`, seal: next }).subarray(0, -1);
  return [...stored.slice(0, -1), signed];
}

function store(files: Files, name: string, stored: readonly Buffer[]): void {
  const path = build(files, pack(stored), true);
  files.disk.rename(path, files.path("arch", name));
  files.disk.syncDir(files.path("arch"));
}

/** More rounds than repairs that could get in each other's way. */
const ROUNDS = 16;

/**
 * Makes the chain of segments whole again, in steps that are each found done or not done: damaged segments into
 * an archive, then a durable snapshot behind it, then the old files away. Undefined where nothing was to do.
 */
function repairChain(
  files: Files,
  genesis: string,
  made: Fence,
  keep: Keep,
  projections: readonly Projection[],
): Hole[] | undefined {
  const holes: Hole[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const archived = archiveEnd(files);
    const { head, seg } = archived ?? { head: GENESIS, seg: genesis };
    const whole = tryRead(() => walkChain(files, head, seg));
    if (whole && opens(files, genesis)) return round === 0 ? undefined : holes;
    if (whole && archived) settle(files, archived, genesis, projections);
    else holes.push(...(orMissing(() => archiveDamaged(files, head, seg, made, keep)) ?? []));
  }
  throw new LogCorrupt({ file: files.dir, offset: 0, seq: 1, why: "other repairs are in the way" });
}

/** Reads every segment from `seg` on. */
function walkChain(files: Files, head: Link, seg: string): void {
  for (let next: string | undefined = seg; next !== undefined;) {
    const name: string = next;
    const before = head;
    next = undefined;
    const entries = orMissing(() => readSegment(files, name, before, 0));
    if (!entries) throw new LogCorrupt({ file: name, offset: 0, seq: head.seq + 1, why: "it is missing" });
    for (const entry of entries) {
      ({ head } = entry);
      next = entry.record.seal;
    }
  }
}

/** Closes all segments from `seg` on, and puts what they hold into an archive that a fresh segment follows. */
function archiveDamaged(files: Files, head: Link, seg: string, made: Fence, keep: Keep): Hole[] {
  const segments = files.list("seg").filter((name) => isSegment(name) && segmentFirst(name) > head.seq);
  const missing = !segments.includes(seg);
  // Another repair, or a compaction, may have archived it just now.
  if (missing && (archiveEnd(files)?.head.seq ?? 0) !== head.seq) return [];
  const { stored, sign } = fence(files, segments, made, keep);
  let salvaged = salvageChain(head, stored, sign, undefined, missing);
  const best = newestSnapshot(
    files,
    (snapshot) => snapshot.seg === seg || fenced(segments, sign, snapshot.seg),
  );
  if (best && best.head.seq > salvaged.head.seq) salvaged = salvageChain(head, stored, sign, best.head);

  const last = salvaged.head;
  const next = segmentName(last.seq + 2, sign.fence);
  begin(files, next);
  const seal = encode({
    s: last.seq + 1,
    p: last.crc,
    t: Math.max(last.t, sign.t),
    n: `${sign.fence}-seal`,
    e: [],
    seal: next,
    hash: hashOf(head.hash, salvaged.lines),
  }).subarray(0, -1);
  const { c } = decode(seal)!;
  store(files, archiveName(head.seq + 1, last.seq + 1, c), [...salvaged.lines, seal]);
  return salvaged.holes;
}

/** Leads to where the archives end: a durable snapshot there, and nothing left of what was archived. */
function settle(files: Files, end: Place, genesis: string, projections: readonly Projection[]): void {
  const crcs = new Map<number, string>();
  const skipped: Hole[] = [];
  const { first, name } = archivesOf(files.list("arch")).at(-1)!;
  for (const { record, head } of readArchive(files, name, undefined)) {
    crcs.set(head.seq, head.crc);
    if (record.skip) skipped.push({ from: record.s, to: record.skip.to });
  }
  const proven = newestSnapshot(
    files,
    ({ head: { seq, crc } }) =>
      seq < first || crcs.get(seq) === crc || skipped.some(({ from, to }) => from <= seq && seq < to),
  );
  const folds = foldsOf(projections, function* (from, to) {
    for (const entry of readHistory(files, { genesis }, from, to)) yield entry.record;
  });
  if (proven) folds.take(proven.folds);
  writeSnapshot(files, { ...end, folds: folds.save(end.head.seq) }, true);
  for (const segment of files.list("seg").filter(isSegment)) {
    if (segmentFirst(segment) <= end.head.seq) orMissing(() => files.disk.unlink(files.path("seg", segment)));
  }
  files.disk.syncDir(files.path("seg"));
}

/**
 * Closes the segments, and answers their lines up to each one's fence, with the first fence found. The segment
 * that an interrupted repair has begun is not one of them: it is named after that fence.
 */
function fence(
  files: Files,
  segments: readonly string[],
  made: Fence,
  keep: Keep,
): { stored: Buffer[]; sign: Fence } {
  const { disk } = files;
  const stored: Buffer[] = [];
  let sign: Fence | undefined;
  for (const name of segments) {
    if (sign && !fenced(segments, sign, name)) continue;
    const path = files.path("seg", name);
    keep("seg", name);
    const fd = disk.open(path, "append");
    try {
      disk.write(fd, encodeFence(made));
      disk.sync(fd);
      for (const line of lines(disk, fd, spotAt(path, GENESIS))) {
        const found = decodeFence(line);
        sign ??= found;
        if (found) break;
        stored.push(Buffer.from(line));
      }
    } finally {
      disk.close(fd);
    }
  }
  return { stored, sign: sign ?? made };
}

/** Creates the segment that goes on, unless another repair has. */
function begin(files: Files, name: string): void {
  try {
    addSegment(files, name);
  } catch (error) {
    if (errno(error) !== "EEXIST") throw error;
  }
  files.disk.syncDir(files.path("seg"));
}

function fenced(segments: readonly string[], sign: Fence, name: string): boolean {
  return segments.includes(name) && !name.endsWith(`-${sign.fence}.jsonl`);
}

function newestSnapshot(files: Files, accept: (snapshot: Snapshot) => boolean): Snapshot | undefined {
  for (const { name } of snapshotsOf(files.list("snap"))) {
    const bytes = orMissing(() => files.disk.readFile(files.path("snap", name)));
    const snapshot = bytes && decodeSnapshot(bytes);
    if (snapshot && accept(snapshot)) return snapshot;
  }
  return undefined;
}

function hashOf(before: string, stored: readonly Buffer[]): string {
  const sha = process.getBuiltinModule("node:crypto").createHash("sha256").update(before);
  for (const line of stored) sha.update(line).update("\n");
  return sha.digest("hex");
}

function opens(files: Files, genesis: string): boolean {
  return tryRead(() => {
    const core = openCore(files, genesis, [], Date.now);
    core.catchUp();
    core.close();
  });
}

/** Whether `action` got through without meeting damage. */
function tryRead(action: () => void): boolean {
  try {
    action();
    return true;
  } catch (error) {
    if (error instanceof LogCorrupt) return false;
    throw error;
  }
}
