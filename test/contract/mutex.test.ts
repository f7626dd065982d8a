/** One holder at a time among processes, in the order they came. */
import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import test from "node:test";
import { mutexHolder, releaseMutex, takeMutex, takeMutexes } from "../../src/adapters/mutex.ts";
import { processes } from "../../src/adapters/process.ts";
import { exploreAll, exploreOne, World } from "../support/interleave.ts";
import { MutexPlace } from "../support/mutex-workers.ts";

const me = processes.identify(process.pid)!;
const mine = { session: "me", process: me, what: "commit" };
const once0 = { waitMs: 0 };

/** What another process, which is not this one, has. */
async function someone(t: { after: (fn: () => void) => void }) {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  t.after(() => void child.kill("SIGKILL"));
  const kill = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  return { claimant: { session: "other", process: processes.identify(child.pid!)!, what: "commit" }, kill };
}

function taken(dir: string, claimant = mine): string {
  const got = takeMutex(dir, claimant, processes, once0);
  assert.equal(got.kind, "taken");
  return got.kind === "taken" ? got.file : "";
}

test("free, taken, released: by its file's truncation, as a shell does it", (t) => {
  const { lock } = new MutexPlace(t);
  assert.equal(mutexHolder(lock, processes), undefined);
  const file = taken(lock);
  assert.equal(mutexHolder(lock, processes)?.session, "me");
  assert.equal(spawnSync("sh", ["-c", 'true >"$1"', "sh", file]).status, 0);
  assert.equal(mutexHolder(lock, processes), undefined);
  const again = taken(lock);
  assert.notEqual(again, file);
  releaseMutex(again);
  releaseMutex(again);
  releaseMutex("");
  assert.deepEqual(
    readdirSync(lock).filter((name) => name.startsWith("c-")),
    [],
    "nothing is left",
  );
});

test("a shell that takes it by a helper that ends: held as long as the shell lives", async (t) => {
  const place = new MutexPlace(t);
  const script = `node "$1" for "$2" $$; read line`;
  const shell = spawn("sh", ["-c", script, "sh", place.worker, place.dir], { env: place.env });
  const [told] = (await once(shell.stdout, "data")) as [Buffer];
  assert.equal((JSON.parse(String(told)) as { kind: string }).kind, "taken");
  assert.equal(mutexHolder(place.lock, processes)?.process.pid, shell.pid);
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "timeout");
  shell.kill("SIGKILL");
  await once(shell, "close");
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "taken", "at once");
});

test("one at a time, in the order they came; no update is lost", async (t) => {
  const place = new MutexPlace(t);
  const [workers, rounds] = [6, 60];
  const ended = await Promise.all(
    Array.from({ length: workers }, () => place.run(place.start("count", String(rounds)))),
  );
  assert.deepEqual(ended.map(({ stderr }) => stderr).filter(Boolean), []);
  assert.equal(readFileSync(join(place.dir, "counter"), "utf8"), String(workers * rounds));
  const entered = readFileSync(join(place.dir, "entered"), "utf8")
    .trim()
    .split("\n")
    .map((file) => basename(file));
  const lists = readdirSync(place.lock).filter((name) => name.startsWith("order-"));
  const came = lists
    .sort((a, b) => Number(a.slice(6)) - Number(b.slice(6)))
    .flatMap((name) => readFileSync(join(place.lock, name), "utf8").split("\n"))
    .map((line) => line.split(" ")[0]!)
    .filter((name) => name.startsWith("c-"));
  // Who had to go to the next list stands in both, and counts where it stands last.
  const order = came.filter((name, i) => came.lastIndexOf(name) === i);
  assert.deepEqual(entered, order, "nobody overtook anybody");
  assert.ok(lists.length > 1, "the list was turned over");
});

test("a live holder keeps it however old it looks; a dead one loses it at once", async (t) => {
  const place = new MutexPlace(t);
  const { file, kill } = await place.holder();
  for (const time of [0, 4e9]) {
    utimesSync(file, time, time);
    const got = takeMutex(place.lock, mine, processes, { waitMs: 120 });
    assert.equal(got.kind, "timeout");
    assert.equal(got.kind === "timeout" && got.holder?.file, file);
  }
  await kill();
  assert.equal(mutexHolder(place.lock, processes), undefined);
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "taken");
});

