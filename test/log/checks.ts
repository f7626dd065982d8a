/**
 * What must hold of any log, as functions of the library under test: the tests run them on src/log, the mutant
 * test runs them on broken copies of it, each of which must fail one.
 */

import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import type * as api from "../../src/log/mod.ts";
import type { Disk, Log, LogRecord, Projection } from "../../src/log/mod.ts";
import { type Before, Crash, type FaultDisk, faultDisk, type PowerLoss, systemError } from "./fault-disk.ts";

export type Api = typeof api;

/** A decision that only one writer may win, a count, and a digest that shows any difference in order. */
export interface Tally {
  owner: string | null;
  count: number;
  digest: number;
}

export const tally: Projection<Tally> = {
  name: "tally",
  version: 1,
  initial: () => ({ owner: null, count: 0, digest: 0 }),
  apply(state, record) {
    state.digest = (state.digest * 31 + record.s) % 1_000_003;
    for (const event of record.e as { take?: string }[]) {
      state.count++;
      if (event.take !== undefined) {
        assert.equal(state.owner, null, `two winners: ${state.owner} and ${event.take}`);
        state.owner = event.take;
      }
    }
  },
};

export const DIR = "/repo/signalbox/log";

export function open(lib: Api, disk: Disk, dir = DIR): Log {
  return lib.openLog({ dir, projections: [tally], disk, create: true, snapshotEvery: 4, now: () => 1_000 });
}

/** What a process has been told, for the check afterwards. */
export class Told {
  readonly acks: LogRecord[] = [];
  readonly durable: LogRecord[] = [];
  /** Writers that have been told that nothing was committed. */
  readonly refused: string[] = [];
  private attempt = 0;

  append(lib: Api, log: Log, by: string, event: Record<string, string> = {}): void {
    const k = `${by}.${this.attempt++}`;
    try {
      const { record, durable } = log.append((view) => {
        if (event["take"] !== undefined && view.state(tally).owner !== null) return { result: 0 };
        return { draft: { events: [{ ...event }], by, k }, result: 0 };
      });
      if (record) this.acks.push(record);
      if (record && durable) this.durable.push(record);
    } catch (error) {
      if (error instanceof lib.LogFull || error instanceof lib.LogReadOnly) this.refused.push(k);
      throw error;
    }
  }
}

/** Opens the log as a new process would, and checks all of it against what was told. */
export function verify(
  lib: Api,
  base: (before?: Before) => Disk,
  told: Told,
  lossy: boolean,
  dir = DIR,
): void {
  const touched: string[] = [];
  const log = open(
    lib,
    base((operation, path) => {
      if (path.includes("/arch/") && operation === "open") touched.push(path);
    }),
    dir,
  );
  const state = { ...log.state(tally) };
  assert.deepEqual(touched, [], "opening must need no archive");
  const records = [...log.records()];
  records.forEach((record, i) => assert.equal(record.s, i + 1, "no gap"));
  for (const ack of lossy ? told.durable : told.acks) {
    assert.deepEqual(records[ack.s - 1], ack, `acknowledged record ${ack.s} is at its place`);
  }
  for (const k of told.refused) {
    assert.equal(
      records.find((record) => record.k === k),
      undefined,
      `refused ${k} is not committed`,
    );
  }
  const whole = tally.initial();
  for (const record of records) tally.apply(whole, record);
  assert.deepEqual(state, whole, "snapshot + tail = full history");
  const health = lib.inspectLog({ dir, disk: base() });
  assert.deepEqual(health.corrupt, []);
  assert.equal(health.head.seq, records.length);

  const again = log.append(() => ({ draft: { events: [{}] }, result: 0 }));
  assert.equal(again.record?.s, records.length + 1, "append works again");
  log.close();
  const reread = open(lib, base(), dir);
  assert.deepEqual([...reread.records()].at(-1), again.record);
  assert.equal(reread.state(tally).count, whole.count + 1);
  reread.close();
}

export type Action = (lib: Api, log: () => Log, told: Told, who: string) => void;

