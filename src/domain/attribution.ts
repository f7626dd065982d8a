/**
 * Attribution by effect: a command may write anything, so what it wrote is found on disk afterwards. A file's ctime
 * is the time of its last change and no program can set it; whoever ran a command at that time, and nobody else, is
 * taken to have made the change. What edit tools report is subtracted.
 */
import { event, type Event } from "../../events/mod.ts";
import { type Holder, holderOf, rivals } from "./holder.ts";
import type { States } from "./mod.ts";
import { covers } from "./pattern.ts";
import { type Grant, isHeld, type Request, reserve, type Terms } from "./reservations.ts";
import { findSession } from "./sessions.ts";
import { findEdit } from "./work.ts";

/** One path of a survey. */
export interface Seen {
  /** Other than in HEAD, or untracked. */
  readonly dirty: boolean;
  /** Tells one state of the file on disk from another; "" if there is none. */
  readonly stamp: string;
  /** Its ctime; of a file that is not there, when its directory last changed (ms). */
  readonly at: number;
}

/** What a working tree's uncommitted files are at a time. */
export interface Survey {
  /** When it began (ms): later changes may be missing. */
  readonly at: number;
  /** By canonical path: what is dirty, and what was at the last survey and no longer is. */
  readonly paths: ReadonlyMap<string, Seen>;
  /** Directories with too many untracked files to look at each. */
  readonly wide: readonly string[];
  /** Dirty paths that were left out for the same reason. */
  readonly omitted: number;
}

/** What is kept of a survey until the next: stamps of what was dirty. */
export interface LastSurvey {
  readonly at: number;
  readonly stamps: Readonly<Record<string, string>>;
  /** What there was too much of, in words; said once. */
  readonly tooMany?: string | undefined;
}

/** A path that is not as it was, and between which times (ms) it changed for the last time. */
export interface Change {
  readonly path: string;
  /** `undone`: nothing uncommitted is left of it: the file is as in HEAD again, or an untracked one is gone. */
  readonly kind: "changed" | "deleted" | "undone";
  readonly from: number;
  readonly to: number;
}

/** The time in which a command of a session ran. */
export interface Window {
  readonly session: string;
  readonly begin: number;
  /** Absent while it runs. */
  readonly end?: number | undefined;
  /** In the background, or for longer than any command may: it explains a change only if nothing else does. */
  readonly background: boolean;
}

/** An edit tool's own report (ms); it comes after the write. */
export interface Write {
  readonly session: string;
  readonly path: string;
  readonly at: number;
}

/** What changed between two surveys. Without a first one, everything that is dirty. */
export function changesSince(last: LastSurvey | undefined, { paths }: Survey): Change[] {
  const changes: Change[] = [];
  for (const [path, { dirty, stamp, at }] of paths) {
    const before = last !== undefined && Object.hasOwn(last.stamps, path) ? last.stamps[path] : undefined;
    if (before === stamp || (!dirty && before === undefined)) continue;
    // Its directory may have changed for something else since.
    const from = stamp === "" && last !== undefined ? Math.min(last.at, at) : at;
    changes.push({ path, kind: dirty ? (stamp === "" ? "deleted" : "changed") : "undone", from, to: at });
  }
  return changes;
}

/** What to keep of a survey. Paths left out are looked at again the next time. */
export function toKeep(
  last: LastSurvey | undefined,
  survey: Survey,
  leave: ReadonlySet<string> = new Set(),
): LastSurvey {
  const stamps: Record<string, string> = Object.create(null) as Record<string, string>;
  for (const [path, { dirty, stamp }] of survey.paths) {
    if (!leave.has(path)) {
      if (dirty) stamps[path] = stamp;
    } else if (last !== undefined && Object.hasOwn(last.stamps, path)) stamps[path] = last.stamps[path]!;
  }
  return { at: survey.at, stamps };
}

/** Sessions whose commands may have made a change; those in the background only if no other may have. */
export function candidates({ from, to }: Change, windows: readonly Window[]): string[] {
  const running = windows.filter((w) => w.begin <= to && (w.end ?? Infinity) >= from);
  const foreground = running.filter((w) => !w.background);
  return [...new Set((foreground.length > 0 ? foreground : running).map((w) => w.session))];
}

