/**
 * Rules of the log, each taken out of a copy of src/log. For each, the check that is there for it must fail:
 * what passes here shows that the other tests can fail.
 */

import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import test from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import * as real from "../../src/log/mod.ts";
import {
  ACTIONS,
  type Api,
  crashAtEvery,
  DIR,
  failAtEvery,
  interleave,
  open,
  populated,
  tally,
  verify,
} from "./checks.ts";
import { DAMAGES, survive } from "./damage.ts";
import { compactedUnderneath, temporary, twoWriters } from "./real-disk.ts";

const action = (name: string) => ACTIONS[name]!;
const damage = (name: string) => DAMAGES.find((one) => one.name === name)!;

const CHECKS: Record<string, (lib: Api) => void> = {
  "two writers race for one number": (lib) => void interleave(lib, action("take"), action("take")),
  "a whole append inside each step of another": (lib) =>
    void interleave(lib, action("append"), action("nine")),
  "a record of another log": (lib) => survive(lib, damage("a record of another log in its place"), false),
  "a damaged letter": (lib) => survive(lib, damage("a damaged letter in the middle"), false),
  "a torn tail costs the next writer no attempt"(lib) {
    const { disk } = populated(lib);
    const log = open(lib, disk.process());
    assert.equal(log.append(() => ({ draft: { events: [{}] }, result: 0 })).attempts, 1);
  },
  "a refused append stays refused": (lib) => void failAtEvery(lib, action("append"), "short-1", false),
  "somebody appends between two halves of a write"(lib) {
    const { disk, told } = populated(lib);
    const other = open(lib, disk.process());
    let writes = 0;
    const log = open(
      lib,
      disk.process((operation, _path, _count, length) => {
        if (operation !== "write") return undefined;
        if (++writes === 1) return Math.floor(length / 2);
        if (writes === 2) told.append(lib, other, "B");
        return undefined;
      }),
    );
    assert.throws(() => told.append(lib, log, "A"), lib.LogFull);
    verify(lib, (before) => disk.process(before), told, false);
  },
  "damage is met again"(lib) {
    const { disk } = populated(lib);
    const log = open(lib, disk.process());
    const live = disk.paths().findLast((name) => name.includes("/seg/"))!;
    disk.put(
      live,
      new Uint8Array([...disk.bytes(live)!, ...new TextEncoder().encode('!\n{,"c":"00000000"}\n')]),
    );
    for (let i = 0; i < 2; i++) assert.throws(() => log.catchUp(), lib.LogCorrupt);
  },
  "two writers on the real disk": twoWriters,
  "compacted underneath, on the real disk": (lib) => void compactedUnderneath(lib),
  "seals inside compaction": (lib) =>
    void interleave(
      lib,
      action("compact"),
      (...args) => (action("nine")(...args), action("seal")(...args), action("append")(...args)),
    ),
  "power loss in compaction": (lib) => void crashAtEvery(lib, action("twice"), false),
  "power loss in append": (lib) => void crashAtEvery(lib, action("append"), false),
  "power loss in seal": (lib) =>
    void crashAtEvery(lib, (...args) => (action("seal")(...args), action("append")(...args)), false),
  "power loss in the creation": (lib) => void crashAtEvery(lib, action("append"), true, true),
  "power loss behind somebody else's seal": (lib) =>
    void interleave(lib, action("seal"), action("append"), { cut: "strict" }),
  "a snapshot ahead of the log": (lib) => {
    const { disk, told } = populated(lib);
    const log = lib.openLog({ dir: DIR, projections: [tally], disk: disk.process(), sync: "never" });
    log.append(() => ({ draft: { events: [{}] }, result: 0 }));
    log.snapshot();
    const ahead = disk.paths().findLast((name) => name.includes("/snap/"))!;
    const bytes = disk.bytes(ahead)!;
    disk.power("strict");
    disk.put(ahead, bytes);
    verify(lib, (before) => disk.process(before), told, true);
  },
};

interface Mutant {
  readonly rule: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  readonly fails: keyof typeof CHECKS;
}

