/** The same cleanup by the clock: in the foreground, and from systemd, launchd and cron. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { builtCommand } from "../support/repo/build.ts";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** What stands in for the machine's schedulers stores what it is given, and says what the real ones say. */
const STAND_INS = {
  crontab: `case "$1" in
-l) [ -f "$HOME/crontab" ] || { echo "no crontab for $USER" >&2; exit 1; }; cat "$HOME/crontab" ;;
-r) rm "$HOME/crontab" ;;
-) cat >"$HOME/crontab.new" && mv "$HOME/crontab.new" "$HOME/crontab" ;;
*) exit 64 ;;
esac`,
  systemctl: `echo "$*" >>"$HOME/systemctl.log"
case "$*" in *enable*) [ ! -f "$HOME/systemctl.broken" ] || { echo "Failed to connect to bus" >&2; exit 1; } ;; esac`,
  launchctl: `echo "$*" >>"$HOME/launchctl.log"`,
} as const;

async function scheduling(
  t: TestContext,
  { there = ["systemctl"] as readonly (keyof typeof STAND_INS)[], name = "repo" } = {},
): Promise<{
  repo: ScratchRepo;
  home: string;
  run: (...args: string[]) => ReturnType<ScratchRepo["signalbox"]>;
}> {
  const repo = await makeScratch(t, { name });
  const home = join(repo.dir, "home");
  const bin = join(repo.dir, "bin");
  mkdirSync(bin);
  for (const each of Object.keys(STAND_INS) as (keyof typeof STAND_INS)[]) {
    // One that is "not there" is there and cannot be used: the machine's own must not be reached.
    const script = there.includes(each) ? STAND_INS[each] : `echo "not here" >&2; exit 1`;
    writeFileSync(join(bin, each), `#!/bin/sh\n${script}\n`);
    chmodSync(join(bin, each), 0o755);
  }
  const env = { ...repo.env, PATH: `${bin}:${repo.env["PATH"]}`, USER: "test" };
  return { repo, home, run: (...args) => repo.signalboxAs({ env }, ...args) };
}

const read = (...parts: string[]) => readFileSync(join(...parts), "utf8");

/** Every file below a folder, with what is in it. */
function everything(dir: string): Record<string, string> {
  if (!existsSync(dir)) return {};
  const files = readdirSync(dir, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    files.map((file) => {
      const path = join(file.parentPath, file.name);
      return [path, file.isFile() ? readFileSync(path, "latin1") : "folder"];
    }),
  );
}

test("systemd: a timer and its service; uninstall leaves nothing, not even folders", async (t) => {
  const { home, run } = await scheduling(t);
  const before = Object.keys(everything(home));
  const { code, stderr } = await run("schedule", "install");
  assert.equal(code, 0, stderr);
  assert.match(stderr, /systemd will clean up here at "17 3 \* \* \*", next .*03:17/);
  const units = join(home, ".config/systemd/user");
  const [service = "", timer = ""] = readdirSync(units).toSorted();
  assert.match(read(units, timer), /^OnCalendar=\*-\*-\* 3:17:0$/m);
  assert.match(
    read(units, service),
    /^ExecStart=\/bin\/sh ".*\/signalbox\/bin\/signalbox" "schedule" "--once"$/m,
  );
  assert.match(read(home, "systemctl.log"), /--user daemon-reload\n--user enable --now signalbox-\w+\.timer/);
  const status = await run("schedule", "status");
  assert.equal(status.code, 0);
  assert.match(status.stdout, /^scheduled {3}by systemd\nwhen {8}17 3 \* \* \*, next /);
  assert.equal((await run("schedule", "uninstall")).code, 0);
  assert.match(read(home, "systemctl.log"), /--user disable --now signalbox-\w+\.timer/);
  rmSync(join(home, "systemctl.log"));
  assert.deepEqual(Object.keys(everything(home)), before);
});

