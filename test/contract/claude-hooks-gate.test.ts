/** The edit gate: PreToolUse of the edit tools, through the installed entry. */
import assert from "node:assert/strict";
import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { test } from "node:test";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** A lease of 6 s: short enough to wait for, long enough for a hook or two on a loaded machine. */
const SHORT = {
  SIGNALBOX_LEASE_TTL_MINUTES: "0.1",
  SIGNALBOX_LEASE_STEP_MINUTES: "0",
  SIGNALBOX_LEASE_RENEW_AFTER_SECONDS: "0",
  SIGNALBOX_LEASE_GRACE_SECONDS: "0",
};
const USUAL = { SIGNALBOX_LEASE_TTL_MINUTES: "15" };

async function leaseRunsOut(repo: ScratchRepo): Promise<void> {
  const until = repo.eventsOf("reservation.granted").at(-1)?.until ?? 0;
  while (Date.now() <= until) await sleep(50);
}

test("a refusal says who, since when, until when, and the command that goes on", async (t) => {
  const repo = await makeScratch(t, { files: { "it's.txt": "1\n" } });
  const ada = await repo.startSession("3f2a91c0-0000-4000-8000-000000000001");
  const bob = await repo.startSession("bob");
  await ada.edit("it's.txt");
  const { denied = "", code, stderr } = await bob.ask("it's.txt");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    denied,
    /^signalbox: it's\.txt is reserved by session 3f2a91c0 since \d\d:\d\d \(\d+ s ago\), until \d\d:\d\d unless it edits again\.\n/,
  );
  const command = /`git (signalbox who .*)` tells when it is free/.exec(denied)?.[1] ?? "";
  assert.equal(command, String.raw`signalbox who 'it'\''s.txt'`);
});

test("each edit tool is gated; tools that write nothing are not", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  for (const tool of ["Edit", "Write", "MultiEdit", "NotebookEdit"])
    assert.notEqual((await bob.ask("a.txt", tool)).denied, undefined, tool);
  assert.deepEqual((await bob.bash("echo x > a.txt")).denied, undefined);
});

test("the same holder edits again and again: one grant, renewed when it is worth it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("bob");
  for (let i = 0; i < 5; i++) await ada.edit("a.txt");
  assert.equal(repo.eventsOf("reservation.granted").length, 1);
  assert.equal(repo.eventsOf("reservation.renewed").length, 0);
  const eager = ada.at({ env: { ...repo.env, SIGNALBOX_LEASE_RENEW_AFTER_SECONDS: "0" } });
  await eager.edit("a.txt");
  assert.equal(repo.eventsOf("reservation.renewed").length, 1);
});

test("refused over and over is on record once, and refused every time", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  for (let i = 0; i < 5; i++) assert.notEqual((await bob.ask("a.txt")).denied, undefined);
  assert.equal(repo.eventsOf("reservation.refused").length, 1);
});

test("a lease that ran out gives way: the new holder is warned, the old one told before its next write (S51)", async (t) => {
  const repo = await makeScratch(t, { env: SHORT });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob", USUAL);
  await ada.edit("a.txt");
  assert.notEqual((await bob.ask("a.txt")).denied, undefined, "not before");
  await leaseRunsOut(repo);
  const { told, denied } = await bob.edit("a.txt");
  assert.equal(denied, undefined);
  assert.match(told, /a\.txt was reserved by session ada until .* it is yours now/);
  assert.match(told, /may hold uncommitted changes that are not yours: look at `git diff -- a\.txt`/);
  const [expired] = repo.eventsOf("reservation.expired");
  assert.deepEqual([expired?.session, expired?.successor], ["ada", "bob"]);
  const refused = (await ada.ask("a.txt")).denied ?? "";
  assert.match(refused, /reserved by session bob/);
  assert.match(refused, /your reservation of a\.txt had run out and session bob has it now/);
  assert.equal((await ada.prompt()).told, "", "once");
});

test("a lease that ran out and that nobody wants is its holder's again with the next edit", async (t) => {
  const repo = await makeScratch(t, { env: SHORT });
  const ada = await repo.startSession("ada");
  await repo.startSession("bob");
  await ada.edit("a.txt");
  await leaseRunsOut(repo);
  assert.match((await ada.prompt()).told, /your reservation of a\.txt ran out; the next edit takes it again/);
  assert.equal((await ada.prompt()).told, "", "once");
  assert.equal((await ada.edit("a.txt")).told, "");
  assert.equal(repo.eventsOf("reservation.granted").length, 2);
});

