/**
 * Compaction: sealed history becomes an archive, after proof that the folds of the whole history are those of the
 * snapshot that stands for it from then on (SYS-2). Everything stays readable by `replay`; only the hooks have
 * less to open.
 */
import { event, type Event } from "../../events/mod.ts";
import { holderOf } from "../domain/holder.ts";
import { compactionDue, fullProofDue } from "../policy/mod.ts";
import { isHeld } from "../domain/reservations.ts";
import type { CompactReport } from "../log/mod.ts";
import { type Box, decide, look } from "./box.ts";
import { policySettings } from "./settings.ts";

const DAY_MS = 24 * 3_600_000;

export interface Compacted {
  /** Records up to here are in archives or in the snapshot. */
  readonly through: number;
  /** Records that were archived now. */
  readonly archived: number;
  /** Bytes of the log's folder before and after. */
  readonly bytes: { readonly before: number; readonly after: number };
  /** Records that were folded again for the proof, and the first of them; 0 and 0 where there was none. */
  readonly proven: number;
  readonly provenFrom: number;
  readonly removed: CompactReport["removed"];
  /** Leases that had run out, and are on record as such now. */
  readonly expired: number;
}

export interface CompactLogOptions {
  /** Fold the whole history for the proof, however short ago that was done. */
  readonly full?: boolean | undefined;
  readonly onProgress?: ((folded: number, of: number) => void) | undefined;
}

/**
 * @param bytesOf the size of the log's folder
 * @throws the log's LogProof where a fold of the whole history differs: then nothing has been deleted
 */
export function compactLog(
  box: Box,
  bytesOf: () => number,
  { full = false, onProgress }: CompactLogOptions = {},
): Compacted {
  const expired = expireLeases(box);
  const before = bytesOf();
  const keep = box.settings["compact.keepDays"];
  const { states, now } = look(box);
  const whole = full || fullProofDue(states.upkeep, now);
  const { seq, archived, proof, removed } = box.log.compact({
    retainMs: keep === 0 ? undefined : keep * DAY_MS,
    known: states.upkeep.proven,
    full: whole,
    onProgress,
  });
  const records = archived.reduce((sum, each) => sum + each.records, 0);
  const bytes = { before, after: bytesOf() };
  decide(box, undefined, () => ({
    events: [
      event("log.compacted", {
        through: seq,
        archived: records,
        bytesBefore: bytes.before,
        bytesAfter: bytes.after,
        proof: Object.fromEntries(proof.folds.map(({ name, sha256 }) => [name, sha256])),
        ...(proof.from === 0 ? {} : { provenFrom: proof.from }),
        full: whole || proof.from === 1,
        digest: proof.digest,
      }),
    ],
    result: undefined,
  }));
  return {
    through: seq,
    archived: records,
    bytes,
    proven: proof.records,
    provenFrom: proof.from,
    removed,
    expired,
  };
}

/** Leases that ran out, their grace included, and that nobody has acted on: each only if it still stands as it was. */
function expireLeases(box: Box): number {
  const { graceMs } = policySettings(box.settings).lease;
  return decide(box, undefined, ({ states, now }) => {
    const events: Event[] = states.reservations.grants
      .filter((g) => !isHeld(g, now, graceMs))
      .map((g) =>
        event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
      );
    return { events, result: events.length };
  });
}

/** Whether the log has grown enough to be archived without being asked to. */
export function isCompactionDue(box: Box): boolean {
  const { states, now } = look(box);
  return compactionDue(states.upkeep, { now, seq: box.log.head.seq }, policySettings(box.settings));
}

/** What a compaction would do now: records that no archive has yet. */
export function compactable(
  box: Box,
  archivedThrough: number,
): { readonly records: number; readonly leases: number } {
  const { states, now } = look(box);
  const { graceMs } = policySettings(box.settings).lease;
  return {
    records: box.log.head.seq - archivedThrough,
    leases: states.reservations.grants.filter((g) => !isHeld(g, now, graceMs)).length,
  };
}