test("systemd itself takes the units as written, whatever the folder is called", async (t) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return t.skip("there is no systemd-analyze");
  const { home, run } = await scheduling(t, { name: `a "b" 50% $HOME 'c' \\d é` });
  assert.equal((await run("schedule", "install")).code, 0);
  const units = join(home, ".config/systemd/user");
  for (const name of readdirSync(units)) {
    const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", join(units, name)], {
      encoding: "utf8",
    });
    assert.doesNotMatch(stderr, new RegExp(name), `systemd-analyze verify: ${stderr}`);
    assert.equal(status, 0, stderr);
  }
});

test("crontab: a block of its own; every other byte is as it was", async (t) => {
  const { repo, home, run } = await scheduling(t, { there: ["crontab"], name: `it's 50%` });
  const mine = Buffer.from(
    "MAILTO=me\n# caf\u00E9 in latin1: \n0 1 * * * backup\n# BEGIN signalbox mine\n",
    "latin1",
  );
  writeFileSync(join(home, "crontab"), mine);
  // So often, that the chance puts a run off by six seconds at most.
  await repo.mustSignalbox("config", "compact.schedule", "* * * * *");
  assert.equal((await run("schedule", "install")).code, 0);
  const table = readFileSync(join(home, "crontab"));
  assert.deepEqual(table.subarray(0, mine.length), mine);
  const line = table.subarray(mine.length).toString().split("\n")[1] ?? "";
  assert.match(line, /^\* \* \* \* \* cd /);
  assert.doesNotMatch(line.replaceAll(String.raw`\%`, ""), /%/, "cron ends a command at a bare %");

  // What cron would hand to its shell really runs here.
  const shell = line.slice("* * * * * ".length).replaceAll(String.raw`\%`, "%");
  const done = spawnSync("/bin/sh", ["-c", shell], {
    env: { HOME: home, TMPDIR: repo.env["TMPDIR"] ?? "" },
    cwd: "/",
  });
  assert.equal(done.status, 0, String(done.stderr));
  assert.ok(existsSync(join(repo.boxDir, "cache/compaction-started")));

  // Again: replaced, not added. And the text is what would be written now.
  assert.equal((await run("schedule", "install", "--scheduler", "crontab")).code, 0);
  assert.deepEqual(readFileSync(join(home, "crontab")), table);
  assert.equal((await run("schedule", "status")).code, 0);
  assert.equal((await run("schedule", "uninstall")).code, 0);
  assert.deepEqual(readFileSync(join(home, "crontab")), mine);
});