export interface AttributionQuestion {
  /** Whose command has just ended. */
  readonly caller: Holder;
  readonly tree: string;
  readonly changes: readonly Change[];
  /** The caller's, and all that run or ran meanwhile. */
  readonly windows: readonly Window[];
  /** Reports of edit tools that are not in the log yet. */
  readonly writes: readonly Write[];
  /** Globs of files that are nobody's alone. */
  readonly shared: readonly string[];
  /** Of more free paths than this at once, none is reserved. */
  readonly reserveAtMost: number;
  readonly now: number;
  readonly gone: ReadonlySet<string>;
  /** After a lease has run out it is its holder's for so long (ms). */
  readonly graceMs: number;
  readonly terms: (request: Request) => Terms;
}

/** Somebody else's uncommitted work that a command has changed. */
export interface Overwritten {
  readonly path: string;
  readonly kind: Change["kind"];
  readonly owner: string;
  /** Its lease; absent if it had run out. */
  readonly grant?: Grant | undefined;
}

export interface Attribution {
  readonly events: Event[];
  /** What the caller is to be told. */
  readonly overwritten: Overwritten[];
  /** It, or one of these sessions. */
  readonly unclear: { readonly path: string; readonly sessions: string[] }[];
  /** The caller's, on record and not reserved: too many at once, or it has as many leases as it may. */
  readonly unreserved: string[];
  /** Changes of commands that still run: for their own end to look at again. */
  readonly leave: ReadonlySet<string>;
}

/** An event holds at most so many paths; of a change of more than five times that, the rest is only in git. */
const PATHS_RECORDED = 200;
const EVENTS_AT_MOST = 5;

/** Whose each change is, and what follows from it. */
export function attribute(states: States, question: AttributionQuestion): Attribution {
  const { tree, changes, shared, gone, now } = question;
  const caller = { ...question.caller, session: idOf(states, question.caller.session) };
  const windows = question.windows.map((w) => ({ ...w, session: idOf(states, w.session) }));
  const globs = shared.map((glob) => ({ kind: "glob" as const, glob }));
  const free = new Map<string, string[]>();
  const together = new Map<string, string[]>();
  const taken: string[] = [];
  const unclear: { path: string; sessions: string[] }[] = [];
  const overwritten: Overwritten[] = [];
  const leave = new Set<string>();
  const isLive = (id: string) =>
    id === caller.session || (!gone.has(id) && findSession(states.sessions, id) !== undefined);

  for (const change of changes) {
    const { path } = change;
    if (reported(states, question, change)) continue;
    const able = candidates(change, windows).filter(isLive);
    const sessions = able.length > 1 ? usualOf(states, tree, path, able) : able;
    if (sessions.length === 0) continue;
    if (!sessions.includes(caller.session)) leave.add(path);
    if (change.kind !== "undone" && globs.some((glob) => covers(glob, path))) {
      for (const session of sessions) add(together, session, path);
      continue;
    }
    const owner = ownerOf(states, question, caller, path, isLive);
    if (change.kind !== "undone" && owner === undefined && isShared(states, question, path, sessions)) {
      for (const session of sessions) add(together, session, path);
      continue;
    }
    if (sessions.length > 1 || isWeak(change, windows)) {
      // What one of them has had before is that one's; a change in the background of what is its own, too.
      if (owner !== undefined && sessions.includes(owner.session)) {
        if (owner.session !== caller.session && sessions.includes(caller.session))
          overwritten.push({ path, kind: change.kind, owner: owner.session, grant: owner.grant });
      } else if (change.kind !== "undone" && sessions.includes(caller.session))
        unclear.push({ path, sessions });
      continue;
    }
    const session = sessions[0]!;
    const theirs =
      owner !== undefined && (session === caller.session ? !owner.own : owner.session !== session);
    if (theirs) {
      if (session !== caller.session) continue;
      overwritten.push({ path, kind: change.kind, owner: owner.session, grant: owner.grant });
      taken.push(path);
    } else if (change.kind !== "undone") {
      add(free, session, path);
    }
  }

  const events: Event[] = [];
  const ask = (session: string, paths: readonly string[], mode: "exclusive" | "shared") => {
    const holder = session === caller.session ? caller : { session };
    const targets = paths.map((path) => ({ kind: "path" as const, path }));
    const request = { holder, tree, targets, mode, via: "effect" as const };
    return reserve(states.reservations, request, { now, gone, ...question.terms(request) });
  };
  const tooMany = (paths: readonly string[]) => paths.length > question.reserveAtMost;
  const unreserved: string[] = [];
  for (const [session, paths] of free) {
    const holder = session === caller.session ? caller : { session };
    const answer = tooMany(paths) ? undefined : ask(session, paths, "exclusive");
    if (answer === undefined || (answer.kind === "refused" && answer.capped !== undefined)) {
      if (session !== caller.session) continue;
      events.push(...attributed(holder, tree, paths, "sure"));
      unreserved.push(...paths);
      continue;
    }
    events.push(...answer.events);
    // Under a lease on a whole directory nothing is granted anew, and nothing would say who changed the file.
    const granted = new Set(
      answer.events
        .flatMap((e) => (e.type === "reservation.granted" ? e.targets : []))
        .flatMap((t) => (t.kind === "path" ? [t.path] : [])),
    );
    const unsaid = paths.filter(
      (path) => !granted.has(path) && findEdit(states.work, tree, path)?.session !== session,
    );
    events.push(...attributed(holder, tree, unsaid, "sure"));
  }
  // One by one: that one of them is held keeps none of the others.
  for (const [session, paths] of together)
    if (!tooMany(paths)) events.push(...paths.flatMap((path) => ask(session, [path], "shared").events));
  events.push(...attributed(caller, tree, taken, "sure"));
  // The refusal is what its holder is told of.
  for (const { path, grant } of overwritten)
    if (grant !== undefined && taken.includes(path))
      events.push(...ask(caller.session, [path], "exclusive").events);
  for (const session of new Set(unclear.flatMap((u) => u.sessions))) {
    const paths = unclear.filter((u) => u.sessions.includes(session)).map((u) => u.path);
    const holder = session === caller.session ? caller : { session };
    events.push(...attributed(holder, tree, paths, "ambiguous"));
  }
  return { events, overwritten, unclear, unreserved, leave };
}

