/** `handoff`: asking for what another has, and the answer. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";
import { claimed } from "../support/tracker/mod.ts";

async function two(t: TestContext) {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const as = (who: FakeSession | undefined, ...args: string[]) =>
    repo.signalboxAs({ env: who?.env ?? repo.env }, ...args);
  return { repo, ada, bob, as };
}

const held = async (repo: ScratchRepo): Promise<Record<string, string[]>> => {
  const { sessions } = JSON.parse((await repo.signalbox("status", "--json")).stdout) as {
    sessions: { id: string; holds: { target: string }[] }[];
  };
  return Object.fromEntries(sessions.map(({ id, holds }) => [id, holds.map((h) => h.target).sort()]));
};

test("a task: asked for, told, handed over with the files taken for it, in one event", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await ada.edit("c.txt");
  await as(ada, "claim", "t");
  await ada.edit("a.txt");
  await ada.edit("b.txt");
  const asked = await as(bob, "handoff", "request", "t", "--reason", "I know that part");
  assert.equal(asked.code, 0);
  assert.match(asked.stdout, /^h1: asked session ada for t\./);
  assert.match(
    (await ada.prompt()).told,
    /session bob asks for t: I know that part; answer: `git signalbox handoff accept h1`/,
  );
  assert.deepEqual([(await as(bob, "handoff", "accept", "h1")).code, await claimed(repo)], [2, { t: "ada" }]);
  assert.equal((await as(ada, "handoff", "accept")).stdout, "h1: t with a.txt, b.txt handed over\n");
  assert.deepEqual(await claimed(repo), { t: "bob" });
  assert.deepEqual(await held(repo), { ada: ["c.txt"], bob: ["a.txt", "b.txt"] });
  assert.match((await bob.prompt()).told, /session ada handed t over to you/);
  assert.equal(repo.eventsOf("handoff.accepted").length, 1);
  assert.notEqual((await ada.ask("a.txt")).denied, undefined);
  assert.equal((await as(ada, "handoff", "accept", "h1")).code, 2, "answered once");
  await bob.mustGit("commit", "-qam", "what ada had begun");
  assert.deepEqual(await repo.pathsOf(), ["a.txt", "b.txt"]);
});

test("who is asked hears of it at its next hook, in the middle of a turn; once", async (t) => {
  for (const next of [
    (who: FakeSession) => who.ask("a.txt"),
    (who: FakeSession) => who.bash("make", "post-bash"),
  ]) {
    const { ada, bob, as } = await two(t);
    await as(ada, "claim", "t");
    assert.equal((await next(ada)).told, "");
    await as(bob, "handoff", "request", "t", "--reason", "x");
    assert.match((await next(ada)).told, /session bob asks for t: x; answer: /);
    assert.equal((await next(ada)).told, "");
    await as(ada, "handoff", "accept");
    assert.match((await bob.ask("b.txt")).told, /session ada handed t over to you/);
  }
});

test("a rejection is final for that request, with its reason; another may be made", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await as(ada, "claim", "t");
  await as(bob, "handoff", "request", "t", "--reason", "mine");
  assert.equal((await as(ada, "handoff", "reject")).code, 2, "without a reason");
  assert.equal((await as(ada, "handoff", "reject", "h1", "--reason", "nearly done")).code, 0);
  assert.equal((await as(ada, "handoff", "accept", "h1")).code, 2);
  assert.match((await bob.prompt()).told, /session ada keeps t: nearly done/);
  assert.match((await as(bob, "handoff", "request", "t", "--reason", "now?")).stdout, /^h2: /);
  assert.deepEqual(await claimed(repo), { t: "ada" });
});

test("files: of each holder its own request; only what is named is handed over", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  const cyd = await repo.startSession("cyd");
  await ada.edit("a.txt");
  await ada.edit("b.txt");
  await bob.edit("c.txt");
  const { stdout } = await as(
    cyd,
    "handoff",
    "request",
    "a.txt",
    "b.txt",
    "c.txt",
    "--reason",
    "all",
    "--json",
  );
  const { requests } = JSON.parse(stdout) as { requests: { id: string; to: string; what: string }[] };
  assert.deepEqual(
    requests.map(({ id, to, what }) => [id, to, what]),
    [
      ["h1", "ada", "a.txt, b.txt"],
      ["h2", "bob", "c.txt"],
    ],
  );
  assert.equal((await as(ada, "handoff", "accept", "--only", "a.txt")).code, 0);
  assert.equal((await as(bob, "handoff", "accept", "h2")).code, 0);
  assert.deepEqual(await held(repo), { ada: ["b.txt"], bob: [], cyd: ["a.txt", "c.txt"] });
});

test("what is nobody's, and what is one's own, is a usage answer that says what to do", async (t) => {
  const { ada, as } = await two(t);
  const free = await as(ada, "handoff", "request", "t", "--reason", "x");
  assert.equal(free.code, 2);
  assert.match(free.stderr, /t is free: git signalbox claim t/);
  assert.match(
    (await as(ada, "handoff", "request", "a.txt", "--reason", "x")).stderr,
    /free: git signalbox reserve a\.txt/,
  );
  await as(ada, "claim", "t");
  assert.match((await as(ada, "handoff", "request", "t", "--reason", "x")).stderr, /yours already/);
  assert.equal((await as(ada, "handoff", "request", "t")).code, 2, "without a reason");
  assert.equal((await as(ada, "handoff", "steal")).code, 2);
});

test("asked twice it is one request; withdrawn, or its matter gone, it is over and both know", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await as(ada, "claim", "t");
  for (let i = 0; i < 2; i += 1)
    assert.match((await as(bob, "handoff", "request", "t", "--reason", "x")).stdout, /^h1: /);
  assert.equal((await as(bob, "handoff", "withdraw")).code, 0);
  assert.equal((await as(ada, "handoff", "accept")).code, 2);
  assert.equal((await ada.prompt()).told, "", "nothing to answer any more");
  await as(bob, "handoff", "request", "t", "--reason", "x");
  await as(ada, "claim", "t", "--done");
  assert.match((await bob.prompt()).told, /your request to session ada for t is over: it was completed: ok/);
  assert.equal((await as(bob, "handoff", "list")).stdout, "no request is open\n");
  assert.equal(repo.eventsOf("handoff.lapsed").length, 2);
});

test("no answer in time: a holder at work keeps it, one that does nothing loses it to who asked", async (t) => {
  const waited = async (stallMinutes: string) => {
    const repo = await makeScratch(t);
    await repo.signalbox("config", "claim.stallMinutes", stallMinutes);
    await repo.signalbox("config", "handoff.answerMinutes", "0.05");
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await repo.signalboxAs({ env: ada.env }, "claim", "t");
    await repo.signalboxAs({ env: bob.env }, "handoff", "request", "t", "--reason", "x");
    await new Promise((done) => setTimeout(done, 3300));
    return { bob: (await bob.prompt()).told, ada: (await ada.prompt()).told, now: await claimed(repo) };
  };
  const [working, idle] = await Promise.all([waited("60"), waited("0.05")]);
  assert.match(working.bob, /is over: no answer; its holder is at work/);
  assert.deepEqual(working.now, { t: "ada" });
  assert.match(idle.bob, /is over: its holder does not work on it; it is yours now/);
  assert.match(idle.ada, /t is not claimed by you any more: you have edited nothing for it/);
  assert.deepEqual(idle.now, { t: "bob" });
});

test("both parties may die at any point", async (t) => {
  const { repo, ada, bob, as } = await two(t);
  await as(ada, "claim", "t");
  await as(bob, "handoff", "request", "t", "--reason", "x");
  await ada.kill();
  assert.match((await bob.prompt()).told, /it is yours now/);
  assert.deepEqual(await claimed(repo), { t: "bob" });
  const cyd = await repo.startSession("cyd");
  await as(cyd, "handoff", "request", "t", "--reason", "x");
  await cyd.kill();
  assert.equal((await as(bob, "handoff", "accept")).code, 2);
  assert.deepEqual(await claimed(repo), { t: "bob" });
});
