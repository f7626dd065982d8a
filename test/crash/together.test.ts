/** Twenty processes append while two compact, each with its proof, and two read everything again and again. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { inspectLog } from "../../src/log/mod.ts";
import { acks, check, environment, workspace } from "./children.ts";
import { APPENDS } from "./worker.ts";

const WRITERS = 20;
/** They write until so many compactions are done, however slow the machine is. */
const COMPACTIONS = 6;

test("20 processes append, 2 compact with proof, 2 replay: nothing is lost, nothing torn, nobody fails", async (t) => {
  const { dir, worker, remove } = workspace();
  const log = path.join(dir, "log");
  let compacted = 0;
  const run = (mode: string, by: string) =>
    new Promise<string>((resolve, reject) => {
      const child = spawn(process.execPath, [worker, mode, log, by], {
        env: environment(),
        stdio: ["ignore", "pipe", "pipe"],
      });
      let [out, said] = ["", ""];
      child.stdout.on("data", (chunk: Buffer) => {
        out += String(chunk);
        if (mode === "compactor") compacted += String(chunk).split("\n").length - 1;
        if (compacted >= COMPACTIONS) writeFileSync(`${log}.enough`, "");
      });
      child.stderr.on("data", (chunk: Buffer) => (said += String(chunk)));
      child.on("close", (code) => {
        if (code === 0) return resolve(out);
        // Nobody is to wait for it.
        for (const end of ["enough", "done"]) writeFileSync(`${log}.${end}`, "");
        reject(new Error(`${mode} ${by}: ${said}`));
      });
    });
  try {
    const beside = ["compactor", "compactor", "reader", "reader"].map((mode, i) => run(mode, `${mode}${i}`));
    const written = await Promise.all(Array.from({ length: WRITERS }, (_, i) => run("writer", `w${i}`)));
    writeFileSync(`${log}.done`, "");
    const [first = "", second = "", ...replays] = await Promise.all(beside);

    const told = written.flatMap(acks);
    assert.ok(told.length >= WRITERS * APPENDS);
    const records = check(log, told);
    const compactions = [first, second]
      .flatMap((out) => out.trim().split("\n"))
      .map((line) => line.split(" "));
    const archived = compactions.reduce((sum, [each]) => sum + Number(each), 0);
    const reads = replays.join("").trim().split("\n").length;
    t.diagnostic(
      `${records} records; ${compactions.length} compactions archived ${archived}; ${reads} whole replays meanwhile`,
    );
    assert.ok(compactions.length >= COMPACTIONS && compactions.some(([, proven]) => Number(proven) > 0));
    const { archives, corrupt } = inspectLog({ dir: log });
    assert.ok(archives.length >= 2 && archived > 0, "it was archived while it was written");
    assert.deepEqual(corrupt, []);
  } finally {
    remove();
  }
});