test("outside any repository, or in one without signalbox: nothing happens, nothing is recorded", async (t) => {
  const repo = await makeScratch(t);
  const plain = join(repo.dir, "plain");
  mkdirSync(join(plain, "sub"), { recursive: true });
  await repo.mustGit("init", "-q", join(plain, "sub"));
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const count = repo.events().length;
  for (const file of [join(plain, "x.txt"), join(plain, "sub/x.txt"), "/nonexistent/x.txt", ".git/config"])
    for (const session of [ada, bob]) assert.equal((await session.ask(file)).stdout, "", file);
  assert.equal(repo.events().length, count);
});

test("in another repository with signalbox: that one decides, and knows the session from then on", async (t) => {
  const repo = await makeScratch(t);
  const other = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await other.startSession("bob");
  await bob.edit("a.txt");
  assert.match((await ada.ask(other.path("a.txt"))).denied ?? "", /session bob/);
  assert.equal((await ada.ask(other.path("b.txt"))).denied, undefined);
  assert.match((await bob.ask("b.txt")).denied ?? "", /session ada/);
  assert.equal(repo.eventsOf("reservation.granted").length, 0, "not this one's matter");
});

test("ignored and untracked files are reserved like any other", async (t) => {
  const repo = await makeScratch(t, { files: { ".gitignore": "*.log\n" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  for (const file of ["x.log", "deep/new/file.txt"]) {
    await ada.edit(file);
    assert.notEqual((await bob.ask(file)).denied, undefined, file);
  }
});

test("one file by several names: symbolic links, dots, the real path of a linked directory", async (t) => {
  const repo = await makeScratch(t, { files: { "src/a.txt": "1\n" } });
  symlinkSync("src/a.txt", repo.path("link.txt"));
  symlinkSync("src", repo.path("dir"));
  symlinkSync(repo.top, join(repo.dir, "elsewhere"));
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("src/a.txt");
  for (const name of ["link.txt", "dir/a.txt", "./src/../src/a.txt", join(repo.dir, "elsewhere/src/a.txt")]) {
    assert.match((await bob.ask(name)).denied ?? "", /src\/a\.txt is reserved/, name);
  }
});

test("working trees are apart: the same path in a linked one is another file", async (t) => {
  const repo = await makeScratch(t);
  const linked = await repo.worktree("linked");
  const ada = await repo.startSession("ada");
  const bob = (await repo.startSession("bob")).at({ cwd: linked });
  await ada.edit("a.txt");
  assert.equal((await bob.edit("a.txt")).denied, undefined);
  assert.match((await ada.ask(join(linked, "a.txt"))).denied ?? "", /session bob/, "by where the file is");
  assert.match((await bob.ask(repo.path("a.txt"))).denied ?? "", /session ada/);
});

test("where case does not count, A.TXT is a.txt: for the edit and for the commit", async (t) => {
  const repo = await makeScratch(t);
  await repo.mustGit("config", "core.ignorecase", "true");
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("A.TXT");
  assert.notEqual((await bob.ask("a.txt")).denied, undefined);
  repo.write("a.txt", "changed\n");
  const { code, stderr } = await bob.git("commit", "-qm", "m", "a.txt");
  assert.equal(code, 1);
  assert.match(stderr, /a\.txt \(session ada, reserved since/, "by git's own name");
  const strict = bob.at({ env: { ...repo.env, SIGNALBOX_PATHS_IGNORE_CASE: "false" } });
  assert.equal((await strict.ask("A.Txt")).denied, undefined, "the setting wins over git's");
});

test("a client that passes no arguments runs the entry bare: the payload says which hook it is", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const { denied } = await bob.hook(
    "auto",
    JSON.stringify(
      await import("../support/repo/payload.ts").then(({ editPayload }) =>
        editPayload(bob.who, "PreToolUse", repo.path("a.txt")),
      ),
    ),
  );
  assert.match(denied ?? "", /session ada/);
});
