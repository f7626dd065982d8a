/** Checks on the real file system: what a fault disk takes for granted about open flags and positions. */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import type { Disk } from "../../src/log/mod.ts";
import { ACTIONS, type Api, open, Told, verify } from "./checks.ts";

export function temporary<T>(use: (dir: string) => T): T {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "signalbox-log-"));
  try {
    return use(dir);
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

/** `disk`, with `before` called ahead of each operation. */
function watched(disk: Disk, before: () => void): Disk {
  return new Proxy(disk, {
    get(target, key: keyof Disk) {
      const operation = target[key] as (...args: unknown[]) => unknown;
      return (...args: unknown[]) => {
        before();
        return operation(...args);
      };
    },
  });
}

/** Two processes append in turn, each with a descriptor of its own: every record lands behind the last one. */
export function twoWriters(lib: Api): void {
  temporary((dir) => {
    const told = new Told();
    const logs = [open(lib, lib.nodeDisk, dir), open(lib, lib.nodeDisk, dir)];
    for (let i = 0; i < 20; i++) for (const log of logs) told.append(lib, log, "w");
    assert.deepEqual(
      told.acks.map(({ s }) => s),
      Array.from({ length: 40 }, (_, i) => i + 1),
    );
    for (const log of logs) log.close();
    verify(lib, () => lib.nodeDisk, told, false, dir);
  });
}

/** One opens and appends; before its k-th operation another compacts the segment away. For every k. */
export function compactedUnderneath(lib: Api): number {
  let k = 1;
  for (let ran = true; ran; k++) {
    ran = false;
    temporary((dir) => {
      const told = new Told();
      const other = open(lib, lib.nodeDisk, dir);
      ACTIONS["append"]!(lib, () => other, told, "B");
      other.compact();
      let count = 0;
      const disk = watched(lib.nodeDisk, () => {
        if (++count !== k || ran) return;
        ran = true;
        ACTIONS["twice"]!(lib, () => other, told, "B");
      });
      const log = open(lib, disk, dir);
      ACTIONS["append"]!(lib, () => log, told, "A");
      log.close();
      other.close();
      verify(lib, () => lib.nodeDisk, told, false, dir);
    });
  }
  return k;
}
