import { CronJob, CronTime } from "cron";
import { type ChildProcess } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { lastRun, runCompaction } from "../adapters/background.ts";
import { jitterOf, nextAfter } from "../adapters/scheduler/expression.ts";
import {
  goneEntries,
  jobOf,
  schedule,
  scheduled,
  schedulerFor,
  SCHEDULERS,
  unschedule,
} from "../adapters/scheduler/mod.ts";
import { SchedulerProblem } from "../adapters/scheduler/model.ts";
import { loadSettings } from "../adapters/settings.ts";
import { clock } from "../app/messages.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { CommandError, EXIT, type ExitCode, usageError } from "./exit.ts";
import { out, outJson, printable, say } from "./output.ts";

const VERBS = ["install", "uninstall", "status"] as const;
/** A machine that slept, and a setting that was changed, are noticed within this (ms). */
const WATCH_MS = 30_000;

interface Place {
  readonly boxDir: string;
  readonly top: string | undefined;
}

export const scheduleCommand = command({
  name: "schedule",
  description: "run compaction by the clock: here and now, or from systemd, launchd or cron",
  words: 1,
  args: {
    verb: {
      type: "positional",
      required: false,
      valueHint: "install|uninstall|status",
      description: "without: stay in the foreground and run it whenever compact.schedule says so",
    },
    scheduler: {
      type: "string",
      valueHint: SCHEDULERS.map(({ name }) => name).join("|"),
      description: "which one to install into; without: the first that can be used",
    },
    once: { type: "boolean", description: "one run if one is due, as schedulers start it" },
    gone: { type: "boolean", description: "uninstall: those of repositories that are not there any more" },
    "dry-run": { type: "boolean", description: "only say what would be done" },
    ...JSON_OPTION,
  },
  async run({ args }) {
    const { verb, scheduler } = args;
    const dryRun = args["dry-run"] === true;
    if (verb !== undefined && !VERBS.includes(verb as never))
      throw usageError(`schedule takes ${VERBS.join(", ")}, or nothing, not ${JSON.stringify(verb)}`);
    if (scheduler !== undefined && !SCHEDULERS.some(({ name }) => name === scheduler))
      throw usageError(
        `--scheduler takes ${SCHEDULERS.map(({ name }) => name).join(", ")}, not ${JSON.stringify(scheduler)}`,
      );
    if (args.gone === true && verb !== "uninstall") throw usageError("--gone goes with uninstall");
    if (args.once === true && verb !== undefined) throw usageError(`--once does not go with ${verb}`);
    try {
      if (args.gone === true) return uninstallGone(dryRun);
      const { repo, box } = boxHere();
      const place = { boxDir: box.dir, top: repo.top };
      if (verb === "install") return install(place, scheduler, dryRun);
      if (verb === "uninstall") return uninstall(place, dryRun);
      if (verb === "status") return status(place, args.json === true);
      if (dryRun) return preview(place, args.once === true);
      return await (args.once === true ? once(place) : foreground(place));
    } catch (error) {
      if (error instanceof SchedulerProblem) throw new CommandError(error.message);
      throw error;
    }
  },
});

const expressionOf = ({ boxDir, top }: Place) =>
  loadSettings(boxDir, top, process.env).settings["compact.schedule"];

function install(place: Place, name: string | undefined, dryRun: boolean): ExitCode {
  const scheduler = schedulerFor(name);
  const job = jobOf(place.boxDir, expressionOf(place));
  if (dryRun) {
    for (const { path, text } of scheduler.plan(job).files) out(`${printable(path)}:\n${text}`);
    return EXIT.ok;
  }
  schedule(place.boxDir, job, scheduler);
  say(
    `signalbox: ${scheduler.name} will clean up here at ${JSON.stringify(job.schedule)}, next ${when(nextAfter(job.schedule, Date.now()))}; to take it back: signalbox schedule uninstall`,
  );
  return EXIT.ok;
}

function uninstall({ boxDir, top }: Place, dryRun: boolean): ExitCode {
  if (dryRun) {
    const found = scheduled(boxDir, expressionOf({ boxDir, top }));
    say(
      found === undefined
        ? "signalbox: nothing is scheduled here"
        : `signalbox: ${found.scheduler} would lose its entry`,
    );
    return EXIT.ok;
  }
  const from = unschedule(boxDir);
  say(
    from.length === 0
      ? "signalbox: nothing was scheduled here"
      : `signalbox: taken out of ${from.join(", ")}`,
  );
  return EXIT.ok;
}

function uninstallGone(dryRun: boolean): ExitCode {
  const gone = goneEntries();
  for (const { scheduler, entry } of gone) {
    if (!dryRun) scheduler.uninstall(entry.id);
    say(
      `signalbox: ${scheduler.name}: ${printable(entry.commonDir)} ${dryRun ? "would be taken out" : "taken out"}`,
    );
  }
  if (gone.length === 0) say("signalbox: every repository that is scheduled is there");
  return EXIT.ok;
}

