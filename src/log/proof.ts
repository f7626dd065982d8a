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
  /** Of all folds, for the next proof to begin with; "" where none was asked for. */
  readonly digest: string;
}

export const NO_PROOF: Proof = { from: 0, records: 0, folds: [], digest: "" };

export interface ProveOptions {
  /**
   * The last proof, as whoever asks has kept it. If a durable snapshot of just these states is still there, only what
   * has come since is folded on top of it: by induction that is the whole history.
   */
  readonly known?: Proven | undefined;
  /** All of history is to be folded, if it can be. */
  readonly full?: boolean | undefined;
  /** Called now and then while records are folded. */
  readonly onProgress?: ((folded: number, of: number) => void) | undefined;
}

const TELL_EVERY = 10_000;

/**
 * Folds records up to the snapshot's again and compares each fold with the snapshot as the disk gives it back.
 *
 * Where the beginning cannot be folded (retention has deleted it, or a repair has marked records as lost) the last proof
 * is what is left to begin with; without one there is none, and this snapshot's states are what the next begins with.
 *
 * @throws LogProof where a fold differs
 */
export function prove(core: Core, base: Snapshot, { known, full, onProgress }: ProveOptions = {}): Proof {
  const { files, folds } = core;
  const { seq, crc } = base.head;
  const stored = decodeSnapshot(files.disk.readFile(files.path("snap", snapshotName(seq, crc, true))));
  const begin = () => folds.projections.map((projection) => projection.initial());
  const last = known && known.seq <= seq ? proven(files, folds.projections, known) : undefined;
  const whole = () => foldFrom(core, 1, begin(), seq, onProgress);
  const rest = () =>
    last === undefined
      ? undefined
      : foldFrom(
          core,
          known!.seq + 1,
          last.map(({ state }) => state),
          seq,
          onProgress,
        );
  const folded = full === true || last === undefined ? (whole() ?? rest()) : (rest() ?? whole());
  const proofs = folds.projections.map((projection, i): FoldProof => {
    const { name, version } = projection;
    const saved = savedAs(stored?.folds, projection);
    const text = sorted((folded === undefined ? saved?.state : folded.states[i]) as Json);
    if (!saved || sorted(saved.state) !== text) {
      throw new LogProof(
        `Cannot compact the log in ${files.dir}: fold ${name} of records 1 to ${seq} is not what the snapshot holds. Nothing was deleted; repair the log.`,
      );
    }
    return { name, version, sha256: sha256(text) };
  });
  const digest = digestOf(proofs);
  return folded === undefined
    ? { ...NO_PROOF, digest }
    : { from: folded.from, records: folded.records, folds: proofs, digest };
}

/** Nothing where a record up to `to` is not there to be folded. */
function foldFrom(
  core: Core,
  from: number,
  states: readonly unknown[],
  to: number,
  onProgress: ProveOptions["onProgress"],
): { from: number; records: number; states: readonly unknown[] } | undefined {
  if ((archivesOf(core.files.list("arch"))[0]?.first ?? 1) > from) return undefined;
  let records = 0;
  try {
    for (const { record } of core.history(from, to)) {
      if (record.skip !== undefined) return undefined;
      core.folds.projections.forEach((projection, i) => projection.apply(states[i], record));
      records++;
      if (records % TELL_EVERY === 0) onProgress?.(records, to - from + 1);
    }
  } catch (error) {
    if (error instanceof LogPruned) return undefined;
    throw error;
  }
  return { from, records, states };
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
