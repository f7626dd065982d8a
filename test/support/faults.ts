/** Lets a process die, or its disk fail, at one of its own operations: files and the git it starts. */
import childProcess from "node:child_process";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";

/** Thrown by the operation at which the process "dies", and by every later one: no `finally` undoes anything. */
export class Killed extends Error {
  override readonly name = "Killed";
}

const CHANGING = [
  "appendFileSync",
  "chmodSync",
  "copyFileSync",
  "fdatasyncSync",
  "fsyncSync",
  "ftruncateSync",
  "linkSync",
  "mkdirSync",
  "renameSync",
  "rmSync",
  "rmdirSync",
  "symlinkSync",
  "truncateSync",
  "unlinkSync",
  "utimesSync",
  "writeFileSync",
  "writeSync",
] as const;
const READING = ["openSync", "readFileSync", "readSync", "readdirSync", "statSync", "lstatSync"] as const;

export type Fault = "kill" | "ENOSPC" | "EIO";

/**
 * Runs `action` with a fault at its `at`-th operation (from 1).
 *
 * @returns whether there were so many, and what `action` threw
 */
export function faulty(fault: Fault, at: number, action: () => void): { hit: boolean; error: unknown } {
  const names: readonly string[] = fault === "EIO" ? [...CHANGING, ...READING] : CHANGING;
  const real = fs as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = new Map(names.map((name) => [name, real[name]!]));
  const spawn = childProcess.spawnSync;
  let count = 0;
  let dead = false;
  const step = () => {
    if (dead) throw new Killed();
    count += 1;
    if (count !== at) return;
    if (fault === "kill") {
      dead = true;
      throw new Killed();
    }
    throw Object.assign(new Error(`${fault}: injected`), { code: fault, errno: -5 });
  };
  for (const [name, original] of originals)
    real[name] = (...args) => {
      step();
      return original(...args);
    };
  const started = (...args: unknown[]) => {
    // A full disk does not keep a process from starting, and what git does about it is git's.
    if (fault === "kill") step();
    else if (dead) throw new Killed();
    return (spawn as (...all: unknown[]) => unknown)(...args);
  };
  childProcess.spawnSync = started as typeof spawn;
  syncBuiltinESMExports();
  try {
    action();
    return { hit: count >= at, error: undefined };
  } catch (error) {
    return { hit: count >= at, error };
  } finally {
    for (const [name, original] of originals) real[name] = original;
    childProcess.spawnSync = spawn;
    syncBuiltinESMExports();
  }
}
