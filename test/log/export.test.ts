/** A stretch of history as one file: whole or not there, whatever operation fails; frozen words. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import * as fs from "node:fs";
import test from "node:test";
import { unpack } from "../../src/log/archive.ts";
import * as lib from "../../src/log/mod.ts";
import { decode, type LogRecord } from "../../src/log/record.ts";
import { Crash, type FaultDisk, faultDisk, systemError } from "./fault-disk.ts";

const golden = (name: string) => fs.readFileSync(new URL(`../golden/log/${name}`, import.meta.url), "utf8");
const RECORDS = golden("record.jsonl")
  .trimEnd()
  .split("\n")
  .map((line) => decode(Buffer.from(line)) as LogRecord);
const HEADER = {
  log: "golden1",
  first: 1,
  folds: [{ name: "tally", version: 1, seq: 0, state: { count: 0 } }],
};
const PATH = "/repo/out.gz";

const write = (disk: lib.Disk) => lib.writeExport(PATH, HEADER, RECORDS, disk);
const read = (disk: FaultDisk) => lib.readExport(PATH, disk.process());

test("an export is written in the words of the golden one, and read back", () => {
  const disk = faultDisk();
  const { records, sha256 } = write(disk.process());
  const lines = [...unpack(disk.process(), PATH, () => 0)].map(String);
  assert.equal(`${lines.join("\n")}\n`, golden("export.jsonl"));
  assert.deepEqual(JSON.parse(lines.at(-1) ?? ""), { end: RECORDS.at(-1)?.s, records, sha256 });
  const { header, records: stored } = read(disk);
  assert.deepEqual({ log: header.log, first: header.first, folds: header.folds }, HEADER);
  assert.deepEqual([...stored()], RECORDS);
});

for (const code of ["a kill", "ENOSPC", "EIO", "a short write"]) {
  test(`${code} at every operation of an export: it is whole, or there is none`, (t) => {
    let points = 0;
    for (let k = 1, hit = true; hit; k += 1) {
      hit = false;
      const disk = faultDisk();
      const process = disk.process((operation, _, count, length) => {
        if (count !== k) return undefined;
        hit = true;
        if (code === "a kill") throw new Crash();
        if (code === "a short write") return operation === "write" ? length - 1 : undefined;
        if (operation !== "close" && operation !== "unlink") throw systemError(code);
        return undefined;
      });
      let failed: unknown;
      try {
        write(process);
      } catch (error) {
        failed = error;
      }
      const there = disk.bytes(PATH) !== undefined;
      if (there) assert.deepEqual([...read(disk).records()], RECORDS);
      else if (hit) assert.ok(failed instanceof Crash || failed instanceof lib.LogError, String(failed));
      if (code !== "a kill")
        assert.deepEqual(
          disk.paths().filter((path) => path !== PATH),
          [],
          "nothing half is left",
        );
      points += 1;
    }
    assert.ok(points > 4);
    t.diagnostic?.(`${points} points`);
  });
}

test("what is there is not written over", () => {
  const disk = faultDisk();
  disk.put(PATH, Buffer.from("mine"));
  assert.throws(() => write(disk.process()), { code: "ELOGUNREADABLE", message: /it is there already/ });
  assert.deepEqual([disk.paths(), String(disk.bytes(PATH))], [[PATH], "mine"]);
});
