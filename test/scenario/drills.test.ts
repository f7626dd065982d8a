/** Failure drills: the world around signalbox breaks while sessions work. Their work goes on, and it is said. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { build } from "esbuild";
import { event } from "../../events/mod.ts";
import { processes } from "../../src/adapters/process.ts";
import { ALL_PROJECTIONS } from "../../src/app/box.ts";
import { type Json, openLog } from "../../src/log/mod.ts";
import { callsOf, mayTrace } from "../support/calls.ts";
import { type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** Mounts on a folder, and says why not where that is not allowed. To be made before the scratch repository is. */
function mounting(t: TestContext): (dir: string, options: readonly string[]) => string | undefined {
  const dirs: string[] = [];
  t.after(() => {
    for (const dir of dirs.toReversed()) spawnSync("umount", ["-l", dir]);
  });
  return (dir, options) => {
    const { status, stderr } = spawnSync("mount", [...options, dir], { encoding: "utf8" });
    if (status !== 0) return `cannot mount here: ${stderr.trim() || "no mount"}`;
    if (!options.includes("-o") || !options.some((each) => each.startsWith("remount"))) dirs.push(dir);
    return undefined;
  };
}

const mayMount = spawnSync("unshare", ["-m", "true"]).status === 0 ? false : "mounting takes root";

/** Each hook's answer: nobody is refused, and at most one line is said. */
async function worksOn(session: FakeSession, file: string): Promise<string> {
  const answer = await session.edit(file, `${session.id} works on\n`);
  assert.deepEqual([answer.code, answer.denied], [0, undefined], answer.stderr);
  const said = [answer.shown, answer.stderr].join("\n").trim().split("\n");
  assert.ok(said.length <= 2, said.join("\n"));
  return answer.shown;
}

test(
  "the disk is full for an hour: sessions edit and commit, it is said, the log goes on and marks what is missing",
  { skip: mayMount },
  async (t) => {
    const mount = mounting(t);
    const repo = await makeScratch(t);
    // Its own small disk for all that is signalbox's; what git needs has room.
    const saved = join(repo.dir, "saved");
    cpSync(repo.boxDir, saved, { recursive: true });
    const why = mount(repo.boxDir, ["-t", "tmpfs", "-o", "size=2m", "tmpfs"]);
    if (why !== undefined) return t.skip(why);
    cpSync(saved, repo.boxDir, { recursive: true });
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await ada.edit("a.txt");
    const ballast = join(repo.boxDir, "ballast");
    spawnSync("dd", ["if=/dev/zero", `of=${ballast}`, "bs=1k"], { stdio: "ignore" });
    // The log's last page has room still.
    const said: string[] = [];
    for (let i = 0; i < 60 && said.join("") === ""; i += 1) said.push(await worksOn(ada, `x${i}.txt`));
    await ada.mustGit("clean", "-fqdx", "-e", ".claude", "--", "x*.txt");
    const before = repo.events().length;
    for (const [session, file] of [
      [ada, "a.txt"],
      [bob, "b.txt"],
      [ada, "new.txt"],
    ] as const) {
      said.push(await worksOn(session, file));
      await session.mustGit("add", file);
      const { code, stderr } = await session.git("commit", "-qm", `${session.id}: ${file}`);
      assert.equal(code, 0, stderr);
      assert.deepEqual(await repo.pathsOf(), [file], "each commit is its own");
    }
    assert.match(said.join("\n"), /signalbox: .*(?:disk is full|ELOGFULL|no space)/i);
    assert.equal(repo.events().length, before, "nothing gets in");

    rmSync(ballast);
    assert.equal((await ada.edit("c.txt")).denied, undefined);
    assert.match((await bob.ask("c.txt")).denied ?? "", /reserved by session ada/, "guarded again");
    const marks = repo.eventsOf("guard.failed").filter(({ where }) => /could not be written/.test(where));
    assert.equal(marks.length, 1, "the gap is marked, once");
    assert.match(marks[0]?.error ?? "", /up to 20\d\d-.*not on record/);
    assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
    assert.equal(await repo.mustGit("status", "--porcelain"), " M c.txt\n");
    return undefined;
  },
);

