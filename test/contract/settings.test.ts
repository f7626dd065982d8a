/** Settings: built-in < user < repository < local < environment; what is wrong is said and left out. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { loadSettings } from "../../src/adapters/settings.ts";
import { SETTINGS, type SettingName, variableOf } from "../../src/app/settings.ts";

function scratch(t: TestContext) {
  const dir = mkdtempSync(join(tmpdir(), "signalbox-settings-"));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const files = {
    user: join(dir, "home/.config/signalbox/config.json"),
    repository: join(dir, "repo/.signalbox.json"),
    local: join(dir, "box/settings.json"),
  };
  return {
    files,
    write(which: keyof typeof files, text: string): void {
      mkdirSync(dirname(files[which]), { recursive: true });
      writeFileSync(files[which], text);
    },
    load: (env: Record<string, string> = {}) =>
      loadSettings(join(dir, "box"), join(dir, "repo"), { HOME: join(dir, "home"), ...env }),
  };
}

const TTL = "lease.ttlMinutes";

test("each place wins over the one before", (t) => {
  const { load, write, files } = scratch(t);
  assert.deepEqual([load().settings[TTL], load().origins[TTL]], [15, undefined]);
  write("user", `{"${TTL}": 1}`);
  assert.deepEqual([load().settings[TTL], load().origins[TTL]], [1, files.user]);
  write("repository", `{"${TTL}": 2}`);
  assert.deepEqual([load().settings[TTL], load().origins[TTL]], [2, files.repository]);
  write("local", `{"${TTL}": 3}`);
  assert.deepEqual([load().settings[TTL], load().origins[TTL]], [3, files.local]);
  const { settings, origins, problems } = load({ SIGNALBOX_LEASE_TTL_MINUTES: "4" });
  assert.deepEqual([settings[TTL], origins[TTL], problems], [4, "environment", []]);
});

test("XDG_CONFIG_HOME says where the user's are", (t) => {
  const { load, files, write } = scratch(t);
  write("user", `{"${TTL}": 1}`);
  const elsewhere = dirname(dirname(files.local));
  mkdirSync(join(elsewhere, "signalbox"), { recursive: true });
  writeFileSync(join(elsewhere, "signalbox/config.json"), `{"${TTL}": 7}`);
  assert.equal(load({ XDG_CONFIG_HOME: elsewhere }).settings[TTL], 7);
  assert.equal(load({ XDG_CONFIG_HOME: "" }).settings[TTL], 1, "empty is not set");
});

const BAD: Readonly<Record<SettingName, readonly unknown[]>> = {
  "lease.ttlMinutes": [0, -1, 1e9, "15", true, null, {}, []],
  "lease.renewAfterSeconds": [-1, 1e9, "60", null],
  "lease.maxMinutes": [0, -1, 1e9, "30", null],
  "lease.stepMinutes": [-1, 1e9, "5", null],
  "lease.graceSeconds": [-1, 1e9, "120", null],
  "lease.perSession": [0, 1e9, "100", null],
  "lease.warnMinutes": [-1, 1e9, "3", null],
  "lease.commandMinutes": [-1, 1e9, "60", null],
  "wait.keepMinutes": [0, 1e9, "30", null],
  "wait.wake": ["yes", 1, null],
  "claim.stallMinutes": [0, 1e9, "60", null],
  "claims.tracker": ["jira", "", true, null],
  "handoff.answerMinutes": [0, 1e9, "10", null],
  "announce.resolvedSeconds": [-1, 1e9, "30", null],
  "refresh.everySeconds": [-1, 1e9, "30", null],
  "refresh.lazyAbovePerHour": [-1, 1e9, "60", null],
  "refresh.eagerBelowPerHour": [-1, 1e9, "30", null],
  "refresh.windowMinutes": [0, 1e9, "10", null],
  "sync.mode": ["on", "", true, null],
  "sync.base": ["", 5, null],
  "sync.cooldownSeconds": [-1, 1e9, "60", null],
  "sync.backoffSeconds": [-1, 1e9, "60", null],
  "sync.batchAbovePerHour": [-1, 1e9, "60", null],
  "sync.immediateBelowPerHour": [-1, 1e9, "30", null],
  "sync.batchMinutes": [0, 1e9, "5", null],
  "sync.windowMinutes": [0, 1e9, "10", null],
  "coordination.dwellMinutes": [-1, 1e9, "5", null],
  "log.sync": ["always", "", true, 1, null],
  "log.snapshotEvery": [0, -5, 1e9, "64", null],
  "paths.ignoreCase": ["yes", 1, null],
  "commit.lock": ["file-set", "", true, 1, null],
  "commit.lockWaitSeconds": [-1, 601, "30", null],
  "attribution.shared": ["*.lock", [1], ["!a"], [""], null],
  "attribution.reserveAtMost": [-1, 1001, "5", null],
  "hooks.stdinDeadlineMs": [0, 1e9, "2000", null],
  "compact.auto": ["yes", 1, null],
  "compact.everyRecords": [0, 1e9, "5", null],
  "compact.everyHours": [0, 1e9, "24", null],
  "compact.keepDays": [-1, 1e9, "0", null],
  "compact.schedule": ["", 5, null],
};

test("each bad value is a problem that names file, setting, value and default; the default stands", (t) => {
  const { load, write, files } = scratch(t);
  for (const [name, values] of Object.entries(BAD) as [SettingName, readonly unknown[]][]) {
    const { fallback } = SETTINGS[name];
    for (const value of values) {
      write("local", JSON.stringify({ [name]: value }));
      const { settings, problems } = load();
      assert.equal(problems.length, 1, `${name} = ${JSON.stringify(value)}`);
      assert.ok(
        problems[0]?.startsWith(`${files.local}: ${name} cannot be ${JSON.stringify(value)}: `),
        problems[0],
      );
      assert.ok(problems[0]?.endsWith(`; the default is ${JSON.stringify(fallback)}`), problems[0]);
      assert.equal(settings[name], fallback);
    }
  }
});

test("a bad value leaves the good one of a weaker place in force, and its neighbours alone", (t) => {
  const { load, write } = scratch(t);
  write("user", `{"${TTL}": 1}`);
  write(
    "local",
    `{"${TTL}": "soon", "log.sync": "never", "no.such": 1, "toString": 1, "__proto__": {"x": 1}}`,
  );
  const { settings, problems } = load();
  assert.deepEqual([settings[TTL], settings["log.sync"]], [1, "never"]);
  assert.equal(problems.filter((p) => p.includes("there is no setting")).length, problems.length - 1);
  assert.ok(
    problems.some((p) => p.includes('there is no setting "no.such"; git signalbox config lists them')),
  );
  assert.ok(problems.some((p) => p.includes('there is no setting "toString"')));
});

test("a broken file is a problem that names it, and no reason to fail", (t) => {
  const { load, write, files } = scratch(t);
  write("user", `{"${TTL}": 1}`);
  for (const text of ["", "{", "[]", "7", "null", '"text"', "\u0000"]) {
    write("repository", text);
    const { settings, problems } = load();
    assert.equal(settings[TTL], 1);
    assert.equal(problems.length, 1, JSON.stringify(text));
    assert.ok(problems[0]?.startsWith(`${files.repository}: cannot be used: `), problems[0]);
  }
  rmSync(files.repository);
  mkdirSync(files.repository);
  assert.equal(load().problems.length, 1, "a directory in its place");
});

test("a file that a Windows editor saved (byte order mark, CRLF) is read", (t) => {
  const { load, write } = scratch(t);
  write("local", `\uFEFF{\r\n"${TTL}": 5\r\n}\r\n`);
  assert.deepEqual([load().settings[TTL], load().problems], [5, []]);
});

test("every setting has a variable of its own, that takes JSON or plain text", (t) => {
  const { load } = scratch(t);
  const names = Object.keys(SETTINGS) as SettingName[];
  assert.equal(new Set(names.map(variableOf)).size, names.length);
  assert.equal(load({ SIGNALBOX_LOG_SYNC: "never" }).settings["log.sync"], "never");
  assert.equal(load({ SIGNALBOX_PATHS_IGNORE_CASE: "true" }).settings["paths.ignoreCase"], true);
  assert.equal(load({ SIGNALBOX_PATHS_IGNORE_CASE: "auto" }).settings["paths.ignoreCase"], "auto");
  assert.match(
    load({ SIGNALBOX_LOG_SNAPSHOT_EVERY: "many" }).problems[0] ?? "",
    /^environment: log\.snapshotEvery/,
  );
});
