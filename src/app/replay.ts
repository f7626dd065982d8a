import type { Event } from "../../events/mod.ts";
import { FOLDS, type States } from "../domain/mod.ts";
import { covers, type Target } from "../domain/pattern.ts";
import { inspectLog, type LogRecord, savedSnapshots } from "../log/mod.ts";
import { type Box, eventsOf, type FoldName, look } from "./box.ts";
import { shortName } from "./identity.ts";
import type { StatusView } from "./status.ts";
import { sessionsIn } from "./story.ts";

/** One event with its place and time in the log. */
export interface Moment {
  readonly seq: number;
  readonly t: number;
  readonly event: Event;
}

/** The events of records, in order. */
export function* moments(records: Iterable<LogRecord>): Generator<Moment> {
  for (const record of records)
    for (const event of eventsOf(record)) yield { seq: record.s, t: record.t, event };
}

/** Which events of a story are asked for. */
export interface Filter {
  /** A session's id, or how it begins. */
  readonly session?: string | undefined;
  /** Canonical; what an event says of a directory or glob that it is in counts. */
  readonly path?: string | undefined;
  /** An event's name, or its family: "reservation". */
  readonly type?: string | undefined;
  readonly since?: Until | undefined;
  readonly until?: Until | undefined;
}

export function isAskedFor(moment: Moment, { session, path, type, since, until }: Filter): boolean {
  const { event } = moment;
  return (
    (session === undefined || sessionsIn(event).some((id) => id.startsWith(session))) &&
    (path === undefined || isAbout(event, path)) &&
    (type === undefined || event.type === type || event.type.startsWith(`${type}.`)) &&
    (since === undefined || !isBefore(moment, since)) &&
    (until === undefined || !isAfter(moment, until))
  );
}

function isBefore({ seq, t }: Moment, at: Until): boolean {
  return "seq" in at ? seq < at.seq : t < at.time;
}

function isAfter({ seq, t }: Moment, at: Until): boolean {
  return "seq" in at ? seq > at.seq : t > at.time;
}

function isAbout(e: Event, path: string): boolean {
  const fields = e as { path?: string; paths?: readonly string[]; targets?: readonly Target[] };
  return (
    fields.path === path ||
    (fields.paths ?? []).includes(path) ||
    (fields.targets ?? []).some((target) => covers(target, path))
  );
}

/** What is in force at one time and not at the other, a line each. */
export function differences(
  before: StatusView,
  after: StatusView,
): { readonly gone: string[]; readonly come: string[] } {
  const [old, now] = [factsOf(before), factsOf(after)];
  return { gone: [...old].filter((fact) => !now.has(fact)), come: [...now].filter((fact) => !old.has(fact)) };
}

function factsOf({ sessions, heads, queue, handoffs }: StatusView): Set<string> {
  const inTree = (tree: string) => (tree === "" ? "" : ` [${tree}]`);
  return new Set([
    ...sessions.flatMap(({ id, holds, claims }) => [
      `session ${shortName(id)} is here`,
      ...holds.map(({ target, tree }) => `session ${shortName(id)} holds ${target}${inTree(tree)}`),
      ...claims.map(({ task }) => `session ${shortName(id)} works on ${task}`),
    ]),
    ...heads.map(
      ({ tree, branch, commit }) =>
        `${(branch ?? "a detached HEAD").replace("refs/heads/", "")} is at ${commit.slice(0, 8)}${inTree(tree)}`,
    ),
    ...queue.map(
      ({ session, target }) => `session ${shortName(session)} is to rebase onto ${target.slice(0, 8)}`,
    ),
    ...handoffs.map(
      ({ from, to, what }) => `session ${shortName(from)} asks session ${shortName(to)} for ${what}`,
    ),
  ]);
}

/** Until when to replay: a sequence number, or a time (ms). */
export type Until = { readonly seq: number } | { readonly time: number };

