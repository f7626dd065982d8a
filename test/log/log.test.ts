import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import test from "node:test";
import * as fc from "fast-check";
import * as lib from "../../src/log/mod.ts";
import { crc32, hex8 } from "../../src/log/crc32.ts";
import { DIR, open, populated, tally, Told } from "./checks.ts";
import { faultDisk, systemError } from "./fault-disk.ts";
import { temporary } from "./real-disk.ts";

const event = { draft: { events: [{}] }, result: 0 } as const;

test("crc32 is zlib's, at every length and offset", () => {
  const zlib = process.getBuiltinModule("node:zlib") as { crc32?: (bytes: Uint8Array) => number };
  assert.equal(crc32(Buffer.from("123456789")), 0xcbf43926);
  assert.equal(crc32(Buffer.alloc(0)), 0);
  const bytes = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 37) & 255));
  for (let start = 0; start < 9; start++) {
    for (let end = start; end < bytes.length; end++) {
      const expected = zlib.crc32?.(bytes.subarray(start, end));
      if (expected !== undefined) assert.equal(crc32(bytes, start, end), expected);
      const middle = (start + end) >> 1;
      assert.equal(crc32(bytes, middle, end, crc32(bytes, start, middle)), crc32(bytes, start, end));
    }
  }
});

test("opening and reading create nothing", () => {
  const disk = faultDisk();
  assert.throws(() => lib.openLog({ dir: DIR, projections: [], disk: disk.process() }), lib.LogMissing);
  assert.throws(() => lib.inspectLog({ dir: DIR, disk: disk.process() }), lib.LogMissing);
  assert.deepEqual(disk.paths(), []);

  const { disk: full } = populated(lib);
  const before = full.paths();
  const log = lib.openLog({ dir: DIR, projections: [tally], disk: full.process() });
  log.catchUp();
  log.state(tally);
  Array.from(log.records());
  lib.inspectLog({ dir: DIR, disk: full.process() });
  log.close();
  assert.deepEqual(full.paths(), before);
});

test("several creators make one log", () => {
  const disk = faultDisk();
  const logs = [1, 2, 3].map(() => open(lib, disk.process()));
  assert.equal(new Set(logs.map(({ id }) => id)).size, 1);
  for (const log of logs) log.append(() => event);
  assert.equal(logs[2]!.head.seq, 3);
});

test("a decision with nothing to append appends nothing", () => {
  const log = open(lib, faultDisk().process());
  const { result, record, attempts } = log.append(({ head }) => ({ result: head.seq }));
  assert.deepEqual([result, record, attempts, log.head.seq], [0, undefined, 1, 0]);
});

test("time never goes back", () => {
  let clock = 500;
  const log = lib.openLog({
    dir: DIR,
    projections: [],
    disk: faultDisk().process(),
    create: true,
    now: () => clock,
  });
  assert.equal(log.append(() => event).record?.t, 500);
  clock = 100;
  const { record, result } = log.append(({ now }) => ({ ...event, result: now }));
  assert.deepEqual([record?.t, result], [500, 500]);
});

test("by, k and the events are stored as given; sync says what is durable", () => {
  const disk = faultDisk();
  const log = lib.openLog({ dir: DIR, projections: [], disk: disk.process(), create: true });
  const events = [{ type: "x", text: 'ü\n"\u2028' }, 1, null, [true]];
  const { record, durable } = log.append(() => ({ draft: { events, by: "me", k: "k1" }, result: 0 }));
  assert.deepEqual([record?.by, record?.k, record?.e, durable], ["me", "k1", events, true]);
  assert.equal(log.append(() => ({ draft: { events, sync: false }, result: 0 })).durable, false);
  const never = lib.openLog({ dir: DIR, projections: [], disk: disk.process(), sync: "never" });
  assert.equal(never.append(() => event).durable, false);
  assert.deepEqual(
    [...log.records()].map(({ s }) => s),
    [1, 2],
  );
  log.catchUp();
  assert.deepEqual(
    [...log.records({ from: 2, to: 3 })].map(({ s }) => s),
    [2, 3],
  );
});

