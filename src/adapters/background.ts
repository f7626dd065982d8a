import { closeSync, mkdirSync, openSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { childProcess } from "./child-process.ts";
import { cleanGitEnv } from "./git/run.ts";

/** A job that ended badly, or still runs, is not started again sooner (ms). */
const AGAIN_AFTER_MS = 60 * 60_000;
/** Leavings are swept at least so often where sessions come and go, whether there is history to archive or not. */
const SWEPT_EVERY_MS = 24 * 60 * 60_000;

/**
 * Starts a compaction that nobody waits for: no input or output of the caller's, its own process group. A hook that
 * finds one due loses the time of a fork.
 *
 * @param isDue whether there is history to archive
 * @returns whether it was started now
 */
export function startCompaction(boxDir: string, isDue: () => boolean): boolean {
  const mark = join(boxDir, "cache", "compaction-started");
  const last = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
  const age = Date.now() - (last ?? 0);
  if (age < AGAIN_AFTER_MS) return false;
  const swept = last === undefined || age < SWEPT_EVERY_MS;
  const starts = !swept || isDue();
  // The first look at a repository begins its first day.
  if (!starts && last !== undefined) return false;
  mkdirSync(dirname(mark), { recursive: true });
  closeSync(openSync(mark, "a"));
  const at = new Date(starts ? Date.now() : Date.now() - AGAIN_AFTER_MS);
  utimesSync(mark, at, at);
  if (!starts) return false;
  const child = childProcess().spawn(join(boxDir, "bin", "signalbox"), ["compact", "--due"], {
    cwd: dirname(boxDir),
    detached: true,
    stdio: "ignore",
    env: cleanGitEnv(),
  });
  // There is nobody to tell; doctor sees what does not go away.
  child.on("error", () => undefined);
  child.unref();
  return true;
}
