import { event } from "../../events/mod.ts";
import {
  type Attribution,
  attribute,
  attributeAlone,
  changesSince,
  type LastSurvey,
  onlyReads,
  type Survey,
  toKeep,
  type Window,
} from "../domain/attribution.ts";
import { ownersOf } from "../domain/ownership.ts";
import { canonicalPath } from "../domain/path-key.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { leaseTerms } from "../policy/mod.ts";
import { attended, type Caller } from "./attendance.ts";
import { type Box, decide, look } from "./box.ts";
import { clock, quoted, who } from "./messages.ts";
import { policySettings } from "./settings.ts";

/** What attribution keeps between commands; all of it may be lost. */
export interface AttributionFiles {
  readonly last: (tree: string) => LastSurvey | undefined;
  readonly keep: (tree: string, survey: LastSurvey) => void;
  /** Commands that run, or whose end nobody has looked at. */
  readonly windows: () => readonly (Window & { readonly call: string })[];
  readonly begin: (session: string, call: string, background: boolean) => void;
  readonly end: (session: string, call: string) => void;
  /** Forgets a session's commands: at the end of a turn those in the foreground, at its own end all. */
  readonly endAll: (session: string, which: { readonly background: boolean }) => void;
}

/** Instead of the settings `attribution.…`. */
export interface AttributionOptions {
  readonly shared?: readonly string[];
  readonly reserveAtMost?: number;
}

/** A command of the Bash tool that has ended. */
export interface EndedCommand {
  readonly caller: Caller;
  /** The tool call's id; "" if the client gives none. */
  readonly call: string;
  readonly command: string;
  /** How long it ran (ms), if the client says. */
  readonly durationMs?: number | undefined;
  /** When it began (ms), where that is known for sure. */
  readonly beganAt?: number | undefined;
  /** It goes on in the background. */
  readonly background: boolean;
}

/** What the use case needs of the working tree. */
export interface Ground {
  readonly files: AttributionFiles;
  /** Looks at the caller's working tree now, and at what is known of it. */
  readonly survey: (known: Iterable<string>) => Survey;
}

/** A tool's end is reported a moment after it; a command is not known to have begun later than that. */
const REPORT_MS = 250;
/** An edit tool's report comes a moment after its write. */
const WAITS_MS = [40, 80, 160];

/**
 * After a command: what it changed on disk is found and is the session's. Answers with what it is to be told: of
 * others' work that changed, of changes that may be another's; mostly nothing.
 */
export function attributeCommand(
  box: Box,
  ended: EndedCommand,
  { files, survey }: Ground,
  options: AttributionOptions = {},
): string {
  const { caller, call } = ended;
  const end = box.ports.now();
  if (ended.background && call !== "") files.begin(caller.session, call, true);
  keepLeases(box, caller, call, files);
  if (isAlone(box, caller) || (!ended.background && onlyReads(ended.command))) {
    if (call !== "") files.end(caller.session, call);
    return "";
  }
  // Before the last survey is read: whoever has saved a later one is then still among those that run.
  const running = files.windows();
  const last = files.last(caller.tree);
  const now = survey(Object.keys(last?.stamps ?? {}));
  const changes = changesSince(last, now);
  const own = running.find((w) => w.session === caller.session && w.call === call && !w.background);
  const windows: Window[] = [
    ...running.filter((w) => w !== own),
    {
      session: caller.session,
      begin: beginOf(ended, own?.begin, last?.at, end),
      end,
      background: false,
    },
  ];
  let found: Attribution | undefined;
  if (changes.length > 0) {
    // What is reserved by another may be its edit tool's write, of which the report is on its way.
    for (const wait of [0, ...WAITS_MS]) {
      if (wait > 0) sleep(wait);
      const preview = attributeIn(box, ended, { changes, windows }, options, look(box));
      if (preview.overwritten.length === 0) break;
    }
    found = decide(box, caller.session, (circumstances) => {
      const { session, events } = attended(box, circumstances.states.sessions, caller);
      const attribution = attributeIn(
        box,
        { ...ended, caller: { ...caller, session } },
        { changes, windows },
        options,
        circumstances,
      );
      const all = attribution.events.length === 0 ? [] : [...events, ...attribution.events];
      return { events: all, result: attribution };
    });
  }
  const newer = files.last(caller.tree);
  // Another command's end may have looked later than this one.
  if (newer === undefined || newer.at <= now.at)
    files.keep(caller.tree, { ...toKeep(last, now, found?.leave), tooMany: tooMany(now) });
  if (call !== "") files.end(caller.session, call);
  return [found === undefined ? "" : told(found), tooWide(last, now)].filter(Boolean).join("\n");
}

