/** The audit: a history that is not as it was written is found out, and where; who had to do with a file. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { pack } from "../../src/log/archive.ts";
import { FOLDS } from "../../src/domain/mod.ts";
import { crc32, hex8 } from "../../src/log/crc32.ts";
import { builtCommand, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** Archives, a live segment and snapshots. */
async function historied(t: TestContext): Promise<ScratchRepo> {
  const repo = await makeScratch(t, { env: { SIGNALBOX_LOG_SNAPSHOT_EVERY: "4" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  for (let i = 0; i < 4; i += 1) await ada.edit(`a${i}.txt`);
  assert.equal((await repo.signalbox("compact")).code, 0);
  for (let i = 0; i < 4; i += 1) await ada.edit(`b${i}.txt`);
  await bob.ask("b0.txt");
  assert.equal((await repo.signalbox("compact")).code, 0);
  for (let i = 0; i < 6; i += 1) await bob.edit(`c${i}.txt`);
  return repo;
}

const namesIn = (repo: ScratchRepo, folder: string) => readdirSync(join(repo.boxDir, "log", folder)).sort();
const pathOf = (repo: ScratchRepo, folder: string, at: number) =>
  join(repo.boxDir, "log", folder, namesIn(repo, folder).at(at) ?? "");

function changed(file: string, change: (text: string) => string): void {
  const packed = file.endsWith(".gz");
  const bytes = readFileSync(file);
  const text = (packed ? gunzipSync(bytes) : bytes).toString("latin1");
  const after = Buffer.from(change(text), "latin1");
  assert.notEqual(after.toString("latin1"), text, "the test changes something");
  writeFileSync(file, packed ? gzipSync(after) : after);
}

const lines = (change: (all: string[]) => string[]) => (text: string) =>
  `${change(text.trimEnd().split("\n")).join("\n")}\n`;

/** Another event in a record, with a checksum that fits. */
function forged(line: string): string {
  const body = line.replace(/,"c":"[\da-f]{8}"\}$/, "").replace(/a1\.txt|c1\.txt/, "zz.txt");
  return `${body},"c":"${crc32(Buffer.from(body, "latin1")).toString(16).padStart(8, "0")}"}`;
}

/** Each of these is done to a copy, and has to be found. */
const TAMPERINGS: Record<string, (repo: ScratchRepo) => void> = {
  "a byte of the live segment": (repo) =>
    changed(pathOf(repo, "seg", -1), (text) => text.replace("c1.txt", "c7.txt")),
  "a record of the live segment is forged, checksum and all": (repo) =>
    changed(
      pathOf(repo, "seg", -1),
      lines((all) => all.map((line) => (line.includes("c1.txt") ? forged(line) : line))),
    ),
  "two records change places": (repo) =>
    changed(
      pathOf(repo, "seg", -1),
      lines(([a = "", b = "", ...rest]) => [b, a, ...rest]),
    ),
  "a record is taken out": (repo) =>
    changed(
      pathOf(repo, "seg", -1),
      lines(([, ...rest]) => rest),
    ),
  "the end of the live segment is cut off": (repo) =>
    changed(
      pathOf(repo, "seg", -1),
      lines((all) => all.slice(0, 2)),
    ),
  "a byte of an archive": (repo) => {
    const file = pathOf(repo, "arch", 0);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)]! ^= 1;
    writeFileSync(file, bytes);
  },
  "an archive is packed anew with one record less": (repo) =>
    changed(
      pathOf(repo, "arch", 0),
      lines(([first = "", , ...rest]) => [first, ...rest]),
    ),
  "an archive is packed anew with a forged record": (repo) =>
    changed(
      pathOf(repo, "arch", 0),
      lines((all) => all.map((line) => (line.includes("a1.txt") ? forged(line) : line))),
    ),
  "an archive ends early": (repo) => {
    const file = pathOf(repo, "arch", 0);
    writeFileSync(file, readFileSync(file).subarray(0, -20));
  },
  "an archive is gone": (repo) => rmSync(pathOf(repo, "arch", 0)),
  "the second archive is gone": (repo) => rmSync(pathOf(repo, "arch", 1)),
  "an archive takes another's place": (repo) => cpSync(pathOf(repo, "arch", 1), pathOf(repo, "arch", 0)),
  "a snapshot says something else, checksum and all": (repo) => {
    changed(pathOf(repo, "snap", -1), (text) => {
      const body = text.slice(0, -9).replace(/"path":"([abc]\d)\.txt"/, '"path":"$1.xxx"');
      return `${body}\n${crc32(Buffer.from(body, "latin1")).toString(16).padStart(8, "0")}`;
    });
  },
  "a snapshot is damaged": (repo) =>
    changed(pathOf(repo, "snap", -1), (text) => text.replace('"folds"', '"FOLDS"')),
};

