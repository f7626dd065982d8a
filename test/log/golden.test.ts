/**
 * Stored bytes are frozen: a log written today must be read for ever. test/golden/log/ holds each kind of file
 * as this version writes it, and the checksums below refuse an edit of it. A new format gets new files.
 */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import test from "node:test";
import * as lib from "../../src/log/mod.ts";
import { crc32, hex8 } from "../../src/log/crc32.ts";
import { decode, encode, encodeFence, type Unsigned } from "../../src/log/record.ts";
import { decodeSnapshot, encodeSnapshot } from "../../src/log/snapshot.ts";
import { tally } from "./checks.ts";
import { faultDisk } from "./fault-disk.ts";

const golden = (name: string) => fs.readFileSync(new URL(`../golden/log/${name}`, import.meta.url));

const FROZEN: Record<string, string> = {
  FORMAT: "e191b720",
  "record.jsonl": "e5229517",
  "fence.jsonl": "e09e7750",
  "snapshot.json": "08850ef7",
  "archive.jsonl.gz": "a709a59b",
  "export.jsonl": "62aaa4f4",
};

for (const [name, crc] of Object.entries(FROZEN)) {
  test(`golden ${name} has not been edited`, () => assert.equal(hex8(crc32(golden(name))), crc));
}

test("every golden record is read, and written again to the same bytes", () => {
  const lines = golden("record.jsonl").toString().trimEnd().split("\n");
  assert.equal(lines.length, 4);
  for (const line of lines) {
    const record = decode(Buffer.from(line));
    assert.ok(record);
    assert.equal(encode(record as Unsigned).toString(), `${line}\n`);
  }
});

test("the golden fence is written again to the same bytes", () => {
  assert.equal(encodeFence({ fence: "f1", t: 1795389589200 }).toString(), golden("fence.jsonl").toString());
});

test("the golden snapshot is read, and written again to the same bytes", () => {
  const bytes = golden("snapshot.json");
  const snapshot = decodeSnapshot(bytes);
  assert.ok(snapshot);
  assert.equal(encodeSnapshot(snapshot), bytes.toString());
});

test("a log made of the golden files opens, reads and goes on", () => {
  const disk = faultDisk();
  const dir = "/repo/log";
  disk.process().mkdir(`${dir}/tmp`);
  for (const folder of ["seg", "snap", "arch"]) disk.process().mkdir(`${dir}/${folder}`);
  disk.put(`${dir}/FORMAT`, golden("FORMAT"));
  disk.put(`${dir}/arch/0000000000000001-0000000000000004-e551182f.jsonl.gz`, golden("archive.jsonl.gz"));
  disk.put(`${dir}/snap/0000000000000004-e551182f.base.json`, golden("snapshot.json"));
  disk.put(`${dir}/seg/0000000000000005-g2.jsonl`, new Uint8Array());
  const log = lib.openLog({ dir, projections: [tally], disk: disk.process() });
  assert.deepEqual([log.id, log.head.seq, log.state(tally).count], ["golden1", 4, 2]);
  assert.deepEqual(
    [...log.records()].map(({ s }) => s),
    [1, 2, 3, 4],
  );
  assert.equal(log.append(() => ({ draft: { events: [{}] }, result: 0 })).record?.s, 5);
  assert.equal(lib.inspectLog({ dir, disk: disk.process() }).ok, true);
});
