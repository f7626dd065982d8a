import type { UpkeepState } from "../domain/upkeep.ts";
import type { PolicySettings } from "./settings.ts";

/** Of fewer new records a compaction would make an archive hardly worth its name. */
const WORTH_IT = 500;

/**
 * Whether history is to be archived now (SYS-2): it has grown by so much, or a day has gone by and there is something
 * to archive.
 *
 * @param seq the last record's number
 */
export function compactionDue(
  { since, compactedAt, through }: Pick<UpkeepState, "since" | "compactedAt" | "through">,
  { now, seq }: { readonly now: number; readonly seq: number },
  { compact }: Pick<PolicySettings, "compact">,
): boolean {
  const records = seq - through;
  const last = compactedAt === 0 ? since : compactedAt;
  return records >= compact.everyRecords || (records >= WORTH_IT && now - last >= compact.everyMs);
}

/** A proof on top of the last one is as good as that one's snapshot was: now and then all of history is folded. */
const FULL_PROOF_EVERY_MS = 7 * 24 * 3_600_000;

/** Whether all of history is to be folded for the next proof. */
export function fullProofDue({ fullProofAt }: Pick<UpkeepState, "fullProofAt">, now: number): boolean {
  return fullProofAt === 0 || now - fullProofAt >= FULL_PROOF_EVERY_MS;
}