/** The states as they were then, folded from the full history; and the record and time it ended with. */
export function statesAt(box: Box, until: Until): { states: States; seq: number; now: number } {
  const states = initialStates();
  let seq = 0;
  let last = 0;
  for (const record of box.log.records()) {
    if ("seq" in until ? record.s > until.seq : record.t > until.time) break;
    apply(states, record);
    seq = record.s;
    last = record.t;
  }
  return { states, seq, now: "time" in until ? until.time : last };
}

function initialStates(): States {
  return Object.fromEntries(Object.entries(FOLDS).map(([name, fold]) => [name, fold.initial()])) as States;
}

function apply(states: States, record: LogRecord): void {
  for (const event of eventsOf(record)) {
    for (const [name, fold] of Object.entries(FOLDS)) {
      fold.evolve(states[name as FoldName] as never, event, { seq: record.s, t: record.t });
    }
  }
}

export interface Verification {
  /** Found, and how many there have to be: the last record's number. */
  readonly records: number;
  readonly expected: number;
  readonly events: number;
  readonly snapshots: number;
  /** Folds whose live state, from snapshot and tail, is not what the full history gives. */
  readonly differing: readonly string[];
  /** What else is not as it was written, and where. */
  readonly wrong: readonly string[];
}

/**
 * Reads every file of the log, folds the whole history anew in one pass, and compares: checksums, chain and seals,
 * each snapshot at its place, the live states, the count.
 *
 * @param dir the log's folder
 * @param first the oldest record that is kept; what retention has deleted cannot be folded again
 */
export function verify(box: Box, dir: string, first: number): Verification {
  const live = look(box).states;
  const head = box.log.head.seq;
  const health = inspectLog({ dir });
  const wrong = [
    ...health.corrupt.map(({ file, offset, seq, why }) => `${file} at byte ${offset}, record ${seq}: ${why}`),
    ...health.snapshots.flatMap(({ name, why }) => (why === undefined ? [] : [`snap/${name}: ${why}`])),
  ];
  if (health.corrupt.length > 0)
    return { records: health.committed, expected: head, events: 0, snapshots: 0, differing: [], wrong };
  if (first > 1) {
    if (box.settings["compact.keepDays"] === 0)
      wrong.push(
        `record 1: history before record ${first} is gone, and nothing is to be deleted (compact.keepDays)`,
      );
    return {
      records: health.committed,
      expected: head - first + 1,
      events: 0,
      snapshots: 0,
      differing: [],
      wrong,
    };
  }
  const states = initialStates();
  const snapshots = savedSnapshots({ dir }).filter(({ seq }) => seq <= head);
  let [records, events, compared] = [0, 0, 0];
  for (const record of box.log.records({ to: head })) {
    records += 1;
    events += record.e.length;
    apply(states, record);
    for (; snapshots[compared]?.seq === record.s; compared += 1) {
      const { name, read } = snapshots[compared]!;
      wrong.push(
        ...differingFolds(states, read() ?? []).map(
          (fold) => `${name}: fold ${fold} is not what records 1 to ${record.s} give`,
        ),
      );
    }
  }
  if (records !== head) wrong.push(`${records} records were found, ${head} are expected`);
  const names = Object.keys(FOLDS) as FoldName[];
  const differing = names.filter((name) => canonical(live[name]) !== canonical(states[name]));
  return { records, expected: head, events, snapshots: compared, differing, wrong };
}

/** Of folds as a snapshot holds them, by name and version, those that a replay does not give. */
function differingFolds(
  states: States,
  saved: readonly { name: string; version: number; state: unknown }[],
): string[] {
  return (Object.keys(FOLDS) as FoldName[]).filter((name) => {
    const found = saved.find((fold) => fold.name === name && fold.version === FOLDS[name].version);
    return found !== undefined && canonical(found.state) !== canonical(states[name]);
  });
}

/** JSON with sorted keys: two states are the same if this is. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, v: unknown) =>
    typeof v === "object" && v !== null && !Array.isArray(v)
      ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
      : v,
  );
}
