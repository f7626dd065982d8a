/**
 * A busy month in a minute; `npm run bench -- --only year` lives the whole year. What was made is gone when nobody
 * needs it, work that nobody has committed is not, and a hook costs at the end what it cost at first.
 */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { callsOf, mayTrace } from "../support/calls.ts";
import { editPayload } from "../support/repo/payload.ts";
import { makeScratch } from "../support/repo/mod.ts";
import { type Size, Years } from "../support/year.ts";

const PLAN = { days: 30, sessions: 40, crew: 6, edits: 5, killed: 4, indexes: 2, seed: 20_260_101 };

test("a month of forty sessions a day, a quarter of them killed, stays inside the bounds", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_COMPACT_AUTO: "false" } });
  const years = new Years(repo.top, PLAN);
  const copy = join(repo.dir, "copy");
  /** In a copy, with the machine's own clock: real hooks of two sessions. */
  const calls = () => {
    cpSync(repo.top, copy, { recursive: true });
    const at = { top: copy, entry: join(copy, ".git/signalbox/bin/hook") };
    const [ada, bob] = ["ada", "bob"].map((session) => {
      const env = { ...process.env, CLAUDE_CODE_SESSION_ID: session };
      const input = { session_id: session, cwd: copy, hook_event_name: "SessionStart", source: "startup" };
      callsOf(at, env, "session-start", input);
      return env;
    });
    const edit = (session: string) => editPayload({ session, cwd: copy }, "PreToolUse", join(copy, "a.txt"));
    callsOf(at, ada!, "pre-edit", edit("ada"));
    const cost = [1, 2, 3].map(() => callsOf(at, bob!, "pre-edit", edit("bob")));
    rmSync(copy, { recursive: true, force: true });
    return Math.min(...cost);
  };

  const sizes: { before: Size; after: Size }[] = [];
  const costs: number[] = [];
  for (let day = 1; day <= PLAN.days; day += 1) {
    sizes.push(years.day());
    if (mayTrace === false && (day === 1 || day === PLAN.days)) costs.push(calls());
  }
  t.diagnostic(`${years.sessions} sessions, ${sizes.at(-1)?.after.records} records, ${years.kills} kills`);
  assert.ok(years.kills > 20, `${years.kills} processes were killed on the way`);

  // docs/cleanup.md, "Bounds". A night in which the cleanup was killed leaves its work to the next.
  for (const { before, after } of sizes) {
    const { day, live } = after;
    const nights = 2;
    assert.ok(
      before.files <= 40 + 6 * live + 4 * PLAN.sessions * nights,
      `day ${day}: ${before.files} files`,
    );
    assert.ok(before.bytes <= 4_000_000, `day ${day}: ${before.bytes} bytes`);
    assert.ok(before.snapshotBytes <= 6 * 200_000, `day ${day}: ${before.snapshotBytes} bytes of snapshots`);
    assert.ok(after.gitdirs <= live + PLAN.indexes * 2 * nights, `day ${day}: ${after.gitdirs} gitdirs`);
    const refs = after.unsaved + 2 * PLAN.indexes * (nights + 1);
    assert.ok(after.refs <= refs, `day ${day}: ${after.refs} refs, ${after.unsaved} of work nobody wants`);
  }
  const clean = sizes.filter(({ after }) => after.files <= 40 + 6 * after.live);
  t.diagnostic(
    `files before a night at most ${Math.max(...sizes.map(({ before }) => before.files))}, after ${Math.max(...clean.map(({ after }) => after.files))}; clean after ${clean.length} nights of ${PLAN.days}`,
  );
  assert.ok(clean.length >= PLAN.days * 0.7, `after ${clean.length} nights of ${PLAN.days} it was clean`);
  assert.ok((sizes.at(-1)?.after.unsaved ?? 0) > 0, "what nobody has committed is kept");
  if (costs.length === 2) {
    t.diagnostic(`system calls of a gate, first day and last: ${costs.join(", ")}`);
    assert.ok(costs[1]! <= costs[0]! * 1.1, `a gate takes ${costs[1]} system calls, ${costs[0]} on day one`);
  }

  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  assert.equal(spawnSync("git", ["-C", repo.top, "fsck", "--no-dangling"]).status, 0);
});