test("the dead in the queue are passed over, those who gave up too", async (t) => {
  const place = new MutexPlace(t);
  const { kill } = await place.holder();
  const waiting = [place.start("hold"), place.start("hold")];
  const impatient = place.start("for", String(process.pid), { WAIT_MS: "0" });
  await place.run(impatient);
  const claims = () => readdirSync(place.lock).filter((name) => name.startsWith("c-")).length;
  // In the list, not only made: one killed between the two is nobody's predecessor, and is swept later.
  const listed = () =>
    readFileSync(join(place.lock, "order-1"), "utf8")
      .split("\n")
      .filter((line) => line !== "").length;
  while (claims() < 3 || listed() < 4) await new Promise((done) => setTimeout(done, 5));
  for (const child of waiting) {
    child.kill("SIGKILL");
    await once(child, "close");
  }
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "timeout", "the holder lives");
  await kill();
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "taken");
  assert.equal(claims(), 1, "what they left is removed");
});

test("of another host, of before the last boot", (t) => {
  const { lock } = new MutexPlace(t);
  const [host, boot, namespace] = me.boot.split("/");
  const far = { ...mine, process: { ...me, boot: `elsewhere/${boot}/${namespace}` } };
  const file = taken(lock, far);
  assert.equal(takeMutex(lock, mine, processes, once0).kind, "timeout", "nobody can tell whether it lives");
  releaseMutex(file);
  taken(lock, { ...mine, process: { ...me, boot: `${host}/former/${namespace}` } });
  assert.equal(takeMutex(lock, mine, processes, once0).kind, "taken");
});

test("git within git: who runs under the lock has it", async (t) => {
  const { lock } = new MutexPlace(t);
  const { claimant } = await someone(t);
  const file = taken(lock, claimant);
  assert.equal(takeMutex(lock, claimant, processes, once0).kind, "held", "the same process");
  assert.equal(takeMutex(lock, mine, processes, { ...once0, inherited: file }).kind, "held", "a child of it");
  assert.equal(takeMutex(lock, mine, processes, once0).kind, "timeout");
  assert.equal(takeMutex(lock, mine, processes, { ...once0, inherited: `${file}x` }).kind, "timeout");
  const elsewhere = join(lock, "..", "elsewhere", basename(file));
  assert.equal(takeMutex(lock, mine, processes, { ...once0, inherited: elsewhere }).kind, "timeout");
  releaseMutex(file);
  const next = taken(lock, claimant);
  const outlived = takeMutex(lock, mine, processes, { ...once0, inherited: file });
  assert.equal(outlived.kind, "timeout", "a child that outlived it has nothing");
  releaseMutex(next);
  assert.equal(takeMutex(lock, mine, processes, { ...once0, inherited: file }).kind, "taken");
});

test("garbage: a live holder keeps it, a dead one loses it", async (t) => {
  const place = new MutexPlace(t);
  const list = join(place.lock, "order-1");
  mkdirSync(place.lock);
  writeFileSync(list, '\0\0\0\0{"half": a line\nc-1 {"waiter":1}\nc-2\nc-3 null\nc-4 {"session":"x"');
  for (const name of ["c-1", "c-2", "c-3", "c-4", "c-5", "order-x", "order-", "c-", "note.txt"]) {
    writeFileSync(join(place.lock, name), "\0garbage");
  }
  mkdirSync(join(place.lock, "order-0"));
  const { file, kill } = await place.holder();
  const free = () => takeMutex(place.lock, mine, processes, once0).kind === "taken";
  assert.ok(existsSync(file));
  assert.equal(free(), false);
  writeFileSync(file, "\0garbage");
  assert.equal(free(), false, "its own claim is garbage");
  writeFileSync(
    file,
    `h${/c-\S+ (.*)\n/.exec(readFileSync(list, "utf8").slice(readFileSync(list, "utf8").indexOf(basename(file))))![1]}`,
  );
  truncateSync(list);
  assert.equal(free(), false, "the list is empty");
  appendFileSync(list, "\nc-9 {");
  assert.equal(free(), false, "the list has half a line");
  await kill();
  assert.equal(free(), true);
});

