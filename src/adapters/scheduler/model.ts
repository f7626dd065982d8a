/** One repository's compaction, for somebody else to start. */
export interface Job {
  /** Stable, of the repository's place: letters and digits. */
  readonly id: string;
  /** The repository's common git directory; the job runs there. */
  readonly commonDir: string;
  /** The installed `signalbox`. */
  readonly program: string;
  /** PATH of the job: schedulers give little, and git may be anywhere. */
  readonly path: string;
  /** The cron expression. */
  readonly schedule: string;
}

/** The arguments of `Job.program`. */
export const JOB_ARGS = ["schedule", "--once"] as const;

/** What a scheduler holds for one repository. */
export interface Entry {
  readonly id: string;
  readonly commonDir: string;
  /** All that was written for it. */
  readonly text: string;
}

export type SchedulerName = "systemd" | "launchd" | "crontab";

/** A service of the operating system that starts programs by the clock. */
export interface Scheduler {
  readonly name: SchedulerName;
  /** Why it cannot be used on this machine; `undefined`: it can. */
  absent(): string | undefined;
  /** The text that `install` writes, and where. @throws SchedulerProblem if the job cannot be put in its words */
  plan(job: Job): { readonly files: readonly { path: string; text: string }[] };
  /** Adds the job or replaces it. @throws SchedulerProblem; nothing of it is left then */
  install(job: Job): void;
  /** Takes an entry out, byte for byte as it was. @returns whether there was one @throws SchedulerProblem */
  uninstall(id: string): boolean;
  entries(): Entry[];
}

/** The scheduler said no; the message says what and what to do. */
export class SchedulerProblem extends Error {
  override readonly name = "SchedulerProblem";
}

/** Marks our entries in files of others; the path as JSON, so that it is one line whatever it holds. */
export function markOf({ id, commonDir }: { id: string; commonDir: string }): string {
  return `signalbox ${id} ${JSON.stringify(commonDir)}`;
}

/** Reads `markOf` back from a text. */
export function markIn(text: string): { id: string; commonDir: string } | undefined {
  const [, id = "", quoted = ""] = /signalbox ([0-9a-z]+) ("(?:[^"\\\n]|\\.)*")/.exec(text) ?? [];
  if (id === "") return undefined;
  try {
    return { id, commonDir: String(JSON.parse(quoted)) };
  } catch {
    return undefined;
  }
}