const append: Action = (lib, log, told, who) => told.append(lib, log(), who);
const seal: Action = (_, log) => void log().seal();
const compact: Action = (_, log) => void log().compact();

/** What an actor may be doing when another one acts. */
export const ACTIONS: Record<string, Action> = {
  append,
  take: (lib, log, told, who) => told.append(lib, log(), who, { take: who }),
  nine(lib, log, told, who) {
    for (let i = 0; i < 9; i++) append(lib, log, told, who);
  },
  seal,
  compact,
  twice(lib, log, told, who) {
    compact(lib, log, told, who);
    append(lib, log, told, who);
    compact(lib, log, told, who);
  },
  snapshot: (_, log) => log().snapshot(),
  read(_, log) {
    const open = log();
    open.catchUp();
    const state = tally.initial();
    let seq = 0;
    for (const record of open.records()) {
      assert.equal(record.s, ++seq);
      tally.apply(state, record);
    }
    assert.deepEqual(state, open.state(tally));
  },
};

/** A log with a history: an archive, a sealed segment, a torn line, a snapshot in the middle. */
export function populated(lib: Api): { disk: FaultDisk; told: Told } {
  const disk = faultDisk();
  const told = new Told();
  const log = open(lib, disk.process());
  for (let i = 0; i < 3; i++) told.append(lib, log, "past");
  log.compact();
  for (let i = 0; i < 3; i++) told.append(lib, log, "past");
  log.seal();
  for (let i = 0; i < 2; i++) told.append(lib, log, "past");
  log.close();
  const live = disk.paths().findLast((path) => path.includes("/seg/"))!;
  disk.put(live, new Uint8Array([...disk.bytes(live)!, ...new TextEncoder().encode("torn by a kill")]));
  return { disk, told };
}

/** Places to stop at: before an operation, or inside a write after so many bytes. */
const TORN = [undefined, 0, 1, 0.5, -1, Infinity] as const;

/**
 * Dies at every operation of `action` (in a write also after 0, 1, half, all but one, all bytes), for each kind
 * of loss, and checks what a new process finds. Answers how many points there were.
 */
export function crashAtEvery(lib: Api, action: Action, cold: boolean, fresh = false): number {
  const start = fresh ? { disk: faultDisk(), told: new Told() } : populated(lib);
  let points = 0;
  for (const loss of ["kill", "strict", "names", "half"] as const) {
    for (let k = 1, done = false; !done; k++) {
      for (const torn of TORN) {
        const disk = start.disk.clone();
        const told = Object.assign(new Told(), {
          acks: [...start.told.acks],
          durable: [...start.told.durable],
        });
        let armed = cold;
        let skipped = 0;
        let isWrite = false;
        const process = disk.process((operation, _, count, length) => {
          if (!armed) skipped = count;
          if (!armed || count - skipped !== k) return;
          isWrite = operation === "write";
          throw new Crash("", { cause: isWrite ? bytesOf(torn, length) : undefined });
        });
        let log: Log | undefined;
        if (!cold) {
          log = open(lib, process);
          armed = true;
        }
        try {
          action(lib, () => (log ??= open(lib, process)), told, "A");
          done = true;
        } catch (error) {
          if (!(error instanceof Crash)) throw error;
        }
        points++;
        if (loss !== "kill") disk.power(loss);
        verify(lib, (before) => disk.process(before), told, loss !== "kill");
        if (!isWrite || done) break;
      }
    }
  }
  return points;
}

function bytesOf(torn: (typeof TORN)[number], length: number): number | undefined {
  if (torn === undefined) return undefined;
  if (torn === 0.5) return Math.floor(length / 2);
  return torn < 0 ? length + torn : Math.min(torn, length);
}

/** `short-N`: a write arrives but for its last N bytes. */
export type Failure = "ENOSPC" | "EIO" | "short-1" | "short-2" | "short-40";