/** Of several that may have changed a file, the one that has committed it last. */
function usualOf(states: States, tree: string, path: string, sessions: readonly string[]): string[] {
  const last = states.commits.recent.findLast((c) => c.tree === tree && c.paths.includes(path));
  const usual = sessions.filter((session) => session === last?.session);
  return usual.length === 0 ? [...sessions] : usual;
}

function add(table: Map<string, string[]>, key: string, value: string): void {
  const known = table.get(key);
  if (known === undefined) table.set(key, [value]);
  else known.push(value);
}

function idOf(states: States, session: string): string {
  return findSession(states.sessions, session)?.id ?? session;
}

/** Only commands in the background ran then: it may as well have been a person. */
function isWeak({ from, to }: Change, windows: readonly Window[]): boolean {
  return !windows.some((w) => !w.background && w.begin <= to && (w.end ?? Infinity) >= from);
}

/** Whether an edit tool has reported the file after it changed for the last time: then that was the edit tool. */
function reported(
  states: States,
  { tree, writes }: AttributionQuestion,
  { path, to, kind }: Change,
): boolean {
  if (kind !== "changed") return false;
  if (writes.some((w) => w.path === path && w.at >= to)) return true;
  const edit = findEdit(states.work, tree, path);
  if (edit === undefined || edit.at < to) return false;
  // That it was allowed to edit says nothing of a write.
  const { grants } = states.reservations;
  return !grants.some(
    (g) => g.tree === tree && g.session === edit.session && g.since === edit.at && covers(g.target, path),
  );
}

/** Somebody else has said by a shared lease that others may work there too. */
function isShared(
  states: States,
  { tree, now, gone }: AttributionQuestion,
  path: string,
  sessions: readonly string[],
): boolean {
  return states.reservations.grants.some(
    (g) =>
      g.mode === "shared" &&
      g.tree === tree &&
      g.until > now &&
      !gone.has(g.session) &&
      !sessions.every((session) => session === g.session) &&
      covers(g.target, path),
  );
}

interface PathOwner {
  readonly session: string;
  /** The caller's own, not a rival subagent's. */
  readonly own: boolean;
  readonly grant?: Grant | undefined;
}

