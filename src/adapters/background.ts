import { closeSync, mkdirSync, openSync, statSync, utimesSync } from "node:fs";
import { dirname, join } from "node:path";
import { childProcess } from "./child-process.ts";
import { cleanGitEnv } from "./git/run.ts";

/** A job that ended badly, or still runs, is not started again sooner (ms). */
const AGAIN_AFTER_MS = 60 * 60_000;

/**
 * Starts a compaction that nobody waits for: no input or output of the caller's, its own process group. A hook that
 * finds one due loses the time of a fork.
 *
 * @returns whether it was started now
 */
export function startCompaction(boxDir: string): boolean {
  const mark = join(boxDir, "cache", "compaction-started");
  const last = statSync(mark, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (Date.now() - last < AGAIN_AFTER_MS) return false;
  mkdirSync(dirname(mark), { recursive: true });
  closeSync(openSync(mark, "a"));
  const now = new Date();
  utimesSync(mark, now, now);
  const child = childProcess().spawn(join(boxDir, "bin", "signalbox"), ["compact"], {
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
