/** One install at a time in a repository; a lock whose process is proven gone is nobody's. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Processes } from "../../app/ports.ts";
import type { ProcessId } from "../../domain/sessions.ts";
import { InstallProblem } from "../../app/install/model.ts";
import { linkNew, pause } from "./files.ts";
import type { Io } from "./io.ts";

const LOCK = "signalbox-install.lock";
const TRIES = 300;
const WAIT_MS = 100;

/** Runs `body` while no other install or uninstall runs. @throws InstallProblem if another one does not end */
export function withInstallLock<T>(io: Io, processes: Processes, commonDir: string, body: () => T): T {
  const lock = join(commonDir, LOCK);
  // Not swept with other temporary files: it is there while its process waits.
  const mine = `${lock}.${process.pid}`;
  const own: ProcessId = processes.identify(process.pid) ?? { pid: process.pid, start: "", boot: "" };
  io.remove(mine);
  io.create(mine, Buffer.from(JSON.stringify(own)), 0o644);
  try {
    take(io, processes, mine, lock);
  } finally {
    io.remove(mine);
  }
  try {
    sweep(io, processes, commonDir, own);
    return body();
  } finally {
    try {
      io.remove(lock);
    } catch {
      // What was to be done is done; a lock whose process has ended holds nobody up.
    }
  }
}

/** Removes what others left that were killed while they waited. */
function sweep(io: Io, processes: Processes, commonDir: string, { boot }: ProcessId): void {
  for (const name of readdirSync(commonDir)) {
    if (!name.startsWith(`${LOCK}.`)) continue;
    // One that was killed before it had written who it is: its name says so.
    const nameless = { pid: Number.parseInt(name.slice(LOCK.length + 1), 10), start: "", boot };
    if (processes.isGone(ownerOf(join(commonDir, name)) ?? nameless)) io.remove(join(commonDir, name));
  }
}

function take(io: Io, processes: Processes, mine: string, lock: string): void {
  for (let i = 0; i < TRIES; i += 1) {
    // Whole or not there at all: a lock that is killed half made would name no owner.
    if (linkNew(io, mine, lock)) return;
    const owner = ownerOf(lock);
    if (owner !== undefined && processes.isGone(owner)) dislodge(io, lock, owner);
    else pause(WAIT_MS);
  }
  throw new InstallProblem(
    `another signalbox init or uninstall (pid ${ownerOf(lock)?.pid ?? "?"}) is at work here; if none is, remove ${lock}`,
  );
}

/** Takes a dead one's lock away; if it was a living one's by then, it is put back. */
function dislodge(io: Io, lock: string, dead: ProcessId): void {
  const aside = `${lock}.${process.pid}.dead`;
  try {
    io.rename(lock, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
    throw error;
  }
  const taken = ownerOf(aside);
  if (taken !== undefined && (taken.pid !== dead.pid || taken.start !== dead.start)) {
    // False: a third one has it already.
    linkNew(io, aside, lock);
  }
  io.remove(aside);
}

function ownerOf(lock: string): ProcessId | undefined {
  try {
    return JSON.parse(readFileSync(lock, "utf8")) as ProcessId;
  } catch {
    return undefined;
  }
}