test("a history that is not as it was written: exit 4, and where", async (t) => {
  const repo = await historied(t);
  const untouched = await repo.signalbox("replay", "--verify");
  assert.equal(untouched.code, 0, untouched.stderr);
  assert.match(
    untouched.stdout,
    /^\d+ records, \d+ events: chain and checksums hold; [1-9]\d* snapshots are what they give$/m,
  );
  const copy = join(repo.dir, "log-copy");
  cpSync(join(repo.boxDir, "log"), copy, { recursive: true });
  for (const [what, tamper] of Object.entries(TAMPERINGS)) {
    tamper(repo);
    const { code, stderr } = await repo.signalbox("replay", "--verify");
    assert.equal(code, 4, `${what}: ${stderr}`);
    assert.match(stderr, /(?:seg|arch|snap)\/\d+|record \d+|history before/, `${what}: says where`);
    rmSync(join(repo.boxDir, "log"), { recursive: true });
    cpSync(copy, join(repo.boxDir, "log"), { recursive: true });
  }
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
});

test("blame: who held it, wrote it, was refused it, committed it; also of a file that is gone", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.edit("a.txt");
  await bob.ask("a.txt");
  await ada.mustGit("commit", "-qm", "work of ada", "--", "a.txt");
  await repo.signalboxAs({ env: bob.env }, "reserve", "*.txt");
  const { code, stdout } = await repo.signalbox("blame", "a.txt");
  assert.equal(code, 0);
  const said = stdout
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d(?:–\d\d:\d\d)?/g, "T")
    .replaceAll(/\b[\da-f]{8}\b/g, "HASH");
  assert.equal(
    said,
    [
      "T  session ada held it (edit), wrote it 2 times",
      "T        session bob was refused it, held by ada",
      'T        session ada committed it: HASH "work of ada"',
      "T–now    session bob held it (command)",
      "",
    ].join("\n"),
  );
  const { deeds } = JSON.parse((await repo.signalbox("blame", "a.txt", "--json")).stdout) as {
    deeds: { kind: string }[];
  };
  assert.deepEqual(
    deeds.map(({ kind }) => kind),
    ["held", "refused", "committed", "held"],
  );
  assert.match((await repo.signalbox("blame", "never.md")).stdout, /^nobody has had never\.md on record/);
  assert.equal((await repo.signalbox("blame", "b*.txt")).code, 0, "a name as it is, not a glob");
});

test("replay --follow goes on through a compaction, and ends when it is told to", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const child = spawn(process.execPath, [builtCommand(), "replay", "--follow", "--type", "reservation"], {
    cwd: repo.top,
    env: repo.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));
  const seen = async (text: RegExp) => {
    while (!text.test(said)) await new Promise((done) => setTimeout(done, 20));
  };
  await repo.startSession("bob");
  await ada.edit("one.txt");
  await seen(/one\.txt/);
  await repo.signalbox("compact");
  await ada.edit("two.txt");
  await seen(/two\.txt/);
  child.kill("SIGTERM");
  const code = await new Promise((done) => child.on("exit", done));
  assert.equal(code, 0);
  assert.doesNotMatch(said, /started/, "only what was asked for");
});

test("where retention has deleted the beginning, the story begins later, and the state is the same", async (t) => {
  const repo = await historied(t);
  const holders = (await repo.signalbox("status", "--json")).stdout;
  const env = { ...repo.env, SIGNALBOX_COMPACT_KEEP_DAYS: "0.0000001" };
  await new Promise((done) => setTimeout(done, 50));
  assert.equal((await repo.signalboxAs({ env }, "compact")).code, 0);
  const replayed = await repo.signalboxAs({ env }, "replay");
  assert.equal(replayed.code, 0, replayed.stderr);
  assert.match(replayed.stderr, /history begins with record \d+; what was before has been deleted/);
  assert.equal((await repo.signalboxAs({ env }, "replay", "--verify")).code, 0);
  assert.equal(
    (await repo.signalbox("replay", "--verify")).code,
    4,
    "where nothing was to be deleted that is a gap",
  );
  const sessions = (text: string) =>
    (JSON.parse(text) as { sessions: { id: string; holds: { target: string }[] }[] }).sessions.map(
      ({ id, holds }) => [id, holds.map(({ target }) => target)],
    );
  assert.deepEqual(sessions((await repo.signalbox("status", "--json")).stdout), sessions(holders));
});