test("a record that is too long is refused, and the log goes on", () => {
  const log = open(lib, faultDisk().process());
  const huge = { draft: { events: ["x".repeat(1 << 20)] }, result: 0 };
  assert.throws(() => log.append(() => huge), lib.LogTooLarge);
  assert.equal(log.append(() => event).record?.s, 1);
});

test("a record far longer than the read buffer", () => {
  const disk = faultDisk();
  const log = open(lib, disk.process());
  const text = "ä".repeat(300_000);
  log.append(() => event);
  log.append(() => ({ draft: { events: [text] }, result: 0 }));
  log.append(() => event);
  assert.deepEqual([...open(lib, disk.process()).records()][1]?.e, [text]);
});

test("a read-only log is read; appending is refused", () => {
  for (const code of ["EROFS", "EACCES"]) {
    const { disk } = populated(lib);
    const readOnly = disk.process();
    const log = lib.openLog({
      dir: DIR,
      projections: [tally],
      disk: {
        ...readOnly,
        open(path, mode) {
          if (mode !== "read") throw systemError(code);
          return readOnly.open(path, mode);
        },
      },
    });
    assert.ok(log.head.seq > 0);
    assert.equal(log.append(() => ({ result: 1 })).result, 1);
    assert.throws(() => log.append(() => event), lib.LogReadOnly);
  }
});

test("unreadable is said, and is never empty", () => {
  for (const [code, type] of [
    ["EACCES", lib.LogUnreadable],
    ["EIO", lib.LogUnreadable],
  ] as const) {
    for (const part of ["/FORMAT", "/seg/", "/snap"]) {
      const { disk } = populated(lib);
      const failing = disk.process((operation, path) => {
        if (path.includes(part) && operation !== "mkdir") throw systemError(code);
      });
      for (const create of [false, true]) {
        assert.throws(
          () => lib.openLog({ dir: DIR, projections: [], disk: failing, create }),
          (error) => error instanceof type && error.message.includes(code),
        );
      }
    }
  }
});

test("a file where the directory should be is named", () => {
  temporary((dir) => {
    const fs = process.getBuiltinModule("node:fs");
    fs.writeFileSync(`${dir}/log`, "");
    assert.throws(
      () => lib.openLog({ dir: `${dir}/log`, projections: [], create: true }),
      (error) => error instanceof lib.LogError && error.message.includes(`${dir}/log`),
    );
  });
});

test("a newer format is refused, whatever else is there", () => {
  const { disk } = populated(lib);
  disk.put(`${DIR}/FORMAT`, Buffer.from('{"format":2}'));
  assert.throws(() => lib.openLog({ dir: DIR, projections: [], disk: disk.process() }), lib.LogNewer);
  assert.throws(() => lib.repairLog({ dir: DIR, projections: [], disk: disk.process() }), lib.LogNewer);
});

test("an unconfirmed sync is an error that names the committed record", () => {
  const disk = faultDisk();
  let failing = false;
  const log = open(
    lib,
    disk.process((operation) => {
      if (failing && operation === "sync") throw systemError("EIO");
    }),
  );
  failing = true;
  assert.throws(() => log.append(() => event), lib.LogUnsynced);
  assert.equal(open(lib, disk.process()).head.seq, 1);
});

test("a fold's new version is built from history once; the old one's state is carried along", () => {
  const { disk } = populated(lib);
  const next = { ...tally, version: 2 };
  const opened = (fold: typeof tally) => {
    const touched: string[] = [];
    const process = disk.process((operation, path) => {
      if (operation === "open" && path.includes("/arch/")) touched.push(path);
    });
    const log = lib.openLog({ dir: DIR, projections: [fold], disk: process, snapshotEvery: 1 });
    const state = { ...log.state(fold) };
    return { log, state, touched };
  };
  const first = opened(tally);
  const second = opened(next);
  assert.deepEqual(second.state, first.state);
  assert.ok(second.touched.length > 0);
  second.log.append(() => event);
  opened(tally).log.append(() => event);
  for (const fold of [tally, next]) {
    const { touched, state } = opened(fold);
    assert.deepEqual([fold.version, touched, state.count], [fold.version, [], first.state.count + 2]);
  }
  assert.throws(() => first.log.state(next), TypeError);
});

