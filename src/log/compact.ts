/**
 * Compaction: sealed segments become archives, and go. Any number of compactors, appenders and readers may be
 * at work at once; each compactor archives and unlinks only what its *own* durable snapshot covers. One that
 * went further, to where another compactor's snapshot allows, would leave the newest snapshot pointing nowhere.
 */

import { pack } from "./archive.ts";
import type { Core } from "./core.ts";
import { LogCorrupt } from "./errors.ts";
import { archiveName, archivesOf, build, discard, type Files, isSegment } from "./files.ts";
import { orMissing, segmentFirst, snapshotsOf } from "./files.ts";
import { archiveEnd, type Entry, readArchive, readSegment } from "./history.ts";
import { NO_PROOF, type Proof, prove, type ProveOptions } from "./proof.ts";
import { GENESIS } from "./record.ts";
import { seal } from "./seal.ts";
import type { Place } from "./snapshot.ts";

export interface CompactOptions extends ProveOptions {
  /** End the live segment first. Default true. */
  readonly seal?: boolean | undefined;
  /**
   * `full` (default): before anything is deleted, fold the history again and compare it with the snapshot that
   * replaces it. Costs time in proportion to the history, or to what is new since the `known` proof. `none`: only
   * archives are compared.
   */
  readonly proof?: "full" | "none" | undefined;
  /** Delete archives whose records are all older, in milliseconds. Default: keep everything for ever. */
  readonly retainMs?: number | undefined;
}

export interface Archived {
  readonly first: number;
  readonly last: number;
  readonly records: number;
  /** SHA-256 of the lines. */
  readonly sha256: string;
}

export interface CompactReport {
  /** The durable snapshot stands at this sequence number. */
  readonly seq: number;
  readonly archived: readonly Archived[];
  /** How the folds of the full history compared. */
  readonly proof: Proof;
  readonly removed: { readonly segments: number; readonly temporary: number; readonly archives: number };
}

const TEMPORARY_MS = 3_600_000;
const OVERTAKEN = 8;

/** @throws LogProof, LogCorrupt, LogFull…; whatever is thrown, nothing is deleted that is still needed. */
export function compact(core: Core, options: CompactOptions = {}): CompactReport {
  const { files } = core;
  if (options.seal ?? true) seal(core);
  core.catchUp();
  const base = core.snapshot(true);
  const archived = archiveUpTo(core, base);
  // Another compactor may have died between its rename and its sync.
  files.disk.syncDir(files.path("arch"));
  const proof = options.proof === "none" ? NO_PROOF : prove(core, base, options);
  return { seq: base.head.seq, archived, proof, removed: sweep(core, base, options.retainMs) };
}

/** Archives the chain's segments, oldest first, up to the one that `base` stands in. */
function archiveUpTo(core: Core, base: Place): Archived[] {
  const done: Archived[] = [];
  for (let overtaken = 0; ;) {
    const end = archiveEnd(core.files) ?? { head: GENESIS, seg: core.genesis };
    if (end.seg === base.seg || end.head.seq >= base.head.seq) return done;
    const archived = orMissing(() => archive(core.files, end.seg, end.head));
    if (archived) done.push(archived);
    else if (++overtaken > OVERTAKEN) {
      const file = core.files.path("seg", end.seg);
      throw new LogCorrupt({ file, offset: 0, seq: end.head.seq + 1, why: "the segment is missing" });
    }
  }
}

function archive(files: Files, segment: string, head: Place["head"]): Archived {
  const sha256 = () => process.getBuiltinModule("node:crypto").createHash("sha256");
  const written = sha256();
  let records = 0;
  let last: Entry | undefined;
  const entries = readSegment(files, segment, head, 0);
  const path = build(
    files,
    pack(
      (function* () {
        for (const entry of entries) {
          written.update(entry.line).update("\n");
          records++;
          last = entry;
          yield entry.line;
        }
      })(),
    ),
    true,
  );
  const file = files.path("seg", segment);
  if (!last?.record.seal) {
    discard(files.disk, path);
    throw new LogCorrupt({ file, offset: 0, seq: last?.head.seq ?? head.seq, why: "no seal ends it" });
  }
  const first = head.seq + 1;
  const name = archiveName(first, last.head.seq, last.head.crc);
  const stored = sha256();
  for (const { line } of readArchive(files, name, head, path)) stored.update(line).update("\n");
  const digest = written.digest("hex");
  if (stored.digest("hex") !== digest) {
    discard(files.disk, path);
    throw new LogCorrupt({ file: path, offset: 0, seq: first, why: "the disk gives back other bytes" });
  }
  files.disk.rename(path, files.path("arch", name));
  files.disk.syncDir(files.path("arch"));
  return { first, last: last.head.seq, records, sha256: digest };
}

/**
 * Removes what the durable snapshot and the archives have made superfluous. A segment that begins at or before
 * the snapshot and isn't its own is archived or dead: a seal naming it could only have been committed before.
 */
function sweep(core: Core, base: Place, retainMs: number | undefined): CompactReport["removed"] {
  const { files, now } = core;
  const { disk } = files;
  let segments = 0;
  for (const name of files.list("seg").filter(isSegment)) {
    if (name === base.seg || segmentFirst(name) > base.head.seq) continue;
    orMissing(() => disk.unlink(files.path("seg", name)));
    segments++;
  }
  if (segments > 0) disk.syncDir(files.path("seg"));
  for (const { name, seq, base: durable } of snapshotsOf(files.list("snap"))) {
    if (!durable && seq < base.head.seq) discard(disk, files.path("snap", name));
  }
  let temporary = 0;
  for (const name of files.list("tmp")) {
    const path = files.path("tmp", name);
    const modified = orMissing(() => disk.modified(path));
    if (modified === undefined || now() - modified < TEMPORARY_MS) continue;
    discard(disk, path);
    temporary++;
  }
  return { segments, temporary, archives: retainMs === undefined ? 0 : forget(files, now() - retainMs) };
}

/** Deletes archives, oldest first, whose newest record is older than `before`; the last one always stays. */
function forget(files: Files, before: number): number {
  let count = 0;
  for (const { name } of archivesOf(files.list("arch")).slice(0, -1)) {
    let newest = 0;
    for (const { record } of readArchive(files, name, undefined)) newest = record.t;
    if (newest >= before) break;
    orMissing(() => files.disk.unlink(files.path("arch", name)));
    count++;
  }
  if (count > 0) files.disk.syncDir(files.path("arch"));
  return count;
}
