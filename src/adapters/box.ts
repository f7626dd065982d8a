import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { ALL_PROJECTIONS, type Box } from "../app/box.ts";
import { openLog } from "../log/mod.ts";
import { relationsIn } from "./git/co-change.ts";
import { processes } from "./process.ts";
import { loadSettings } from "./settings.ts";
import { spoolIn } from "./spool.ts";
import { viewsIn } from "./views.ts";

/** The folder of a repository's signal box, in the git common dir. */
export function boxDirOf(commonDir: string): string {
  return join(commonDir, "signalbox");
}

/** Whether signalbox is installed in the repository. */
export function isInstalled(commonDir: string): boolean {
  return existsSync(join(boxDirOf(commonDir), "runtime", "install.json"));
}

/** Whether there is a log to read; it outlives an uninstall. */
export function hasLog(commonDir: string): boolean {
  return existsSync(join(boxDirOf(commonDir), "log"));
}

/**
 * Opens a repository's signal box.
 *
 * @param top top of the working tree whose settings count, if there is one
 * @throws the log's typed errors; settings that are wrong are left out, never thrown
 */
export function openBox(boxDir: string, top: string | undefined): Box {
  const { settings } = loadSettings(boxDir, top, process.env);
  const log = openLog({
    dir: join(boxDir, "log"),
    projections: ALL_PROJECTIONS,
    sync: settings["log.sync"],
    snapshotEvery: settings["log.snapshotEvery"],
  });
  const ignoreCase = ignoresCase(dirname(boxDir), settings["paths.ignoreCase"]);
  const spool = spoolIn(boxDir, { commonDir: dirname(boxDir), ignoreCase });
  return {
    dir: boxDir,
    log,
    ports: { now: Date.now, processes, spool, views: viewsIn(boxDir), relations: relationsIn(boxDir) },
    settings,
    ignoreCase,
  };
}

/** Whether names that differ in case are one here: what the setting says, else what git found out at `git init`. */
function ignoresCase(commonDir: string, setting: "auto" | boolean): boolean {
  if (setting !== "auto") return setting;
  try {
    return /^\s*ignorecase\s*=\s*(true|yes|on|1)\s*$/im.test(readFileSync(join(commonDir, "config"), "utf8"));
  } catch {
    return false;
  }
}