/** Fails with `code` (or writes short) at every operation of `action`, once or from then on, and goes on. */
export function failAtEvery(lib: Api, action: Action, code: Failure, lasting: boolean): number {
  const start = populated(lib);
  const space = new Set<string>(["write", "mkdir", "link", "rename"]);
  let points = 0;
  for (let k = 1, hit = true; hit; k++) {
    hit = false;
    const disk = start.disk.clone();
    const told = Object.assign(new Told(), {
      acks: [...start.told.acks],
      durable: [...start.told.durable],
    });
    let armed = false;
    let skipped = 0;
    const process = disk.process((operation, _, count, length): number | undefined => {
      if (!armed) skipped = count;
      const due = armed && (lasting ? count - skipped >= k : count - skipped === k);
      if (!due || operation === "close") {
        hit ||= due;
        return undefined;
      }
      hit = true;
      if (code === "EIO") throw systemError("EIO");
      if (code.startsWith("short"))
        return operation === "write" ? Math.max(0, length - Number(code.slice(6))) : undefined;
      if (space.has(operation)) throw systemError("ENOSPC");
      return undefined;
    });
    const log = open(lib, process);
    armed = true;
    try {
      action(lib, () => log, told, "A");
    } catch (error) {
      assert.ok(error instanceof lib.LogError, `a typed error, not ${String(error)}`);
    }
    armed = false;
    // The same process goes on when the disk is well again…
    told.append(lib, log, "A");
    log.close();
    // …and so does everybody else.
    verify(lib, (before) => disk.process(before), told, false);
    points++;
  }
  return points;
}

/**
 * Before A's k-th disk operation, for every k, runs all of B's action, and checks the outcome. A and B have the
 * log open already, or (`cold`) A opens it only now. A `third` actor acts before each operation of B's. With `cut`,
 * A dies and the power fails right after B has acted.
 */
export function interleave(
  lib: Api,
  a: Action,
  b: Action,
  { cold = false, third, cut }: { cold?: boolean; third?: Action; cut?: PowerLoss } = {},
  start = populated(lib),
): number {
  let schedules = 0;
  for (let k = 1, ran = true; ran; k++) {
    let inner = third ? 1 : 0;
    do {
      ran = false;
      const disk = start.disk.clone();
      const told = Object.assign(new Told(), {
        acks: [...start.told.acks],
        durable: [...start.told.durable],
      });
      let innerRan = false;
      let innerBase = 0;
      const thirdLog = third && open(lib, disk.process());
      const other = disk.process((_o, _p, count) => {
        if (!third || !ran || count - innerBase !== inner) return;
        innerRan = true;
        third(lib, () => thirdLog!, told, "C");
      });
      const otherLog = open(lib, other);
      innerBase = other.count;
      let base = 0;
      let armed = cold;
      const process = disk.process((_o, _p, count) => {
        if (!armed) base = count;
        if (!armed || ran || count - base !== k) return;
        ran = true;
        b(lib, () => otherLog, told, "B");
        if (cut) throw new Crash();
      });
      let log: Log | undefined;
      if (!cold) {
        log = open(lib, process);
        armed = true;
      }
      try {
        a(lib, () => (log ??= open(lib, process)), told, "A");
      } catch (error) {
        if (!(error instanceof Crash)) throw error;
      }
      schedules++;
      if (cut) disk.power(cut);
      else {
        if (log) told.append(lib, log, "A");
        told.append(lib, otherLog, "B");
      }
      entryIsThere(disk);
      verify(lib, (before) => disk.process(before), told, cut !== undefined);
      inner = innerRan ? inner + 1 : 0;
    } while (inner > 0 && ran);
  }
  return schedules;
}

/** The newest snapshot must lead to a segment that is there. */
function entryIsThere(disk: FaultDisk): void {
  const paths = disk.paths();
  const newest = paths.findLast((path) => /\/snap\/.*\.base\.json$/.test(path));
  const body: Buffer | undefined = newest === undefined ? undefined : disk.bytes(newest);
  if (!body || body.length === 0) return;
  const { seg } = JSON.parse(body.toString().split("\n")[0]!) as { seg: string };
  assert.ok(
    paths.includes(`${DIR}/seg/${seg}`),
    "the newest durable snapshot leads to a segment that is there",
  );
}
