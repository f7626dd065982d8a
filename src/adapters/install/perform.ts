/** Install and uninstall, from looking to done. */
import { accessSync, constants, existsSync, readdirSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Runtime } from "../../app/install/entry.ts";
import { type Change, type HookTable, InstallProblem } from "../../app/install/model.ts";
import { boxPath, type Plan, planInstall, planUninstall, recordPath } from "../../app/install/plan.ts";
import type { ClaudeMode, InstallRecord, Skipped } from "../../app/install/record.ts";
import type { Processes } from "../../app/ports.ts";
import { openLog } from "../../log/mod.ts";
import { listGitdirs, removeGitdir } from "../git/private-gitdir.ts";
import { processes as realProcesses } from "../process.ts";
import { applyChange, isFolder, makeFolder, readState, sweepConfigLock, sweepTemporaries } from "./files.ts";
import { commonDirAt } from "./git.ts";
import { disk, type Io } from "./io.ts";
import { withInstallLock } from "./lock.ts";
import { chooseRuntime } from "./runtime.ts";
import { survey, type Survey } from "./survey.ts";

/** What is installed: hooks/hook.sh, hooks/shim.sh and the bundles. */
export interface Assets {
  readonly version: string;
  readonly template: string;
  readonly shim: string;
  /** Bytes as latin1. */
  readonly hookBundle: string;
  readonly commandBundle: string;
  /** The package's folder. */
  readonly home: string;
}

export interface InstallOptions {
  readonly cwd: string;
  readonly hooks: HookTable;
  readonly assets: Assets;
  /** As before, or the default, where not given. */
  readonly claude?: ClaudeMode | undefined;
  readonly runtime?: Runtime["kind"] | undefined;
  readonly trackedHooks?: boolean | undefined;
  /** Plan only. */
  readonly check?: boolean;
  readonly io?: Io;
  readonly processes?: Processes;
}

export interface Installed {
  readonly commonDir: string;
  readonly worktrees: readonly string[];
  readonly changes: readonly Change[];
  readonly record: InstallRecord;
  readonly skipped: readonly Skipped[];
  readonly notes: readonly string[];
}

/** Installs, or with `check` says what would be done. @throws GitTrouble, InstallProblem */
export function install(options: InstallOptions): Installed {
  const { cwd, check = false, io = disk, processes = realProcesses } = options;
  if (check) return look(options).installed;
  const commonDir = realpathSync(commonDirAt(cwd));
  // Without the lock first: what is wrong shows before anything is written.
  const first = look(options);
  checkWritable(first.plan, commonDir);
  return withInstallLock(io, processes, commonDir, () => {
    const { plan, installed } = look(options);
    sweep(io, commonDir, placesOf(plan.record, plan.changes, commonDir));
    apply(io, plan, commonDir);
    return installed;
  });
}

function look(options: InstallOptions): { plan: Plan; installed: Installed } {
  const { assets, hooks } = options;
  const seen = survey(options.cwd);
  const { record, commonDir, worktrees } = seen.world;
  const claude = options.claude ?? record?.claude ?? "local";
  const plan = planInstall(seen.world, {
    version: assets.version,
    claude,
    trackedHooks: options.trackedHooks ?? record?.trackedHooks ?? false,
    runtime: chooseRuntime(options.runtime, record?.runtime, assets.home),
    hooks,
    template: assets.template,
    shim: assets.shim,
    hookBundle: assets.hookBundle,
    commandBundle: assets.commandBundle,
  });
  const installed = {
    commonDir,
    worktrees: worktrees.map(({ top }) => top),
    changes: plan.changes,
    record: plan.record,
    skipped: plan.skipped,
    notes: notesOf(seen, claude),
  };
  return { plan, installed };
}

function notesOf({ world, notes }: Survey, claude: ClaudeMode): string[] {
  const said = notes.map((note) =>
    note.startsWith("plugin enabled") && claude !== "plugin"
      ? `the signalbox plugin is enabled too (${note.slice("plugin enabled in ".length)}): each Claude Code hook would run twice; disable the plugin, or run: signalbox init --plugin`
      : note,
  );
  if (claude === "plugin" && !notes.some((note) => note.startsWith("plugin enabled")))
    said.push(
      "Claude Code settings are left alone; enable the plugin, or no edit is guarded: claude --plugin-dir <this folder>",
    );
  if (world.foreignAlias)
    said.push("git has an alias signalbox already: `git signalbox` is that one, not this");
  for (const { local, localIs } of claude === "local" ? world.worktrees : [])
    if (localIs === "tracked")
      said.push(
        `${local} is tracked by git: its entries find signalbox by themselves, so that they can be committed`,
      );
  return said.filter((note) => !note.startsWith("plugin enabled"));
}