test("a fold that throws does not leave a half-applied state", () => {
  const disk = faultDisk();
  let broken = false;
  const fragile: lib.Projection<{ seen: number[] }> = {
    name: "fragile",
    version: 1,
    initial: () => ({ seen: [] }),
    apply(state, { s }) {
      state.seen.push(s);
      if (broken) throw new Error("bug in the fold");
    },
  };
  const log = lib.openLog({ dir: DIR, projections: [fragile], disk: disk.process(), create: true });
  log.append(() => event);
  broken = true;
  assert.throws(() => log.append(() => event), /bug in the fold/);
  broken = false;
  log.append(() => event);
  assert.deepEqual(log.state(fragile).seen, [1, 2, 3]);
});

test("opening a long log reads the snapshot and the tail, not the history", () => {
  const disk = faultDisk();
  const log = lib.openLog({ dir: DIR, projections: [tally], disk: disk.process(), create: true });
  const cost = () => {
    let bytes = 0;
    const counting = disk.process();
    const read = counting.read.bind(counting);
    const process = Object.create(counting) as typeof counting;
    process.read = (...args) => {
      const got = read(...args);
      bytes += got;
      return got;
    };
    lib.openLog({ dir: DIR, projections: [tally], disk: process }).close();
    return bytes;
  };
  for (let i = 0; i < 200; i++) log.append(() => event);
  const short = cost();
  for (let i = 0; i < 1000; i++) log.append(() => event);
  assert.ok(cost() < short + 64 * 150, `${cost()} bytes for 1,200 records, ${short} for 200`);
});

test("compaction: the report counts, the proof compares, temporary files go, a second one finds nothing", () => {
  let clock = Date.now();
  const disk = faultDisk();
  const log = lib.openLog({
    dir: DIR,
    projections: [tally],
    disk: disk.process(),
    create: true,
    now: () => clock,
  });
  for (let i = 0; i < 5; i++) log.append(() => event);
  disk.put(`${DIR}/tmp/left`, Buffer.from("x"));
  const report = log.compact();
  assert.deepEqual([report.seq, report.archived[0]?.records, report.proof.records], [6, 6, 6]);
  assert.equal(report.proof.folds[0]?.name, "tally");
  assert.deepEqual(report.removed, { segments: 1, temporary: 0, archives: 0 });
  clock += 2 * 3_600_000;
  const second = log.compact();
  assert.deepEqual([second.archived, second.removed.temporary], [[], 1]);
});

test("a fold that no longer gives what the snapshot holds stops compaction before anything is deleted", () => {
  const disk = faultDisk();
  let honest = true;
  const liar = { ...tally, apply: (state: { count: number }) => void (state.count += honest ? 1 : 2) };
  const log = lib.openLog({
    dir: DIR,
    projections: [liar as typeof tally],
    disk: disk.process(),
    create: true,
  });
  for (let i = 0; i < 5; i++) log.append(() => event);
  honest = false;
  const segment = disk.paths().find((path) => path.includes("/seg/"))!;
  assert.throws(() => log.compact(), lib.LogProof);
  assert.ok(disk.bytes(segment), "the segment is still there");
});

