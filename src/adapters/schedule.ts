import { CronTime } from "cron";

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
