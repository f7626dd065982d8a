import { homedir } from "node:os";
import { join } from "node:path";
import { childProcess } from "../child-process.ts";
import { fieldsOf } from "./expression.ts";
import { type Job, JOB_ARGS, markOf, type Scheduler, SchedulerProblem } from "./model.ts";
import { entriesIn, putFiles, removeFiles, type UnitFile } from "./unit-files.ts";

/** A timer and its service among the user's own units; one that was missed is caught up (`Persistent`). */
export const systemd: Scheduler = {
  name: "systemd",
  absent() {
    const { error, status, stderr } = run(["list-timers"]);
    if (error !== undefined) return "there is no systemctl on PATH";
    return status === 0 ? undefined : `systemctl --user: ${stderr.trim() || `exit ${status}`}`;
  },
  plan: (job) => ({ files: filesOf(job) }),
  install(job) {
    const files = filesOf(job);
    try {
      putFiles(files);
      must(["daemon-reload"]);
      must(["enable", "--now", `${unitOf(job.id)}.timer`]);
    } catch (error) {
      removeFiles(files.map(({ path }) => path));
      throw error;
    }
  },
  uninstall(id) {
    const timer = `${unitOf(id)}.timer`;
    // While the files are there: without them it knows no such unit. Not running is as good as stopped.
    if (pathsOf(id).length > 0) run(["disable", "--now", timer]);
    const was = removeFiles(pathsOf(id));
    if (was) must(["daemon-reload"]);
    return was;
  },
  entries: () => entriesIn(folder(), /^signalbox-[0-9a-z]+\.(?:service|timer)$/),
};

function folder(): string {
  return join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "systemd", "user");
}

const unitOf = (id: string) => `signalbox-${id}`;
const pathsOf = (id: string) => ["service", "timer"].map((kind) => join(folder(), `${unitOf(id)}.${kind}`));

/** The program is a shell script, and started as one: systemd takes no quotes in the name of an executable. */
function filesOf(job: Job): UnitFile[] {
  const [service = "", timer = ""] = pathsOf(job.id);
  const { commonDir, program, path } = job;
  if (/[\n\r]/.test(`${commonDir}${path}`))
    throw new SchedulerProblem(
      `a systemd unit cannot hold the newline in ${JSON.stringify(commonDir)}; run: signalbox schedule`,
    );
  const mark = markOf(job);
  return [
    {
      path: service,
      text: `# ${mark}
# Made by: signalbox schedule install. To remove it: signalbox schedule uninstall
[Unit]
Description=signalbox: clean up after agent sessions in ${specifiers(commonDir)}
ConditionPathExists=${specifiers(program)}

[Service]
Type=oneshot
WorkingDirectory=${specifiers(commonDir)}
Environment=${word(`PATH=${path}`)}
ExecStart=/bin/sh ${[program, ...JOB_ARGS].map((arg) => word(arg).replaceAll("$", "$$$$")).join(" ")}
Nice=10
`,
    },
    {
      path: timer,
      text: `# ${mark}
[Unit]
Description=signalbox: when to clean up in ${specifiers(commonDir)}

[Timer]
${calendarOf(job.schedule)
  .map((line) => `OnCalendar=${line}`)
  .join("\n")}
Persistent=true

[Install]
WantedBy=timers.target
`,
    },
  ];
}

const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/** A cron expression as calendar events (systemd.time(7)): two where either of two kinds of day will do. */
export function calendarOf(expression: string): string[] {
  const { second, minute, hour, dayOfMonth, month, dayOfWeek } = fieldsOf(expression);
  const list = (field: readonly number[] | undefined) => field?.join(",") ?? "*";
  const time = [hour, minute, second].map(list).join(":");
  const on = (weekdays: readonly number[] | undefined, days: readonly number[] | undefined) =>
    `${weekdays === undefined ? "" : `${weekdays.map((day) => DAYS[day]).join(",")} `}*-${list(month)}-${list(days)} ${time}`;
  return dayOfMonth !== undefined && dayOfWeek !== undefined
    ? [on(dayOfWeek, undefined), on(undefined, dayOfMonth)]
    : [on(dayOfWeek, dayOfMonth)];
}

const specifiers = (text: string) => text.replaceAll("%", "%%");
/** One word of a unit's line, quoted (systemd.syntax(7)). */
const word = (text: string) => `"${specifiers(text).replaceAll(/["\\]/g, String.raw`\$&`)}"`;

function must(args: readonly string[]): void {
  const { status, stderr } = run(args);
  if (status !== 0)
    throw new SchedulerProblem(`systemctl --user ${args.join(" ")}: ${stderr?.trim() || `exit ${status}`}`);
}

function run(args: readonly string[]) {
  return childProcess().spawnSync("systemctl", ["--user", ...args], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
}