test("whichever fold of a snapshot is forged, it is named", async (t) => {
  const repo = await historied(t);
  // Not the newest one, which hooks go on from.
  const file = pathOf(repo, "snap", 0);
  const { folds, ...rest } = JSON.parse(readFileSync(file, "utf8").split("\n")[0] ?? "") as {
    folds: { state: object }[];
  };
  const forgedFolds = folds.map((fold) => ({ ...fold, state: { ...fold.state, forged: true } }));
  const body = JSON.stringify({ ...rest, folds: forgedFolds });
  writeFileSync(file, `${body}\n${crc32(Buffer.from(body)).toString(16).padStart(8, "0")}`);
  const { code, stderr } = await repo.signalbox("replay", "--verify");
  assert.equal(code, 4);
  for (const name of Object.keys(FOLDS))
    assert.match(stderr, new RegExp(`: fold ${name} is not what records`));
});

/** Somewhere without a repository. */
const elsewhere = (repo: ScratchRepo, ...args: string[]) => repo.signalboxAs({ cwd: repo.dir }, ...args);

test("a time range as one file: another machine tells the same story, state and difference from it", async (t) => {
  const repo = await historied(t);
  const file = join(repo.dir, "part.jsonl.gz");
  const [from, to] = [6, 14];
  const done = await repo.signalbox("replay", "--export", file, "--since", `${from}`, "--until", `${to}`);
  assert.equal(done.code, 0);
  assert.match(done.stderr, /9 records in .*part\.jsonl\.gz \(sha256 [\da-f]{64}\)/);

  const range = ["--since", `${from}`, "--until", `${to}`, "--json"];
  assert.equal(
    (await elsewhere(repo, "replay", "--from", file, "--json")).stdout,
    (await repo.signalbox("replay", ...range)).stdout,
  );
  for (const at of [from, from + 3, to])
    assert.deepEqual(
      await elsewhere(repo, "replay", "--from", file, "--at", `${at}`, "--json"),
      await repo.signalbox("replay", "--at", `${at}`, "--json"),
      `the state at record ${at}`,
    );
  assert.equal(
    (await elsewhere(repo, "replay", "--from", file, "--diff", "7..14")).stdout,
    (await repo.signalbox("replay", "--diff", "7..14")).stdout,
  );
  const verified = await elsewhere(repo, "replay", "--from", file, "--verify");
  assert.deepEqual([verified.code, verified.stdout.slice(0, 20)], [0, "9 records from 6 on,"]);

  // zcat reads it, and the records in it are the stored lines.
  const stored = gunzipSync(readFileSync(file)).toString().trimEnd().split("\n");
  assert.equal(stored.length, 1 + 9 + 1);
  const log = namesIn(repo, "arch").map((name) =>
    gunzipSync(readFileSync(join(repo.boxDir, "log/arch", name))).toString(),
  );
  for (const line of stored.slice(1, 4)) assert.ok(log.join("").includes(`${line}\n`), line);
});

test("the whole of a history as one file, archives and all", async (t) => {
  const repo = await historied(t);
  const file = join(repo.dir, "all.gz");
  assert.equal((await repo.signalbox("replay", "--export", file)).code, 0);
  assert.equal(
    (await elsewhere(repo, "replay", "--from", file)).stdout,
    (await repo.signalbox("replay")).stdout,
  );
  assert.equal((await elsewhere(repo, "replay", "--from", file, "--at", "12")).code, 0);
});

test("an export that is cut, changed, reordered, or none at all is refused, and where", async (t) => {
  const repo = await historied(t);
  const file = join(repo.dir, "all.gz");
  await repo.mustSignalbox("replay", "--export", file);
  const bytes = readFileSync(file);
  // Packed again by the writer's own function: what gzip would notice by itself is not what is tested.
  const repacked = (change: (all: string[]) => string[]) =>
    Buffer.concat([
      ...pack(change(gunzipSync(bytes).toString().trimEnd().split("\n")).map((line) => Buffer.from(line))),
    ]);
  const wrongs: Record<string, [Buffer, RegExp]> = {
    "cut off": [bytes.subarray(0, -40), /the compressed part at byte \d+ is damaged/],
    "without its end": [repacked((all) => all.slice(0, -1)), /it ends before its end is said/],
    "a record taken out": [repacked((all) => all.toSpliced(5, 1)), /record 6 does not follow record 4/],
    "the last record taken out": [repacked((all) => all.toSpliced(-2, 1)), /are expected/],
    "two records swapped": [
      repacked(([head = "", a = "", b = "", ...rest]) => [head, b, a, ...rest]),
      /record 2 does not follow record 0/,
    ],
    "a record changed": [
      repacked((all) => all.map((line) => line.replace("c1.txt", "c7.txt"))),
      /the record is damaged/,
    ],
    "a record forged": [
      repacked((all) => all.map((line) => (line.includes("c1.txt") ? forged(line) : line))),
      /record \d+ does not follow|its hash is not/,
    ],
    "the state it begins with forged": [
      repacked(([head = "", ...rest]) => [head.replace('"folds":[', '"folds":[{"name":"x"}'), ...rest]),
      /its hash is not the one that it ends with/,
    ],
    "something behind it": [repacked((all) => [...all, all[1] ?? ""]), /something stands behind its end/],
    "a newer format": [
      repacked(([head = "", ...rest]) => [head.replace('"export":1', '"export":2'), ...rest]),
      /its format 2 is newer than this program/,
    ],
    "no export": [Buffer.from("hello\n"), /the compressed part at byte 0 is damaged|no export/],
    "another gzip file": [gzipSync("hello\n"), /the compressed part at byte 0 is damaged|no export/],
  };
  for (const [what, [content, why]] of Object.entries(wrongs)) {
    const bad = join(repo.dir, "bad.gz");
    writeFileSync(bad, content);
    const { code, stderr } = await elsewhere(repo, "replay", "--from", bad, "--verify");
    assert.ok(code === 4 || code === 1, `${what}: exit ${code}`);
    assert.match(stderr, why, what);
    assert.doesNotMatch(stderr, /signalbox doctor|Repair the log/, `${what}: there is no log to be repaired`);
  }
});

