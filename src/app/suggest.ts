import { ANY_KIND, type TrackRecord } from "../domain/capability.ts";
import { claimsOf, findClaim } from "../domain/claims.ts";
import { liveSessions } from "../domain/sessions.ts";
import { type OpenTask, rankAgents, rankTasks, type Score, total, UNTRIED } from "../policy/routing.ts";
import { type Box, type Circumstances, look } from "./box.ts";
import { duration } from "./messages.ts";
import type { Tracker } from "./ports.ts";

/** A suggestion, and why. */
export interface Suggestion {
  /** A session, a task, or a kind of task. */
  readonly name: string;
  readonly agent: string;
  readonly kind: string;
  /** Of such tasks: how many such agents have ended, and done, and how long that took them on average (ms). */
  readonly ended: number;
  readonly done: number;
  readonly meanMs: number | null;
  /** What it is ranked by; null is "never tried". */
  readonly score: number | null;
  /** Tasks that the session works on now. */
  readonly busy: number;
  /** The reasons, in words. */
  readonly why: string;
}

/** Who of those that are here should take a task of that kind, best first: a session that has its hands full comes later. */
export function suggestAgents(box: Box, kind: string): Suggestion[] {
  const { states, gone } = look(box);
  const sessions = liveSessions(states.sessions).filter(({ id }) => !gone.has(id));
  const agentOf = (id: string) => states.capability.agents[id] ?? "unknown";
  const scores = rankAgents(
    states.capability,
    kind,
    sessions.map(({ id }) => agentOf(id)),
  );
  const worth = (score: Score, busy: number) => Math.min(total(score), UNTRIED) / (1 + busy);
  return sessions
    .map(({ id }) => {
      const busy = claimsOf(states.claims, id).length;
      const score = scores.find(({ agent }) => agent === agentOf(id))!;
      const doing = busy === 0 ? "works on no task" : `works on ${busy} task${busy === 1 ? "" : "s"}`;
      return { ...suggestion(id, kind, score, busy, [doing]), worth: worth(score, busy) };
    })
    .sort((a, b) => b.worth - a.worth || (a.name < b.name ? -1 : 1))
    .map(({ worth: _, ...rest }) => rest);
}

/** What kind of task it is, as far as anybody knows. */
export function kindOf(box: Box, task: string, tracker: Tracker | undefined): string {
  const { claims } = look(box).states;
  const known = findClaim(claims, task)?.kind ?? claims.givenUp.find((each) => each.task === task)?.kind;
  return known ?? tracker?.read([task])?.[0]?.kind ?? ANY_KIND;
}

/** Which open tasks suit a session, best first; where none is known to be open, which kinds of tasks. */
export function suggestTasks(box: Box, session: string, tracker: Tracker | undefined): Suggestion[] {
  const circumstances = look(box);
  const { states, now, gone } = circumstances;
  const agent = states.capability.agents[session] ?? "unknown";
  const agents = liveSessions(states.sessions).flatMap(({ id }) =>
    gone.has(id) ? [] : (states.capability.agents[id] ?? []),
  );
  const open = openTasks(circumstances, tracker);
  const kinds = [...new Set(states.capability.records.map(({ task }) => task))];
  const tasks = open.length > 0 ? open : kinds.map((kind) => ({ id: kind, kind, since: now }));
  return rankTasks(states.capability, agent, agents, tasks, now).map((score) =>
    suggestion(score.task.id, score.task.kind, score, 0, waited(now - score.task.since)),
  );
}

/** What the tracker has ready, and what was given up here; nothing that somebody works on. */
function openTasks({ states: { claims }, now }: Circumstances, tracker: Tracker | undefined): OpenTask[] {
  const ready = (tracker?.ready() ?? []).map(({ id, kind = ANY_KIND, at = now }) => ({
    id,
    kind,
    since: at,
  }));
  const left = claims.givenUp.flatMap(({ task: id, kind = ANY_KIND, at: since }) =>
    ready.some((task) => task.id === id) ? [] : [{ id, kind, since }],
  );
  return [...ready, ...left].filter(({ id }) => findClaim(claims, id) === undefined);
}

function waited(ms: number): string[] {
  return ms < 60_000 ? [] : [`waits for ${duration(ms)}`];
}

function suggestion(
  name: string,
  kind: string,
  score: Score,
  busy: number,
  more: readonly string[],
): Suggestion {
  const { agent, record } = score;
  const meanMs = record === undefined || record.done === 0 ? null : Math.round(record.totalMs / record.done);
  return {
    name,
    agent,
    kind,
    ended: record?.n ?? 0,
    done: record?.done ?? 0,
    meanMs,
    score: Number.isFinite(total(score)) ? total(score) : null,
    busy,
    why: [history(agent, kind, record, meanMs), explored(score), ...more].join("; "),
  };
}

function history(
  agent: string,
  kind: string,
  record: TrackRecord | undefined,
  meanMs: number | null,
): string {
  if (record === undefined) return `${agent} has ended no ${kind} yet`;
  const took = meanMs === null ? "" : `, in ${duration(meanMs)} on average`;
  return `${agent} has done ${record.done} of ${record.n} ${kind}${took}`;
}

function explored({ mean, bonus }: Score): string {
  return Number.isFinite(bonus)
    ? `worth ${mean.toFixed(2)}, exploring ${bonus.toFixed(2)}`
    : "never tried, so tried first";
}
