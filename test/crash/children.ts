/** What the kill tests share: the bundled child, and the check of what it leaves. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { inspectLog, type LogRecord, openLog } from "../../src/log/mod.ts";
import { tickets } from "./worker.ts";

export function workspace(): { dir: string; worker: string; remove: () => void } {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "signalbox-crash-"));
  const worker = path.join(dir, "worker.cjs");
  buildSync({
    entryPoints: [fileURLToPath(new URL("worker.ts", import.meta.url))],
    outfile: worker,
    bundle: true,
    minify: true,
    format: "cjs",
    platform: "node",
    target: "node20",
  });
  return { dir, worker, remove: () => fs.rmSync(dir, { recursive: true, force: true }) };
}

/** The environment of a child: nothing that makes Node start slower or differently. */
export function environment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _o, NODE_EXTRA_CA_CERTS: _c, NODE_V8_COVERAGE: _v, ...rest } = process.env;
  return rest;
}

/** Sequence number and nonce of each line that is whole. */
export function acks(output: string): { s: number; n: string }[] {
  return output
    .split("\n")
    .slice(0, -1)
    .map((line) => ({ s: Number(line.split(" ")[0]), n: line.split(" ")[1]! }));
}

/** Every acknowledgement at its place, no gap, no ticket twice, the folds right, and the log still usable. */
export function check(dir: string, told: readonly { s: number; n: string }[]): number {
  const log = openLog({ dir, projections: [tickets], create: true });
  const at = new Map<number, string>();
  let before: LogRecord | undefined;
  let ticket = 0;
  for (const record of log.records()) {
    assert.equal(record.s, (before?.s ?? 0) + 1, "no gap");
    assert.equal(record.p, before?.c ?? "00000000", "chained");
    assert.ok(record.t >= (before?.t ?? 0), "in order of time");
    at.set(record.s, record.n);
    for (const event of record.e as { ticket: number }[])
      assert.equal(event.ticket, ticket++, "each ticket once");
    before = record;
  }
  for (const { s, n } of told) assert.equal(at.get(s), n, `acknowledged record ${s} is there`);
  assert.equal(log.state(tickets).next, ticket);
  const { record } = log.append(() => ({ draft: { events: [{ ticket }] }, result: 0 }));
  assert.equal(record?.s, at.size + 1);
  log.close();
  assert.deepEqual(inspectLog({ dir }).corrupt, []);
  return at.size;
}