const MUTANTS: readonly Mutant[] = [
  {
    rule: "read back before acknowledging",
    file: "core.ts",
    from: "const record = fold(n);",
    to: "fold(n); const record = decode(line.subarray(0, -1));",
    fails: "two writers race for one number",
  },
  {
    rule: "a record counts only with the expected sequence number",
    file: "segment.ts",
    from: "record.s < next",
    to: "false",
    fails: "a whole append inside each step of another",
  },
  {
    rule: "a record names its predecessor",
    file: "segment.ts",
    from: "record.p !== spot.head.crc",
    to: "false",
    fails: "a record of another log",
  },
  {
    rule: "a record's bytes are checked",
    file: "record.ts",
    from: 'if (hex8(crc32(line, 0, body)) !== line.toString("latin1", body + 6, body + 14)) return undefined;\n  let',
    to: "let",
    fails: "a damaged letter",
  },
  {
    rule: "resync behind a partial line",
    file: "record.ts",
    from: 'export const RESYNC = "!\\n"',
    to: 'export const RESYNC = ""',
    fails: "a torn tail costs the next writer no attempt",
  },
  {
    rule: "resync does not complete what was refused",
    file: "record.ts",
    from: 'export const RESYNC = "!\\n"',
    to: 'export const RESYNC = "\\n"',
    fails: "a refused append stays refused",
  },
  {
    rule: "a short write is a failure",
    file: "core.ts",
    from: "const written = disk.write(fd, bytes);",
    to: "let written = 0; while (written < bytes.length) written += disk.write(fd, bytes.subarray(written));",
    fails: "somebody appends between two halves of a write",
  },
  {
    rule: "nobody goes on behind damage",
    file: "segment.ts",
    from: "spot.off = offset;",
    to: "",
    fails: "damage is met again",
  },
  {
    rule: "O_APPEND",
    file: "disk.ts",
    from: "append: O_RDWR | O_APPEND,",
    to: "append: O_RDWR,",
    fails: "two writers on the real disk",
  },
  {
    rule: "no O_CREAT",
    file: "disk.ts",
    from: "append: O_RDWR | O_APPEND,",
    to: "append: O_RDWR | O_APPEND | O_CREAT,",
    fails: "compacted underneath, on the real disk",
  },
  {
    rule: "a compactor stops at its own snapshot",
    file: "compact.ts",
    from: "const archived = archiveUpTo(core, base);",
    to: "core.catchUp(); Object.assign(base, core.place()); const archived = archiveUpTo(core, base);",
    fails: "seals inside compaction",
  },
  {
    rule: "the snapshot is durable before anything is unlinked",
    file: "snapshot.ts",
    from: "build(files, [encodeSnapshot(snapshot)], base)",
    to: "build(files, [encodeSnapshot(snapshot)], false)",
    fails: "power loss in compaction",
  },
  {
    rule: "the snapshot's name is durable before anything is unlinked",
    file: "snapshot.ts",
    from: 'if (base) disk.syncDir(files.path("snap"));',
    to: "",
    fails: "power loss in compaction",
  },
  {
    rule: "an acknowledged decision is synced",
    file: "open.ts",
    from: "if (durable) confirm(() => won.sync(), record);",
    to: "",
    fails: "power loss in append",
  },
  {
    rule: "FORMAT is synced before it is linked",
    file: "create.ts",
    from: "build(files, [`${JSON.stringify(format)}\\n`], true)",
    to: "build(files, [`${JSON.stringify(format)}\\n`], false)",
    fails: "power loss in the creation",
  },
  {
    rule: "the next segment's name is durable before the seal",
    file: "create.ts",
    from: '  disk.syncDir(files.path("seg"));\n}',
    to: "}",
    fails: "power loss in seal",
  },
  {
    rule: "whoever follows a seal syncs it",
    file: "core.ts",
    from: "if (tail.writable) disk.sync(tail.fd); // I4",
    to: "",
    fails: "power loss behind somebody else's seal",
  },
  {
    rule: "a snapshot is checked against the log",
    file: "core.ts",
    from: "found && confirmed(found.fd, snapshot)",
    to: "found",
    fails: "a snapshot ahead of the log",
  },
];

const SOURCE = fileURLToPath(new URL("../../src/log/", import.meta.url));

for (const name of new Set(MUTANTS.map(({ fails }) => fails))) {
  test(`check: ${name}`, () => CHECKS[name]!(real));
}

for (const { rule, file, from, to, fails } of MUTANTS) {
  test(`without the rule "${rule}", this fails: ${fails}`, async () => {
    const lib = await broken(file, from, to);
    assert.throws(
      () => CHECKS[fails]!(lib),
      (error) => !(error instanceof ReferenceError || error instanceof TypeError),
      "the mutant survived",
    );
  });
}

/** src/log with one text replaced, loaded from a directory of its own. */
async function broken(file: string, from: string, to: string): Promise<Api> {
  const dir = temporary((name) => name);
  fs.cpSync(SOURCE, dir, { recursive: true });
  try {
    fs.writeFileSync(path.join(dir, "package.json"), '{"type":"module"}');
    const source = fs.readFileSync(path.join(dir, file), "utf8");
    assert.equal(source.split(from).length, 2, `${file} holds the rule's text once`);
    fs.writeFileSync(
      path.join(dir, file),
      source.replace(from, () => to),
    );
    return (await import(pathToFileURL(path.join(dir, "mod.ts")).href)) as Api;
  } finally {
    fs.rmSync(dir, { recursive: true, force: true });
  }
}
