/** status, who, log, replay: what they print, as text and as JSON, and what they do with a damaged log. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { builtCommand, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

interface Document {
  readonly kind: string;
  readonly version: number;
  readonly [field: string]: unknown;
}

async function json(repo: ScratchRepo, ...args: string[]): Promise<Document> {
  const { stdout, stderr } = await repo.signalbox(...args);
  assert.equal(stderr, "");
  return JSON.parse(stdout) as Document;
}

test("--json: every document says its kind and version, and keeps its fields", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  await ada.edit("a.txt");
  const status = await json(repo, "status", "--json");
  assert.deepEqual(
    [status.kind, status.version, Object.keys(status).slice(2)],
    [
      "signalbox.status",
      1,
      ["at", "seq", "sessions", "waiters", "queue", "handoffs", "heads", "commits", "incidents", "counts"],
    ],
  );
  const [session] = status["sessions"] as Record<string, unknown>[];
  assert.deepEqual(Object.keys(session ?? {}), [
    ...["id", "kind", "tree", "pid", "since", "lastSeen", "gone", "agents", "holds", "claims", "indexes"],
  ]);
  assert.deepEqual([session?.["id"], session?.["pid"]], ["ada", ada.process.pid]);
  const [hold] = (session?.["holds"] ?? []) as Record<string, unknown>[];
  assert.deepEqual(Object.keys(hold ?? {}), ["target", "kind", "tree", "agent", "mode", "since", "until"]);
  const who = await json(repo, "who", "a.txt", "--json");
  assert.deepEqual(
    [who.kind, who.version, who["path"], (who["holders"] as unknown[]).length],
    ["signalbox.who", 1, "a.txt", 1],
  );
  const verify = await json(repo, "replay", "--verify", "--json");
  assert.deepEqual(
    [verify.kind, verify.version, verify["ok"], verify["differing"]],
    ["signalbox.verify", 1, true, []],
  );
  const then = await json(repo, "replay", "--at", "1", "--json");
  assert.deepEqual([then.kind, then.version, then["seq"]], ["signalbox.status", 1, 1]);
  for (const command of [
    ["log", "--json"],
    ["replay", "--json"],
  ]) {
    const lines = (await repo.signalbox(...command)).stdout.trim().split("\n");
    const events = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
    assert.deepEqual(
      events.map((e) => e["type"]),
      repo.events().map((e) => e.type),
    );
    for (const e of events) assert.deepEqual(Object.keys(e).slice(0, 4).sort(), ["seq", "t", "type", "v"]);
  }
});

test("status fits 80 columns with 20 sessions and the longest names", async (t) => {
  const repo = await makeScratch(t);
  const long = "very-long-directory-name/".repeat(8);
  const sessions = Array.from({ length: 20 }, (_, i) =>
    repo.session(`${String(i).padStart(2, "0")}${"session-name-".repeat(9)}`.slice(0, 128)),
  );
  await Promise.all(sessions.map((session, i) => session.ask(`${long}鍵-${i}.txt`)));
  await sessions[0]!.agent("a".repeat(60)).ask(`x/${long}y.txt`);
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", `subject ${"word ".repeat(60)}`);
  await repo.mustGit("switch", "-q", "-c", `feature/${"long-branch-name-".repeat(8)}`);
  const { stdout, code } = await repo.signalbox("status");
  assert.equal(code, 0);
  assert.match(stdout, /^20 sessions, 21 reservations$/m);
  for (const line of stdout.split("\n")) assert.ok(line.length <= 80, `${line.length}: ${line}`);
});

test("names from outside are shown, not obeyed", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  await ada.ask("evil\u001B[2Jname\r.txt");
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "\u001B[31mred\u0007");
  for (const command of [["status"], ["log"], ["replay"], ["who", "evil\u001B[2Jname\r.txt"]]) {
    const { stdout } = await repo.signalbox(...command);
    // oxlint-disable-next-line no-control-regex -- it is what must not be there
    assert.doesNotMatch(stdout, /[\u0000-\u0009\u000B-\u001F\u007F]/, command.join(" "));
  }
});

test("who: free, held, by a directory, outside; from a subdirectory", async (t) => {
  const repo = await makeScratch(t, { files: { "src/a.txt": "1\n", "b.txt": "1\n" } });
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  assert.equal((await repo.signalbox("who", "b.txt")).stdout, "b.txt is free\n");
  await repo.signalboxAs({ env: ada.env }, "reserve", "src/");
  const held = await repo.signalboxAs({ cwd: repo.path("src") }, "who", "a.txt");
  assert.match(
    held.stdout,
    /^src\/a\.txt is reserved by session ada as src\/, since \d\d:\d\d \(\d+ s ago\), until/,
  );
  for (const path of ["/etc/passwd", "..", ".git/config"])
    assert.equal((await repo.signalbox("who", path)).code, 2, path);
  await ada.kill();
  assert.equal(
    (await repo.signalbox("who", "src/a.txt")).stdout,
    "src/a.txt is free\n",
    "its process is gone",
  );
});

test("log: the last n, none, and --follow until it is told to stop", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  await ada.ask("a.txt");
  const count = async (...args: string[]) =>
    (await repo.signalbox("log", ...args)).stdout.split("\n").filter(Boolean).length;
  assert.deepEqual(
    [await count("-n", "1"), await count("-n", "0"), await count()],
    [1, 0, repo.events().length],
  );
  const child = spawn(process.execPath, [builtCommand(), "log", "-n", "1", "--follow"], {
    cwd: repo.top,
    env: repo.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => (text += chunk.toString()));
  const shows = async (pattern: RegExp) => {
    while (!pattern.test(text)) await once(child.stdout, "data");
  };
  await shows(/reserved a\.txt/);
  await ada.ask("b.txt");
  await ada.ask("c.txt");
  await shows(/reserved b\.txt[^]*reserved c\.txt/);
  child.kill("SIGINT");
  const [code] = (await once(child, "exit")) as [number | null];
  assert.equal(code, 0);
  const lines = text.trim().split("\n");
  for (const name of ["a", "b", "c"])
    assert.equal(lines.filter((line) => line.includes(`reserved ${name}.txt`)).length, 1, "each once");
});

test("replay --at: by record, by time, beyond the end, and garbage", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  await ada.ask("a.txt");
  const last = Number(/^\s*(\d+) .*reserved a\.txt/m.exec((await repo.signalbox("replay")).stdout)?.[1]);
  await ada.end();
  const at = async (when: string) => {
    const view = JSON.parse((await repo.signalbox("replay", "--at", when, "--json")).stdout) as {
      seq: number;
      sessions: { holds: { target: string }[] }[];
    };
    return view.sessions.flatMap((s) => s.holds.map((h) => h.target));
  };
  assert.deepEqual(await at(String(last)), ["a.txt"]);
  assert.deepEqual(await at(String(last - 1)), []);
  assert.deepEqual(await at("999999"), [], "the end: the session is over");
  assert.deepEqual(await at("2001-01-01"), []);
  assert.deepEqual(await at("2999-01-01T00:00:00Z"), []);
  for (const garbage of ["yesterday", "25:00:99:1", "-", "1e3"])
    assert.equal((await repo.signalbox("replay", "--at", garbage)).code, 2, garbage);
  const story = (await repo.signalbox("replay", "--session", "ada")).stdout;
  assert.match(
    story,
    /session ada started \(claude-code\)[^]*session ada reserved a\.txt[^]*session ada ended \(other\)/,
  );
  assert.equal((await repo.signalbox("replay", "--session", "nobody")).stdout, "");
});

function segment(repo: ScratchRepo): string {
  const dir = join(repo.boxDir, "log/seg");
  return join(dir, readdirSync(dir).sort().at(-1)!);
}

test("a log damaged in the middle: every reading command exits 4 and says where; doctor --fix mends it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("zoe");
  for (let i = 0; i < 6; i++) await ada.ask(`f${i}.txt`);
  const file = segment(repo);
  const lines = readFileSync(file, "utf8").split("\n");
  const at = lines.findIndex((line) => line.includes("f2.txt"));
  lines[at] = lines[at]!.replace("f2.txt", "fX.txt");
  writeFileSync(file, lines.join("\n"));
  rmSync(join(repo.boxDir, "log/snap"), { recursive: true, force: true });
  const offset = Buffer.byteLength(`${lines.slice(0, at).join("\n")}\n`);
  const verify = await repo.signalbox("replay", "--verify");
  assert.equal(verify.code, 4);
  assert.ok(verify.stderr.includes(file) && verify.stderr.includes(`byte ${offset}`), verify.stderr);
  for (const args of [["status"], ["log"], ["replay"], ["who", "a.txt"]]) {
    const { code, stderr } = await repo.signalbox(...args);
    assert.equal(code, 4, args.join(" "));
    assert.match(stderr, /doctor --fix/, args.join(" "));
  }
  assert.equal((await repo.signalbox("doctor")).code, 1);
  assert.equal((await repo.signalbox("doctor", "--fix")).code, 0);
  for (const args of [["status"], ["log"], ["replay"], ["who", "a.txt"]])
    assert.equal((await repo.signalbox(...args)).code, 0, args.join(" "));
  const mended = await repo.signalbox("replay", "--verify");
  assert.equal(mended.code, 4, "a gap is a gap");
  assert.match(
    mended.stderr,
    /^signalbox: record \d+ is lost;.*\n.*all the others are as they were written$/m,
  );
  assert.match(
    (await (await repo.startSession("bob")).ask("f0.txt")).denied ?? "",
    /session ada/,
    "still held",
  );
});

test("a log that is not there or cannot be read is not an empty one", async (t) => {
  const repo = await makeScratch(t);
  await repo.startSession("ada");
  const dir = join(repo.boxDir, "log");
  rmSync(join(dir, "FORMAT"));
  const missing = await repo.signalbox("status");
  assert.notEqual(missing.code, 0);
  assert.match(missing.stderr, /^signalbox: /);
  assert.equal(missing.stdout, "");
  writeFileSync(join(dir, "FORMAT"), "garbage");
  const garbage = await repo.signalbox("status");
  assert.equal(garbage.code, 4, garbage.stderr);
  writeFileSync(join(dir, "FORMAT"), '{"format":99,"log":"x","genesis":"y"}');
  const newer = await repo.signalbox("status");
  assert.equal(newer.code, 1);
  assert.match(newer.stderr, /format is 99.*Upgrade it/);
});

test("replay: only what concerned a file, a kind of event, a span of time; and what changed in between", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.ask("a.txt");
  await repo.signalboxAs({ env: bob.env }, "reserve", "src/");
  const middle = repo.eventsOf("reservation.granted").length;
  assert.equal(middle, 2);
  await repo.signalboxAs({ env: ada.env }, "release", "a.txt");
  await bob.ask("b.txt");
  const lines = async (...args: string[]) =>
    (await repo.signalbox("replay", ...args)).stdout
      .split("\n")
      .filter(Boolean)
      .map((line) => line.slice(15));
  const number = async (what: RegExp) => {
    const story = (await repo.signalbox("replay")).stdout.split("\n");
    return Number(/^\s*(\d+)/.exec(story.find((line) => what.test(line)) ?? "")?.[1]);
  };
  assert.deepEqual(
    (await lines("--path", "a.txt")).map((line) => line.replace(/, until.*/, "")),
    ["session ada reserved a.txt", "session ada released a.txt (command)"],
  );
  assert.match((await lines("--path", "src/deep/x.ts"))[0] ?? "", /session bob reserved src\//);
  assert.equal((await lines("--type", "reservation")).length, 4);
  assert.equal((await lines("--type", "reservation.released")).length, 1);
  const [reserved, released] = [await number(/ada reserved/), await number(/ada released/)];
  const between = await lines("--since", String(reserved), "--until", String(released), "--session", "ada");
  assert.equal(between.length, 2);
  assert.deepEqual(
    (await repo.signalbox("replay", "--diff", `${reserved}..999999`)).stdout
      .split("\n")
      .filter(Boolean)
      .sort(),
    ["+ session bob holds b.txt", "+ session bob holds src/", "- session ada holds a.txt"],
  );
  const json = JSON.parse((await repo.signalbox("replay", "--diff", `1..${reserved}`, "--json")).stdout) as {
    come: string[];
  };
  assert.ok(json.come.includes("session ada holds a.txt"));
  for (const bad of [
    ["--diff", "5"],
    ["--since", "soon"],
    ["--path", "../x"],
  ])
    assert.equal((await repo.signalbox("replay", ...bad)).code, 2, bad.join(" "));
});