test(
  "a read-only repository: reading goes on, nothing is refused, nothing hangs",
  { skip: mayMount },
  async (t) => {
    const mount = mounting(t);
    const repo = await makeScratch(t);
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await ada.edit("a.txt");
    const why = mount(repo.top, ["--bind", repo.top]) ?? mount(repo.top, ["-o", "remount,ro,bind"]);
    if (why !== undefined) return t.skip(why);
    const asked = await bob.ask("b.txt");
    assert.deepEqual([asked.code, asked.denied], [0, undefined]);
    assert.match(asked.shown, /could not|read-only/i);
    for (const args of [["status", "--short"], ["log", "--oneline"], ["diff"]])
      assert.equal((await bob.git(...args)).code, 0);
    assert.match((await bob.git("commit", "-qam", "x")).stderr, /Read-only file system/);
    for (const words of [
      ["status"],
      ["who", "a.txt"],
      ["replay"],
      ["replay", "--verify"],
      ["blame", "a.txt"],
    ])
      assert.equal((await repo.signalbox(...words)).code, 0, words.join(" "));
    const refused = await repo.signalbox("compact");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /read-only/i);
    assert.equal((await ada.end()).code, 0);
    return undefined;
  },
);

/** What can happen to the log's folder; afterwards `init` or the folder's return makes it work again. */
const LOG_FATES: Readonly<Record<string, { befall: (log: string) => void; says: RegExp }>> = {
  "the log's folder is deleted": { befall: (log) => rmSync(log, { recursive: true }), says: /ELOGMISSING/ },
  "the log's folder is replaced by a file": {
    befall: (log) => (rmSync(log, { recursive: true }), writeFileSync(log, "")),
    says: /ELOG/,
  },
  "the log cannot be read": {
    // Whoever runs the tests may be root, to whom no mode applies.
    befall: (log) => (rmSync(log, { recursive: true }), symlinkSync("log", log)),
    says: /ELOGUNREADABLE/,
  },
  "the log is of a newer format": {
    befall(log) {
      const file = join(log, "FORMAT");
      const format = readFileSync(file, "utf8");
      const newer = format.replace(/"format":\d+/, '"format":99');
      assert.notEqual(newer, format);
      writeFileSync(file, newer);
    },
    says: /ELOGNEWER/,
  },
};

for (const [what, { befall, says }] of Object.entries(LOG_FATES)) {
  test(`${what} in the middle of work: it goes on, said each time; put right, the log goes on and marks the gap`, async (t) => {
    const repo = await makeScratch(t);
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await ada.edit("a.txt");
    const log = join(repo.boxDir, "log");
    const saved = join(repo.dir, "saved");
    cpSync(log, saved, { recursive: true });
    befall(log);
    assert.match(await worksOn(bob, "b.txt"), says);
    assert.equal((await bob.git("commit", "-qm", "b", "--", "b.txt")).code, 0);
    assert.deepEqual(await repo.pathsOf(), ["b.txt"]);
    const sick = await repo.signalbox("doctor");
    assert.equal(sick.code, 1);
    assert.notEqual((await repo.signalbox("status")).code, 0);

    rmSync(log, { recursive: true, force: true });
    cpSync(saved, log, { recursive: true });
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
    assert.equal(
      repo.eventsOf("guard.failed").filter(({ where }) => /could not be written/.test(where)).length,
      1,
    );
    assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  });
}

/** Hooks whose clock is off by as much as CLOCK_SHIFT says. */
function shiftable(repo: ScratchRepo): void {
  const bundle = join(repo.boxDir, "runtime/hook.cjs");
  const shift =
    "{const off=Number(process.env.CLOCK_SHIFT||0),now=Date.now.bind(Date);Date.now=()=>now()+off}";
  writeFileSync(bundle, `${shift}\n${readFileSync(bundle, "utf8")}`);
  for (const name of readdirSync(join(repo.boxDir, "runtime")).filter((each) => each.startsWith("code-")))
    rmSync(join(repo.boxDir, "runtime", name));
}

const DAY = 24 * 3_600_000;

test("the clock goes back by a day: who holds what stays so, times never go back", async (t) => {
  const repo = await makeScratch(t);
  shiftable(repo);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const late = bob.at({ env: { ...repo.env, CLOCK_SHIFT: String(-DAY) } });
  assert.match((await late.ask("a.txt")).denied ?? "", /reserved by session ada/);
  assert.equal((await late.edit("b.txt")).denied, undefined);
  assert.match((await ada.ask("b.txt")).denied ?? "", /reserved by session bob/);
  const { stdout } = await repo.signalbox("replay", "--json");
  const times = stdout
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { t: number }).t);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  );
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  assert.equal((await repo.signalbox("doctor")).code, 0, "the log is not ahead of the right clock");
});

