import { childProcess } from "../child-process.ts";
import { toBytes, toText } from "../git/run.ts";
import { fieldsOf } from "./expression.ts";
import { type Entry, type Job, JOB_ARGS, markIn, markOf, type Scheduler, SchedulerProblem } from "./model.ts";
import { withUserLock } from "./user-lock.ts";

const BEGIN = "# BEGIN ";
const END = "# END ";

/** The user's crontab: a block per repository between two comments; every other byte stays. */
export const crontab: Scheduler = {
  name: "crontab",
  absent() {
    const { error, status, stderr } = run(["-l"]);
    if (error !== undefined) return "there is no crontab on PATH";
    return status === 0 || isNone(stderr) ? undefined : `crontab -l: ${stderr.trim()}`;
  },
  plan: (job) => ({ files: [{ path: "the user's crontab", text: blockOf(job) }] }),
  install(job) {
    const block = toBytes(blockOf(job));
    // crontab(1) takes no table whose last line does not end, so there is none.
    edit((text) => `${without(text, job.id)}${block}`);
  },
  uninstall(id) {
    let was = false;
    edit((text) => {
      const rest = without(text, id);
      was = rest !== text;
      return rest;
    });
    return was;
  },
  entries: () => [...blocksIn(read())].map(({ block, entry }) => ({ ...entry, text: toText(block) })),
};

function blockOf(job: Job): string {
  const { minute, hour, dayOfMonth, month, dayOfWeek, second } = fieldsOf(job.schedule);
  if (second?.join() !== "0")
    throw new SchedulerProblem(
      `crontab knows no seconds: ${JSON.stringify(job.schedule)} cannot be scheduled with it; set compact.schedule to five fields, or run: signalbox schedule`,
    );
  const when = [minute, hour, dayOfMonth, month, dayOfWeek].map((field) => field?.join(",") ?? "*").join(" ");
  const mark = markOf(job);
  return `${BEGIN}${mark}\n${when} ${commandOf(job)}\n${END}${mark}\n`;
}

/** Quiet where the repository has gone: cron mails whatever is said. */
function commandOf({ commonDir, program, path }: Job): string {
  const [dir, file, search] = [commonDir, program, path].map(quoted);
  const line = `cd ${dir} 2>/dev/null && [ -x ${file} ] && PATH=${search} ${file} ${JOB_ARGS.join(" ")} >/dev/null 2>&1`;
  if (/[\n\r]/.test(line))
    throw new SchedulerProblem(
      `a crontab line cannot hold the newline in ${JSON.stringify(commonDir)}; run: signalbox schedule`,
    );
  // Debian's cron refuses lines of 1000 characters and more.
  if (line.length > 900)
    throw new SchedulerProblem(`${commonDir} is too long a path for a crontab line; run: signalbox schedule`);
  return line.replaceAll("%", String.raw`\%`);
}

const quoted = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

function* blocksIn(text: string): Generator<{ block: string; entry: Omit<Entry, "text"> }> {
  const begins = /^# BEGIN (signalbox .*)\n/gm;
  for (let match = begins.exec(text); match !== null; match = begins.exec(text)) {
    const [start, mark = ""] = match;
    const entry = markIn(toText(mark));
    const end = `\n${END}${mark}\n`;
    // Right behind its first line, the end counts too: somebody took the line between out.
    const at = text.indexOf(end, match.index + start.length - 1);
    if (entry !== undefined && at >= 0) yield { block: text.slice(match.index, at + end.length), entry };
  }
}

function without(text: string, id: string): string {
  return [...blocksIn(text)]
    .filter(({ entry }) => entry.id === id)
    .reduce((rest, { block }) => rest.replace(block, () => ""), text);
}

/** The tables of several repositories are one file, which `crontab` replaces whole: one at a time. */
function edit(change: (text: string) => string): void {
  withUserLock("crontab", () => {
    const before = read();
    const after = change(before);
    if (after === before) return;
    const { status, stderr } = after === "" ? run(["-r"]) : run(["-"], after);
    if (status !== 0) throw new SchedulerProblem(`crontab: ${stderr.trim() || `exit ${status}`}`);
  });
}

/** Bytes as latin1: other lines may be in any encoding. */
function read(): string {
  const { status, stdout, stderr } = run(["-l"]);
  if (status === 0) return stdout;
  // Whatever else it says: to go on would replace everybody's lines by ours.
  if (isNone(stderr)) return "";
  throw new SchedulerProblem(`crontab -l: ${stderr.trim() || `exit ${status}`}`);
}

/** 1 is also how it says that there is no table yet. */
const isNone = (stderr: string) => stderr.trim() === "" || /no crontab/i.test(stderr);

function run(args: readonly string[], input = "") {
  const { error, status, stdout, stderr } = childProcess().spawnSync("crontab", args, {
    encoding: "latin1",
    input: Buffer.from(input, "latin1"),
    env: { ...process.env, LC_ALL: "C" },
  });
  return { error, status, stdout: stdout ?? "", stderr: stderr ?? error?.message ?? "" };
}