/** Fails before anything is changed, where one of the files could not be. */
function checkWritable({ changes, folders }: Plan, commonDir: string): void {
  const places = [commonDir, ...folders, ...changes.map(({ path }) => dirname(path))];
  for (const place of new Set(places.map(nearest))) {
    try {
      accessSync(place, constants.W_OK | constants.X_OK);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw new InstallProblem(
        code === "EROFS" || code === "EACCES"
          ? `${place} cannot be written to (${code === "EROFS" ? "the file system is read-only" : "no permission"}); nothing was changed`
          : `${place}: ${(error as Error).message}; nothing was changed`,
        { cause: error },
      );
    }
  }
}

function nearest(folder: string): string {
  let dir = folder;
  while (!isFolder(dir) && dirname(dir) !== dir) dir = dirname(dir);
  return dir;
}

function apply(io: Io, { changes, folders }: Plan, commonDir: string): void {
  const box = boxPath({ commonDir });
  const isBox = (path: string) => path === box || path.startsWith(`${box}/`);
  const ours = changes.filter(({ role }) => role === "own" || role === "record");
  const theirs = changes.filter(({ role }) => role !== "own" && role !== "record");
  // Nothing that is kept is in there; a file in a folder's place would break every hook.
  for (const path of DISPOSABLE.map((name) => join(box, name)))
    if (existsSync(path) && !isFolder(path)) io.remove(path);
  for (const folder of folders.filter(isBox)) makeFolder(io, folder);
  if (!existsSync(join(box, "log", "FORMAT"))) createLog(io, join(box, "log"));
  // The record comes last of ours: from here on the user's files can be put back as they were.
  for (const change of ours) applyChange(io, change);
  const made = folders.filter((path) => !isBox(path));
  const done: Change[] = [];
  try {
    for (const folder of made) makeFolder(io, folder);
    for (const change of theirs) {
      applyChange(io, change);
      done.push(change);
    }
  } catch (error) {
    takeBack(io, done, made);
    throw error;
  }
}

/** A disk that failed halfway: the user's files go back to what they were. */
function takeBack(io: Io, done: readonly Change[], made: readonly string[]): void {
  const steps = [
    ...done.toReversed().map(
      ({ path, role, before, after }) =>
        () =>
          applyChange(io, { path, role, before: after, after: before }),
    ),
    ...made.toReversed().map((folder) => () => removeEmpty(io, folder)),
  ];
  for (const step of steps) {
    try {
      step();
    } catch {
      // The record still knows; the next init or uninstall sees to it.
    }
  }
}

function createLog(io: Io, dir: string): void {
  makeFolder(io, dir);
  openLog({ dir, create: true, projections: [] }).close();
}

/** Removes what one that was killed has left. */
function sweep(io: Io, commonDir: string, places: ReadonlySet<string>): void {
  for (const place of places) sweepTemporaries(io, place);
  sweepConfigLock(io, join(commonDir, "config"));
}

/** Folders that an install has been at work in. */
function placesOf(
  record: InstallRecord | undefined,
  changes: readonly Change[],
  commonDir: string,
): Set<string> {
  return new Set([
    commonDir,
    boxPath({ commonDir }, "bin"),
    boxPath({ commonDir }, "runtime"),
    ...changes.map(({ path }) => dirname(path)),
    ...(record?.touched ?? []).map(({ path }) => dirname(resolve(commonDir, path))),
    ...(record?.folders ?? []).map((folder) => resolve(commonDir, folder)),
  ]);
}

export interface UninstallOptions {
  readonly cwd: string;
  readonly hooks: HookTable;
  /** The log goes too. */
  readonly purge?: boolean;
  readonly io?: Io;
  readonly processes?: Processes;
}

export interface Uninstalled {
  readonly commonDir: string;
  /** False if there was nothing to do. */
  readonly wasInstalled: boolean;
  readonly changes: readonly Change[];
  readonly removed: readonly string[];
  readonly left: readonly Skipped[];
  readonly notes: readonly string[];
}

