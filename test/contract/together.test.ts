/** One session, two, and back, through the installed hooks: what alone costs, and what counts from the start. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

const switches = (repo: ScratchRepo) =>
  repo.eventsOf("policy.switched").flatMap((e) => (e.policy === "coordination" ? [e.to] : []));
const reserved = (repo: ScratchRepo) =>
  repo.eventsOf("reservation.granted").flatMap((e) => e.targets.map((t) => ("path" in t ? t.path : t.glob)));

test("alone: an edit starts no runtime, reserves nothing and says nothing", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const events = repo.events().length;
  const { starts } = repo.countStarts();
  for (const tool of ["Edit", "Write", "MultiEdit"])
    assert.equal((await ada.edit("a.txt", "x", tool)).stdout, "");
  assert.equal((await ada.read("a.txt")).stdout, "");
  assert.deepEqual(starts(), []);
  assert.equal(repo.events().length, events);
});

test("the second session finds reserved what the first has edited alone, and the first is coordinated from then on", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  for (let i = 0; i < 3; i += 1) await ada.edit("a.txt");
  await ada.ask("asked.txt");
  const bob = await repo.startSession("bob");
  assert.deepEqual(switches(repo), ["together"]);
  assert.equal(
    repo.eventsOf("file.written").length,
    4,
    "each once: what was announced has been reported since",
  );
  for (const file of ["a.txt", "asked.txt"])
    assert.match((await bob.ask(file)).denied ?? "", /reserved by session ada/, file);
  await bob.edit("b.txt");
  assert.match((await ada.ask("b.txt")).denied ?? "", /reserved by session bob/);
});

test("what was committed alone, or by a session that has ended, is free", async (t) => {
  const repo = await makeScratch(t, { files: { "a.txt": "1\n" } });
  const eve = await repo.startSession("eve");
  await eve.edit("e.txt");
  await eve.end();
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  await ada.mustGit("commit", "-qm", "mine", "--", "a.txt");
  const bob = await repo.startSession("bob");
  assert.deepEqual(reserved(repo), []);
  for (const file of ["a.txt", "e.txt"]) assert.equal((await bob.ask(file)).denied, undefined, file);
});

test("they begin at the same moment: one of two who edit one file is refused, whoever was alone", async (t) => {
  const repo = await makeScratch(t);
  for (let round = 0; round < 12; round += 1) {
    const ada = await repo.startSession(`ada${round}`);
    const bob = repo.session(`bob${round}`);
    const file = `f${round}.txt`;
    const [first] = await Promise.all([ada.ask(file), bob.start()]);
    const second = await bob.ask(file);
    assert.notEqual(first.denied === undefined, second.denied === undefined, `round ${round}`);
    await Promise.all([ada.end(), bob.end()]);
  }
});

test("back to one: on for the dwell time, then off with the next edit, which costs nothing from then on", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_COORDINATION_DWELL_MINUTES: "0.05" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await bob.end();
  await ada.edit("a.txt");
  assert.deepEqual([switches(repo), reserved(repo)], [["together"], ["a.txt"]]);
  const until = (repo.events().length, Date.now() + 3100);
  while (Date.now() < until) await new Promise((done) => setTimeout(done, 100));
  await ada.edit("b.txt");
  assert.deepEqual(switches(repo), ["together", "alone"]);
  assert.equal(existsSync(join(repo.boxDir, "views/together")), false);
  const { starts } = repo.countStarts();
  await ada.edit("c.txt");
  assert.deepEqual(starts(), []);
});

test("a thousand edits alone leave a bounded spool, and all of it counts when another comes", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  for (let i = 0; i < 300; i += 10)
    await Promise.all(Array.from({ length: 10 }, (_, j) => ada.ask(`f${i + j}.txt`)));
  const wrote = join(repo.boxDir, "spool/wrote");
  const bytes = readdirSync(wrote).reduce((sum, name) => sum + statSync(join(wrote, name)).size, 0);
  assert.ok(bytes <= 300 * 8192);
  const bob = await repo.startSession("bob");
  assert.equal(readdirSync(wrote).length, 0);
  for (const i of [0, 150, 299]) assert.notEqual((await bob.ask(`f${i}.txt`)).denied, undefined, `f${i}`);
});