/**
 * A lease of the session's that has run out since this command began is renewed while it still counts as running:
 * the loops that come before any decision do it.
 */
function keepLeases(box: Box, { session }: Caller, call: string, files: AttributionFiles): void {
  const { states, running } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  if (call === "" || !running.has(id)) return;
  if (files.windows().some((w) => w.call === call && w.session === session))
    decide(box, session, () => ({ events: [], result: undefined }));
}

/** Nobody else is live in this working tree: all that changes is the session's, and is told when another comes. */
function isAlone(box: Box, { session, tree }: Caller): boolean {
  const { states, gone } = look(box);
  const self = findSession(states.sessions, session)?.id ?? session;
  return !liveSessions(states.sessions).some((s) => s.tree === tree && s.id !== self && !gone.has(s.id));
}

function beginOf(
  { durationMs, beganAt }: EndedCommand,
  marked: number | undefined,
  lastAt: number | undefined,
  end: number,
): number {
  if (beganAt !== undefined) return beganAt;
  // From the asking for permission to the running itself minutes may pass.
  const ran = durationMs === undefined ? undefined : end - durationMs - REPORT_MS;
  return Math.max(
    marked ?? -Infinity,
    ran ?? -Infinity,
    marked === undefined && ran === undefined ? (lastAt ?? end) : -Infinity,
  );
}

/**
 * What the session's command that is running has changed so far, so that a git command in it finds it to be the
 * session's. Answers as `attributeCommand`; nothing is known of a session whose commands nobody announces.
 */
export function attributeSoFar(box: Box, caller: Caller, ground: Ground): string {
  const session = findSession(look(box).states.sessions, caller.session)?.id ?? caller.session;
  const own = ground.files.windows().filter((w) => w.session === session || w.session === caller.session);
  if (own.length === 0) return "";
  const beganAt = Math.min(...own.map((w) => w.begin));
  return attributeCommand(box, { caller, call: "", command: "", beganAt, background: false }, ground);
}

/** A session has undone commits of its own and kept the files: what was committed is its uncommitted work again. */
export function attributeUndone(
  box: Box,
  { session, tree }: Pick<Caller, "session" | "tree">,
  paths: readonly string[],
): void {
  const keys = paths.map((path) => canonicalPath(path, box));
  decide(box, session, ({ states, now, gone }) => {
    const id = findSession(states.sessions, session)?.id ?? session;
    const owners = ownersOf(states, { tree, paths: keys, session: id, now, gone });
    const free = keys.filter((key) => owners.get(key)?.kind === "unknown");
    const mine = { session: id, tree, paths: free, certainty: "sure" } as const;
    return { events: free.length === 0 ? [] : [event("work.attributed", mine)], result: undefined };
  });
}

