import * as v from "valibot";
import { parseGlob } from "../domain/pattern-glob.ts";
import type { PolicySettings } from "../policy/mod.ts";

/** One setting: its default, what it accepts, and what it is for. The unit is in the name. */
interface Setting<T> {
  readonly fallback: T;
  readonly schema: () => v.GenericSchema<unknown, T>;
  readonly doc: string;
}

const setting = <T>(fallback: T, schema: () => v.GenericSchema<unknown, T>, doc: string): Setting<T> => ({
  fallback,
  schema,
  doc,
});
const isGlob = (glob: string): boolean => {
  try {
    parseGlob(glob);
    return true;
  } catch {
    return false;
  }
};
const between = (min: number, max: number) => () => v.pipe(v.number(), v.minValue(min), v.maxValue(max));

/** All settings. A new one is one line here. */
export const SETTINGS = {
  "lease.ttlMinutes": setting(15, between(0.05, 24 * 60), "how long a reservation lasts after the last edit"),
  "lease.renewAfterSeconds": setting(60, between(0, 3600), "a renewal that adds less is left out of the log"),
  "lease.maxMinutes": setting(
    30,
    between(0.05, 24 * 60),
    "and at most, while related files are edited (SYS-3)",
  ),
  "lease.stepMinutes": setting(
    5,
    between(0, 24 * 60),
    "each related file that its holder has as well makes a lease so much longer",
  ),
  "lease.graceSeconds": setting(
    120,
    between(0, 3600),
    "after a lease has run out its holder may take it back ahead of others for so long",
  ),
  "lease.perSession": setting(
    100,
    between(1, 10_000),
    "how many reservations a session may hold while others are here",
  ),
  "lease.warnMinutes": setting(
    3,
    between(0, 24 * 60),
    "at the start of a turn a session is told of reservations that run out sooner",
  ),
  "lease.commandMinutes": setting(
    60,
    between(0, 24 * 60),
    "a shell command that runs keeps its session's reservations, for so long at most",
  ),
  "wait.keepMinutes": setting(30, between(0.05, 24 * 60), "how long a session that waits keeps its place"),
  "wait.wake": setting(
    false,
    () => v.boolean(),
    "wake an idle session when it is served what it waits for; git signalbox init puts it in force",
  ),
  "claim.stallMinutes": setting(
    60,
    between(0.05, 7 * 24 * 60),
    "a claimed task is free again when its session has edited no file for so long (SYS-5)",
  ),
  "claims.tracker": setting<"auto" | "none" | "beads">(
    "auto",
    () => v.picklist(["auto", "none", "beads"]),
    "where tasks live beside the log; auto: whichever is found at the top of the tree",
  ),
  "handoff.answerMinutes": setting(
    10,
    between(0.05, 24 * 60),
    "how long a request waits for an answer before the stall rule decides",
  ),
  "announce.resolvedSeconds": setting(
    30,
    between(0, 3600),
    "commits that resolved a conflict are announced so much later (SYS-4)",
  ),
  "refresh.everySeconds": setting(
    30,
    between(0, 3600),
    "a session's index is carried forward at most once in so long, where nothing forces it (SYS-1)",
  ),
  "refresh.lazyAbovePerHour": setting(
    60,
    between(0, 100_000),
    "more commits an hour, and indexes are carried forward only when git needs it",
  ),
  "refresh.eagerBelowPerHour": setting(
    30,
    between(0, 100_000),
    "fewer commits an hour, and they are carried forward ahead of that again",
  ),
  "refresh.windowMinutes": setting(10, between(0.1, 24 * 60), "the time over which that rate is taken"),
  "sync.mode": setting<"off" | "advise" | "auto">(
    "advise",
    () => v.picklist(["off", "advise", "auto"]),
    "a session whose branch falls behind its base is not told, is told, or is rebased when it is safe",
  ),
  "sync.base": setting(
    "auto",
    () => v.pipe(v.string(), v.nonEmpty()),
    "the branch that sessions' branches are based on; auto: the upstream, else the default branch",
  ),
  "sync.cooldownSeconds": setting(
    60,
    between(0, 24 * 3600),
    "after a rebase the next one waits for so long (SYS-4)",
  ),
  "sync.backoffSeconds": setting(
    60,
    between(0, 24 * 3600),
    "after a conflict the next try waits for so long, doubled each time up to an hour",
  ),
  "sync.batchAbovePerHour": setting(
    60,
    between(0, 100_000),
    "more commits an hour on the base, and rebases go in batches",
  ),
  "sync.immediateBelowPerHour": setting(
    30,
    between(0, 100_000),
    "fewer commits an hour on the base, and they go at once again",
  ),
  "sync.batchMinutes": setting(5, between(0.05, 24 * 60), "the time between two batches"),
  "sync.windowMinutes": setting(10, between(0.1, 24 * 60), "the time over which that rate is taken"),
  "coordination.dwellMinutes": setting(
    5,
    between(0, 24 * 60),
    "a session that is alone again is treated so after this long",
  ),
  "log.sync": setting<"data" | "never">(
    "data",
    () => v.picklist(["data", "never"]),
    "data: an answer that permits a write survives power loss; never: it survives kill -9 only",
  ),
  "log.snapshotEvery": setting(
    64,
    between(1, 100_000),
    "events that a hook folds before it writes a snapshot",
  ),
  "paths.ignoreCase": setting<"auto" | boolean>(
    "auto",
    () => v.union([v.literal("auto"), v.boolean()]),
    "treat names that differ in case as one; auto: as core.ignorecase says",
  ),
  "commit.lock": setting<"none" | "project">(
    "project",
    () => v.picklist(["none", "project"]),
    "commands of sessions that move HEAD wait for each other: project; or only git's own compare-and-swap sorts them: none",
  ),
  "commit.lockWaitSeconds": setting(
    30,
    between(0, 600),
    "how long such a command waits for its turn before it goes on without",
  ),
  "attribution.shared": setting<readonly string[]>(
    [
      "**/{package-lock,npm-shrinkwrap}.json",
      "**/{yarn,Cargo,poetry,uv,composer,Gemfile,bun}.lock",
      "**/pnpm-lock.yaml",
      "**/go.sum",
    ],
    () =>
      v.pipe(
        v.array(v.pipe(v.string(), v.nonEmpty(), v.check(isGlob, "not a glob that can be used"))),
        v.maxLength(100),
      ),
    "globs of generated files that tools rewrite as a whole: whoever changes one may commit it, nobody has it alone",
  ),
  "attribution.reserveAtMost": setting(
    100,
    between(0, 1000),
    "of a shell command that changed more files than this, none is reserved; whose they are is on record all the same",
  ),
  "hooks.stdinDeadlineMs": setting(2000, between(10, 60_000), "how long a hook waits for its input"),
  "compact.auto": setting(
    true,
    () => v.boolean(),
    "a session's start or end begins a compaction in the background when one is due",
  ),
  "compact.everyRecords": setting(
    20_000,
    between(1, 10_000_000),
    "it is due when the log has grown by so many records",
  ),
  "compact.everyHours": setting(24, between(0.01, 24 * 365), "or after so long, if it has grown at all"),
  "compact.keepDays": setting(
    0,
    between(0, 36_500),
    "archives of history older than so many days are deleted; 0: never",
  ),
  "compact.schedule": setting(
    "17 3 * * *",
    () => v.pipe(v.string(), v.nonEmpty()),
    "when compaction is due (cron expression)",
  ),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Settings = { readonly [K in SettingName]: (typeof SETTINGS)[K]["fallback"] };
/** Values by name, from one place that sets them. */
export interface SettingsSource {
  /** What to call it in an error: a file, or the environment. */
  readonly from: string;
  readonly values: Readonly<Record<string, unknown>>;
}

export interface Resolved {
  readonly settings: Settings;
  /** Where each value that is not the default comes from. */
  readonly origins: Readonly<Partial<Record<SettingName, string>>>;
  /** What is wrong, each a full sentence; a wrong value is left out, so the one before it stands. */
  readonly problems: readonly string[];
}

/** Lays sources over the defaults, later ones over earlier ones. Wrong values are reported and have no effect. */
export function resolveSettings(sources: readonly SettingsSource[]): Resolved {
  const settings: Record<string, unknown> = Object.fromEntries(
    Object.entries(SETTINGS).map(([name, s]) => [name, s.fallback]),
  );
  const origins: Partial<Record<SettingName, string>> = {};
  const problems: string[] = [];
  for (const { from, values } of sources) {
    for (const [name, value] of Object.entries(values)) {
      const problem = checkSetting(name, value);
      if (problem !== undefined) {
        problems.push(`${from}: ${problem}`);
        continue;
      }
      settings[name] = value;
      origins[name as SettingName] = from;
    }
  }
  return { settings: settings as Settings, origins, problems };
}

/** What is wrong with a value for a setting, as a sentence; `undefined` if nothing is. */
export function checkSetting(name: string, value: unknown): string | undefined {
  if (!Object.hasOwn(SETTINGS, name)) return `there is no setting "${name}"; git signalbox config lists them`;
  const { schema, fallback } = SETTINGS[name as SettingName];
  const checked = v.safeParse(schema(), value);
  if (checked.success) return undefined;
  return `${name} cannot be ${JSON.stringify(value)}: ${checked.issues[0].message}; the default is ${JSON.stringify(fallback)}`;
}

/** The variable that sets a setting for one command: SIGNALBOX_LEASE_TTL_MINUTES for lease.ttlMinutes. */
export function variableOf(name: string): string {
  return `SIGNALBOX_${name.replaceAll(/[A-Z]/g, "_$&").replaceAll(".", "_").toUpperCase()}`;
}

/** Settings from the environment; text that is JSON is taken as such. */
export function settingsFromEnv(env: Readonly<Record<string, string | undefined>>): SettingsSource {
  const values: Record<string, unknown> = {};
  for (const name of Object.keys(SETTINGS)) {
    const text = env[variableOf(name)];
    if (text !== undefined) values[name] = parseValue(text);
  }
  return { from: "environment", values };
}

/** "15" is a number, "true" a boolean, anything that is not JSON is itself. */
export function parseValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The constants of the balancing loops as the policies take them. */
export function policySettings(settings: Settings): PolicySettings {
  const seconds = (name: SettingName) => Number(settings[name]) * 1000;
  const minutes = (name: SettingName) => Number(settings[name]) * 60_000;
  return {
    lease: {
      ttlMs: minutes("lease.ttlMinutes"),
      maxMs: Math.max(minutes("lease.ttlMinutes"), minutes("lease.maxMinutes")),
      stepMs: minutes("lease.stepMinutes"),
      renewAfterMs: seconds("lease.renewAfterSeconds"),
      graceMs: seconds("lease.graceSeconds"),
      cap: settings["lease.perSession"],
      warnMs: minutes("lease.warnMinutes"),
      commandMs: minutes("lease.commandMinutes"),
    },
    wait: { keepMs: minutes("wait.keepMinutes") },
    claim: { stallMs: minutes("claim.stallMinutes") },
    handoff: { answerMs: minutes("handoff.answerMinutes") },
    announce: { resolvedMs: seconds("announce.resolvedSeconds") },
    refresh: {
      everyMs: seconds("refresh.everySeconds"),
      lazyAbove: settings["refresh.lazyAbovePerHour"],
      eagerBelow: Math.min(settings["refresh.eagerBelowPerHour"], settings["refresh.lazyAbovePerHour"]),
      windowMs: minutes("refresh.windowMinutes"),
    },
    rebase: {
      cooldownMs: seconds("sync.cooldownSeconds"),
      backoffMs: seconds("sync.backoffSeconds"),
      batchAbove: settings["sync.batchAbovePerHour"],
      immediateBelow: Math.min(settings["sync.immediateBelowPerHour"], settings["sync.batchAbovePerHour"]),
      batchMs: minutes("sync.batchMinutes"),
      windowMs: minutes("sync.windowMinutes"),
    },
    compact: {
      everyRecords: settings["compact.everyRecords"],
      everyMs: settings["compact.everyHours"] * 3_600_000,
    },
    coordination: { dwellMs: minutes("coordination.dwellMinutes") },
  };
}
