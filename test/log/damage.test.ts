import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import { encode } from "../../src/log/record.ts";
import * as lib from "../../src/log/mod.ts";
import { DIR, open, populated, tally } from "./checks.ts";
import { DAMAGES, logOf, survive } from "./damage.ts";

for (const damage of DAMAGES) {
  test(`damage: ${damage.name}`, () => survive(lib, damage, false));
}
for (const name of ["every snapshot damaged", "every snapshot cut", "every snapshot removed"]) {
  test(`damage: ${name}, of two`, () =>
    survive(
      lib,
      DAMAGES.find((d) => d.name === name)!,
      true,
    ));
}

test("every flipped byte of a segment is found, or reported as a torn tail", () => {
  const { disk, seg } = logOf(12, "a", false, lib);
  const bytes = Buffer.from(disk.bytes(seg)!);
  let torn = 0;
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [1, 0x20, 0x80, 0xff]) {
      const harmed = Buffer.from(bytes);
      harmed[at]! ^= mask;
      disk.put(seg, harmed);
      const health = lib.inspectLog({ dir: DIR, disk: disk.process() });
      if (!health.ok) continue;
      torn++;
      assert.equal(health.head.seq, 11, `byte ${at} ^ ${mask}`);
      assert.equal(health.torn, 1);
      assert.ok(at >= bytes.length - 17, "only in the last record's trailer");
    }
  }
  assert.ok(torn > 0);
});

test("every flipped byte of an archive is found, or changes nothing", () => {
  const { disk } = populated(lib);
  const path = disk.paths().find((name) => name.includes("/arch/"))!;
  const bytes = Buffer.from(disk.bytes(path)!);
  const log = open(lib, disk.process());
  const whole = [...log.records()];
  for (let at = 0; at < bytes.length; at++) {
    for (const mask of [1, 0x80]) {
      const harmed = Buffer.from(bytes);
      harmed[at]! ^= mask;
      disk.put(path, harmed);
      if (lib.inspectLog({ dir: DIR, disk: disk.process() }).ok) {
        assert.deepEqual([...log.records()], whole, `byte ${at}`);
      } else {
        assert.throws(() => [...log.records()], lib.LogCorrupt);
      }
    }
  }
});

test("a damaged archive is repaired: what it still holds stays, the rest is marked", () => {
  const { disk, told } = populated(lib);
  const path = disk.paths().find((name) => name.includes("/arch/"))!;
  const bytes = Buffer.from(disk.bytes(path)!);
  bytes[40]! ^= 1;
  disk.put(path, bytes);
  assert.equal(lib.inspectLog({ dir: DIR, disk: disk.process() }).ok, false);
  const report = lib.repairLog({ dir: DIR, projections: [tally], disk: disk.process() });
  assert.deepEqual(report.holes, [{ from: 1, to: 4 }]);
  const log = open(lib, disk.process());
  assert.equal(log.state(tally).count, told.acks.length, "the state is the newest snapshot's");
  assert.deepEqual(
    [...log.records()].filter(({ k }) => k !== undefined),
    told.acks.slice(3),
  );
  told.append(lib, log, "a");
  assert.equal(lib.inspectLog({ dir: DIR, disk: disk.process() }).ok, true);
});

test("damage before the newest snapshot: the state stays whole, the hole is marked", () => {
  const { disk, seg } = logOf(10, "a", true, lib);
  const bytes = disk.bytes(seg)!;
  bytes[20]! ^= 1;
  const log = open(lib, disk.process());
  assert.equal(log.state(tally).count, 10, "it opens from the snapshot");
  assert.throws(() => [...log.records()], lib.LogCorrupt);
  lib.repairLog({ dir: DIR, projections: [tally], disk: disk.process() });
  const { record } = log.append(() => ({ draft: { events: [{}] }, result: 0 }));
  assert.equal(record?.s, 12, "an open log goes on behind the repair");
  const again = open(lib, disk.process());
  assert.equal(again.state(tally).count, 11);
  assert.deepEqual(
    [...again.records()].map(({ s, skip }) => skip ?? s).slice(1),
    [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
  );
});

test("history that was rewritten, every checksum made to fit, is found by the seal's hash", () => {
  const { disk } = populated(lib);
  for (const path of disk.paths().filter((name) => name.includes("/snap/"))) disk.remove(path);
  const segments = disk.paths().filter((name) => name.includes("/seg/"));
  let p: string | undefined;
  for (const path of segments) {
    const lines = disk
      .bytes(path)!
      .toString()
      .split("\n")
      .filter((line) => line.endsWith("}"));
    const forged = lines.map((line, i) => {
      const record = JSON.parse(line) as lib.LogRecord;
      const e = path === segments[0] && i === 1 ? [{ forged: true }] : record.e;
      const bytes = encode({ ...record, p: p ?? record.p, e });
      p = (JSON.parse(bytes.toString()) as lib.LogRecord).c;
      return bytes;
    });
    disk.put(path, Buffer.concat(forged));
  }
  const [found, ...more] = lib.inspectLog({ dir: DIR, disk: disk.process() }).corrupt;
  assert.match(found!.why, /seal's hash/);
  assert.deepEqual(more, []);
});
