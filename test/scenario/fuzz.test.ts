/** Everybody at once, at random, killed at random: nobody's work is changed, taken back or lost by another. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { count } from "../support/scenario/oracle.ts";
import { fuzz, type FuzzOptions } from "./fuzz.ts";

/** `SIGNALBOX_TORTURE=1` plays long; `SIGNALBOX_SEED` plays a seed again, as far as the machine's timing repeats; `SIGNALBOX_FUZZ_TRACE` is a file for what everybody did. */
const LONG = process.env["SIGNALBOX_TORTURE"] === "1";
const SEED = Number(process.env["SIGNALBOX_SEED"] ?? Math.floor(Math.random() * 2 ** 31));
const NONE = { foreign: [], reverted: [], lostStaged: [], swapped: [], unreachable: [] };

async function play(t: TestContext, options: Omit<FuzzOptions, "seed">) {
  t.diagnostic(`SIGNALBOX_SEED=${SEED}`);
  const result = await fuzz(t, { seed: SEED, ...options });
  t.diagnostic(JSON.stringify(result.counts));
  const trace = process.env["SIGNALBOX_FUZZ_TRACE"];
  if (trace !== undefined) writeFileSync(trace, result.trace.join("\n"));
  if (result.lockErrors.length > 0)
    t.diagnostic(`${result.lockErrors.length} lock errors: ${result.lockErrors[0]}`);
  return result;
}

test("the process fuzz (plain git: it goes wrong)", async (t) => {
  const { violations } = await play(t, { sessions: 4, forMs: 3000, guarded: false, kills: 0, person: true });
  t.diagnostic(
    JSON.stringify(
      Object.fromEntries(Object.entries(violations).map(([kind, lines]) => [kind, lines.length])),
    ),
  );
  assert.ok(count(violations) > 0);
});

test("the process fuzz", async (t) => {
  const forMs = LONG ? 120_000 : 12_000;
  const { violations, lockErrors } = await play(t, {
    sessions: 4,
    forMs,
    guarded: true,
    kills: 0,
    person: true,
  });
  assert.deepEqual(violations, NONE);
  assert.deepEqual(lockErrors, []);
});

test("the process fuzz, with commands killed on their way", async (t) => {
  const forMs = LONG ? 120_000 : 12_000;
  const { violations } = await play(t, {
    sessions: LONG ? 10 : 4,
    forMs,
    guarded: true,
    kills: 0.06,
    person: true,
  });
  assert.deepEqual(violations, NONE);
});
