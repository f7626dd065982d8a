/** Processes that take the mutex again and again, and are killed -9 wherever they are. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { mutexHolder, takeMutex } from "../../src/adapters/mutex.ts";
import { processes } from "../../src/adapters/process.ts";
import { MutexPlace } from "../support/mutex-workers.ts";

const KILLS = Math.ceil(Number(process.env["SIGNALBOX_KILLS"] ?? 2000) / 5);
const AT_ONCE = 6;

test(`${KILLS} kills of holders and waiters: never two in, and always to be had again`, async (t) => {
  const place = new MutexPlace(t);
  const told: number[] = [];
  const problems: string[] = [];
  let kills = 0;

  const life = async () => {
    const child = place.start("count");
    const kill = () => void child.kill("SIGKILL");
    // Some before they have said anything: while they queue for the first time.
    const early = Math.random() < 0.3 ? setTimeout(kill, 30 + Math.random() * 60) : undefined;
    const { signal, stdout, stderr } = await place.run(child, () => setTimeout(kill, Math.random() * 60));
    clearTimeout(early);
    if (signal === "SIGKILL") kills += 1;
    else problems.push(stderr);
    told.push(...stdout.split("\n").slice(0, -1).map(Number));
  };
  const loop = async (): Promise<void> => {
    while (kills < KILLS && problems.length === 0) await life();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, loop));

  assert.deepEqual(problems, []);
  assert.equal(new Set(told).size, told.length, "no number was given twice");
  assert.ok(told.length > KILLS / 2, `most of them were in: ${told.length}`);
  assert.ok(Number(readFileSync(join(place.dir, "counter"), "utf8")) >= told.length, "no update was lost");
  assert.equal(mutexHolder(place.lock, processes), undefined, "who is dead holds nothing");
  const me = { session: "me", process: processes.identify(process.pid)!, what: "commit" };
  assert.equal(takeMutex(place.lock, me, processes, { waitMs: 0 }).kind, "taken", "at once, without waiting");
  const left = readdirSync(place.lock);
  assert.ok(
    left.filter((name) => name.startsWith("order-")).length <= 4,
    `lists are bounded: ${left.join(" ")}`,
  );
  t.diagnostic(`${kills} kills, ${told.length} times in, ${left.length} files left`);
});