/** Made by install and by what it installs; gone without loss. */
const DISPOSABLE = ["bin", "shim", "views", "spool", "locks", "cache"];
/** What has happened, and what somebody set: only on demand. */
const KEPT = {
  log: "the log of what happened",
  "settings.json": "your settings",
  "errors.log": "what went wrong",
  "errors.log.old": "what went wrong before",
};

/** Takes everything back. @throws GitTrouble, InstallProblem */
export function uninstall(options: UninstallOptions): Uninstalled {
  const { cwd, hooks, purge = false, io = disk, processes = realProcesses } = options;
  const commonDir = realpathSync(commonDirAt(cwd));
  checkWritable(
    { changes: planUninstall(survey(cwd).world, hooks), folders: [] } as unknown as Plan,
    commonDir,
  );
  return withInstallLock(io, processes, commonDir, () => {
    const { world, notes } = survey(cwd);
    const box = boxPath(world);
    const changes = planUninstall(world, hooks);
    const wasInstalled =
      world.record !== undefined ||
      changes.length > 0 ||
      existsSync(join(box, "bin")) ||
      (purge && isFolder(box));
    sweep(io, commonDir, placesOf(world.record, changes, commonDir));
    for (const change of changes) applyChange(io, change);
    for (const folder of (world.record?.folders ?? []).toReversed())
      removeEmpty(io, resolve(commonDir, folder));
    const rescued = removeGitdirs(io, commonDir);
    const removed = removeBox(io, box, purge);
    return {
      commonDir,
      wasInstalled,
      changes,
      removed,
      left: leftIn(box, purge),
      notes: [...notes, ...rescued],
    };
  });
}

/** Sessions' own gitdirs; what is staged in them stands under a ref afterwards. */
function removeGitdirs(io: Io, commonDir: string): string[] {
  const notes = listGitdirs(commonDir).flatMap(({ id, session }) => {
    const { rescue } = removeGitdir({ commonDir }, id, session);
    return rescue === undefined
      ? []
      : [`what session ${session} had staged is in ${rescue}; see: git show --stat ${rescue}`];
  });
  const worktrees = join(commonDir, "worktrees");
  const linked = isFolder(worktrees) ? readdirSync(worktrees).map((name) => join(worktrees, name)) : [];
  for (const gitDir of [commonDir, ...linked]) {
    const base = join(gitDir, "signalbox-base");
    if (existsSync(base)) io.remove(base);
  }
  removeEmpty(io, worktrees);
  removeEmpty(io, boxPath({ commonDir }, "wt"));
  return notes;
}

/** The record goes last, so that an uninstall that is killed can be gone on with. */
function removeBox(io: Io, box: string, purge: boolean): string[] {
  if (!isFolder(box)) return [];
  const names = [...DISPOSABLE, ...(purge ? Object.keys(KEPT) : [])];
  const halfMade = readdirSync(box).filter((name) => /^gitdir-(?:new|old)-/.test(name));
  const there = [...names, ...halfMade].map((name) => join(box, name)).filter((path) => existsSync(path));
  for (const path of there) io.removeTree(path);
  const runtime = join(box, "runtime");
  if (isFolder(runtime)) {
    const record = recordPath({ commonDir: dirname(box) });
    for (const name of readdirSync(runtime))
      if (join(runtime, name) !== record) io.remove(join(runtime, name));
    io.removeTree(runtime);
    there.push(runtime);
  }
  removeEmpty(io, box);
  return there;
}

function removeEmpty(io: Io, dir: string): void {
  if (isFolder(dir) && readdirSync(dir).length === 0) io.rmdir(dir);
}

function leftIn(box: string, purge: boolean): Skipped[] {
  if (!isFolder(box)) return [];
  return readdirSync(box).map((name) => ({
    path: join(box, name),
    why: Object.hasOwn(KEPT, name)
      ? `${KEPT[name as keyof typeof KEPT]}; to remove it too: signalbox uninstall --purge`
      : purge
        ? "it is not known to be disposable"
        : "it may hold work of sessions",
  }));
}

/** Which of the box's files are there, for those who ask whether anything is installed. */
export function isThere(commonDir: string): boolean {
  return readState(recordPath({ commonDir })).kind === "file";
}
