/**
 * A process that takes the mutex: `node mutex-worker.cjs <mode> <dir> [rounds]`, `<dir>/lock` is the mutex.
 *
 * - `count`: takes it, adds one to `<dir>/counter` in a way that only works alone, says so, releases it; again.
 * - `hold`: takes it, says the file's name, and keeps it until it is killed.
 * - `for`: takes it once for the process with the pid that `rounds` is, and says what it got: as the shim does it.
 */
import { appendFileSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { releaseMutex, takeMutex } from "../../src/adapters/mutex.ts";
import { processes } from "../../src/adapters/process.ts";

const [mode = "", dir = "", argument = ""] = process.argv.slice(2);
const me = processes.identify(process.pid)!;
const pause = new Int32Array(new SharedArrayBuffer(4));
const at = (name: string) => join(dir, name);
const say = (text: string) => void writeSync(1, `${text}\n`);

// A clock that jumps is no reason for anything.
const real = Date.now;
Date.now = () => real() + (Math.random() - 0.5) * 1e11;

function take(holder = me) {
  const claimant = { session: `s${process.pid}`, process: holder, what: "commit" };
  return takeMutex(at("lock"), claimant, processes, {
    waitMs: Number(process.env["WAIT_MS"] ?? 50_000),
    inherited: process.env["SIGNALBOX_LOCK"],
  });
}

const MODES: Record<string, () => void> = {
  count() {
    const rounds = argument === "" ? Infinity : Number(argument);
    for (let i = 0; i < rounds; i += 1) {
      const taken = take();
      if (taken.kind !== "taken") throw new Error(JSON.stringify(taken));
      const id = `${process.pid} ${i}`;
      const alone = (when: string) => {
        const inside = readFileSync(at("inside"), "utf8");
        if (inside !== id) throw new Error(`two are in: ${inside} beside ${id}, ${when}`);
      };
      writeFileSync(at("inside"), id);
      appendFileSync(at("entered"), `${taken.file}\n`);
      const count = Number(readFileSync(at("counter"), "utf8"));
      Atomics.wait(pause, 0, 0, Math.random() * 3);
      alone("before it counted");
      // Killed in between, it must not have emptied the counter.
      writeFileSync(at("counter.next"), `${count + 1}`);
      renameSync(at("counter.next"), at("counter"));
      alone("after it counted");
      say(`${count + 1}`);
      releaseMutex(taken.file);
      if (Math.random() < 0.3) Atomics.wait(pause, 0, 0, Math.random() * 3);
    }
  },
  hold() {
    const taken = take();
    say(taken.kind === "taken" ? taken.file : JSON.stringify(taken));
    Atomics.wait(pause, 0, 0);
  },
  for() {
    say(JSON.stringify(take(processes.identify(Number(argument))!)));
  },
};

MODES[mode]?.();
