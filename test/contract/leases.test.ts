/** Leases as sessions meet them: real hooks, real processes, leases of seconds. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { FakeSession, makeScratch, payload, type ScratchRepo } from "../support/repo/mod.ts";

/** Leases of 3 s, without grace. */
const SHORT = {
  SIGNALBOX_LEASE_TTL_MINUTES: "0.05",
  SIGNALBOX_LEASE_MAX_MINUTES: "0.05",
  SIGNALBOX_LEASE_RENEW_AFTER_SECONDS: "0",
  SIGNALBOX_LEASE_GRACE_SECONDS: "0",
};
const GRACE = { ...SHORT, SIGNALBOX_LEASE_GRACE_SECONDS: "120" };

async function two(t: TestContext, env: Readonly<Record<string, string>> = SHORT) {
  const files = { "a.txt": "1\n", "docs/b.md": "1\n", "src/c.ts": "1\n" };
  const repo = await makeScratch(t, { env, files });
  return { repo, ada: await repo.startSession("ada"), bob: await repo.startSession("bob") };
}

/** Until all leases on record have run out. */
async function leasesRunOut(repo: ScratchRepo): Promise<void> {
  const untils = repo.events().flatMap((e) => ("until" in e && typeof e.until === "number" ? [e.until] : []));
  while (Date.now() <= Math.max(...untils)) await sleep(20);
}

const extended = (repo: ScratchRepo) => repo.eventsOf("reservation.extended");

test("S50: who runs a long test keeps its files beyond the lease; when it has ended, they run out", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await ada.bash("npm test");
  for (let i = 1; i <= 2; i += 1) {
    await leasesRunOut(repo);
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
    assert.equal(extended(repo).length, i);
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
    assert.equal(extended(repo).length, i, "once a lease's length");
  }
  await ada.bash("npm test", "post-bash");
  await leasesRunOut(repo);
  assert.match((await bob.edit("a.txt")).told, /was reserved by session ada/);
});

test("S50: the lease that ran out unnoticed while the command ran is renewed at its end", async (t) => {
  for (const command of ["npm test", "sleep 1000 && ls"]) {
    const { repo, ada, bob } = await two(t);
    await ada.edit("a.txt");
    await ada.bash(command);
    await leasesRunOut(repo);
    await ada.bash(command, "post-bash");
    assert.equal(extended(repo).length, 1, command);
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada/);
  }
});

test(
  "S50: a command in the background keeps the lease as long as a process of it lives",
  { skip: process.platform === "linux" ? false : "needs /proc" },
  async (t) => {
    const { repo, bob } = await two(t);
    // A client that runs what it is told to.
    const client = spawn("sh", ["-c", 'while read -r line; do eval "$line"; done'], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    t.after(() => client.kill("SIGKILL"));
    const cyd = new FakeSession("cyd", { entry: repo.entry, cwd: repo.top, env: repo.env }, client);
    await cyd.start();
    await cyd.edit("a.txt");
    const call = payload.bashPayload(cyd.who, "PreToolUse", "npm run serve");
    const input = { tool_input: { command: "npm run serve", run_in_background: true } };
    const { tool_use_id, ...rest } = call;
    await cyd.hook("pre-bash", { ...rest, tool_use_id, ...input });
    client.stdin.write("sleep 600 & child=$!\n");
    await cyd.hook("post-bash", { ...rest, hook_event_name: "PostToolUse", tool_use_id, ...input });
    assert.ok(existsSync(join(repo.boxDir, "spool/bash", `cyd.bg-${String(tool_use_id)}`)));
    await leasesRunOut(repo);
    assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session cyd/);
    client.stdin.write("kill $child; wait $child\n");
    await leasesRunOut(repo);
    assert.equal(
      (await bob.edit("a.txt")).denied,
      undefined,
      "its process is gone, and its mark is still there",
    );
    client.stdin.end();
  },
);

test("a command that goes on in the background has begun when it began, not when it went there", async (t) => {
  const { repo, ada } = await two(t);
  const files = attributionFiles(repo.boxDir);
  await ada.bash("npm run serve");
  const [before] = files.windows();
  await sleep(50);
  const call = payload.bashPayload(ada.who, "PostToolUse", "npm run serve");
  await ada.hook("post-bash", { ...call, tool_response: { backgroundTaskId: "b1" } });
  const [after] = files.windows();
  assert.deepEqual([before?.background, after?.background], [false, true]);
  // What a file system makes of a fraction of a millisecond is its own.
  assert.ok(Math.abs(after!.begin - before!.begin) <= 1);
});

test("S51: a lease lapses while its holder works: told before its next write, once", async (t) => {
  const { repo, ada } = await two(t);
  await ada.edit("a.txt");
  await leasesRunOut(repo);
  const { told, denied } = await ada.ask("docs/b.md");
  assert.equal(denied, undefined);
  assert.match(told, /your reservation of a\.txt ran out; the next edit takes it again if it is free/);
  assert.equal((await ada.ask("src/c.ts")).told, "");
  assert.doesNotMatch((await ada.prompt()).told, /a\.txt/);
});

