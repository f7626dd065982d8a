/** wait: the queue for files, with real sessions that wait in processes of their own. */
import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { test, type TestContext } from "node:test";
import { type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

async function world(t: TestContext, ...names: string[]) {
  const repo = await makeScratch(t, { files: { "a.txt": "1\n", "b.txt": "1\n", "src/c.ts": "1\n" } });
  const sessions: FakeSession[] = [];
  for (const name of names) sessions.push(await repo.startSession(name));
  const as = (who: FakeSession, ...args: string[]) => repo.signalboxAs({ env: who.env }, ...args);
  return { repo, sessions, as };
}

/** Until so many wait. */
async function waiting(repo: ScratchRepo, count: number): Promise<void> {
  while (repo.eventsOf("waiter.joined").length < count) await sleep(20);
}

test("five who wait get it one after the other, in the order they came", async (t) => {
  const { repo, sessions, as } = await world(t, "ada", "w1", "w2", "w3", "w4", "w5");
  const [ada, ...others] = sessions as [FakeSession, ...FakeSession[]];
  await ada.edit("a.txt");
  const served: string[] = [];
  const all = [];
  for (const [i, who] of others.entries()) {
    all.push(
      as(who, "wait", "a.txt", "--seconds", "300").then(async (done) => {
        served.push(who.id);
        assert.deepEqual([done.code, done.stderr], [0, ""]);
        assert.match(done.stdout, /^reserved until \d\d:\d\d: a\.txt\n$/);
        assert.equal((await who.ask("a.txt")).denied, undefined);
        await as(who, "release", "a.txt");
      }),
    );
    await waiting(repo, i + 1);
  }
  const { stdout } = await repo.signalbox("who", "a.txt");
  assert.deepEqual(
    stdout.split("\n").flatMap((line) => /session (\w+) waits/.exec(line)?.[1] ?? []),
    others.map(({ id }) => id),
  );
  await as(ada, "release", "a.txt");
  await Promise.all(all);
  const order = repo.eventsOf("reservation.granted").filter((e) => e.via === "wait");
  assert.deepEqual(
    order.map((e) => e.session),
    ["w1", "w2", "w3", "w4", "w5"],
  );
  assert.deepEqual(served, ["w1", "w2", "w3", "w4", "w5"]);
});

test("what is free is had at once", async (t) => {
  const { sessions, as } = await world(t, "ada");
  const { code, stdout } = await as(sessions[0]!, "wait", "a.txt", "src/", "--json");
  const { kind, version, granted, until, targets } = JSON.parse(stdout) as Record<string, unknown>;
  assert.deepEqual([code, kind, version, granted, typeof until], [0, "signalbox.wait", 1, true, "number"]);
  assert.deepEqual(targets, [
    { kind: "path", path: "a.txt" },
    { kind: "dir", path: "src" },
  ]);
});

test("not yet: who has it, and the place is kept; nobody comes between when it is free", async (t) => {
  const { repo, sessions, as } = await world(t, "ada", "bob", "cyd");
  const [ada, bob, cyd] = sessions as [FakeSession, FakeSession, FakeSession];
  await ada.edit("a.txt");
  const { code, stdout, stderr } = await as(bob, "wait", "a.txt", "--seconds", "0");
  assert.deepEqual([code, stdout], [3, ""]);
  assert.match(stderr, /^signalbox: a\.txt is reserved by session ada since/);
  assert.match(
    stderr,
    /with nobody before you.*kept until \d\d:\d\d: `git signalbox wait a\.txt` goes on waiting, `git signalbox wait --leave a\.txt` gives it up/s,
  );
  const json = await as(cyd, "wait", "a.txt", "--seconds", "0", "--json");
  const { granted, ahead, blockers } = JSON.parse(json.stdout) as {
    granted: boolean;
    ahead: number;
    blockers: { session: string }[];
  };
  assert.deepEqual([json.code, granted, ahead, blockers[0]?.session], [3, false, 1, "ada"]);
  const { stdout: status } = await repo.signalbox("status", "--json");
  const { waiters } = JSON.parse(status) as { waiters: { session: string; targets: string[] }[] };
  assert.deepEqual(
    waiters.map((w) => [w.session, w.targets]),
    [
      ["bob", ["a.txt"]],
      ["cyd", ["a.txt"]],
    ],
  );
  assert.match((await repo.signalbox("status")).stdout, /waiting\n {2}bob for a\.txt, since/);
  await ada.mustGit("commit", "-qm", "m", "a.txt");
  assert.match((await cyd.ask("a.txt")).denied ?? "", /reserved by session bob/, "bob waited for it first");
  assert.equal((await bob.ask("a.txt")).denied, undefined);
});

test("a session that ends gives its place and its files to those who wait", async (t) => {
  const { repo, sessions, as } = await world(t, "ada", "bob", "cyd");
  const [ada, bob, cyd] = sessions as [FakeSession, FakeSession, FakeSession];
  await ada.edit("a.txt");
  await as(bob, "wait", "a.txt", "--seconds", "0");
  const waits = as(cyd, "wait", "a.txt", "--seconds", "300");
  await waiting(repo, 2);
  await bob.kill();
  await ada.end();
  assert.equal((await waits).code, 0);
});

test("--leave gives the place up, one or all; who waits for it here is told", async (t) => {
  const { repo, sessions, as } = await world(t, "ada", "bob");
  const [ada, bob] = sessions as [FakeSession, FakeSession];
  for (const file of ["a.txt", "b.txt", "src/c.ts"]) await ada.edit(file);
  for (const file of ["b.txt", "src/c.ts"]) await as(bob, "wait", file, "--seconds", "0");
  const waits = as(bob, "wait", "a.txt", "--seconds", "300");
  await waiting(repo, 3);
  assert.equal((await as(bob, "wait", "--leave", "a.txt")).stdout, "waits no more for: a.txt\n");
  const { code, stderr } = await waits;
  assert.equal(code, 3);
  assert.match(stderr, /the place in the queue is gone; `git signalbox wait a\.txt` takes a new one/);
  const { left } = JSON.parse((await as(bob, "wait", "--leave", "--json")).stdout) as { left: unknown[] };
  assert.equal(left.length, 2);
  assert.equal((await as(bob, "wait", "--leave")).stdout, "waited for nothing\n");
});

test("words that it does not understand; and a person does not wait", async (t) => {
  const { repo, sessions, as } = await world(t, "ada");
  for (const args of [[], ["a.txt", "--seconds", "soon"], ["a.txt", "--seconds", "-1"], ["../x"]])
    assert.equal((await as(sessions[0]!, "wait", ...args)).code, 2, args.join(" "));
  assert.match((await repo.signalbox("wait", "a.txt")).stderr, /only a session can hold files/);
});
