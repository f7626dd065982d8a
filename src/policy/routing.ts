import { begunBy, type CapabilityState, findRecord, type TrackRecord } from "../domain/capability.ts";

/**
 * Who should do what, when it is not yet known who is good at what: a multi-armed bandit for each kind of task, whose
 * arms are the kinds of agents. UCB1 (P. Auer, N. Cesa-Bianchi, P. Fischer: Finite-time Analysis of the Multiarmed
 * Bandit Problem, Machine Learning 47, 2002): the arm with the highest mean reward + √(2 ln N / n). An arm is tried
 * again and again, ever more seldom, whatever it has shown; one that was never tried comes first. The reward of a task
 * is its worth (src/domain/capability.ts). It is a function of the log: the same log, the same suggestion.
 *
 * Work that has begun and not ended counts as tried, so that a burst of tasks does not all go to one.
 */
export interface Score {
  readonly agent: string;
  /** Mean worth so far, 0 if there is none; what is added for exploring: Infinity if it was never tried. */
  readonly mean: number;
  readonly bonus: number;
  readonly record: TrackRecord | undefined;
  /** How many such tasks agents of this kind work on now. */
  readonly begun: number;
}

/** Kinds of agents for a kind of task, best first; of equals the one that comes first by name. */
export function rankAgents(state: CapabilityState, task: string, agents: readonly string[]): Score[] {
  const arms = [...new Set(agents)].map((agent) => {
    const record = findRecord(state, task, agent);
    const begun = begunBy(state, task, agent);
    return { agent, record, begun, tried: (record?.n ?? 0) + begun };
  });
  const all = arms.reduce((sum, { tried }) => sum + tried, 0);
  return arms
    .map(({ agent, record, begun, tried }) => ({
      agent,
      record,
      begun,
      mean: record === undefined ? 0 : record.worth / record.n,
      bonus: tried === 0 ? Infinity : Math.sqrt((2 * Math.log(all)) / tried),
    }))
    .sort((a, b) => descending(total(a), total(b)) || (a.agent < b.agent ? -1 : 1));
}

/** What the ranking goes by. */
export function total({ mean, bonus }: Pick<Score, "mean" | "bonus">): number {
  return mean + bonus;
}

export interface OpenTask {
  readonly id: string;
  readonly kind: string;
  /** Since when it has been open (ms). */
  readonly since: number;
}

export interface TaskScore extends Score {
  readonly task: OpenTask;
  /** What is added for having waited. */
  readonly waited: number;
}

/** After so long a task that waits outweighs any record (ms). */
const PATIENCE_MS = 24 * 60 * 60_000;

/**
 * Open tasks for a kind of agent, best first: by what agents of that kind have made of such tasks, seen among the
 * kinds of agents that are there. A task that nobody is good at comes to the front by waiting, so that none starves.
 */
export function rankTasks(
  state: CapabilityState,
  agent: string,
  agents: readonly string[],
  tasks: readonly OpenTask[],
  now: number,
): TaskScore[] {
  const byKind = new Map(
    [...new Set(tasks.map(({ kind }) => kind))].map((kind) => {
      const scores = rankAgents(state, kind, [agent, ...agents]);
      return [kind, scores.find((score) => score.agent === agent)!];
    }),
  );
  return tasks
    .map((task) => ({
      ...byKind.get(task.kind)!,
      task,
      waited: Math.max(0, now - task.since) / PATIENCE_MS,
    }))
    .sort(
      (a, b) =>
        descending(Math.min(total(a), UNTRIED) + a.waited, Math.min(total(b), UNTRIED) + b.waited) ||
        a.task.since - b.task.since ||
        (a.task.id < b.task.id ? -1 : 1),
    );
}

/** A kind of task that was never tried is ahead of all that were, but not of one that has waited for days. */
export const UNTRIED = 3;

function descending(a: number, b: number): number {
  return a === b ? 0 : b - a;
}
