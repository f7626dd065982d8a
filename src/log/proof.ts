/** The proof before deletion: fold of the full history = fold in the snapshot that is to replace it. */

import type { Core } from "./core.ts";
import { LogProof, LogPruned } from "./errors.ts";
import { archivesOf, type Files, orMissing, snapshotName, snapshotsOf } from "./files.ts";
import type { Projection } from "./folds.ts";
import type { Json } from "./record.ts";
import { decodeSnapshot, type SavedFold, type Snapshot } from "./snapshot.ts";

export interface FoldProof {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the state, its keys sorted. */
  readonly sha256: string;
}

/** What a proof has shown: the folds of records 1 to `seq`, all of them in one SHA-256. */
export interface Proven {
  readonly seq: number;
  readonly digest: string;
}

export interface Proof {
  /** The records that were folded: from this one to the snapshot's. 0: no proof was asked for, or none is possible. */
  readonly from: number;
  readonly records: number;
  readonly folds: readonly FoldProof[];
  /** Of all folds; "" where there is no proof. Keep it with the snapshot's number for the next proof. */
  readonly digest: string;
}

export const NO_PROOF: Proof = { from: 0, records: 0, folds: [], digest: "" };

export interface ProveOptions {
  /**
   * The last proof, as whoever asks has kept it. If a durable snapshot of just these states is still there, only what
   * has come since is folded on top of it: by induction that is the whole history.
   */
  readonly known?: Proven | undefined;
  /** Called now and then while records are folded. */
  readonly onProgress?: ((folded: number, of: number) => void) | undefined;
}

const TELL_EVERY = 10_000;

/**
 * Folds records up to the snapshot's again and compares each fold with the snapshot as the disk gives it back.
 * Where retention has deleted the beginning, and no last proof helps, there is nothing to fold: no proof.
 *
 * @throws LogProof where a fold differs
 */
export function prove(core: Core, base: Snapshot, { known, onProgress }: ProveOptions = {}): Proof {
  const { files, folds } = core;
  const { seq, crc } = base.head;
  const start = known && known.seq <= seq ? proven(files, folds.projections, known) : undefined;
  const from = start === undefined ? 1 : known!.seq + 1;
  if ((archivesOf(files.list("arch"))[0]?.first ?? 1) > from) return NO_PROOF;
  const stored = decodeSnapshot(files.disk.readFile(files.path("snap", snapshotName(seq, crc, true))));
  const fresh = folds.projections.map((projection, i) => ({
    projection,
    state: start === undefined ? projection.initial() : (start[i]!.state as unknown),
  }));
  let records = 0;
  try {
    for (const { record } of core.history(from, seq)) {
      for (const { projection, state } of fresh) projection.apply(state, record);
      records++;
      if (records % TELL_EVERY === 0) onProgress?.(records, seq - from + 1);
    }
  } catch (error) {
    if (error instanceof LogPruned) return NO_PROOF;
    throw error;
  }
  const proofs = fresh.map(({ projection: { name, version }, state }): FoldProof => {
    const saved = savedAs(stored?.folds, { name, version });
    const expected = sorted(state as Json);
    if (!saved || sorted(saved.state) !== expected) {
      throw new LogProof(
        `Cannot compact the log in ${files.dir}: fold ${name} of records 1 to ${seq} is not what the snapshot holds. Nothing was deleted; repair the log.`,
      );
    }
    return { name, version, sha256: sha256(expected) };
  });
  return { from, records, folds: proofs, digest: digestOf(proofs) };
}

/** The states that were proven last, one for each projection, from a snapshot that still holds just them. */
function proven(
  files: Files,
  projections: readonly Projection[],
  { seq, digest }: Proven,
): readonly SavedFold[] | undefined {
  for (const { name } of snapshotsOf(files.list("snap")).filter((each) => each.base && each.seq === seq)) {
    const bytes = orMissing(() => files.disk.readFile(files.path("snap", name)));
    const folds = bytes === undefined ? undefined : decodeSnapshot(bytes)?.folds;
    const saved = projections.map((projection) => savedAs(folds, projection));
    if (!saved.every((fold) => fold?.seq === seq)) continue;
    const states = saved as SavedFold[];
    const proofs = states.map(({ name, version, state }) => ({
      name,
      version,
      sha256: sha256(sorted(state)),
    }));
    if (digestOf(proofs) === digest) return states;
  }
  return undefined;
}

function savedAs(
  folds: readonly SavedFold[] | undefined,
  { name, version }: Pick<Projection, "name" | "version">,
): SavedFold | undefined {
  return folds?.find((fold) => fold.name === name && fold.version === version);
}

function digestOf(proofs: readonly FoldProof[]): string {
  const lines = proofs.map(({ name, version, sha256: sum }) => JSON.stringify([name, version, sum]));
  return sha256(lines.sort().join("\n"));
}

function sha256(text: string): string {
  return process.getBuiltinModule("node:crypto").createHash("sha256").update(text).digest("hex");
}

/** JSON text with every object's keys in order. */
function sorted(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}
