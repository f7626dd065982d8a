/**
 * Ten agents and a queue of tasks, under a clock of their own: one is stuck, one is slow (SYS-5). Nobody is awake but
 * those who poll; whoever polls settles what is due, as every decision does.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { take } from "../../src/domain/claims.ts";
import { evolve, type States } from "../../src/domain/mod.ts";
import { POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import { rankTasks } from "../../src/policy/routing.ts";
import { initialStates } from "../support/domain/mod.ts";

const MINUTE = 60_000;
const POLL = 5 * MINUTE;
const NOBODY: ReadonlySet<string> = new Set();
const KINDS = ["bug", "docs", "feature"];

interface Agent {
  readonly id: string;
  /** How long a task takes it; it edits something every ten minutes. Infinity: it never does anything. */
  readonly taskMs: number;
  task?: { readonly id: string; readonly since: number } | undefined;
  done: number;
}

/** The log and the states; events go in one after the other, at a time that never goes back. */
function world() {
  const states: States = initialStates();
  const log: { at: number; event: Event }[] = [];
  let seq = 0;
  return {
    states,
    log,
    append(now: number, ...events: Event[]) {
      seq += 1;
      for (const e of events) {
        evolve(states, e, { seq, t: now });
        log.push({ at: now, event: e });
      }
    },
  };
}

function simulate(tasks: number) {
  const { states, log, append } = world();
  const agents: Agent[] = Array.from({ length: 10 }, (_, i) => ({
    id: `a${i}`,
    taskMs: i === 0 ? Infinity : i === 1 ? 150 * MINUTE : (20 + i) * MINUTE,
    done: 0,
  }));
  for (const { id } of agents)
    append(0, event("session.started", { session: id, kind: "k", tree: "", cwd: "/", model: id }));
  const open = new Map(
    Array.from({ length: tasks }, (_, i) => [`t${i}`, { id: `t${i}`, kind: KINDS[i % 3]!, since: 0 }]),
  );
  let drainedAt: number | undefined;
  for (let now = MINUTE; now < 48 * 60 * MINUTE && drainedAt === undefined; now += MINUTE) {
    for (const [i, agent] of agents.entries()) {
      // Everybody looks up every five minutes, each at a minute of its own.
      if ((now / MINUTE + i) % 5 !== 0) continue;
      append(now, ...settle(states, { now, gone: NOBODY, running: new Map() }, POLICY_DEFAULTS));
      act(agent, now);
    }
    if (open.size === 0) drainedAt = now;
  }
  return { log, agents, drainedAt };

  function act(agent: Agent, now: number): void {
    const { id, task } = agent;
    if (task !== undefined && states.claims.claims[task.id]?.session !== id) agent.task = undefined;
    if (agent.task === undefined) claimNext(agent, now);
    else if (now - agent.task.since >= agent.taskMs) {
      append(now, event("claim.completed", { task: agent.task.id, session: id, outcome: "ok" }));
      open.delete(agent.task.id);
      agent.done += 1;
      agent.task = undefined;
    } else if (Number.isFinite(agent.taskMs) && now % (10 * MINUTE) < POLL)
      append(now, event("file.written", { session: id, tree: "", path: `${id}.ts`, tool: "Edit", at: now }));
  }

  function claimNext(agent: Agent, now: number): void {
    const free = [...open.values()].filter((task) => states.claims.claims[task.id] === undefined);
    const kinds = agents.map((each) => `k/${each.id}`);
    const [best] = rankTasks(states.capability, `k/${agent.id}`, kinds, free, now);
    if (best === undefined) return;
    const answer = take(
      states.claims,
      { task: best.task.id, session: agent.id, kind: best.task.kind },
      NOBODY,
    );
    append(now, ...answer.events);
    if (answer.kind === "taken") agent.task = { id: best.task.id, since: now };
  }
}

test("ten agents, one stuck and one slow: the queue drains, each task once, and nobody starves", () => {
  const { log, agents, drainedAt } = simulate(90);
  assert.ok(drainedAt !== undefined, "there are tasks left after two days");
  const completed = log.flatMap(({ event: e }) => (e.type === "claim.completed" ? [e.task] : []));
  assert.deepEqual([completed.length, new Set(completed).size], [90, 90]);
  const [stuck, ...others] = agents;
  assert.equal(stuck?.done, 0);
  for (const { id, done } of others) assert.ok(done > 0, `${id} got nothing done`);
  assert.ok(others[0]!.done < Math.min(...others.slice(1).map((a) => a.done)), "the slow one did less");
});

test("the slow one works, and keeps what it has; the stuck one's is taken back within the stall time and one poll", () => {
  const { log } = simulate(90);
  const { stallMs } = POLICY_DEFAULTS.claim;
  const stalls = log.filter(({ event: e }) => e.type === "claim.stalled");
  assert.ok(stalls.length > 0);
  for (const { at, event: e } of stalls) {
    if (e.type !== "claim.stalled") continue;
    assert.equal(e.session, "a0");
    const late = at - e.lastProgress - stallMs;
    assert.ok(late > 0 && late <= POLL, `${e.task} was taken back ${late} ms after it was due`);
  }
});

test("no two ever work on one task", () => {
  const holder = new Map<string, string>();
  for (const { event: e } of simulate(60).log) {
    if (e.type === "claim.taken") {
      assert.equal(holder.get(e.task), undefined, `${e.task} was ${holder.get(e.task)}'s`);
      holder.set(e.task, e.session);
    } else if (e.type === "claim.completed" || e.type === "claim.stalled") holder.delete(e.task);
  }
});
