/** `claim`: one claimant a task, and everybody else learns who it is. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type FakeSession, makeScratch } from "../support/repo/mod.ts";
import { claimed } from "../support/tracker/mod.ts";

async function sessions(t: TestContext, ...ids: string[]) {
  const repo = await makeScratch(t);
  const all = await Promise.all(ids.map((id) => repo.startSession(id)));
  const as = (who: FakeSession | undefined, ...args: string[]) =>
    repo.signalboxAs({ env: who?.env ?? repo.env }, ...args);
  return { repo, all, as };
}

test("S57: N processes claim one task at once, round after round: one winner, and losers learn who", async (t) => {
  const N = 8;
  const { repo, all, as } = await sessions(t, ...Array.from({ length: N }, (_, i) => `s${i}`));
  const rounds = Number(process.env["SIGNALBOX_TEST_ROUNDS"] ?? 6);
  for (let round = 0; round < rounds; round += 1) {
    const task = `t${round}`;
    const done = await Promise.all(all.map((session) => as(session, "claim", task, "--json")));
    assert.deepEqual(
      done.map(({ code }) => code).sort(),
      [0, ...Array.from({ length: N - 1 }, () => 3)],
      `round ${round}: ${done.map((d) => d.stderr).join("")}`,
    );
    const winner = `s${done.findIndex(({ code }) => code === 0)}`;
    for (const { code, stdout } of done)
      if (code === 3) assert.equal((JSON.parse(stdout) as { holder: string }).holder, winner);
    assert.equal((await claimed(repo))[task], winner);
  }
  assert.equal(repo.eventsOf("claim.taken").length, rounds);
  assert.equal(repo.eventsOf("claim.refused").length, rounds * (N - 1));
});

test("a refusal says who, since when, its last edit, and how to ask; asking again is no harm", async (t) => {
  const { repo, all, as } = await sessions(t, "ada", "bob");
  const [ada, bob] = all;
  assert.deepEqual(
    [(await as(ada, "claim", "t", "--kind", "bug")).code, (await as(ada, "claim", "t")).code],
    [0, 0],
  );
  for (let i = 0; i < 3; i += 1) {
    const { code, stdout, stderr } = await as(bob, "claim", "t");
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(
      stderr,
      /t is claimed by session ada since \d\d:\d\d \(\d+ s ago\); its last edit was at \d\d:\d\d/,
    );
    assert.match(stderr, /git signalbox handoff request t --reason/);
  }
  assert.deepEqual(
    repo.eventsOf("claim.taken").map(({ session, kind }) => [session, kind]),
    [["ada", "bug"]],
  );
  assert.equal(repo.eventsOf("claim.refused").length, 1, "a retry loop does not fill the log");
});

test("given back, given up and done: it is free, or over; who had wanted it is told", async (t) => {
  for (const [how, told] of [
    [["--release"], /t, which session ada had claimed, is free: `git signalbox claim t`/],
    [["--stuck", "--reason", "no idea"], /t, which session ada had claimed, is free/],
    [["--done"], /session ada completed t: ok/],
  ] as const) {
    const { repo, all, as } = await sessions(t, "ada", "bob");
    const [ada, bob] = all;
    await as(ada, "claim", "t");
    assert.equal((await as(bob, "claim", "t", ...how)).code, 3, "not its claim to end");
    assert.equal((await as(bob, "claim", "t")).code, 3);
    assert.equal((await as(ada, "claim", "t", ...how)).code, 0);
    assert.deepEqual(await claimed(repo), {});
    assert.match((await bob!.prompt()).told, told);
    assert.equal((await as(bob, "claim", "t")).code, 0);
  }
});

test("a person claims nothing, and may end any claim: that is on record, and its claimant is told", async (t) => {
  const { repo, all, as } = await sessions(t, "ada");
  const [ada] = all;
  const { code, stderr } = await as(undefined, "claim", "t");
  assert.equal(code, 2);
  assert.match(stderr, /only a session/);
  await as(ada, "claim", "t");
  assert.equal((await as(undefined, "claim", "t", "--stuck")).code, 0);
  assert.deepEqual(await claimed(repo), {});
  assert.equal(repo.eventsOf("guard.bypassed").length, 1);
  assert.match(
    (await ada!.prompt()).told,
    /t is not claimed by you any more: it was given up by hand\. Your uncommitted changes are where they were/,
  );
});

test("a dead claimant holds nothing, and neither does one that said goodbye", async (t) => {
  const { repo, all, as } = await sessions(t, "ada", "bob", "cyd");
  const [ada, bob, cyd] = all;
  await as(ada, "claim", "t");
  await as(bob, "claim", "u");
  await as(cyd, "claim", "t");
  await as(cyd, "claim", "u");
  await ada!.kill();
  await bob!.end();
  assert.match(
    (await cyd!.prompt()).told,
    /t, which session ada had claimed, is free[\s\S]*u, which session bob|u, which session bob[\s\S]*t, which session ada/,
  );
  assert.deepEqual(await claimed(repo), {});
  assert.equal((await as(cyd, "claim", "t")).code, 0);
});

test("what a claimant who gave up has not committed is saved when another takes the task, and stays on disk", async (t) => {
  const { repo, all, as } = await sessions(t, "ada", "bob");
  const [ada, bob] = all;
  await as(ada, "claim", "t");
  await ada!.edit("a.txt");
  await bob!.edit("b.txt");
  await as(ada, "claim", "t", "--stuck");
  const { code, stderr } = await as(bob, "claim", "t");
  assert.equal(code, 0);
  assert.match(
    stderr,
    /what session ada, who had it before, has not committed here is saved: git signalbox rescue show ada\/1/,
  );
  assert.deepEqual(
    repo.eventsOf("work.rescued").map(({ session, paths }) => [session, paths]),
    [["ada", ["a.txt"]]],
  );
  assert.match(repo.read("a.txt"), /by ada/);
});

test("words that make no sense are refused", async (t) => {
  const { all, as } = await sessions(t, "ada");
  const [ada] = all;
  for (const args of [
    ["--release"],
    ["t", "--release", "--done"],
    ["t", "--done", "--outcome", "perhaps"],
    ["--sync"],
    ["t", "u"],
  ])
    assert.equal((await as(ada, "claim", ...args)).code, 2, args.join(" "));
  assert.equal((await as(ada, "claim", "t", "--release")).stdout, "nobody has claimed t\n");
});