test("a proof that is known to hold is gone on from; one that cannot be trusted is made again from the beginning", () => {
  const disk = faultDisk();
  const at = (version: number) => ({ ...tally, version });
  const log = lib.openLog({ dir: DIR, projections: [tally], disk: disk.process(), create: true });
  const grow = () => {
    for (let i = 0; i < 5; i++) log.append(() => event);
  };
  grow();
  const first = log.compact();
  const known: lib.Proven = { seq: first.seq, digest: first.proof.digest };
  grow();
  const second = log.compact({ known });
  assert.deepEqual([second.proof.from, second.proof.records], [first.seq + 1, second.seq - first.seq]);
  grow();
  const whole = (options: lib.CompactOptions, which = log) => {
    const { from, records, folds, digest } = which.compact(options).proof;
    assert.deepEqual([from, records], [1, which.head.seq]);
    return { seq: records, folds, digest };
  };
  // The same digest, whichever way.
  const on = log.compact({ known: { seq: second.seq, digest: second.proof.digest } }).proof;
  assert.deepEqual([on.from, on.digest], [second.seq + 1, whole({}).digest]);
  // Of another state, of a snapshot that is gone, ahead of the log, of no snapshot.
  whole({ known: { seq: second.seq, digest: first.proof.digest } });
  grow();
  log.compact();
  whole({ known });
  whole({ known: { seq: log.head.seq + 100, digest: on.digest } });
  whole({ known: { seq: second.seq + 1, digest: on.digest } });
  // The snapshot was changed, its checksum too: not what was proven.
  const last = whole({});
  const base = disk.paths().find((path) => path.includes(`/snap/`) && path.includes(`${last.seq}`))!;
  const [body = ""] = disk.bytes(base)!.toString("utf8").split("\n");
  const forged = Buffer.from(body.replace('"count":', '"count":1'));
  grow();
  disk.put(base, Buffer.concat([forged, Buffer.from(`\n${hex8(crc32(forged))}`)]));
  whole({ known: last });
  // Another version of the fold has proven nothing yet.
  const newer = lib.openLog({ dir: DIR, projections: [at(2)], disk: disk.process() });
  whole({ known: whole({}) }, newer);
});

test("on top of a known proof a fold that does not give what the snapshot holds is found, and retention is no hindrance", () => {
  let clock = 1_000;
  let honest = true;
  const liar = { ...tally, apply: (state: { count: number }) => void (state.count += honest ? 1 : 2) };
  const disk = faultDisk();
  const log = lib.openLog({
    dir: DIR,
    projections: [liar as typeof tally],
    disk: disk.process(),
    create: true,
    now: () => clock,
  });
  let known: lib.Proven | undefined;
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 3; i++) log.append(() => event);
    clock += 1_000;
    const { seq, proof } = log.compact({ known, retainMs: 1_500 });
    assert.equal(proof.from, known === undefined ? 1 : known.seq + 1);
    known = { seq, digest: proof.digest };
  }
  assert.throws(() => [...log.records()], lib.LogPruned);
  assert.equal(log.compact({ known, full: true }).proof.from, known!.seq + 1, "as much as there is");
  // Without a last proof there is nothing to fold; what stands now is what the next begins with.
  const { seq, proof } = log.compact({});
  assert.deepEqual([proof.from, proof.records, proof.folds], [0, 0, []]);
  log.append(() => event);
  assert.equal(log.compact({ known: { seq, digest: proof.digest } }).proof.from, seq + 1);
  known = { seq, digest: proof.digest };
  for (let i = 0; i < 3; i++) log.append(() => event);
  honest = false;
  assert.throws(() => log.compact({ known }), lib.LogProof);
});

test("retention deletes old archives; reading what is gone says so", () => {
  let clock = 1_000;
  const disk = faultDisk();
  const log = lib.openLog({
    dir: DIR,
    projections: [tally],
    disk: disk.process(),
    create: true,
    now: () => clock,
  });
  for (let round = 0; round < 3; round++) {
    for (let i = 0; i < 3; i++) log.append(() => event);
    log.compact();
    clock += 1_000;
  }
  log.append(() => event);
  assert.equal(log.compact({ retainMs: 2_500 }).removed.archives, 1);
  assert.throws(() => [...log.records()], lib.LogPruned);
  assert.equal([...log.records({ from: 5 })][0]?.s, 5);
  const again = open(lib, disk.process());
  assert.equal(again.state(tally).count, 10);
  assert.equal(lib.inspectLog({ dir: DIR, disk: disk.process() }).ok, true);
});

test("archives are read by any gunzip", () => {
  const { disk } = populated(lib);
  const archive = disk.paths().find((path) => path.includes("/arch/"))!;
  const text = process.getBuiltinModule("node:zlib").gunzipSync(disk.bytes(archive)!).toString();
  assert.equal(text.trimEnd().split("\n").length, 4);
});

