import { join } from "node:path";
import type { Event } from "../../events/mod.ts";
import { FOLDS, type States } from "../domain/mod.ts";
import { covers, type Target } from "../domain/pattern.ts";
import {
  type Exported,
  inspectLog,
  type Json,
  LogPruned,
  type LogRecord,
  readExport,
  type Saved,
  type SavedFold,
  savedSnapshots,
  writeExport,
} from "../log/mod.ts";
import { type Box, eventsOf, look } from "./box.ts";
import { FOLD_NAMES, Folding, type Gap, initialStates, savedStates } from "./folding.ts";
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

function isBefore({ seq, t }: Omit<Moment, "event">, at: Until): boolean {
  return "seq" in at ? seq < at.seq : t < at.time;
}

function isAfter({ seq, t }: Omit<Moment, "event">, at: Until): boolean {
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

/** A stretch of history: what a repository's log has kept, or an export of it. */
export interface History {
  /** Number of the first record that is there. */
  readonly first: number;
  /** The folds right before it; `undefined` where that cannot be known. */
  readonly before: () => States | undefined;
  /** Snapshots that tell the states at their places, oldest first. */
  readonly saved: () => readonly Saved[];
  readonly records: (range?: { readonly from?: number; readonly to?: number }) => Iterable<LogRecord>;
}

/** @param first the oldest record that is kept */
export function historyOf(box: Box, first: number): History {
  return {
    first,
    before: () => (first === 1 ? initialStates() : undefined),
    saved: () => savedSnapshots({ dir: join(box.dir, "log") }),
    records: ({ from = first, to } = {}) => box.log.records(to === undefined ? { from } : { from, to }),
  };
}

/** @throws LogError if the file is no export that can be read */
export function historyIn(file: string): History {
  const { header, records } = readExport(file);
  return {
    first: header.first,
    before: () => (header.first === 1 ? initialStates() : savedStates(header.folds)),
    saved: () => [],
    *records({ from = header.first, to = Number.POSITIVE_INFINITY } = {}) {
      for (const record of records()) if (record.s >= from && record.s <= to) yield record;
    },
  };
}

/**
 * The states as they were then, folded from the beginning; and the record and time they ended with.
 *
 * @throws LogPruned if it cannot be known: what there is begins later, or something is lost and no snapshot after it
 *   was made before then
 */
export function statesAt(history: History, until: Until): { states: States; seq: number; now: number } {
  const { first } = history;
  const folding = foldingOf(history);
  let last = 0;
  for (const record of history.records()) {
    if ("seq" in until ? record.s > until.seq : record.t > until.time) break;
    folding.add(record);
    last = record.t;
  }
  const { states, seq, gaps } = folding;
  const gap = gaps.at(-1);
  if (states === undefined || ("seq" in until && until.seq < first && first > 1))
    throw new LogPruned(
      gap === undefined
        ? `Cannot tell the state then: the history begins with record ${first}${history.before() === undefined ? ", and what was before is not known" : ""}.`
        : `Cannot tell the state then: records ${gap.from} to ${gap.to} are lost, and no snapshot was made between them and then.`,
    );
  return { states, seq, now: "time" in until ? until.time : last };
}

function foldingOf(history: History): Folding {
  return new Folding(history.before(), history.first - 1, history.saved());
}

/**
 * Writes the records of a time range, and the state that they begin with, as one file (src/log/export.ts).
 *
 * @returns `undefined` if there is no record in the range; nothing is written then
 * @throws LogError if it cannot be written
 */
export function exportHistory(
  history: History,
  log: string,
  file: string,
  { since, until }: { readonly since?: Until | undefined; readonly until?: Until | undefined },
): Exported | undefined {
  const folding = foldingOf(history);
  const records = history.records()[Symbol.iterator]();
  let next = records.next();
  const isWanted = (record: LogRecord) => since === undefined || !isBefore(momentOf(record), since);
  for (; !next.done && !isWanted(next.value); next = records.next()) folding.add(next.value);
  if (next.done || (until !== undefined && isAfter(momentOf(next.value), until))) return undefined;
  const first = next.value.s;
  const { states } = folding;
  const folds =
    states === undefined || first === 1
      ? []
      : FOLD_NAMES.map((each) => {
          const { name, version } = FOLDS[each];
          return { name, version, seq: first - 1, state: states[each] as unknown as Json };
        });
  function* wanted(): Generator<LogRecord> {
    for (; !next.done; next = records.next()) {
      if (until !== undefined && isAfter(momentOf(next.value), until)) return;
      yield next.value;
    }
  }
  return writeExport(file, { log, first, folds }, wanted());
}

const momentOf = ({ s, t }: LogRecord) => ({ seq: s, t });

const TELL_EVERY = 10_000;

export interface Verification {
  /** Found, and how many there have to be: up to the last record's number, but for what is lost. */
  readonly records: number;
  readonly expected: number;
  readonly events: number;
  /** Snapshots that were compared with what the records give. */
  readonly snapshots: number;
  /** Records that are lost, and that a repair has marked. */
  readonly lost: readonly Gap[];
  /** Folds whose live state, from snapshot and tail, is not what the history gives. */
  readonly differing: readonly string[];
  /** What else is not as it was written, and where. */
  readonly wrong: readonly string[];
}

/**
 * Reads every file of the log, folds the whole history anew in one pass, and compares: checksums, chain and seals,
 * each snapshot at its place, the live states, the count. Behind a gap, and where retention has deleted the beginning,
 * it folds from the next snapshot on.
 *
 * @param dir the log's folder
 * @param first the oldest record that is kept
 * @param onProgress called now and then while records are folded
 */
export function verify(
  box: Box,
  dir: string,
  first: number,
  onProgress: (folded: number, of: number) => void = () => {},
): Verification {
  const live = look(box).states;
  const head = box.log.head.seq;
  const health = inspectLog({ dir });
  const wrong = [
    ...health.corrupt.map(({ file, offset, seq, why }) => `${file} at byte ${offset}, record ${seq}: ${why}`),
    ...health.snapshots.flatMap(({ name, why }) => (why === undefined ? [] : [`snap/${name}: ${why}`])),
  ];
  const found = { expected: head - first + 1, events: 0, snapshots: 0, lost: [], differing: [], wrong };
  if (health.corrupt.length > 0) return { ...found, records: health.committed };
  if (first > 1 && box.settings["compact.keepDays"] === 0)
    wrong.push(
      `record 1: history before record ${first} is gone, and nothing is to be deleted (compact.keepDays)`,
    );
  const history = historyOf(box, first);
  const folding = foldingOf(history);
  const saved = history.saved().filter(({ seq }) => seq <= head);
  let [records, events, compared, next] = [0, 0, 0, 0];
  for (const record of history.records({ to: head })) {
    records += 1;
    events += record.e.length;
    if (records % TELL_EVERY === 0) onProgress(records, head);
    folding.add(record);
    const { states, seq } = folding;
    for (; next < saved.length && saved[next]!.seq <= seq; next += 1) {
      const { name, seq: at, read } = saved[next]!;
      if (at < seq || states === undefined) continue;
      compared += 1;
      const differing = differingFolds(states, read() ?? []);
      wrong.push(...differing.map((fold) => `${name}: fold ${fold} is not what records 1 to ${at} give`));
    }
  }
  const lost = folding.gaps;
  const expected = found.expected - lost.reduce((sum, { from, to }) => sum + to - from, 0);
  if (records !== expected) wrong.push(`${records} records were found, ${expected} are expected`);
  const { states } = folding;
  const differing = FOLD_NAMES.filter(
    (name) => states !== undefined && canonical(live[name]) !== canonical(states[name]),
  );
  return { ...found, records, expected, events, snapshots: compared, lost, differing };
}

/** Of folds as a snapshot holds them, by name and version, those that a replay does not give. */
function differingFolds(states: States, saved: readonly SavedFold[]): string[] {
  return FOLD_NAMES.filter((each) => {
    const { name, version } = FOLDS[each];
    const found = saved.find((fold) => fold.name === name && fold.version === version);
    return found !== undefined && canonical(found.state) !== canonical(states[each]);
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