test("the clock goes forward by a year and comes back: leases have run out, nobody is stuck, doctor says so", async (t) => {
  const repo = await makeScratch(t);
  shiftable(repo);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const early = bob.at({ env: { ...repo.env, CLOCK_SHIFT: String(365 * DAY) } });
  assert.equal((await early.edit("a.txt")).denied, undefined, "ada's lease ran out by that clock");
  // Back in the present: the log is a year ahead, and time stands still for it.
  assert.match((await ada.ask("a.txt")).denied ?? "", /reserved by session bob/);
  assert.equal((await ada.edit("c.txt")).denied, undefined);
  assert.equal((await ada.git("commit", "-qm", "c", "--", "c.txt")).code, 0);
  // The holder's own end, not time, is what frees it.
  await bob.kill();
  assert.equal((await ada.edit("a.txt")).denied, undefined);
  const { code, stdout } = await repo.signalbox("doctor");
  assert.equal(code, 1);
  assert.match(stdout, /clock.*the log is \d+ minutes ahead of the clock/);
  assert.equal((await repo.signalbox("compact")).code, 0);
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
});

/** The hooks as a later version would have them: folds of other shapes, events nobody here knows. */
async function laterVersion(repo: ScratchRepo): Promise<string> {
  const root = join(import.meta.dirname, "../..");
  const runtime = join(repo.boxDir, "runtime-later");
  mkdirSync(runtime);
  await build({
    absWorkingDir: root,
    entryPoints: ["hooks/main.ts"],
    outfile: join(runtime, "hook.cjs"),
    bundle: true,
    format: "cjs",
    platform: "node",
    mainFields: ["module", "main"],
    logLevel: "error",
    define: {
      SIGNALBOX_VERSION: '"99.0.0"',
      SIGNALBOX_SHIM_SH: '""',
      SIGNALBOX_HOOK_SH: '""',
      "import.meta.dirname": "__dirname",
    },
    plugins: [
      {
        name: "later",
        setup(api) {
          api.onLoad({ filter: /src\/domain\/[\w-]+\.ts$/ }, ({ path }) => ({
            loader: "ts",
            // Each fold's version is in its definition.
            contents: readFileSync(path, "utf8").replaceAll(
              /(\bfold(?:<[^(]*>)?\(\s*"[\w-]+",\s*)\d+/g,
              (_, head: string) => `${head}99`,
            ),
          }));
        },
      },
    ],
  });
  // Beside the installed one: bin/hook finds its bundle by where it is itself.
  const later = join(repo.dir, "later");
  mkdirSync(later);
  for (const name of readdirSync(repo.boxDir))
    if (name !== "runtime" && name !== "bin") symlinkSync(join(repo.boxDir, name), join(later, name));
  cpSync(join(repo.boxDir, "bin"), join(later, "bin"), { recursive: true });
  symlinkSync(runtime, join(later, "runtime"));
  return join(later, "bin/hook");
}

test("two versions at once in one repository: they exclude each other's edits and read one history", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_LOG_SNAPSHOT_EVERY: "4" } });
  const entry = await laterVersion(repo);
  const ada = await repo.startSession("ada");
  const bob = repo.session("bob").at({ entry });
  await bob.start();
  for (let i = 0; i < 8; i += 1) {
    const [first, second] = i % 2 === 0 ? [ada, bob] : [bob, ada];
    const file = `f${i}.txt`;
    assert.equal((await first.edit(file)).denied, undefined);
    assert.match((await second.ask(file)).denied ?? "", new RegExp(`reserved by session ${first.id}`));
  }
  const both = await Promise.all([ada.ask("same.txt"), bob.ask("same.txt")]);
  assert.equal(both.filter(({ denied }) => denied === undefined).length, 1, "one of two at once has it");
  const snapshots = readdirSync(join(repo.boxDir, "log/snap")).map((name) =>
    readFileSync(join(repo.boxDir, "log/snap", name), "utf8"),
  );
  assert.ok(
    snapshots.some((text) => /"version":99,/.test(text)),
    "the later one has its own snapshots",
  );
  assert.ok(snapshots.some((text) => /"name":"reservations","version":(?!99)/.test(text)));
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  assert.equal((await repo.signalbox("compact")).code, 0);
  assert.match((await bob.ask("f0.txt")).denied ?? "", /reserved by session ada/);
  assert.deepEqual(repo.errors(), []);
});

