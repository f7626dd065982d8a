/** `signalbox config`: show, get, set, unset, for this repository or for the user. */
import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { SETTINGS } from "../../src/app/settings.ts";
import { makeScratch } from "../support/repo/mod.ts";

const TTL = "lease.ttlMinutes";

test("all of them, with what they are for; one; as JSON with where it comes from", async (t) => {
  const repo = await makeScratch(t);
  const { stdout, code } = await repo.signalbox("config");
  assert.equal(code, 0);
  for (const [name, { doc, fallback }] of Object.entries(SETTINGS)) {
    assert.ok(stdout.includes(`${name} = ${JSON.stringify(fallback)}`), name);
    assert.ok(stdout.includes(doc), name);
  }
  assert.equal((await repo.signalbox("config", TTL)).stdout, "15\n");
  const json = JSON.parse((await repo.signalbox("config", "--json")).stdout) as Record<string, unknown>;
  assert.deepEqual([json["kind"], json["version"], json["problems"]], ["signalbox.config", 1, []]);
  assert.deepEqual((json["settings"] as Record<string, unknown>)[TTL], { value: 15, origin: "built-in" });
});

test("set, unset, --user: each in its own file, the repository's before the user's", async (t) => {
  const repo = await makeScratch(t);
  const local = join(repo.boxDir, "settings.json");
  const user = join(repo.env["XDG_CONFIG_HOME"]!, "signalbox/config.json");
  const get = async () => (await repo.signalbox("config", TTL)).stdout.trim();
  assert.deepEqual((await repo.signalbox("config", "--user", TTL, "5")).code, 0);
  assert.equal(await get(), "5");
  await repo.signalbox("config", TTL, "7");
  assert.equal(await get(), "7");
  assert.deepEqual(JSON.parse(readFileSync(local, "utf8")), { [TTL]: 7 });
  assert.deepEqual(JSON.parse(readFileSync(user, "utf8")), { [TTL]: 5 });
  await repo.signalbox("config", "--unset", TTL);
  assert.equal(await get(), "5");
  await repo.signalbox("config", "--unset", "--user", TTL);
  assert.equal(await get(), "15");
  assert.equal((await repo.signalbox("config", "--unset", TTL)).code, 0, "what is not set can be unset");
});

test("a set lease is what the next edit gets", async (t) => {
  const repo = await makeScratch(t);
  await repo.signalbox("config", TTL, "60");
  const ada = await repo.startSession("ada");
  await repo.startSession("bob");
  const before = Date.now();
  await ada.ask("a.txt");
  const until = repo.eventsOf("reservation.granted")[0]?.until ?? 0;
  assert.ok(until >= before + 60 * 60_000 && until <= Date.now() + 60 * 60_000);
});

test("bad names, values and schedules are usage errors, and change nothing", async (t) => {
  const repo = await makeScratch(t);
  for (const args of [
    ["no.such"],
    ["no.such", "1"],
    ["--unset", "no.such"],
    ["toString"],
    [TTL, "0"],
    [TTL, "soon"],
    [TTL, ""],
    ["log.sync", "always"],
    ["compact.schedule", "every day"],
    ["compact.schedule", "99 99 * * *"],
    [TTL, "5", "6"],
    ["--unset"],
    ["--unset", TTL, "5"],
  ]) {
    const { code, stdout, stderr } = await repo.signalbox("config", ...args);
    assert.deepEqual([code, stdout], [2, ""], args.join(" "));
    assert.match(stderr, /^signalbox: /);
  }
  assert.equal(existsSync(join(repo.boxDir, "settings.json")), false);
});

test("a broken file is said on every reading, and is not overwritten", async (t) => {
  const repo = await makeScratch(t);
  const local = join(repo.boxDir, "settings.json");
  writeFileSync(local, "{ broken");
  const shown = await repo.signalbox("config", TTL);
  assert.deepEqual([shown.code, shown.stdout], [1, "15\n"], "the default stands");
  assert.match(shown.stderr, /settings\.json: cannot be used: /);
  const set = await repo.signalbox("config", TTL, "5");
  assert.equal(set.code, 1);
  assert.match(set.stderr, /Cannot use .*settings\.json.*mend or remove it/);
  assert.equal(readFileSync(local, "utf8"), "{ broken");
});

test("other keys in the file stay, and so does a value that only a newer version knows", async (t) => {
  const repo = await makeScratch(t);
  const local = join(repo.boxDir, "settings.json");
  writeFileSync(local, '{"newer.setting": [1], "log.sync": "never"}');
  assert.equal((await repo.signalbox("config", TTL, "5")).code, 0);
  assert.deepEqual(JSON.parse(readFileSync(local, "utf8")), {
    "newer.setting": [1],
    "log.sync": "never",
    [TTL]: 5,
  });
});
