/** Damaged bytes, as a table: what is done to a log of eight records, and what must come of it. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type Api, DIR, open, tally, Told } from "./checks.ts";
import { type FaultDisk, faultDisk } from "./fault-disk.ts";

/** What an opener must say: nothing, or which error; `lost` is how many records may be missing after repair. */
export interface Damage {
  readonly name: string;
  readonly harm: (disk: FaultDisk, files: Files) => void;
  readonly expect: "usable" | "corrupt";
  readonly lost?: number;
}

interface Files {
  readonly seg: string;
  readonly lines: readonly Buffer[];
  write(lines: readonly (Buffer | string)[]): void;
}

const flip = (line: Buffer, at: number) => {
  const copy = Buffer.from(line);
  copy[at < 0 ? line.length + at : at]! ^= 1;
  return copy;
};
const spliced = (files: Files, at: number, remove: number, ...insert: (Buffer | string)[]) =>
  files.write(files.lines.toSpliced(at, remove, ...(insert as Buffer[])));
const each = (disk: FaultDisk, folder: string, act: (path: string, bytes: Buffer) => void) => {
  for (const path of disk.paths().filter((p) => p.includes(folder))) act(path, disk.bytes(path)!);
};

export const DAMAGES: readonly Damage[] = [
  { name: "nothing", harm: () => {}, expect: "usable" },
  { name: "a torn line at the end", harm: (_, f) => spliced(f, 8, 0, '{"s":9,"p":"'), expect: "usable" },
  { name: "zeros at the end", harm: (_, f) => spliced(f, 8, 0, "\0".repeat(100)), expect: "usable" },
  {
    name: "a whole record without its newline at the end",
    harm: (_, f) => spliced(f, 7, 1, f.lines[7]!.subarray(0, -1)),
    expect: "usable",
    lost: 1,
  },
  {
    name: "the last record cut in half",
    harm: (_, f) => spliced(f, 7, 1, f.lines[7]!.subarray(0, 50)),
    expect: "usable",
    lost: 1,
  },
  {
    name: "torn lines in the middle",
    harm: (_, f) => spliced(f, 4, 0, "{\n", "!\n", "\n", '{"s":3\n'),
    expect: "usable",
  },
  { name: "a lost race in the middle", harm: (_, f) => spliced(f, 5, 0, f.lines[2]!), expect: "usable" },
  {
    name: "a torn line with a lost race's record glued to it",
    harm: (_, f) => spliced(f, 5, 0, Buffer.concat([f.lines[5]!.subarray(0, 70), f.lines[3]!])),
    expect: "usable",
  },
  {
    name: "a damaged letter in the middle",
    harm: (_, f) => spliced(f, 3, 1, flip(f.lines[3]!, -28)),
    expect: "corrupt",
    lost: 1,
  },
  {
    name: "a damaged letter in the last record",
    harm: (_, f) => spliced(f, 7, 1, flip(f.lines[7]!, -28)),
    expect: "corrupt",
    lost: 1,
  },
  {
    name: "a damaged newline in the middle",
    harm: (_, f) => spliced(f, 3, 1, flip(f.lines[3]!, -1)),
    expect: "corrupt",
  },
  {
    name: "a damaged newline at the end",
    harm: (_, f) => spliced(f, 7, 1, flip(f.lines[7]!, -1)),
    expect: "corrupt",
  },
  {
    name: "a damaged checksum in the middle",
    harm: (_, f) => spliced(f, 3, 1, flip(f.lines[3]!, -5)),
    expect: "corrupt",
    lost: 1,
  },
  { name: "a record removed", harm: (_, f) => spliced(f, 3, 1), expect: "corrupt", lost: 1 },
  { name: "the first record removed", harm: (_, f) => spliced(f, 0, 1), expect: "corrupt", lost: 1 },
  {
    name: "two records swapped",
    harm: (_, f) => spliced(f, 3, 2, f.lines[4]!, f.lines[3]!),
    expect: "corrupt",
    lost: 2,
  },
  {
    name: "a record of another log in its place",
    harm(_, f) {
      const [other] = logOf(f.lines.length, "x").lines.slice(3);
      spliced(f, 3, 1, other!);
    },
    expect: "corrupt",
    lost: 1,
  },
  { name: "the segment emptied", harm: (_, f) => f.write([]), expect: "usable", lost: 8 },
  { name: "the segment removed", harm: (disk, f) => disk.remove(f.seg), expect: "corrupt", lost: 8 },
  { name: "FORMAT removed", harm: (disk) => disk.remove(`${DIR}/FORMAT`), expect: "corrupt" },
  { name: "FORMAT emptied", harm: (disk) => disk.put(`${DIR}/FORMAT`, new Uint8Array()), expect: "corrupt" },
  { name: "FORMAT damaged", harm: (disk) => disk.put(`${DIR}/FORMAT`, Buffer.from("{}")), expect: "corrupt" },
  {
    name: "every snapshot damaged",
    harm: (disk) => each(disk, "/snap/", (p, b) => disk.put(p, flip(b, 9))),
    expect: "usable",
  },
  {
    name: "every snapshot cut",
    harm: (disk) => each(disk, "/snap/", (p, b) => disk.put(p, b.subarray(0, 40))),
    expect: "usable",
  },
  {
    name: "every snapshot removed",
    harm: (disk) => each(disk, "/snap/", (p) => disk.remove(p)),
    expect: "usable",
  },
];