test("follow hands out each record once, in order, across seals", async () => {
  const disk = faultDisk();
  const log = open(lib, disk.process());
  const writer = open(lib, disk.process());
  writer.append(() => event);
  const stop = new AbortController();
  const seen: number[] = [];
  const done = (async () => {
    for await (const record of lib.follow(log, { from: 1, pollMs: 1, signal: stop.signal })) {
      seen.push(record.s);
      if (record.s === 9) stop.abort();
    }
  })();
  for (let i = 0; i < 7; i++) {
    await new Promise((resolve) => setTimeout(resolve, 2));
    if (i === 3) writer.compact();
    writer.append(() => event);
  }
  await done;
  assert.deepEqual(seen, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
});

test("file systems that only emulate appends are named", () => {
  for (const [type, name] of [
    [0x6969, "NFS"],
    [0xff534d42 | 0, "CIFS"],
    [0x65735546, "FUSE"],
    [0x01021997, "9p"],
  ] as const) {
    assert.match(lib.filesystemProblem("/mnt/x", type) ?? "", new RegExp(`^/mnt/x is on ${name}`));
  }
  assert.equal(lib.filesystemProblem("/mnt/x", 0xef53), undefined);
});

test("inspect counts what is there", () => {
  const { disk, told } = populated(lib);
  const health = lib.inspectLog({ dir: DIR, disk: disk.process() });
  assert.deepEqual([health.ok, health.torn, health.committed], [true, 1, told.acks.length + 2]);
  assert.deepEqual(
    health.segments.map(({ state }) => state),
    ["sealed", "live"],
  );
  assert.deepEqual([health.archives.length, health.format.version], [1, 1]);
});

test("model: any sequence of commands on several instances is a plain array", () => {
  interface Model {
    readonly records: string[];
  }
  interface Real {
    readonly disk: ReturnType<typeof faultDisk>;
    readonly logs: lib.Log[];
    readonly told: Told;
  }
  type Command = fc.Command<Model, Real>;
  const command = (name: string, run: (model: Model, real: Real) => void): Command => ({
    check: () => true,
    run,
    toString: () => name,
  });
  const which = fc.nat(2);
  const check = (model: Model, log: lib.Log) => {
    log.catchUp();
    const found = [...log.records()].filter(({ k }) => k !== undefined).map(({ k }) => k!);
    assert.deepEqual(found, model.records);
    assert.equal(log.state(tally).count, model.records.length);
  };
  const commands = [
    fc.tuple(which, fc.string()).map(([i, text]) =>
      command(`append(${i}, ${JSON.stringify(text)})`, (model, { logs }) => {
        const k = `${model.records.length}`;
        const { record } = logs[i]!.append(() => ({ draft: { events: [{ text }], k }, result: 0 }));
        assert.deepEqual(record?.e, [{ text }]);
        model.records.push(k);
      }),
    ),
    which.map((i) => command(`seal(${i})`, (_, { logs }) => void logs[i]!.seal())),
    which.map((i) => command(`compact(${i})`, (_, { logs }) => void logs[i]!.compact())),
    which.map((i) => command(`snapshot(${i})`, (_, { logs }) => logs[i]!.snapshot())),
    which.map((i) => command(`read(${i})`, (model, { logs }) => check(model, logs[i]!))),
    which.map((i) =>
      command(`reopen(${i})`, (model, { logs, disk }) => {
        logs[i]!.close();
        logs[i] = open(lib, disk.process());
        check(model, logs[i]);
      }),
    ),
    fc.string().map((text) =>
      command(`tear(${JSON.stringify(text)})`, (_, { disk }) => {
        const live = disk.paths().findLast((path) => path.includes("/seg/"))!;
        const tail = Buffer.from(`{"s":${JSON.stringify(text)}`);
        disk.put(live, Buffer.concat([disk.bytes(live)!, tail]));
      }),
    ),
    fc.constantFrom("strict", "half").map((loss) =>
      command(`power(${loss})`, (_, { disk, logs }) => {
        disk.power(loss as "strict");
        for (const i of logs.keys()) logs[i] = open(lib, disk.process());
      }),
    ),
  ];
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 40 }), (all) => {
      const disk = faultDisk();
      const logs = [0, 1, 2].map(() => open(lib, disk.process()));
      fc.modelRun(
        () => ({ model: { records: [] as string[] }, real: { disk, logs, told: new Told() } }),
        all,
      );
    }),
    { numRuns: 150 },
  );
});