function status(place: Place, json: boolean): ExitCode {
  const expression = expressionOf(place);
  const found = scheduled(place.boxDir, expression);
  const last = lastRun(place.boxDir);
  const next = nextAfter(expression, Date.now());
  const gone = goneEntries().map(({ scheduler, entry }) => ({
    scheduler: scheduler.name,
    commonDir: entry.commonDir,
  }));
  if (json) {
    outJson("schedule", 1, { expression, last, next, installed: found ?? false, gone });
    return EXIT.ok;
  }
  const STATES = {
    "as meant": "",
    differs: ": its entry is not what would be written now; run: signalbox schedule install",
    missing: ": its entry has gone; run: signalbox schedule install",
  } as const;
  out(
    found === undefined
      ? "scheduled   by nobody; sessions start it when it is due (compact.auto)"
      : `scheduled   by ${found.scheduler}${STATES[found.state]}`,
  );
  out(`when        ${expression}, next ${when(next)}`);
  out(`last run    ${last === undefined ? "never" : when(last)}`);
  for (const { scheduler, commonDir } of gone)
    out(`gone        ${printable(commonDir)} (${scheduler}); run: signalbox schedule uninstall --gone`);
  return found === undefined || found.state === "as meant" ? EXIT.ok : EXIT.failed;
}

function preview(place: Place, isOnce: boolean): ExitCode {
  const expression = expressionOf(place);
  const due = isDue(place, expression, 0);
  say(
    isOnce || due
      ? `signalbox: a run is ${due ? "" : "not "}due`
      : `signalbox: would run at ${when(nextAfter(expression, Date.now()))}`,
  );
  return EXIT.ok;
}

/** Whether a time that the expression names has come since the last run, or since `start` if there was none. */
function isDue({ boxDir }: Place, expression: string, start: number): boolean {
  return nextAfter(expression, lastRun(boxDir) ?? start) <= Date.now();
}

/** What schedulers start. Somebody may have been faster meanwhile: a session, or `schedule` in a terminal. */
async function once(place: Place): Promise<ExitCode> {
  const expression = expressionOf(place);
  if (isDue(place, expression, 0)) await delay(Math.random() * jitterOf(expression, Date.now()));
  if (!isDue(place, expression, 0)) {
    say(
      `signalbox: not due before ${when(nextAfter(expression, Date.now()))}; to run it now: signalbox compact`,
    );
    return EXIT.ok;
  }
  return (await ended(runCompaction(place.boxDir))) === 0 ? EXIT.ok : EXIT.failed;
}

/**
 * Runs until it is told to stop. A run that was missed, because the machine slept or this was not running, is caught
 * up once. A run that has begun is finished before this ends.
 */
async function foreground(place: Place): Promise<ExitCode> {
  const started = Date.now();
  const stop = new AbortController();
  let expression = expressionOf(place);

  const tick = async () => {
    // The timer may be a moment early, by this clock.
    await delay(10 + Math.random() * jitterOf(expression, Date.now()), undefined, { signal: stop.signal });
    if (!isDue(place, expression, started)) return;
    const begun = performance.now();
    say(`${when(Date.now())} cleaning up …`);
    const code = await ended(runCompaction(place.boxDir));
    const took = `${((performance.now() - begun) / 1000).toFixed(1)} s`;
    say(`${when(Date.now())} ${code === 0 ? "done" : `ended with ${code}`}, after ${took}`);
  };
  const job = CronJob.from({
    cronTime: expression,
    onTick: tick,
    waitForCompletion: true,
    errorHandler: (error) => {
      if (!stop.signal.aborted) say(`signalbox: ${(error as Error).message}`);
    },
    start: true,
  });
  const announce = () =>
    say(`signalbox: cleaning up at ${JSON.stringify(expression)}, next ${when(job.nextDate().toMillis())}`);
  announce();

  return await new Promise<ExitCode>((resolve) => {
    const end = async (code: ExitCode) => {
      clearInterval(watch);
      for (const signal of SIGNALS) process.off(signal, onSignal);
      stop.abort();
      await job.stop();
      resolve(code);
    };
    const onSignal = () => {
      if (job.isCallbackRunning) say("signalbox: stops when the run that has begun is done");
      void end(EXIT.ok);
    };
    const look = () => {
      if (!existsSync(join(place.boxDir, "bin", "signalbox"))) {
        say(
          `signalbox: it is not installed in ${printable(dirname(place.boxDir))} any more; nothing to schedule`,
        );
        void end(EXIT.failed);
        return;
      }
      const now = expressionOf(place);
      if (now !== expression) {
        expression = now;
        job.setTime(new CronTime(now));
        announce();
      }
      if (isDue(place, expression, started)) void job.fireOnTick();
    };
    const watch = setInterval(look, WATCH_MS);
    for (const signal of SIGNALS) process.on(signal, onSignal);
    look();
  });
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** @throws what kept it from being started */
function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
  });
}

function when(ms: number): string {
  const today = new Date().toDateString() === new Date(ms).toDateString();
  return today ? clock(ms) : new Date(ms).toLocaleString("sv-SE").slice(0, 16);
}
