/** The proof before deletion: fold of the full history = fold in the snapshot that is to replace it. */

import type { Core } from "./core.ts";
import { LogProof, LogPruned } from "./errors.ts";
import { archivesOf, snapshotName } from "./files.ts";
import type { Json } from "./record.ts";
import { decodeSnapshot, type Snapshot } from "./snapshot.ts";

export interface FoldProof {
  readonly name: string;
  readonly version: number;
  /** SHA-256 of the state, its keys sorted. */
  readonly sha256: string;
}

/**
 * Folds records 1 to the snapshot's again and compares each fold with the snapshot as the disk gives it back.
 * Where retention has deleted the beginning there is nothing to fold, and the answer is empty.
 *
 * @throws LogProof where a fold differs, or where records are missing from the count
 */
export function prove(core: Core, base: Snapshot): { records: number; folds: FoldProof[] } {
  const { files, folds } = core;
  const { seq, crc } = base.head;
  if ((archivesOf(files.list("arch"))[0]?.first ?? 1) > 1) return { records: 0, folds: [] };
  const stored = decodeSnapshot(files.disk.readFile(files.path("snap", snapshotName(seq, crc, true))));
  const fresh = folds.projections.map((projection) => ({ projection, state: projection.initial() }));
  let records = 0;
  try {
    for (const { record } of core.history(1, seq)) {
      for (const { projection, state } of fresh) projection.apply(state, record);
      records++;
    }
  } catch (error) {
    if (error instanceof LogPruned) return { records: 0, folds: [] };
    throw error;
  }
  const proofs = fresh.map(({ projection: { name, version }, state }): FoldProof => {
    const saved = stored?.folds.find((fold) => fold.name === name && fold.version === version);
    const expected = sorted(state as Json);
    if (!saved || sorted(saved.state) !== expected) {
      throw new LogProof(
        `Cannot compact the log in ${files.dir}: fold ${name} of records 1 to ${seq} is not what the snapshot holds. Nothing was deleted; repair the log.`,
      );
    }
    const sha256 = process
      .getBuiltinModule("node:crypto")
      .createHash("sha256")
      .update(expected)
      .digest("hex");
    return { name, version, sha256 };
  });
  return { records, folds: proofs };
}

/** JSON text with every object's keys in order. */
function sorted(value: Json): string {
  return JSON.stringify(value, (_, part: Json) =>
    part !== null && typeof part === "object" && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
      : part,
  );
}