test(
  "10,000 dead sessions' leftovers cost the next hooks nothing, before they are swept and after (git-lfs#6125)",
  { skip: mayTrace },
  async (t) => {
    const repo = await makeScratch(t);
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await ada.edit("a.txt");
    const payload = {
      session_id: "bob",
      cwd: repo.top,
      hook_event_name: "PreToolUse",
      tool_name: "Edit",
      tool_input: { file_path: repo.path("a.txt"), old_string: "a", new_string: "b" },
      tool_use_id: "t",
    };
    const cost = () => ({
      gate: Math.min(...[1, 2, 3].map(() => callsOf(repo, bob.env, "pre-edit", payload))),
      shell: Math.min(...[1, 2, 3].map(() => callsOf(repo, bob.env, "pre-bash", {}))),
    });
    const before = cost();
    const old = new Date(Date.now() - 48 * 3_600_000);
    const gone = spawnSync("true").pid;
    for (const [folder, name] of [
      ["views/live", (i: number) => `dead-${i}`],
      ["views/news", (i: number) => `dead-${i}`],
      ["views/home", (i: number) => `dead-${i}`],
      ["spool/seen", (i: number) => `dead-${i}`],
      ["spool/read", (i: number) => `dead-${i}`],
      ["spool/wake", (i: number) => `dead-${i}`],
      ["spool/bash", (i: number) => `dead-${i}.toolu_1`],
      ["log/tmp", (i: number) => `half-${i}`],
      ["spool", (i: number) => `stderr.${gone}${i}`],
    ] as const) {
      mkdirSync(join(repo.boxDir, folder), { recursive: true });
      for (let i = 0; i < 10_000; i += 1) {
        const file = join(repo.boxDir, folder, name(i));
        writeFileSync(file, "");
        utimesSync(file, old, old);
      }
    }
    const count = () =>
      readdirSync(repo.boxDir, { recursive: true, encoding: "utf8" }).filter((name) =>
        statSync(join(repo.boxDir, name), { throwIfNoEntry: false })?.isFile(),
      ).length;
    assert.ok(count() > 90_000);
    const littered = cost();
    t.diagnostic(`system calls: ${JSON.stringify({ before, littered })}`);
    assert.ok(littered.gate <= before.gate * 1.1 && littered.shell <= before.shell * 1.1);
    assert.equal((await repo.signalbox("compact")).code, 0);
    assert.ok(count() < 200, `${count()} files are left`);
    const after = cost();
    t.diagnostic(`swept: ${JSON.stringify(after)}`);
    assert.ok(after.gate <= before.gate * 1.1 && after.shell <= before.shell * 1.1);
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
  },
);

test("thousands of sessions are found dead at once, thousands of edits noted by the shell: a hook takes its share, none is lost", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_COMPACT_AUTO: "false" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const dead = { ...processes.identify(process.pid)!, pid: spawnSync("true").pid };
  const log = openLog({ dir: join(repo.boxDir, "log"), projections: ALL_PROJECTIONS, sync: "never" });
  for (let n = 0; n < 5000; n += 100) {
    const events = Array.from({ length: 100 }, (_, i) => {
      const session = `${n + i}`.padStart(100, "x");
      return event("session.started", { session, kind: "x", tree: "", cwd: repo.top, process: dead });
    });
    log.append(() => ({ result: undefined, draft: { events: events as unknown as Json[], sync: false } }));
  }
  log.close();
  const wrote = join(repo.boxDir, "spool/wrote");
  const folder = "d".repeat(200);
  for (let n = 0; n < 3000; n += 1) {
    const input = { file_path: repo.path(`${folder}/${n}.txt`) };
    const payload = { session_id: "ada", tool_name: "Write", tool_input: input };
    writeFileSync(join(wrote, `ada.1.${n}`), JSON.stringify(payload));
  }
  assert.equal(await worksOn(ada, "a.txt"), "", "nothing broke");
  assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
  assert.deepEqual(repo.errors(), []);
  assert.ok(repo.eventsOf("session.lapsed").length < 1000, "not all in one hook");
  await repo.mustSignalbox("compact");
  assert.equal(repo.eventsOf("session.lapsed").length, 5000);
  for (let turns = 0; readdirSync(wrote).length > 0; turns += 1) {
    assert.ok(turns < 40, `${readdirSync(wrote).length} notes are left`);
    await ada.prompt();
  }
  const paths = repo.eventsOf("file.written").map(({ path }) => path);
  assert.equal(new Set(paths.filter((path) => path.startsWith(folder))).size, 3000);
  assert.deepEqual(repo.errors(), []);
});
