import assert from "node:assert/strict";
import { test } from "node:test";
import { compactionDue, provenSoFar, POLICY_DEFAULTS } from "../../src/policy/mod.ts";
import { min } from "../support/domain/mod.ts";

const DAY = 24 * 60;
const due = (seq: number, minute: number, { compactedAt = 0, through = 0 } = {}) =>
  compactionDue({ since: min(1), compactedAt, through }, { now: min(minute), seq }, POLICY_DEFAULTS);

test("compaction is due after 20,000 records, or a day with something to archive", () => {
  assert.equal(due(19_999, 60), false);
  assert.equal(due(20_000, 60), true);
  assert.equal(due(500, DAY), false);
  assert.equal(due(500, DAY + 1), true);
  assert.equal(due(499, 30 * DAY), false, "not for an archive hardly worth its name");
  assert.equal(due(20_400, 2 * DAY, { compactedAt: min(2 * DAY - 60), through: 20_000 }), false);
  assert.equal(due(20_600, 4 * DAY, { compactedAt: min(2 * DAY), through: 20_000 }), true);
});

test("a proof begins where the last one ended; after a week, or without one, with the first record", () => {
  const proven = { seq: 20_000, digest: "5d1e" };
  const at = (minute: number) => provenSoFar({ proven, fullyProvenAt: min(1) }, min(minute));
  assert.equal(at(7 * DAY), proven);
  assert.equal(at(7 * DAY + 1), undefined);
  assert.equal(provenSoFar({ fullyProvenAt: min(1) }, min(2)), undefined);
  assert.equal(provenSoFar({ proven, fullyProvenAt: 0 }, min(7 * DAY + 1)), undefined);
});
