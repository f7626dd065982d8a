/** The child of the kill tests: `node worker.cjs <mode> <dir> <name>`. Tells on stdout what it was acknowledged. */

import * as fs from "node:fs";
import { openLog, type Projection, type Proven } from "../../src/log/mod.ts";

/** Numbered tickets: no two records may hold the same one. */
export const tickets: Projection<{ next: number }> = {
  name: "tickets",
  version: 1,
  initial: () => ({ next: 0 }),
  apply(state, { e }) {
    for (const { ticket } of e as { ticket?: number }[]) if (ticket !== undefined) state.next = ticket + 1;
  },
};

/** Of one writer at least. */
export const APPENDS = 50;

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
  writer() {
    const log = open("never");
    for (let i = 0; i < APPENDS || !fs.existsSync(`${dir}.enough`); i++) append(log);
  },
  // Each proof from the one before; each tells how many records it has archived and folded.
  compactor() {
    const log = open("data");
    let known: Proven | undefined;
    while (!fs.existsSync(`${dir}.done`)) {
      const { seq, archived, proof } = log.compact({ known });
      known = { seq, digest: proof.digest };
      fs.writeSync(1, `${archived.reduce((sum, { records }) => sum + records, 0)} ${proof.records}\n`);
    }
  },
  // Whole, whatever is moved away beneath it.
  reader() {
    const log = open("never");
    while (!fs.existsSync(`${dir}.done`)) {
      const { seq } = log.catchUp();
      let count = 0;
      for (const { s } of log.records({ to: seq }))
        if (s !== ++count) throw new Error(`${s} after ${count - 1}`);
      if (count !== seq) throw new Error(`${count} records of ${seq}`);
      fs.writeSync(1, `${seq} ${count}\n`);
    }
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
