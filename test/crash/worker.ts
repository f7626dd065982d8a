/** The child of the kill tests: `node worker.cjs <mode> <dir> <name>`. Tells on stdout what it was acknowledged. */

import * as fs from "node:fs";
import { openLog, type Projection } from "../../src/log/mod.ts";

/** Numbered tickets: no two records may hold the same one. */
export const tickets: Projection<{ next: number }> = {
  name: "tickets",
  version: 1,
  initial: () => ({ next: 0 }),
  apply(state, { e }) {
    for (const { ticket } of e as { ticket?: number }[]) if (ticket !== undefined) state.next = ticket + 1;
  },
};

const [mode = "", dir = "", by = ""] = process.argv.slice(2);
const open = (sync: "data" | "never") =>
  openLog({ dir, projections: [tickets], create: true, sync, snapshotEvery: 16 });

function append(log: ReturnType<typeof open>): void {
  const { record } = log.append((view) => ({
    draft: { events: [{ ticket: view.state(tickets).next, text: "x".repeat(Math.random() * 300) }], by },
    result: 0,
  }));
  fs.writeSync(1, `${record!.s} ${record!.n}\n`);
}

const MODES: Record<string, () => void> = {
  nothing() {},
  append() {
    const log = open("data");
    append(log);
    append(log);
  },
  compact() {
    const log = open("data");
    append(log);
    log.compact();
    append(log);
  },
  storm() {
    const log = open(by.endsWith("0") ? "data" : "never");
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (let i = 0; ; i++) {
      append(log);
      if (Math.random() < 0.01) log.compact({ proof: "none" });
      if (Math.random() < 0.01) log.seal();
      Atomics.wait(pause, 0, 0, Math.random() * 2);
    }
  },
};

MODES[mode]?.();
