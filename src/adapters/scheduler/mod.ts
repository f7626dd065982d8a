/** A repository's place among the jobs of the machine's own schedulers: systemd, launchd or cron. */
import { createHash } from "node:crypto";
import { existsSync, readdirSync, rmdirSync, rmSync } from "node:fs";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import { jsonFile } from "../json-file.ts";
import { crontab } from "./crontab.ts";
import { launchd } from "./launchd.ts";
import { type Entry, type Job, type Scheduler, type SchedulerName, SchedulerProblem } from "./model.ts";
import { systemd } from "./systemd.ts";

/** In the order in which they are tried, as `git maintenance start` does. */
export const SCHEDULERS: readonly Scheduler[] = [launchd, systemd, crontab];

/** What was installed for a repository, so that it can be taken back wherever the repository has gone since. */
interface Record {
  scheduler?: SchedulerName;
  id?: string;
  /** Folders that were made for it. */
  folders?: string[];
}

const recordFile = (boxDir: string) => join(boxDir, "schedule.json");

/** The job of a repository at this place. */
export function jobOf(boxDir: string, schedule: string): Job {
  const commonDir = dirname(boxDir);
  const id = createHash("sha256").update(commonDir).digest("hex").slice(0, 12);
  return { id, commonDir, program: join(boxDir, "bin", "signalbox"), path: searchPath(), schedule };
}

/** Where the git that is used here is, and what any system has; no session's shim. */
function searchPath(): string {
  const dirs = (process.env["PATH"] ?? "").split(delimiter).filter((dir) => isAbsolute(dir));
  const git = dirs.find((dir) => existsSync(join(dir, "git")) && !/[/\\]signalbox[/\\]shim$/.test(dir));
  const all = [git, "/usr/local/bin", "/usr/bin", "/bin"];
  return [...new Set(all.filter((dir) => dir !== undefined))].join(delimiter);
}

/** The scheduler of this name, or the first that can be used. @throws SchedulerProblem */
export function schedulerFor(name: string | undefined): Scheduler {
  const asked = SCHEDULERS.filter((one) => name === undefined || one.name === name);
  const absent = asked.map((one) => ({ one, why: one.absent() }));
  const found = absent.find(({ why }) => why === undefined);
  if (found !== undefined) return found.one;
  const reasons = absent.map(({ one, why }) => `${one.name}: ${why}`).join("; ");
  throw new SchedulerProblem(
    `no scheduler can be used here (${reasons}); keep one running yourself: signalbox schedule`,
  );
}

/** Installs a repository's job, in place of any that it had. @throws SchedulerProblem */
export function schedule(boxDir: string, job: Job, scheduler: Scheduler): void {
  const { files } = scheduler.plan(job);
  unschedule(boxDir);
  const folders = files.flatMap(({ path }) => (isAbsolute(path) ? missing(dirname(path)) : []));
  const record = jsonFile<Record>(recordFile(boxDir), {});
  // Before anything is done, so that what is killed halfway can be taken back.
  record.data = { scheduler: scheduler.name, id: job.id, folders: [...new Set(folders)] };
  record.write();
  try {
    scheduler.install(job);
  } catch (error) {
    removeEmpty(folders);
    rmSync(recordFile(boxDir), { force: true });
    throw error;
  }
}

/** Takes a repository's job back. @returns the schedulers that had one @throws SchedulerProblem */
export function unschedule(boxDir: string): SchedulerName[] {
  const { scheduler, id: recorded, folders = [] } = jsonFile<Record>(recordFile(boxDir), {}).data;
  const { id } = jobOf(boxDir, "");
  const took = SCHEDULERS.filter((one) => {
    // What was begun is taken back whether it shows or not; what no record knows of, where it shows.
    const begun = one.name === scheduler && recorded !== undefined && one.uninstall(recorded);
    const lost = entriesOf(one).some((entry) => entry.id === id) && one.uninstall(id);
    return begun || lost;
  });
  removeEmpty(folders);
  rmSync(recordFile(boxDir), { force: true });
  return took.map(({ name }) => name);
}

/** What was installed for the repository, and whether it is what would be installed now. */
export interface Scheduled {
  readonly scheduler: SchedulerName;
  readonly state: "as meant" | "differs" | "missing";
}

/** `undefined`: nothing is installed for it. */
export function scheduled(boxDir: string, expression: string): Scheduled | undefined {
  const record = jsonFile<Record>(recordFile(boxDir), {}).data;
  const job = jobOf(boxDir, expression);
  const scheduler =
    SCHEDULERS.find(({ name }) => name === record.scheduler) ??
    SCHEDULERS.find((one) => entriesOf(one).some(({ id }) => id === job.id));
  if (scheduler === undefined) return undefined;
  const entry = entriesOf(scheduler).find(({ id }) => id === (record.id ?? job.id));
  const state =
    entry === undefined ? "missing" : entry.text === planned(scheduler, job) ? "as meant" : "differs";
  return { scheduler: scheduler.name, state };
}

function planned(scheduler: Scheduler, job: Job): string | undefined {
  try {
    return scheduler
      .plan(job)
      .files.map(({ text }) => text)
      .join("");
  } catch (error) {
    if (error instanceof SchedulerProblem) return undefined;
    throw error;
  }
}

/** Entries whose repository is not where it was: deleted, moved, or on a volume that is not mounted. */
export function goneEntries(): { readonly scheduler: Scheduler; readonly entry: Entry }[] {
  return SCHEDULERS.flatMap((scheduler) =>
    entriesOf(scheduler)
      .filter(({ commonDir }) => !existsSync(join(commonDir, "signalbox", "bin", "signalbox")))
      .map((entry) => ({ scheduler, entry })),
  );
}

function entriesOf(scheduler: Scheduler): Entry[] {
  try {
    return scheduler.absent() === undefined ? scheduler.entries() : [];
  } catch (error) {
    if (error instanceof SchedulerProblem) return [];
    throw error;
  }
}

/** The folders of a path that are not there yet, the outermost first. */
function missing(dir: string): string[] {
  return existsSync(dir) ? [] : [...missing(dirname(dir)), dir];
}

function removeEmpty(folders: readonly string[]): void {
  for (const dir of folders.toReversed())
    if (existsSync(dir) && readdirSync(dir).length === 0) rmdirSync(dir);
}