test("S51: and somebody has taken the file meanwhile: told by whom before its next write, once", async (t) => {
  const { repo, ada, bob } = await two(t);
  await ada.edit("a.txt");
  await leasesRunOut(repo);
  await bob.edit("a.txt");
  assert.match(
    (await ada.ask("docs/b.md")).told,
    /your reservation of a\.txt had run out and session bob has it now/,
  );
  assert.equal((await ada.ask("src/c.ts")).told, "");
});

test("alone, nothing is said of leases", async (t) => {
  const repo = await makeScratch(t, { env: SHORT });
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  await leasesRunOut(repo);
  assert.equal((await ada.prompt()).told, "");
  assert.equal((await ada.edit("b.txt")).told, "");
});

test("in grace: others see until when, the last holder takes it back, and is told nothing it need not know", async (t) => {
  const { repo, ada, bob } = await two(t, GRACE);
  await ada.edit("a.txt");
  await leasesRunOut(repo);
  assert.match(
    (await bob.ask("a.txt")).denied ?? "",
    /a\.txt is reserved by session ada .* ran out at \d\d:\d\d and is in grace until \d\d:\d\d: .*`git signalbox wait a\.txt` waits for it/s,
  );
  assert.match(
    (await repo.signalbox("who", "a.txt")).stdout,
    /^a\.txt is reserved by session ada .* in grace until/,
  );
  assert.match(
    (await ada.prompt()).told,
    /a\.txt ran out at \d\d:\d\d; until \d\d:\d\d only you can take it/,
  );
  assert.equal((await ada.ask("docs/b.md")).told, "", "it can still be taken back");
  const { told, denied } = await ada.edit("a.txt");
  assert.deepEqual([told, denied], ["", undefined]);
  assert.deepEqual(
    repo.eventsOf("reservation.reclaimed").map((e) => [e.session, e.targets]),
    [["ada", [{ kind: "path", path: "a.txt" }]]],
  );
});

test("what was given back or committed is free at once", async (t) => {
  const { repo, ada, bob } = await two(t, GRACE);
  for (const file of ["a.txt", "docs/b.md"]) await ada.edit(file);
  await ada.mustGit("commit", "-qm", "m", "a.txt");
  assert.equal((await bob.edit("a.txt")).denied, undefined);
  await repo.signalboxAs({ env: ada.env }, "release", "docs/b.md");
  assert.equal((await bob.edit("docs/b.md")).denied, undefined);
});

test("at the start of a turn a session is told what runs out soon, while others are here", async (t) => {
  const { ada, bob } = await two(t, { SIGNALBOX_LEASE_WARN_MINUTES: "20" });
  await ada.edit("a.txt");
  assert.match((await ada.prompt()).told, /your reservation of a\.txt runs out at \d\d:\d\d; editing it/);
  await bob.end();
  assert.equal((await ada.prompt()).told, "");
});

test("the cap: refused with what to give back, and let on when that is done", async (t) => {
  const { repo, ada, bob } = await two(t, { SIGNALBOX_LEASE_PER_SESSION: "2" });
  for (const file of ["a.txt", "docs/b.md"]) assert.equal((await ada.edit(file)).denied, undefined);
  const { denied = "" } = await ada.ask("src/c.ts");
  const give =
    /^signalbox: this session has reserved 2 files, and 2 is the most.*`git signalbox (release \S+) \S+`/s.exec(
      denied,
    )?.[1];
  assert.equal(give, "release a.txt", denied);
  assert.equal((await ada.edit("a.txt")).denied, undefined, "what it has it may edit");
  assert.equal((await bob.edit("src/c.ts")).denied, undefined, "it is its own matter");
  const reserve = await repo.signalboxAs({ env: ada.env }, "reserve", "x.txt");
  assert.deepEqual([reserve.code, /2 is the most/.test(reserve.stderr)], [3, true]);
  await repo.signalboxAs({ env: ada.env }, ...give!.split(" "));
  assert.equal((await ada.edit("new.txt")).denied, undefined);
  await bob.end();
  assert.equal((await ada.edit("more.txt")).denied, undefined, "alone there is none");
});

test("files that are committed together lengthen each other's leases, once others are here", async (t) => {
  const repo = await makeScratch(t, { files: { "src/x/a.ts": "", "test/unit/a.ts": "", "lib/z.ts": "" } });
  for (let i = 0; i < 3; i += 1) {
    for (const file of ["src/x/a.ts", "test/unit/a.ts"]) repo.write(file, `${i}\n`);
    await repo.mustGit("commit", "-qam", "both");
  }
  const ada = await repo.startSession("ada");
  const cache = join(repo.boxDir, "cache", "co-change.json");
  assert.equal(existsSync(cache), false, "alone, nothing is looked at");
  await repo.startSession("bob");
  assert.equal(existsSync(cache), true);
  for (const file of ["src/x/a.ts", "lib/z.ts", "test/unit/a.ts"]) await ada.edit(file);
  const [alone, other, related] = repo.eventsOf("reservation.granted").map((e) => e.until);
  assert.ok(other! - alone! < 4 * 60_000, "unrelated: no longer");
  assert.ok(related! - other! > 4 * 60_000, "related: a step longer");
  assert.deepEqual(
    repo.eventsOf("reservation.renewed").flatMap((e) => e.targets),
    [{ kind: "path", path: "src/x/a.ts" }],
    "the cluster is renewed, not all that is held",
  );
  await repo.mustSignalbox("uninstall");
  assert.equal(existsSync(cache), false);
});
