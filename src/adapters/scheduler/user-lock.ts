import { lstatSync, mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { InstallProblem } from "../../app/install/model.ts";
import { disk } from "../install/io.ts";
import { withInstallLock } from "../install/lock.ts";
import { processes } from "../process.ts";
import { SchedulerProblem } from "./model.ts";

/** Runs `body` while no other signalbox of this user, in whatever repository, is at the same thing. */
export function withUserLock<T>(what: string, body: () => T): T {
  const { uid } = userInfo();
  const dir = join(tmpdir(), `signalbox-${uid}-${what}`);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const stat = lstatSync(dir);
  if (!stat.isDirectory() || stat.uid !== uid)
    throw new SchedulerProblem(`${dir} is not a folder of yours; remove it, or set TMPDIR`);
  try {
    return withInstallLock(disk, processes, dir, body);
  } catch (error) {
    if (error instanceof InstallProblem) throw new SchedulerProblem(error.message, { cause: error });
    throw error;
  }
}
