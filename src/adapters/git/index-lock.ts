/**
 * Git's own lock of an index, `<index>.lock`, taken by us: while it stands no git writes that index.
 *
 * Ours says whose it is (`signalbox <pid> <start> <boot>`), so that one whose process died can be told and broken.
 * It comes into being with its content (link(2)), and breaking it is itself done under a lock, one for each lock
 * broken, so that nobody ever removes one that was taken in the meantime.
 */
import { linkSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { processes } from "../process.ts";

export interface IndexLock {
  /** It is still there: nobody has taken it for stale. */
  readonly isHeld: () => boolean;
  readonly release: () => void;
}

export interface LockOptions {
  /** How long to wait for somebody who holds it (ms). */
  readonly waitMs: number;
  /** Whether a lock that is not ours (git's) was left behind by a process that is gone. */
  readonly isStale?: ((lockFile: string) => boolean) | undefined;
}

/** Takes the lock; `undefined` if somebody else holds it all the time. */
export function lockIndex(file: string, options: LockOptions): IndexLock | undefined {
  const until = performance.now() + options.waitMs;
  for (let pauseMs = 1; ; pauseMs = Math.min(2 * pauseMs, 25)) {
    const taken = tryLock(file);
    if (taken !== undefined) return taken;
    if (breakStale(file, options.isStale)) continue;
    const leftMs = until - performance.now();
    if (leftMs <= 0) return undefined;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(pauseMs, leftMs));
  }
}

/** Removes a lock whose holder is gone. True if it is not there any more. */
export function breakStale(file: string, isStale?: (lockFile: string) => boolean): boolean {
  const seen = stampOf(file);
  if (seen === undefined) return true;
  if (!isLeft(file, isStale)) return false;
  const breaking = `${file}.break-${seen}`;
  const own = tryLock(breaking) ?? (breakStale(breaking) ? tryLock(breaking) : undefined);
  if (own === undefined) return false;
  try {
    if (stampOf(file) === seen) rmSync(file, { force: true });
    return true;
  } finally {
    own.release();
  }
}

function isLeft(file: string, isStale: ((lockFile: string) => boolean) | undefined): boolean {
  let text: string;
  try {
    text = readFileSync(file, "latin1").slice(0, 400);
  } catch {
    return false;
  }
  const [, pid, start, boot] = /^signalbox (\d+) (.*) (\S+)\n$/.exec(text) ?? [];
  if (pid === undefined) return isStale?.(file) ?? false;
  return processes.isGone({ pid: Number(pid), start: start!, boot: boot! });
}

function tryLock(file: string): IndexLock | undefined {
  const self = processes.identify(process.pid);
  const text = `signalbox ${process.pid} ${self?.start ?? ""} ${self?.boot ?? "?"}\n`;
  const temporary = `${file}.signalbox-${process.pid}`;
  // One that a process of the same number left may be linked to a lock by now.
  rmSync(temporary, { force: true });
  writeFileSync(temporary, text);
  try {
    linkSync(temporary, file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return undefined;
    // A file system without hard links: for a moment the lock is there without its content.
    if (!createAlone(file, text)) return undefined;
  } finally {
    discard(temporary);
  }
  const own = stampOf(file);
  const isHeld = () => own !== undefined && stampOf(file) === own;
  return {
    isHeld,
    release() {
      if (isHeld()) rmSync(file, { force: true });
    },
  };
}

/** Failing here would leave a lock that nobody has a handle of; a second name of it holds nobody up. */
function discard(temporary: string): void {
  try {
    rmSync(temporary, { force: true });
  } catch {}
}

function createAlone(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx" });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Tells a file from one that took its name later. */
function stampOf(file: string): string | undefined {
  const stat = statSync(file, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? undefined : `${stat.ino}-${stat.mtimeNs}`;
}