/** The log the damages are done to: eight records in one segment; `snapshots` at 4 and 8 where wanted. */
export function logOf(
  count: number,
  by: string,
  snapshots = false,
  lib?: Api,
): { disk: FaultDisk; lines: Buffer[]; seg: string } {
  const disk = faultDisk();
  const api = lib ?? loaded!;
  const log = api.openLog({
    dir: DIR,
    projections: [tally],
    disk: disk.process(),
    create: true,
    snapshotEvery: snapshots ? 4 : 0,
  });
  const told = new Told();
  for (let i = 0; i < count; i++) told.append(api, log, by);
  log.close();
  const seg = disk.paths().find((path) => path.includes("/seg/"))!;
  return { disk, seg, lines: split(disk.bytes(seg)!) };
}

let loaded: Api | undefined;

function split(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(10, start) + 1;
    lines.push(bytes.subarray(start, end));
    start = end;
  }
  return lines;
}

/** Damage, open, append again (or a typed refusal, repair, append), read. */
export function survive(lib: Api, damage: Damage, snapshots: boolean): void {
  loaded = lib;
  const { disk, seg, lines } = logOf(8, "a", snapshots, lib);
  damage.harm(disk, {
    seg,
    lines,
    write: (all) => disk.put(seg, Buffer.concat(all.map((x) => Buffer.from(x as Buffer)))),
  });
  const before = new Map(disk.paths().map((path) => [path, Buffer.from(disk.bytes(path)!)]));

  let refused: unknown;
  try {
    const log = open(lib, disk.process());
    Array.from(log.records());
    log.close();
  } catch (error) {
    refused = error;
  }
  if (damage.expect === "corrupt") {
    assert.ok(refused instanceof lib.LogCorrupt, `refused as corrupt, not ${String(refused)}`);
    assert.ok(refused.seq >= 1 && refused.file.startsWith(DIR) && refused.offset >= 0);
    assert.equal(lib.inspectLog({ dir: DIR, disk: disk.process() }).ok, false);
    const report = lib.repairLog({ dir: DIR, projections: [tally], disk: disk.process(), now: () => 5 });
    assert.equal(report.repaired, true);
    for (const [path, bytes] of before) {
      if (disk.bytes(path) || path.includes("/tmp/") || /\/snap\/\d+-[0-9a-f]+\.json$/.test(path)) continue;
      const copy = disk.bytes(`${DIR}/broken/${path.slice(path.lastIndexOf("/") + 1)}.broken`);
      assert.ok(copy?.subarray(0, bytes.length).equals(bytes), `a .broken copy of ${path}`);
    }
  } else {
    assert.equal(refused, undefined);
  }

  const log = open(lib, disk.process());
  const records = [...log.records()];
  const kept = records.filter((record) => record.k !== undefined);
  assert.ok(kept.length >= 8 - (damage.lost ?? 0), `${kept.length} of 8 records kept`);
  const skipped = records.reduce((sum, { s, skip }) => sum + (skip ? skip.to - s + 1 : 0), 0);
  if (damage.expect === "corrupt" && damage.lost) assert.ok(skipped > 0, "the hole is marked");
  let seq = 0;
  for (const record of records) {
    assert.equal(record.s, seq + 1);
    seq = record.skip?.to ?? record.s;
  }
  const told = new Told();
  told.append(lib, log, "b");
  told.append(lib, log, "b");
  log.close();
  const again = open(lib, disk.process());
  assert.deepEqual([...again.records()].slice(-2), told.acks);
  assert.equal(again.head.seq, seq + 2);
  assert.equal(lib.inspectLog({ dir: DIR, disk: disk.process() }).ok, true);
  again.compact();
  assert.equal([...again.records()].at(-1)?.s, seq + 3);
  again.close();
}
