import type { ChildProcess } from "node:child_process";
import { closeSync, mkdirSync, openSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { childProcess } from "./child-process.ts";
import { cleanGitEnv } from "./git/run.ts";

/** A job that ended badly, or still runs, is not started again sooner (ms). */
const AGAIN_AFTER_MS = 60 * 60_000;
/** Leavings are swept at least so often where sessions come and go, whether there is history to archive or not. */
const SWEPT_EVERY_MS = 24 * 60 * 60_000;

const markIn = (boxDir: string) => join(boxDir, "cache", "compaction-started");

/** When the last compaction began (ms since 1970), whoever started it. */
export function lastRun(boxDir: string): number | undefined {
  return statSync(markIn(boxDir), { throwIfNoEntry: false })?.mtimeMs;
}

/** Notes that one begins, for all three who start one: hooks, `signalbox schedule`, the machine's scheduler. */
export function noteRun(boxDir: string, at = Date.now()): void {
  const mark = markIn(boxDir);
  mkdirSync(dirname(mark), { recursive: true });
  closeSync(openSync(mark, "a"));
  utimesSync(mark, new Date(at), new Date(at));
}

/**
 * Starts a compaction that nobody waits for: no input or output of the caller's, its own process group. A hook that
 * finds one due loses the time of a fork.
 *
 * @param isDue whether there is history to archive
 * @returns whether it was started now
 */
export function startCompaction(boxDir: string, isDue: () => boolean): boolean {
  const last = lastRun(boxDir);
  const age = Date.now() - (last ?? 0);
  if (age < AGAIN_AFTER_MS) return false;
  const swept = last === undefined || age < SWEPT_EVERY_MS;
  const starts = !swept || isDue();
  // The first look at a repository begins its first day.
  if (!starts && last !== undefined) return false;
  noteRun(boxDir, starts ? Date.now() : Date.now() - AGAIN_AFTER_MS);
  if (!starts) return false;
  const child = runCompaction(boxDir, "ignore");
  // There is nobody to tell; doctor sees what does not go away.
  child.on("error", () => undefined);
  child.unref();
  return true;
}

/** Starts a compaction in its own process group, so that a terminal's Ctrl-C does not reach it. */
export function runCompaction(boxDir: string, output: "ignore" | "inherit" = "inherit"): ChildProcess {
  return childProcess().spawn(join(boxDir, "bin", "signalbox"), ["compact", "--due"], {
    cwd: dirname(boxDir),
    detached: true,
    stdio: ["ignore", output, output],
    env: cleanGitEnv(),
  });
}
