/** Many sessions commit at once in one tree: every commit lands, with its own paths and its own message. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { throughput } from "../support/scenario/throughput.ts";

test("S59: 4 workers, 10 times add and commit (plain git: it goes wrong)", async (t) => {
  const { landed, foreign, errors } = await throughput(t, { sessions: 4, commits: 10, guarded: false });
  assert.ok(landed < 40 || foreign.length > 0 || errors.length > 0);
});

test("S59, S60: 4 workers, 10 times add and commit, while a statusline polls", async (t) => {
  const result = await throughput(t, { sessions: 4, commits: 10, guarded: true, poll: true });
  assert.deepEqual(result.errors, []);
  assert.deepEqual(result.foreign, []);
  assert.equal(result.landed, 40);
});

test("S11: 8 sessions, 20 commits each", async (t) => {
  const result = await throughput(t, { sessions: 8, commits: 20, guarded: true });
  assert.deepEqual(result.errors, []);
  assert.deepEqual(result.foreign, []);
  assert.equal(result.landed, 160);
});
