/** compact: history is archived, replay tells the same, hooks go on meanwhile. */
import assert from "node:assert/strict";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch } from "../support/repo/mod.ts";

test("what was is archived; the story, the state and the holders are as before; a second one finds little", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  for (let i = 0; i < 5; i += 1) await ada.edit(`f${i}.txt`);
  const story = (await repo.signalbox("replay")).stdout;
  const dry = JSON.parse((await repo.signalbox("compact", "--dry-run", "--json")).stdout) as Record<
    string,
    unknown
  >;
  assert.deepEqual([dry["kind"], dry["version"], dry["dryRun"]], ["signalbox.compact", 1, true]);
  const { code, stdout } = await repo.signalbox("compact");
  assert.equal(code, 0);
  assert.match(stdout, /^\d+ records archived, \d+ proven; the log takes \d+ (?:bytes|kB), was /);
  assert.equal(readdirSync(join(repo.boxDir, "log/arch")).length, 1);
  assert.ok((await repo.signalbox("replay")).stdout.startsWith(story.trimEnd()));
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  assert.match((await bob.ask("f0.txt")).denied ?? "", /reserved by session ada/);
  const [compacted] = repo.eventsOf("log.compacted");
  assert.ok((compacted?.archived ?? 0) > 5);
  assert.ok(Object.keys(compacted?.proof ?? {}).includes("reservations"), "each fold's hash is on record");
  assert.equal(compacted?.provenFrom, 1);
  await ada.edit("g.txt");
  assert.match((await repo.signalbox("compact")).stdout, /, \d+ more proven; /);
  assert.match((await repo.signalbox("compact", "--full")).stdout, /archived, \d+ proven; /);
  const [, second, third] = repo.eventsOf("log.compacted");
  assert.deepEqual([second?.provenFrom, third?.provenFrom], [(compacted?.through ?? 0) + 1, 1]);
});

test("a lease that ran out long ago is on record as such afterwards, a running one is not touched", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_LEASE_GRACE_SECONDS: "0" } });
  const ada = await repo.startSession("ada", { SIGNALBOX_LEASE_TTL_MINUTES: "0.05" });
  const bob = await repo.startSession("bob");
  await ada.edit("short.txt");
  await bob.edit("long.txt");
  const until = repo.eventsOf("reservation.granted")[0]?.until ?? 0;
  while (Date.now() <= until) await new Promise((done) => setTimeout(done, 50));
  await repo.signalbox("compact");
  assert.deepEqual(
    repo.eventsOf("reservation.expired").map((e) => e.targets),
    [[{ kind: "path", path: "short.txt" }]],
  );
});

test("edits go on while it runs, and several at once do no harm", async (t) => {
  const repo = await makeScratch(t);
  const sessions = await Promise.all(["a", "b", "c"].map((id) => repo.startSession(id)));
  const all = sessions.map(async (session) => {
    for (let i = 0; i < 6; i += 1)
      assert.equal((await session.edit(`${session.id}-${i}.txt`)).denied, undefined);
  });
  const compactions = await Promise.all([1, 2, 3].map(() => repo.signalbox("compact")));
  assert.deepEqual(
    compactions.map(({ code }) => code),
    [0, 0, 0],
  );
  await Promise.all(all);
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
  assert.equal(
    repo.eventsOf("file.written").length + readdirSync(join(repo.boxDir, "spool/wrote")).length >= 18,
    true,
  );
});

test("a history that does not fold to what the snapshot holds: nothing is deleted, exit 4, doctor is red", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("bob");
  for (let i = 0; i < 4; i += 1) await ada.ask(`f${i}.txt`);
  await repo.signalbox("compact");
  for (let i = 4; i < 8; i += 1) await ada.ask(`f${i}.txt`);
  // An archive that was changed and its checksums with it would be a lie; one that is damaged is found.
  const archives = join(repo.boxDir, "log/arch");
  const [name = ""] = readdirSync(archives);
  writeFileSync(join(archives, name), "garbage");
  const segments = readdirSync(join(repo.boxDir, "log/seg"));
  const { code, stderr } = await repo.signalbox("compact");
  assert.equal(code, 4, stderr);
  for (const segment of segments)
    assert.ok(readdirSync(join(repo.boxDir, "log/seg")).includes(segment), segment);
  assert.equal((await repo.signalbox("doctor")).code, 1);
});

test("a session's start begins one in the background when it is due, once; not when that is switched off", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_COMPACT_EVERY_RECORDS: "5" } });
  const ada = await repo.startSession("ada");
  await repo.startSession("eve", { SIGNALBOX_COMPACT_AUTO: "false" });
  for (let i = 0; i < 6; i += 1) await ada.ask(`f${i}.txt`);
  assert.equal(repo.eventsOf("log.compacted").length, 0);
  await repo.startSession("bob");
  while (repo.eventsOf("log.compacted").length === 0) await new Promise((done) => setTimeout(done, 50));
  for (let i = 6; i < 12; i += 1) await ada.ask(`f${i}.txt`);
  await ada.end();
  await repo.startSession("cyd");
  assert.equal(repo.eventsOf("log.compacted").length, 1, "not again within the hour");
  assert.equal((await repo.signalbox("replay", "--verify")).code, 0);
});