test("crontab: where there was none there is none afterwards; two repositories at once both get in", async (t) => {
  const first = await scheduling(t, { there: ["crontab"] });
  const second = join(first.repo.dir, "second");
  await first.repo.mustGit("clone", "-q", first.repo.top, second);
  const env = {
    ...first.repo.env,
    PATH: `${join(first.repo.dir, "bin")}:${first.repo.env["PATH"]}`,
    USER: "t",
  };
  const there = (...args: string[]) => first.repo.signalboxAs({ env, cwd: second }, ...args);
  await there("init");
  const both = await Promise.all([first.run("schedule", "install"), there("schedule", "install")]);
  assert.deepEqual(
    both.map(({ code }) => code),
    [0, 0],
  );
  assert.equal(read(first.home, "crontab").match(/^# BEGIN signalbox/gm)?.length, 2);
  assert.equal((await first.run("schedule", "uninstall")).code, 0);
  assert.equal((await there("schedule", "status")).code, 0, "the other one's stays");
  // The repository's own uninstall takes its entry along.
  const { stderr } = await there("uninstall");
  assert.match(stderr, /note: taken out of crontab/);
  assert.equal(existsSync(join(first.home, "crontab")), false);
  assert.equal(existsSync(join(second, ".git/signalbox/schedule.json")), false);
});

test("launchd: a property list, whatever the folder is called", async (t) => {
  const name = `a<b>&"c"--'d é`;
  const { repo, home, run } = await scheduling(t, { there: ["launchctl"], name });
  await repo.mustSignalbox("config", "compact.schedule", "0,30 6 1 * MON-FRI");
  assert.equal((await run("schedule", "install")).code, 0);
  const folder = join(home, "Library/LaunchAgents");
  const [file = ""] = readdirSync(folder);
  assert.match(read(home, "launchctl.log"), new RegExp(`bootstrap gui/\\d+ .*${file}`));
  const parsed = spawnSync(
    "python3",
    [
      "-c",
      "import json,plistlib,sys; print(json.dumps(plistlib.load(open(sys.argv[1],'rb'))))",
      join(folder, file),
    ],
    { encoding: "utf8" },
  );
  if (parsed.error === undefined) {
    const plist = JSON.parse(parsed.stdout) as Record<string, unknown>;
    assert.deepEqual(plist["ProgramArguments"], [join(repo.boxDir, "bin/signalbox"), "schedule", "--once"]);
    assert.deepEqual(plist["WorkingDirectory"], join(repo.top, ".git"));
    const times = plist["StartCalendarInterval"] as object[];
    assert.deepEqual(times.slice(0, 3), [
      { Day: 1, Hour: 6, Minute: 0 },
      { Day: 1, Hour: 6, Minute: 30 },
      { Weekday: 1, Hour: 6, Minute: 0 },
    ]);
    assert.equal(times.length, 12);
  } else t.diagnostic("no python3 to read the property list with");
  assert.equal((await run("schedule", "status")).code, 0);
  assert.equal((await run("schedule", "uninstall")).code, 0);
  assert.equal(existsSync(join(home, "Library")), false);
});

test("--dry-run writes nothing and shows the very text; what cannot be used is said", async (t) => {
  const { repo, home, run } = await scheduling(t, { there: ["systemctl", "crontab"] });
  const before = everything(home);
  const dry = await run("schedule", "install", "--dry-run");
  assert.match(dry.stdout, /signalbox-\w+\.timer:\n# signalbox/);
  const { "systemctl.log": _, ...after } = everything(home);
  assert.deepEqual(
    Object.keys(after).filter((path) => !path.endsWith("systemctl.log")),
    Object.keys(before),
  );
  const launchd = await run("schedule", "install", "--scheduler", "launchd");
  assert.equal(launchd.code, 1);
  assert.match(
    launchd.stderr,
    /no scheduler can be used here \(launchd: launchctl list: not here\); .*signalbox schedule/,
  );
  for (const [args, words] of [
    [["schedule", "instal"], /schedule takes install, uninstall, status, or nothing, not "instal"/],
    [["schedule", "install", "--scheduler", "at"], /--scheduler takes launchd, systemd, crontab, not "at"/],
    [["schedule", "status", "--once"], /--once does not go with status/],
    [["schedule", "install", "--gone"], /--gone goes with uninstall/],
  ] as const) {
    const { code, stderr } = await run(...args);
    assert.equal(code, 2);
    assert.match(stderr, words);
  }
  await repo.mustSignalbox("config", "compact.schedule", "*/10 * * * * *");
  const seconds = await run("schedule", "install", "--scheduler", "crontab");
  assert.equal(seconds.code, 1);
  assert.match(seconds.stderr, /crontab knows no seconds: .*set compact\.schedule to five fields/);
  assert.equal(existsSync(join(repo.boxDir, "schedule.json")), false);
});

test("a manager that fails halfway: nothing is left of it", async (t) => {
  const { repo, home, run } = await scheduling(t);
  writeFileSync(join(home, "systemctl.broken"), "");
  const { code, stderr } = await run("schedule", "install");
  assert.equal(code, 1);
  assert.match(stderr, /systemctl --user enable .*: Failed to connect to bus/);
  assert.equal(existsSync(join(home, ".config")), false);
  assert.equal(existsSync(join(repo.boxDir, "schedule.json")), false);
});

test("what drifts shows in status and in doctor, which mends it; a repository that has gone can be taken out", async (t) => {
  const { repo, home, run } = await scheduling(t, { there: ["crontab"] });
  await run("schedule", "install");
  await repo.mustSignalbox("config", "compact.schedule", "5 4 * * *");
  const drift = await run("schedule", "status", "--json");
  assert.equal((JSON.parse(drift.stdout) as { installed: { state: string } }).installed.state, "differs");
  const sick = await run("doctor");
  assert.equal(sick.code, 1);
  assert.match(sick.stdout, /schedule\b.*crontab/);
  await run("doctor", "--fix");
  assert.match(read(home, "crontab"), /^5 4 \* \* \* cd/m);
  rmSync(join(home, "crontab"));
  assert.match((await run("schedule", "status")).stdout, /its entry has gone/);
  await run("doctor", "--fix");

  const moved = `${repo.top}-moved`;
  renameSync(repo.top, moved);
  const env = { ...repo.env, PATH: `${join(repo.dir, "bin")}:${repo.env["PATH"]}`, USER: "t" };
  const status = await repo.signalboxAs({ env, cwd: moved }, "schedule", "status");
  assert.match(status.stdout, /^gone .*\/repo\/\.git \(crontab\)/m);
  await repo.signalboxAs({ env, cwd: moved }, "schedule", "uninstall", "--gone");
  assert.equal(existsSync(join(home, "crontab")), false);
});

interface Foreground {
  readonly child: ChildProcess;
  readonly said: () => string;
  readonly until: (what: RegExp) => Promise<void>;
}

function foreground(t: TestContext, repo: ScratchRepo): Foreground {
  const child = spawn(process.execPath, [builtCommand(), "schedule"], { cwd: repo.top, env: repo.env });
  let said = "";
  child.stderr.on("data", (bytes: Buffer) => (said += bytes.toString()));
  t.after(() => child.kill("SIGKILL"));
  const until = async (what: RegExp) => {
    while (!what.test(said)) {
      if (child.exitCode !== null) assert.fail(`ended with ${child.exitCode}: ${said}`);
      await new Promise((done) => setTimeout(done, 20));
    }
  };
  return { child, said: () => said, until };
}

test("in the foreground: by the clock, one run at a time; SIGTERM lets the run that has begun finish", async (t) => {
  const { repo } = await scheduling(t, { there: [] });
  await repo.mustSignalbox("config", "compact.schedule", "* * * * * *");
  const { child, said, until } = foreground(t, repo);
  await until(/cleaning up …[^]*done, after [^]*cleaning up …[^]*done, after/);
  await until(/cleaning up …\n$/);
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number];
  assert.equal(code, 0);
  assert.match(said(), /done, after [\d.]+ s\n$/);
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
});

test("in the foreground: a run that was missed is caught up at once; one that was not, is not", async (t) => {
  const { repo } = await scheduling(t, { there: [] });
  await repo.mustSignalbox("compact");
  await repo.mustSignalbox("config", "compact.schedule", "* * * * *");
  const mark = join(repo.boxDir, "cache/compaction-started");
  const yesterday = new Date(Date.now() - 24 * 3_600_000);
  utimesSync(mark, yesterday, yesterday);
  const late = foreground(t, repo);
  await late.until(/done, after/);
  late.child.kill("SIGINT");
  assert.deepEqual(await once(late.child, "exit"), [0, null]);

  await repo.mustSignalbox("config", "compact.schedule", "@yearly");
  const calm = foreground(t, repo);
  await calm.until(/cleaning up at "@yearly", next /);
  await new Promise((done) => setTimeout(done, 300));
  calm.child.kill("SIGINT");
  assert.deepEqual(await once(calm.child, "exit"), [0, null]);
  assert.doesNotMatch(calm.said(), /…/);
  assert.match(
    (await repo.signalbox("schedule", "--once")).stderr,
    /not due before .*; to run it now: signalbox compact/,
  );
});
