import { homedir, userInfo } from "node:os";
import { join } from "node:path";
import { childProcess } from "../child-process.ts";
import { fieldsOf } from "./expression.ts";
import { type Job, JOB_ARGS, markOf, type Scheduler, SchedulerProblem } from "./model.ts";
import { entriesIn, putFiles, removeFiles, type UnitFile } from "./unit-files.ts";

/** More start times than that are no calendar any more. */
const MOST_TIMES = 300;

/** One of the user's launch agents; what was missed while the machine slept is caught up once. */
export const launchd: Scheduler = {
  name: "launchd",
  absent() {
    const { error, status, stderr } = run(["list"]);
    if (error !== undefined) return "there is no launchctl on PATH";
    return status === 0 ? undefined : `launchctl list: ${stderr.trim() || `exit ${status}`}`;
  },
  plan: (job) => ({ files: [fileOf(job)] }),
  install(job) {
    const file = fileOf(job);
    // It refuses what it knows already.
    run(["bootout", serviceOf(job.id)]);
    putFiles([file]);
    const { status, stderr } = run(["bootstrap", domain(), file.path]);
    if (status === 0) return;
    removeFiles([file.path]);
    throw new SchedulerProblem(`launchctl bootstrap: ${stderr.trim() || `exit ${status}`}`);
  },
  uninstall(id) {
    run(["bootout", serviceOf(id)]);
    return removeFiles([pathOf(id)]);
  },
  entries: () => entriesIn(folder(), /^dev\.signalbox\.[0-9a-z]+\.plist$/),
};

const folder = () => join(homedir(), "Library", "LaunchAgents");
const labelOf = (id: string) => `dev.signalbox.${id}`;
const pathOf = (id: string) => join(folder(), `${labelOf(id)}.plist`);
const domain = () => `gui/${userInfo().uid}`;
const serviceOf = (id: string) => `${domain()}/${labelOf(id)}`;

function fileOf(job: Job): UnitFile {
  const { id, commonDir, program, path, schedule } = job;
  // oxlint-disable-next-line no-control-regex -- what XML 1.0 cannot say
  if (/[\u0000-\u0008\u000B-\u001F]/.test(`${commonDir}${path}`))
    throw new SchedulerProblem(
      `a property list cannot hold the control characters in ${JSON.stringify(commonDir)}; run: signalbox schedule`,
    );
  const mark = markOf(job);
  // "--" may not stand in an XML comment.
  const comment = mark.includes("--") || mark.endsWith("-") ? mark.replaceAll("-", String.raw`\u002d`) : mark;
  const text = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- ${comment} -->
<!-- Made by: signalbox schedule install. To remove it: signalbox schedule uninstall -->
<plist version="1.0">
<dict>
  <key>Label</key>
  <string>${xml(labelOf(id))}</string>
  <key>ProgramArguments</key>
  <array>
${[program, ...JOB_ARGS].map((arg) => `    <string>${xml(arg)}</string>`).join("\n")}
  </array>
  <key>WorkingDirectory</key>
  <string>${xml(commonDir)}</string>
  <key>EnvironmentVariables</key>
  <dict>
    <key>PATH</key>
    <string>${xml(path)}</string>
  </dict>
  <key>ProcessType</key>
  <string>Background</string>
  <key>StartCalendarInterval</key>
  <array>
${timesOf(schedule)
  .map((time) => {
    const keys = Object.entries(time).map(
      ([key, value]) => `      <key>${key}</key>\n      <integer>${value}</integer>`,
    );
    return `    <dict>\n${keys.join("\n")}\n    </dict>`;
  })
  .join("\n")}
  </array>
</dict>
</plist>
`;
  return { path: pathOf(id), text };
}

type StartTime = Readonly<Partial<Record<"Month" | "Day" | "Weekday" | "Hour" | "Minute", number>>>;

/** A cron expression as launchd.plist(5) has it: one dictionary for each combination; what is left out is any. */
export function timesOf(expression: string): StartTime[] {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = fieldsOf(expression);
  if (second?.join() !== "0")
    throw new SchedulerProblem(
      `launchd knows no seconds: ${JSON.stringify(expression)} cannot be scheduled with it; set compact.schedule to five fields, or run: signalbox schedule`,
    );
  const each = (
    times: readonly StartTime[],
    key: keyof StartTime,
    values: readonly number[] | undefined,
  ): readonly StartTime[] =>
    values === undefined
      ? times
      : times.flatMap((time) => values.map((value) => ({ ...time, [key]: value })));
  const months = each([{}], "Month", month);
  const days =
    dayOfMonth !== undefined && dayOfWeek !== undefined
      ? [...each(months, "Day", dayOfMonth), ...each(months, "Weekday", dayOfWeek)]
      : each(each(months, "Day", dayOfMonth), "Weekday", dayOfWeek);
  const times = each(each(days, "Hour", hour), "Minute", minute);
  if (times.length > MOST_TIMES)
    throw new SchedulerProblem(
      `${JSON.stringify(expression)} is ${times.length} start times in launchd's words, more than ${MOST_TIMES}; choose a plainer compact.schedule, or run: signalbox schedule`,
    );
  return [...times];
}

function xml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function run(args: readonly string[]) {
  return childProcess().spawnSync("launchctl", args, { encoding: "utf8" });
}
