/** `signalbox demo`: the main job, told; nothing is left behind. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch } from "../support/repo/mod.ts";

test("the demo shows the refusals, both commits and the replay, and leaves nothing behind", async (t) => {
  const repo = await makeScratch(t, { install: false });
  const tmp = join(repo.dir, "tmp");
  const { code, stdout, stderr } = await repo.signalboxAs({ cwd: tmp }, "demo");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout, /reserved by session demo-ada since/);
  assert.match(stdout, /left out: api\.ts \(session demo-ada/);
  assert.match(stdout, /git reset --hard\n +signalbox: api\.ts \(session demo-ada/);
  assert.match(stdout, /Bob: ui" on main: ui\.ts\n[^]*Ada: api" on main: api\.ts\n/);
  assert.match(stdout, /chain and checksums hold/);
  assert.deepEqual(readdirSync(tmp), []);
  assert.deepEqual(readdirSync(join(repo.dir, "home")), []);
});

test("it works where tools set variables that would lead it astray", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const count = repo.events().length;
  const env = {
    ...ada.env,
    GIT_DIR: join(repo.top, ".git"),
    GIT_INDEX_FILE: join(repo.top, ".git/index"),
    SIGNALBOX: "0",
  };
  const { code } = await repo.signalboxAs({ env }, "demo");
  assert.equal(code, 0);
  assert.equal(repo.events().length, count, "this repository is not touched");
});