/** Who has a path, as far as reservations and uncommitted edits tell. */
function ownerOf(
  states: States,
  { tree, now, graceMs }: AttributionQuestion,
  caller: Holder,
  path: string,
  isLive: (id: string) => boolean,
): PathOwner | undefined {
  const held = states.reservations.grants.filter(
    (g) =>
      g.tree === tree &&
      isHeld(g, now, graceMs) &&
      g.mode === "exclusive" &&
      isLive(g.session) &&
      covers(g.target, path),
  );
  const grant = held.find((g) => rivals(g, caller)) ?? held[0];
  if (grant !== undefined) return { session: grant.session, own: !rivals(grant, caller), grant };
  const edit = findEdit(states.work, tree, path);
  if (edit === undefined || !isLive(edit.session)) return undefined;
  return { session: edit.session, own: edit.session === caller.session };
}

function attributed(
  holder: Holder,
  tree: string,
  paths: readonly string[],
  certainty: "sure" | "ambiguous",
): Event[] {
  const events: Event[] = [];
  for (let i = 0; i < paths.length && events.length < EVENTS_AT_MOST; i += PATHS_RECORDED)
    events.push(
      event("work.attributed", {
        ...holderOf(holder),
        tree,
        paths: paths.slice(i, i + PATHS_RECORDED),
        certainty,
      }),
    );
  return events;
}

/**
 * A second session comes where one was alone and nothing was surveyed: what has changed since the first began, and
 * nobody's edit explains, may be the first one's, or a person's.
 */
export function attributeAlone(
  states: States,
  question: {
    readonly session: string;
    readonly since: number;
    readonly tree: string;
    readonly changes: readonly Change[];
    readonly writes: readonly Write[];
  },
): Event[] {
  const { session, since, tree, changes, writes } = question;
  const paths = changes
    .filter(({ kind, to }) => kind !== "undone" && to >= since)
    .map(({ path }) => path)
    .filter(
      (path) => !writes.some((w) => w.path === path) && findEdit(states.work, tree, path) === undefined,
    );
  return attributed({ session }, tree, paths, "ambiguous");
}

/** Programs that write nothing, however they are called. */
const READERS: ReadonlySet<string> = new Set(
  (
    "ls cat head tail grep egrep fgrep wc pwd which type echo printf true false test [ stat du df whoami id " +
    "uname printenv basename dirname realpath readlink diff cmp cut tr sleep ps jq nl cd"
  ).split(" "),
);
const GIT_READERS: ReadonlySet<string> = new Set(
  "status log diff show blame rev-parse ls-files shortlog describe cat-file grep".split(" "),
);
/** Redirections that write no file. */
const HARMLESS = /(?:2>&1|[12&]?>\s*\/dev\/null)(?=$|[\s;|])/g;

/**
 * Whether a command line surely writes no file: a chain of plain words that only read. What would need a shell to
 * understand is taken to write.
 */
export function onlyReads(command: string): boolean {
  const line = command.replaceAll(HARMLESS, " ");
  if (/[`$<>\\(){}]/.test(line)) return false;
  const quotes: string[] = [];
  const plain = line.replaceAll(/'([^']*)'|"([^"]*)"/g, (_, one?: string, two?: string) => {
    quotes.push(one ?? two ?? "");
    return `\0${quotes.length - 1}\0`;
  });
  if (/['"]/.test(plain)) return false;
  return plain.split(/&&|\|\||[;|\n]/).every((part) => {
    const words = part
      .trim()
      .split(/\s+/)
      .map((word) => word.replaceAll(/\0(\d+)\0/g, (_, n: string) => quotes[Number(n)] ?? ""));
    return !part.includes("&") && readsOnly(words);
  });
}

function readsOnly([program = "", ...words]: readonly string[]): boolean {
  if (program === "git") return readsInGit(words);
  if (program === "sed") return readsInSed(words);
  if (program === "rg") return !words.some((word) => word.startsWith("--pre"));
  return READERS.has(program);
}

function readsInGit(words: readonly string[]): boolean {
  const [verb = "", ...rest] = words[0] === "--no-pager" ? words.slice(1) : words;
  return GIT_READERS.has(verb) && !rest.some((word) => /^(?:-o|-O|--out|--ext-diff|--open)/.test(word));
}

/** `sed -n 1,20p FILE`. */
function readsInSed([quiet, script = "", ...files]: readonly string[]): boolean {
  return quiet === "-n" && /^[\d,$]+p$/.test(script) && !files.some((file) => file.startsWith("-"));
}
