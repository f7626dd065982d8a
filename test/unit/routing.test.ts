import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { capability, type CapabilityState } from "../../src/domain/capability.ts";
import { rankAgents, rankTasks } from "../../src/policy/routing.ts";

const HOUR = 60 * 60_000;
const AGENTS = ["a", "b", "c", "d"];

function withRecords(records: Record<string, { n: number; worth: number; kind?: string }>): CapabilityState {
  return {
    ...capability.initial(),
    records: Object.entries(records).map(([agent, { n, worth, kind = "bug" }]) => ({
      task: kind,
      agent,
      n,
      done: n,
      totalMs: n * HOUR,
      worth,
    })),
  };
}

/** Gives tasks of a kind to whoever is first, round after round; each agent's are worth what `worth` says. */
function play(rounds: number, worth: (agent: string, round: number) => number): Record<string, number> {
  const record: Record<string, { n: number; worth: number }> = {};
  for (let round = 0; round < rounds; round += 1) {
    const { agent } = rankAgents(withRecords(record), "bug", AGENTS)[0]!;
    const { n, worth: sum } = record[agent] ?? { n: 0, worth: 0 };
    record[agent] = { n: n + 1, worth: sum + worth(agent, round) };
  }
  return Object.fromEntries(AGENTS.map((agent) => [agent, record[agent]?.n ?? 0]));
}

describe("who should take a task", () => {
  test("whoever was never tried is tried first; then as UCB1 has it", () => {
    const names = (state: CapabilityState) => rankAgents(state, "bug", AGENTS).map(({ agent }) => agent);
    assert.deepEqual(names(withRecords({ a: { n: 5, worth: 5 }, c: { n: 5, worth: 1 } })), [
      "b",
      "d",
      "a",
      "c",
    ]);
    const [best] = rankAgents(withRecords({ a: { n: 4, worth: 3 }, b: { n: 2, worth: 1 } }), "bug", [
      "a",
      "b",
    ]);
    // b: 0.5 + √(2 ln 6 / 2) = 1.84; a: 0.75 + √(2 ln 6 / 4) = 1.70
    assert.equal(best?.agent, "b");
    assert.ok(Math.abs((best?.bonus ?? 0) - Math.sqrt(Math.log(6))) < 1e-12);
  });

  test("what they did on other kinds of tasks is nothing to it", () => {
    const state = withRecords({ a: { n: 50, worth: 50, kind: "docs" }, b: { n: 5, worth: 1 } });
    assert.equal(rankAgents(state, "bug", ["a", "b"])[0]?.agent, "a");
  });

  test("a burst is spread: what has begun counts as tried", () => {
    const state = withRecords({ a: { n: 3, worth: 1.5 }, b: { n: 3, worth: 1.5 } });
    const work = { kind: "bug", agent: "a", session: "s", since: 0 };
    assert.equal(rankAgents(state, "bug", ["a", "b"])[0]?.agent, "a");
    assert.equal(rankAgents({ ...state, begun: { t: work } }, "bug", ["a", "b"])[0]?.agent, "b");
  });

  test("one who is better gets most of the work, and nobody none of it", () => {
    const tried = play(1000, (agent) => (agent === "c" ? 0.8 : 0.3));
    assert.ok(tried["c"]! > 800, `c got ${tried["c"]} of 1000`);
    for (const agent of AGENTS) assert.ok(tried[agent]! >= 5, `${agent} got ${tried[agent]}`);
  });

  test("nobody starves: whatever the rewards, everybody is tried again and again", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 4, maxLength: 4 }),
        fc.nat(),
        (mean, seed) => {
          const worth = (agent: string, round: number) =>
            ((round * 7919 + seed) % 101) / 101 < mean[AGENTS.indexOf(agent)]! ? 1 : 0;
          const early = play(200, worth);
          const late = play(2000, worth);
          for (const agent of AGENTS)
            assert.ok(late[agent]! > early[agent]!, `${agent}: ${early[agent]}, ${late[agent]}`);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("what an agent should take", () => {
  const task = (id: string, kind: string, since = 0) => ({ id, kind, since });
  const first = (state: CapabilityState, tasks: Parameters<typeof rankTasks>[3], now = 0) =>
    rankTasks(state, "a", AGENTS, tasks, now)[0]?.task.id;

  test("what agents like it are good at; of equals the one that waits the longest", () => {
    const state = withRecords({ a: { n: 9, worth: 8 }, b: { n: 9, worth: 1 } });
    state.records.push({ task: "docs", agent: "a", n: 9, done: 9, totalMs: 9, worth: 2 });
    state.records.push({ task: "docs", agent: "b", n: 9, done: 9, totalMs: 9, worth: 8 });
    assert.equal(first(state, [task("d", "docs"), task("x", "bug")]), "x");
    assert.equal(first(state, [task("x", "bug", 5), task("y", "bug", 3)], 9), "y");
  });

  test("a kind that was never tried comes before those that were", () => {
    assert.equal(first(withRecords({ a: { n: 9, worth: 9 } }), [task("x", "bug"), task("n", "new")]), "n");
  });

  test("no task starves: whatever else comes up, it is first in the end", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (bug, docs) => {
          const state = withRecords({ a: { n: 50, worth: bug * 50 } });
          state.records.push({ task: "docs", agent: "a", n: 50, done: 50, totalMs: 50, worth: docs * 50 });
          let taken = -1;
          for (let day = 0; day < 30 && taken < 0; day += 1) {
            const now = day * 24 * HOUR;
            // Every day two new ones: one that the agent is good at, and one that nobody has ever tried.
            const fresh = [task(`bug${day}`, "bug", now), task(`new${day}`, `new${day}`, now)];
            if (first(state, [task("old", "docs", 0), ...fresh], now) === "old") taken = day;
          }
          assert.ok(taken >= 0, "it still waits");
        },
      ),
      { numRuns: 100 },
    );
  });
});
