import { succeeded } from "./claims.ts";
import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

/** What agents of one kind have made of tasks of one kind. */
export interface TrackRecord {
  /** Kind of task, and of agent: "bug", "claude-code/opus". */
  task: string;
  agent: string;
  /** How many came to an end, and how many of those well. */
  n: number;
  done: number;
  /** Time that the good ones took, from claim to completion (ms). */
  totalMs: number;
  /** Sum of what each was worth: between 0, not done, and 1, done at once. */
  worth: number;
}

export interface CapabilityState {
  /** Kinds of live sessions' agents. */
  agents: Table<string>;
  /** Work that has begun: by task. */
  begun: Table<{ kind: string; agent: string; session: string; since: number }>;
  /** The last to come to an end is the last. */
  records: TrackRecord[];
}

const RECORDS_KEPT = 128;
const NAME_KEPT = 64;
/** The kind of tasks that nobody has said the kind of. */
export const ANY_KIND = "task";

/**
 * How long tasks of each kind take agents of each kind, and whether they are done in the end: time that stands in no
 * relation to others' is worth little, so a task done in the mean time of its kind is worth a half.
 */
export const capability = fold<CapabilityState>(
  "capability",
  1,
  () => ({ agents: {}, begun: {}, records: [] }),
  {
    "session.started": (state, e) => {
      enter(state.agents, e.session, agentKind(e));
    },
    "session.continued": (state, e) => {
      if (e.from === e.session) return;
      const kind = lookUp(state.agents, e.from);
      delete state.agents[e.from];
      if (kind !== undefined && lookUp(state.agents, e.session) === undefined)
        enter(state.agents, e.session, kind);
      for (const work of Object.values(state.begun)) if (work.session === e.from) work.session = e.session;
    },
    "session.ended": (state, e) => forget(state, e.session),
    "session.lapsed": (state, e) => forget(state, e.session),
    "claim.taken": (state, e, { t }) => begin(state, e.task, e.session, e.kind, t),
    "handoff.accepted": (state, e, { t }) => {
      const work = e.task === undefined ? undefined : lookUp(state.begun, e.task);
      if (e.task !== undefined && work?.session === e.to) begin(state, e.task, e.from, work.kind, t);
    },
    "claim.completed": (state, e, { t }) => end(state, e, succeeded(e.outcome), t),
    // A process that is gone says nothing of what its kind can do.
    "claim.stalled": (state, e, { t }) => {
      if (e.why === "process-gone") drop(state, e);
      else end(state, e, false, t);
    },
    "claim.released": (state, e) => drop(state, e),
  },
);

/** What runs a session, with its model if that is known: what the records go by. */
export function agentKind({
  kind,
  model,
}: {
  readonly kind: string;
  readonly model?: string | undefined;
}): string {
  return (model === undefined || model === "" ? kind : `${kind}/${model}`).slice(0, NAME_KEPT);
}

type Ended = { readonly task: string; readonly session: string };

function begin(
  state: CapabilityState,
  task: string,
  session: string,
  kind: string | undefined,
  since: number,
): void {
  const agent = lookUp(state.agents, session);
  if (agent === undefined) delete state.begun[task];
  else enter(state.begun, task, { kind: (kind || ANY_KIND).slice(0, NAME_KEPT), agent, session, since });
}

/** The work on a task, if it is that session's, which is over. */
function drop(state: CapabilityState, { task, session }: Ended) {
  const work = lookUp(state.begun, task);
  if (work?.session !== session) return undefined;
  delete state.begun[task];
  return work;
}

function forget(state: CapabilityState, session: string): void {
  delete state.agents[session];
  for (const task of Object.keys(state.begun)) drop(state, { task, session });
}

function end(state: CapabilityState, ended: Ended, done: boolean, t: number): void {
  const work = drop(state, ended);
  if (work === undefined) return;
  const { kind: task, agent } = work;
  const before = findRecord(state, task, agent) ?? { task, agent, n: 0, done: 0, totalMs: 0, worth: 0 };
  const tookMs = t - work.since;
  const after = done
    ? { ...before, n: before.n + 1, done: before.done + 1, totalMs: before.totalMs + tookMs }
    : { ...before, n: before.n + 1 };
  state.records = [...state.records.filter((each) => each !== before), after].slice(-RECORDS_KEPT);
  if (!done) return;
  const mean = meanTime(state, task) ?? tookMs;
  after.worth += mean + tookMs === 0 ? 1 : mean / (mean + tookMs);
}

/** What agents of a kind have made of tasks of a kind; `undefined` for nothing yet. */
export function findRecord(state: CapabilityState, task: string, agent: string): TrackRecord | undefined {
  return state.records.find((each) => each.task === task && each.agent === agent);
}

/** How long tasks of a kind have taken on average (ms); `undefined` before the first is done. */
export function meanTime(state: CapabilityState, task: string): number | undefined {
  const all = state.records.filter((each) => each.task === task);
  const done = all.reduce((sum, each) => sum + each.done, 0);
  return done === 0 ? undefined : all.reduce((sum, each) => sum + each.totalMs, 0) / done;
}

/** How many tasks of a kind agents of a kind work on now. */
export function begunBy(state: CapabilityState, task: string, agent: string): number {
  return Object.values(state.begun).filter((work) => work.kind === task && work.agent === agent).length;
}
