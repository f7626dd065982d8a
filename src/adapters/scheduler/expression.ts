import { CronTime } from "cron";

/** The values that each field of a cron expression allows, in order; `undefined`: any. */
export interface CronFields {
  readonly second: readonly number[] | undefined;
  readonly minute: readonly number[] | undefined;
  readonly hour: readonly number[] | undefined;
  readonly dayOfMonth: readonly number[] | undefined;
  /** 1 to 12. */
  readonly month: readonly number[] | undefined;
  /** 0 (Sunday) to 6. Where both days are restricted either one will do, as in crontab(5). */
  readonly dayOfWeek: readonly number[] | undefined;
}

/** What is wrong with a cron expression; `undefined` if nothing is, or it is another setting. */
export function scheduleProblem(name: string, value: unknown): string | undefined {
  if (name !== "compact.schedule") return undefined;
  try {
    new CronTime(String(value)).sendAt();
    return undefined;
  } catch (error) {
    return `${name} cannot be ${JSON.stringify(value)}: ${(error as Error).message}`;
  }
}

/** The first time after `from` (ms) that an expression names, on this machine's clock and in its time zone. */
export function nextAfter(expression: string, from: number): number {
  return new CronTime(expression).getNextDateFrom(new Date(from)).toMillis();
}

/** How long (ms) a run is put off by chance at most: many repositories are due at the same second. */
export function jitterOf(expression: string, now: number): number {
  const next = nextAfter(expression, now);
  return Math.min(300_000, (nextAfter(expression, next) - next) / 10);
}

/** An expression taken apart by the `cron` package, names, steps and presets included. */
export function fieldsOf(expression: string): CronFields {
  const time = new CronTime(expression);
  // The package's own toJSON takes 0-58 for all (it leaves the last value out), so its sets are read themselves.
  const values = (set: object, all: number) => {
    const list = Object.keys(set).map(Number);
    return list.length === all ? undefined : list;
  };
  return {
    second: values(time["second"], 60),
    minute: values(time["minute"], 60),
    hour: values(time["hour"], 24),
    dayOfMonth: values(time["dayOfMonth"], 31),
    month: values(time["month"], 12),
    dayOfWeek: values(time["dayOfWeek"], 7),
  };
}
