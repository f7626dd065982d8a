import assert from "node:assert/strict";
import { test } from "node:test";
import { compactionDue, fullProofDue, POLICY_DEFAULTS } from "../../src/policy/mod.ts";
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

test("all of history is folded for the first proof, and for one a week", () => {
  const due = (minute: number, fullProofAt = 0) => fullProofDue({ fullProofAt }, min(minute));
  assert.equal(due(1), true);
  assert.equal(due(7 * DAY, min(1)), false);
  assert.equal(due(7 * DAY + 1, min(1)), true);
});
