/** Processes that append, seal and compact one log, each killed -9 at a random moment, again and again. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import * as path from "node:path";
import test from "node:test";
import { acks, check, environment, workspace } from "./children.ts";

const KILLS = Number(process.env["SIGNALBOX_KILLS"] ?? 2000);
const AT_ONCE = 8;

test(`${KILLS} kills: nothing acknowledged is lost, no gap, no double winner`, async (t) => {
  const { dir, worker, remove } = workspace();
  const told: { s: number; n: string }[] = [];
  const count = { kills: 0 };
  let started = 0;
  let working = 0;
  const problems: string[] = [];

  const life = (log: string) =>
    new Promise<void>((resolve) => {
      const child = spawn(process.execPath, [worker, "storm", log, `w${started++}`], {
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      });
      let output = "";
      let said = "";
      child.stdout.on("data", (chunk: Buffer) => {
        // From the first sign of life on it may be killed anywhere: in an append, a seal, a compaction.
        if (output === "") setTimeout(() => child.kill("SIGKILL"), Math.random() * 25);
        output += String(chunk);
      });
      child.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
      // Some die before they have said anything: while opening, or in their first append.
      const early =
        Math.random() < 0.3 ? setTimeout(() => child.kill("SIGKILL"), 15 + Math.random() * 30) : undefined;
      child.on("close", (_, signal) => {
        clearTimeout(early);
        if (signal === "SIGKILL") count.kills++;
        else problems.push(said);
        const mine = acks(output);
        if (mine.length > 0) working++;
        mine.forEach(({ s }, i) => assert.ok(i === 0 || s > mine[i - 1]!.s, "acknowledged in order"));
        told.push(...mine);
        resolve();
      });
    });

  try {
    let records = 0;
    for (let round = 0; count.kills < KILLS && problems.length === 0; round++) {
      const log = path.join(dir, `log${round}`);
      const before = told.length;
      const until = Math.min(KILLS, count.kills + 500);
      const loop = async (): Promise<void> => {
        if (count.kills >= until || problems.length > 0) return;
        await life(log);
        await loop();
      };
      await Promise.all(Array.from({ length: AT_ONCE }, loop));
      records += check(log, told.slice(before));
    }
    assert.deepEqual(problems, []);
    assert.ok(working > KILLS / 2, "most of them had work acknowledged");
    t.diagnostic(`${count.kills} kills, ${told.length} acknowledged of ${records} records`);
  } finally {
    remove();
  }
});
