/** Repair under crashes, under another repair, and under writers that have the damaged log open. */

import assert from "node:assert/strict";
import test from "node:test";
import * as lib from "../../src/log/mod.ts";
import { DIR, open, tally, Told } from "./checks.ts";
import { logOf } from "./damage.ts";
import { Crash, type FaultDisk } from "./fault-disk.ts";

/** Ten records with snapshots at 4 and 8; `at` names the damaged one. */
function damaged(at: number): FaultDisk {
  const { disk, seg, lines } = logOf(10, "a", true, lib);
  const bytes = lines.map((line, i) =>
    i + 1 === at ? line.toString().replace('"e":[', '"e": ') : line.toString(),
  );
  disk.put(seg, new TextEncoder().encode(bytes.join("")));
  return disk;
}

const repair = (disk: lib.Disk) => lib.repairLog({ dir: DIR, projections: [tally], disk, now: () => 7 });

/** Everything is readable again, only `lost` is missing, and appending works. */
function check(disk: FaultDisk, lost: number, told: Told): void {
  const log = open(lib, disk.process());
  const records = [...log.records()];
  assert.deepEqual(
    records.filter(({ k }) => k?.startsWith("a.")).map(({ k }) => k),
    Array.from({ length: 10 }, (_, i) => `a.${i}`).filter((k) => k !== `a.${lost - 1}`),
  );
  assert.deepEqual(
    records.flatMap(({ s, skip }) => (skip ? [[s, skip.to]] : [])),
    [[lost, lost]],
  );
  for (const ack of told.acks)
    assert.deepEqual(
      records.find(({ s }) => s === ack.s),
      ack,
    );
  told.append(lib, log, "after");
  log.close();
  const health = lib.inspectLog({ dir: DIR, disk: disk.process() });
  assert.deepEqual([health.ok, health.corrupt], [true, []]);
  assert.ok(health.broken.length > 0);
}

for (const lost of [2, 6, 9]) {
  test(`record ${lost} is damaged: repair dies at every operation, and is done again`, (t) => {
    let points = 0;
    for (const loss of ["kill", "strict", "names", "half"] as const) {
      for (let k = 1, died = true; died; k++) {
        died = false;
        const disk = damaged(lost);
        try {
          repair(
            disk.process((_o, _p, count) => {
              if (count === k) throw new Crash();
            }),
          );
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
          died = true;
        }
        if (loss !== "kill") disk.power(loss);
        repair(disk.process());
        check(disk, lost, new Told());
        points++;
      }
    }
    t.diagnostic?.(`${points} points`);
  });

  test(`record ${lost} is damaged: two repairs at once`, (t) => {
    let k = 1;
    for (let ran = true; ran; k++) {
      ran = false;
      const disk = damaged(lost);
      const other = disk.process();
      repair(
        disk.process((_o, _p, count) => {
          if (count !== k) return;
          ran = true;
          repair(other);
        }),
      );
      check(disk, lost, new Told());
    }
    t.diagnostic?.(`${k} schedules`);
  });
}

test("a writer behind the damage appends before each operation of a repair", (t) => {
  let k = 1;
  for (let ran = true; ran; k++) {
    ran = false;
    const disk = damaged(2);
    const told = new Told();
    const writer = open(lib, disk.process());
    repair(
      disk.process((_o, _p, count) => {
        if (count !== k) return;
        ran = true;
        try {
          told.append(lib, writer, "writer");
        } catch (error) {
          // Between the fence and the new beginning there is nowhere to append to.
          assert.ok(error instanceof lib.LogCorrupt);
        }
      }),
    );
    told.append(lib, writer, "writer");
    check(disk, 2, told);
  }
  t.diagnostic?.(`${k} schedules`);
});

test("a repair runs inside each operation of an append", (t) => {
  let k = 1;
  for (let ran = true; ran; k++) {
    ran = false;
    const disk = damaged(2);
    const told = new Told();
    let base = Infinity;
    const process = disk.process((_o, _p, count) => {
      if (count - base !== k) return;
      ran = true;
      repair(disk.process());
    });
    const writer = open(lib, process);
    base = process.count;
    told.append(lib, writer, "writer");
    if (!ran) repair(disk.process());
    check(disk, 2, told);
  }
  t.diagnostic?.(`${k} schedules`);
});

test("an open log that has met damage meets it again, and never appends behind it", () => {
  const { disk, seg } = logOf(3, "a", false, lib);
  const log = open(lib, disk.process());
  const other = open(lib, disk.process());
  for (let i = 0; i < 2; i++) other.append(() => ({ draft: { events: [{}] }, result: 0 }));
  const text = disk.bytes(seg)!.toString().split("\n");
  disk.put(seg, new TextEncoder().encode(text.map((line, i) => (i === 3 ? `x${line}` : line)).join("\n")));
  const before = disk.bytes(seg)!.length;
  for (let i = 0; i < 3; i++) {
    assert.throws(() => log.catchUp(), lib.LogCorrupt);
    assert.throws(() => log.append(() => ({ draft: { events: [{}] }, result: 0 })), lib.LogCorrupt);
  }
  assert.equal(disk.bytes(seg)!.length, before);
  assert.equal(log.head.seq, 3);
});

test("a healthy log is left alone", () => {
  const { disk } = logOf(10, "a", true, lib);
  const before = disk.paths();
  assert.deepEqual(repair(disk.process()), { repaired: false, holes: [], broken: [] });
  assert.deepEqual(disk.paths(), before);
});

test("whichever archive is lost, what comes after it is whole, sealed and archived again", () => {
  for (const lost of [0, 1, 2, 3]) {
    const { disk } = logOf(0, "a", true, lib);
    const told = new Told();
    const log = open(lib, disk.process());
    for (let round = 0; round < 4; round++) {
      told.append(lib, log, `r${round}`);
      told.append(lib, log, `r${round}`);
      log.compact();
    }
    told.append(lib, log, "live");
    log.seal();
    told.append(lib, log, "live");
    const archives = disk.paths().filter((path) => path.includes("/arch/"));
    assert.equal(archives.length, 4);
    disk.put(archives.sort()[lost]!, new TextEncoder().encode("garbage"));
    assert.equal(repair(disk.process()).holes.length, 1);
    for (const step of ["repaired", "compacted", "sealed and compacted", "again"]) {
      const { ok, corrupt, skipped } = lib.inspectLog({ dir: DIR, disk: disk.process() });
      assert.deepEqual([ok, corrupt, skipped.length], [true, [], 1], `archive ${lost}, ${step}`);
      told.append(lib, log, step);
      log.compact();
    }
    const kept = [...log.records()].filter(({ k }) => k !== undefined).length;
    assert.equal(kept, told.acks.length - 2);
    assert.equal(repair(disk.process()).repaired, false, "nothing more to repair");
  }
});
