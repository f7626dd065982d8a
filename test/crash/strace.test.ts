/** Kills a process at each system call of an append, and of an append, a seal and a compaction. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { nodeDisk, openLog } from "../../src/log/mod.ts";
import { acks, check, environment, workspace } from "./children.ts";
import { tickets } from "./worker.ts";

/** What the log's disk operations become. Counted per call: `when=` counts each system call by itself. */
const CALLS = [
  "openat",
  "read",
  "pread64",
  "write",
  "fstat",
  "statx",
  "close",
  "fdatasync",
  "fsync",
  "rename",
  "link",
  "unlink",
  "getdents64",
];
const usable = spawnSync("strace", ["-f", "-qq", "-e", "trace=none", "true"]).status === 0;

for (const mode of ["append", "compact"]) {
  test(`killed at every system call: ${mode}`, { skip: !usable && "no usable strace here" }, (t) => {
    const { dir, worker, remove } = workspace();
    try {
      const template = path.join(dir, "template");
      const log = openLog({ dir: template, projections: [tickets], create: true, snapshotEvery: 4 });
      for (let i = 0; i < 6; i++) {
        log.append((view) => ({ draft: { events: [{ ticket: view.state(tickets).next }] }, result: 0 }));
      }
      log.close();

      let points = 0;
      let killed = 0;
      for (const call of CALLS) {
        const run = (what: string, when: number, logDir: string) =>
          spawnSync(
            "strace",
            [
              "-f",
              "-qq",
              "-o",
              path.join(dir, "trace"),
              "-e",
              `trace=${call}`,
              ...(when > 0 ? ["-e", `inject=${call}:signal=KILL:when=${when}`] : []),
              process.execPath,
              "--single-threaded",
              worker,
              what,
              logDir,
              "s",
            ],
            { env: environment(), encoding: "utf8" },
          );
        // What the runtime does to start is not the log's.
        run("nothing", 0, template);
        const own = fs.readFileSync(path.join(dir, "trace"), "utf8").split("\n");
        const start = own.filter((line) => line.includes(`${call}(`)).length;
        for (let when = Math.max(1, start - 3), alive = false; !alive; when++) {
          const copy = path.join(dir, `log-${call}-${when}`);
          fs.cpSync(template, copy, { recursive: true });
          const { status, signal, stdout } = run(mode, when, copy);
          alive = status === 0;
          assert.ok(alive || signal === "SIGKILL" || status === 137, `exit ${status} ${signal}`);
          points++;
          if (!alive) killed++;
          check(copy, acks(stdout));
          assert.ok(nodeDisk.list(copy).includes("FORMAT"));
          fs.rmSync(copy, { recursive: true });
        }
      }
      assert.ok(killed > 20, `${killed} kills`);
      t.diagnostic(`${points} points, ${killed} kills`);
    } finally {
      remove();
    }
  });
}