test("a disk that cannot be written is an answer, and nothing is left of the claim", (t) => {
  const place = new MutexPlace(t);
  const file = join(place.dir, "file");
  writeFileSync(file, "");
  assert.equal(takeMutex(file, mine, processes, once0).kind, "unavailable");
  assert.equal(takeMutex(join(file, "below"), mine, processes, once0).kind, "unavailable");
  assert.equal(takeMutex("/proc/signalbox", mine, processes, once0).kind, "unavailable");
  releaseMutex(taken(place.lock));
  writeFileSync(join(place.lock, "order-1"), "x".repeat(4096));
  // A file may grow to 2 blocks: the claim can be written, the list cannot.
  const limited = spawnSync(
    "sh",
    ["-c", 'ulimit -f 2 && exec node "$1" for "$2" $$', "sh", place.worker, place.dir],
    { env: place.env, encoding: "utf8" },
  );
  assert.equal((JSON.parse(limited.stdout) as { kind: string }).kind, "unavailable");
  assert.deepEqual(readdirSync(place.lock), ["order-1"]);
  assert.equal(takeMutex(place.lock, mine, processes, once0).kind, "taken");
});

test("several: all or none, in one order whoever asks", async (t) => {
  const place = new MutexPlace(t);
  const [a, b, c] = ["a", "b", "c"].map((name) => join(place.dir, name)) as [string, string, string];
  const { claimant } = await someone(t);
  const theirs = taken(c, claimant);
  const none = takeMutexes([c, a, b], mine, processes, once0);
  assert.equal(none.failed?.kind, "timeout");
  assert.deepEqual(none.files, []);
  for (const dir of [a, b]) assert.equal(mutexHolder(dir, processes), undefined, "given back");
  releaseMutex(theirs);
  const all = takeMutexes([c, a, b, a, join(c, ".")], mine, processes, once0);
  assert.deepEqual(
    all.files.map((file) => basename(join(file, ".."))),
    ["a", "b", "c"],
  );
});

const ROOMY = { limit: 1 << 16, kept: 3 };
/** Every holder begins a new list, and none but the newest is kept. */
const TIGHT = { limit: 0, kept: 1 };
const settings = {
  "two, killed anywhere": { processes: 2, rounds: 1, kills: 2, lists: ROOMY },
  "three, one killed anywhere, one interruption": {
    processes: 3,
    rounds: 1,
    kills: 1,
    interruptions: 1,
    lists: ROOMY,
  },
  "two, twice each, new lists, two interruptions": {
    processes: 2,
    rounds: 2,
    kills: 0,
    interruptions: 2,
    lists: TIGHT,
  },
};
for (const [name, setting] of Object.entries(settings)) {
  test(`every order of steps: ${name}: never two in, and somebody goes on`, (t) => {
    const { states, ends, whole } = exploreAll(setting, 200_000);
    assert.ok(whole, "all of them were seen");
    assert.ok(ends > 0);
    t.diagnostic(`${states} states`);
  });
}

test("orders of steps at random: four processes, four times each, four kills", () => {
  let entered = 0;
  for (let i = 0; i < 1000; i += 1) {
    entered += exploreOne({ processes: 4, rounds: 4, kills: 4, lists: TIGHT }, Math.random).entered.length;
  }
  assert.ok(entered > 8000);
});

test("a list that was deleted, and is made anew by one who slept, counts for nobody", () => {
  const world = new World({ processes: 4, rounds: 4, kills: 0, lists: TIGHT });
  const [a, b, c] = [0, 1, 2];
  const holds = ({ state }: { state: string }) => state === "holds";
  const through = (who: number) => {
    const { round } = world.actors[who]!;
    world.run(who, (actor) => actor.state === "done" || actor.round > round);
  };
  through(a);
  world.run(c, ({ seen }) => seen.includes("sealed"));
  assert.ok(!world.files.has("order-2"), "c is about to make it");
  world.run(a, holds);
  world.run(b, ({ seen }) => seen.includes("order-2"));
  through(a);
  through(a);
  assert.ok(!world.files.has("order-2"), "deleted");
  world.take({ who: c, what: "step" });
  assert.ok(world.files.has("order-2"), "made anew");
  // The worst moment: a has looked around, and b is not in yet.
  world.run(a, ({ seen }) => (seen.match(/order-4/g) ?? []).length >= 2);
  for (const _ of ["order-4", "order-3", "b's claim", "c's claim"]) world.take({ who: a, what: "step" });
  const until = (who: number) =>
    world.run(who, (actor) => holds(actor) || actor.sleepsSince === world.changes);
  until(b);
  until(a);
  assert.equal(world.actors[a]!.state, "holds");
});