test("nothing is written over, nothing half; nonsense is said", async (t) => {
  const repo = await historied(t);
  const file = join(repo.dir, "x");
  writeFileSync(file, "mine");
  const there = readdirSync(repo.dir);
  for (const [args, code, words] of [
    [["--export", file], 1, /it is there already/],
    [["--export", join(repo.dir, "no/such/folder")], 1, /no\/such\/folder/],
    [
      ["--export", join(repo.dir, "y"), "--since", "9999"],
      1,
      /no record is in that range; nothing was written/,
    ],
    [
      ["--export", join(repo.dir, "y"), "--session", "ada"],
      2,
      /--since and --until choose them, --session does not/,
    ],
    [["--from", file, "--export", join(repo.dir, "y")], 2, /not with --from/],
    [["--from", join(repo.dir, "nowhere")], 1, /nowhere: it is not there/],
  ] as const) {
    const done = await repo.signalbox("replay", ...args);
    assert.equal(done.code, code, `${args.join(" ")}: ${done.stderr}`);
    assert.match(done.stderr, words);
  }
  assert.equal(readFileSync(file, "utf8"), "mine");
  assert.deepEqual(readdirSync(repo.dir), there);
});

test("behind a gap that a repair has marked, everything is known again: audit, compaction and proof go on", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("bob");
  for (let i = 0; i < 3; i += 1) await ada.ask(`a${i}.txt`);
  await repo.mustSignalbox("compact");
  for (let i = 0; i < 3; i += 1) await ada.ask(`b${i}.txt`);
  await repo.mustSignalbox("compact");
  const [name = ""] = readdirSync(join(repo.boxDir, "log/arch"));
  const archive = join(repo.boxDir, "log/arch", name);
  truncateSync(archive, statSync(archive).size - 3);
  // What is new can be archived all the same; that all of history cannot be folded stops a full proof.
  await ada.ask("c.txt");
  assert.match(await repo.mustSignalbox("compact"), /more proven/);
  assert.equal((await repo.signalbox("compact", "--full")).code, 4);
  await repo.mustSignalbox("doctor", "--fix");

  const { code, stderr } = await repo.signalbox("replay", "--verify");
  assert.equal(code, 4);
  assert.match(
    stderr,
    /^signalbox: records 1 to \d+ are lost; a repair has marked the gap and gone on behind it$/m,
  );
  assert.match(stderr, /^signalbox: all the others are as they were written$/m);
  assert.doesNotMatch(stderr, /fold|doctor/);
  assert.match(await repo.mustSignalbox("compact"), /more proven/);
  assert.match(await repo.mustSignalbox("compact", "--full"), /more proven/, "as much as there is");
  const lost = Number(/records 1 to (\d+)/.exec(stderr)?.[1]);
  const before = await repo.signalbox("replay", "--at", String(lost));
  assert.deepEqual([before.code === 0, before.stdout], [false, ""]);
  assert.match(before.stderr, /records 1 to \d+ are lost, and no snapshot was made between them and then/);
  const at = JSON.parse(await repo.mustSignalbox("replay", "--at", "23:59:59", "--json")) as {
    sessions: { id: string }[];
  };
  assert.deepEqual(
    at.sessions.map(({ id }) => id),
    ["ada", "bob"],
  );

  // A lie behind the gap is found all the same.
  const [last = ""] = readdirSync(join(repo.boxDir, "log/snap")).sort().toReversed();
  const file = join(repo.boxDir, "log/snap", last);
  const [body = ""] = readFileSync(file, "utf8").replace('"ada"', '"eve"').split("\n");
  writeFileSync(file, `${body}\n${hex8(crc32(Buffer.from(body)))}`);
  const lying = await repo.signalbox("replay", "--verify");
  assert.equal(lying.code, 4);
  assert.match(lying.stderr, new RegExp(`snap/${last}: fold \\w+ is not what records 1 to`));
});