function attributeIn(
  box: Box,
  { caller }: EndedCommand,
  found: { readonly changes: ReturnType<typeof changesSince>; readonly windows: readonly Window[] },
  {
    shared = box.settings["attribution.shared"],
    reserveAtMost = box.settings["attribution.reserveAtMost"],
  }: AttributionOptions,
  { states, now, gone }: ReturnType<typeof look>,
): Attribution {
  const lease = policySettings(box.settings).lease;
  const writes = box.ports.spool
    .drain()
    .flatMap((entry) => (entry.kind === "wrote" && entry.tree === caller.tree ? [entry] : []));
  return attribute(states, {
    caller: { session: caller.session, agent: caller.agent },
    tree: caller.tree,
    ...found,
    writes,
    shared,
    reserveAtMost,
    now,
    gone,
    graceMs: lease.graceMs,
    terms: (request) => leaseTerms(states, request, { now, gone }, lease, box.ports.relations),
  });
}

/**
 * A session arrives where another was alone, and nothing was looked at: what has changed meanwhile may be that one's.
 * Call it after the arrival is on record.
 */
export function attributeOnArrival(
  box: Box,
  { session, tree }: { readonly session: string; readonly tree: string },
  { files, survey }: Ground,
): void {
  const { states, gone } = look(box);
  const self = findSession(states.sessions, session)?.id ?? session;
  const others = liveSessions(states.sessions).filter(
    (s) => s.tree === tree && s.id !== self && !gone.has(s.id),
  );
  const [alone] = others;
  // With more than one, the ends of their commands have been looked at.
  if (alone === undefined || others.length > 1) return;
  const last = files.last(tree);
  const now = survey(Object.keys(last?.stamps ?? {}));
  const changes = changesSince(last, now);
  const since = Math.max(alone.since, last?.at ?? 0);
  const writes = box.ports.spool
    .drain()
    .flatMap((entry) => (entry.kind === "wrote" && entry.tree === tree ? [entry] : []));
  if (changes.length > 0)
    decide(box, session, (circumstances) => ({
      events: attributeAlone(circumstances.states, { session: alone.id, since, tree, changes, writes }),
      result: undefined,
    }));
  files.keep(tree, { ...toKeep(last, now), tooMany: last?.tooMany });
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

/** One line a matter, neutral. */
function told({ overwritten, unclear, unreserved }: Attribution): string {
  const lines: string[] = [];
  for (const [owner, all] of grouped(overwritten, (o) => o.owner)) {
    const grant = all.find((o) => o.grant !== undefined)?.grant;
    const has =
      grant === undefined ? "edited and has not committed" : `has reserved until ${clock(grant.until)}`;
    lines.push(
      `signalbox: while this command ran, ${listed(all.map((o) => o.path))} changed on disk, which ${who(grant ?? { session: owner })} ${has}. It stays that session's; look at \`git diff -- ${quoted(all[0]!.path)}\` and leave it out of your commit.`,
    );
  }
  if (unclear.length > 0)
    lines.push(
      `signalbox: ${listed(unclear.map((u) => u.path))} changed while commands of several sessions ran, so it is not clear whose it is; nobody has it reserved. Commit by name what is yours.`,
    );
  if (unreserved.length > 0)
    lines.push(
      `signalbox: this command changed ${unreserved.length} files (${listed(unreserved)}); that they are this session's is on record, and none is reserved: another session may edit them.`,
    );
  return lines.join("\n");
}

/** Said once for a state, not after each command. */
function tooWide(last: LastSurvey | undefined, now: Survey): string {
  const what = tooMany(now);
  if (what === undefined || what === last?.tooMany) return "";
  return `signalbox: too many to tell whose they are: ${what}.`;
}

function tooMany({ wide, omitted }: Survey): string | undefined {
  const parts = [
    ...(wide.length === 0 ? [] : [`the untracked files below ${listed(wide.map((dir) => `${dir}/`))}`]),
    ...(omitted === 0 ? [] : [`${omitted} more changed files`]),
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}

function grouped<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}

function listed(paths: readonly string[]): string {
  const names = paths.slice(0, 3).map((path) => path.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?"));
  return paths.length <= 3 ? names.join(", ") : `${names.join(", ")} and ${paths.length - 3} more`;
}
