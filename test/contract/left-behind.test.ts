/** A file that a session edited, never committed, and let go of: whoever edits it next is told, if they met. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeScratch } from "../support/repo/mod.ts";

const TOLD =
  /^signalbox: a\.txt was edited by session ada at \d\d:\d\d and has not been committed since; it is yours now\./;

test("its session was killed", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.kill();
  const { told, denied } = await bob.ask("a.txt");
  assert.equal(denied, undefined);
  assert.match(told, TOLD);
  assert.equal((await bob.ask("a.txt")).told, "", "once");
});

test("its session ended, a third one noticing nothing", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.end();
  await repo.startSession("cleo");
  assert.match((await bob.ask("a.txt")).told, TOLD);
});

test("its session let go of it by hand and is still there", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.git("signalbox", "release", "a.txt");
  assert.match((await bob.ask("a.txt")).told, TOLD);
});

test("nothing is said once it is committed", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.git("commit", "-qam", "ada");
  assert.equal((await bob.ask("a.txt")).told, "");
});

test("nothing is said to a session that began after it: one session at a time is nobody else's business", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  await ada.kill();
  const bob = await repo.startSession("bob");
  assert.equal((await bob.ask("a.txt")).told, "");
});
