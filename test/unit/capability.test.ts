import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { agentKind, begunBy, findRecord, meanTime } from "../../src/domain/capability.ts";
import { at, continued, ended, given, type Now } from "../support/domain/mod.ts";

const is = (session: string, model?: string): Event =>
  event("session.started", { session, kind: "claude-code", tree: "", cwd: "/repo", model });
const taken = (session: string, task: string, kind?: string): Event =>
  event("claim.taken", { task, session, kind });
const done = (session: string, task: string, outcome = "ok"): Event =>
  event("claim.completed", { task, session, outcome });
const stalled = (session: string, task: string, why: "no-edit" | "process-gone" | "by-hand"): Event =>
  event("claim.stalled", { task, session, lastProgress: 0, why });
const record = ({ states }: Pick<Now, "states">, task: string, agent: string) => {
  const found = findRecord(states.capability, task, agent);
  return found === undefined ? undefined : [found.n, found.done, found.totalMs / 60_000];
};
const agents = at(0, is("a", "m1"), is("b", "m2"), is("c", "m1"));

describe("what kinds of agents make of kinds of tasks", () => {
  test("is counted from claim to completion, for all sessions of a kind together", () => {
    const world = given(
      agents,
      at(1, taken("a", "t", "bug"), taken("b", "u", "bug"), taken("c", "v", "bug")),
    );
    world.when(11, () => [done("a", "t"), done("b", "u", "failed")]);
    world.when(31, () => [done("c", "v")]);
    assert.deepEqual(record(world, "bug", "claude-code/m1"), [2, 2, 40]);
    assert.deepEqual(record(world, "bug", "claude-code/m2"), [1, 0, 0]);
    assert.equal(meanTime(world.states.capability, "bug"), 20 * 60_000);
  });

  test("to stall is to fail; a process that is gone, and a task given back, say nothing", () => {
    const ways: [Event, unknown][] = [
      [stalled("a", "t", "no-edit"), [1, 0, 0]],
      [stalled("a", "t", "by-hand"), [1, 0, 0]],
      [stalled("a", "t", "process-gone"), undefined],
      [event("claim.released", { task: "t", session: "a", reason: "" }), undefined],
      [ended("a"), undefined],
    ];
    for (const [way, expected] of ways) {
      const world = given(agents, at(1, taken("a", "t", "bug")), at(2, way));
      assert.deepEqual(record(world, "bug", "claude-code/m1"), expected);
      assert.equal(begunBy(world.states.capability, "bug", "claude-code/m1"), 0);
    }
  });

  test("goes with a handed over task to who ends it, from then on", () => {
    const handed = event("handoff.accepted", { handoff: "h", from: "b", to: "a", task: "t", until: 9 });
    const world = given(agents, at(1, taken("a", "t", "bug")), at(11, handed), at(16, done("b", "t")));
    assert.equal(record(world, "bug", "claude-code/m1"), undefined);
    assert.deepEqual(record(world, "bug", "claude-code/m2"), [1, 1, 5]);
  });

  test("stays with the session after /clear", () => {
    const world = given(agents, at(1, taken("a", "t")), at(2, continued("a", "z")), at(11, done("z", "t")));
    assert.deepEqual(record(world, "task", "claude-code/m1"), [1, 1, 10]);
  });

  test("is nobody else's to end", () => {
    const world = given(agents, at(1, taken("a", "t")), at(2, done("b", "t")), at(3, done("a", "u")));
    assert.deepEqual(world.states.capability.records, []);
  });

  test("is bounded: the last 128 pairs", () => {
    const world = given(agents);
    for (let i = 0; i < 200; i += 1) world.when(1 + i, () => [taken("a", "t", `kind-${i}`), done("a", "t")]);
    assert.equal(world.states.capability.records.length, 128);
    assert.equal(world.states.capability.records.at(-1)?.task, "kind-199");
  });
});

test("worth is a half at the mean time of the kind, more if faster, nothing if not done", () => {
  const world = given(agents, at(0, taken("a", "t"), taken("b", "u"), taken("c", "v")));
  world.when(10, () => [done("a", "t")]);
  assert.equal(findRecord(world.states.capability, "task", "claude-code/m1")?.worth, 0.5);
  world.when(30, () => [done("b", "u"), done("c", "v", "failed")]);
  assert.equal(findRecord(world.states.capability, "task", "claude-code/m2")?.worth, 20 / (20 + 30));
  assert.equal(findRecord(world.states.capability, "task", "claude-code/m1")?.worth, 0.5);
});

test("an agent's kind is what runs it, and its model", () => {
  assert.equal(agentKind({ kind: "claude-code", model: "m1" }), "claude-code/m1");
  assert.equal(agentKind({ kind: "script", model: "" }), "script");
  assert.equal(agentKind({ kind: "k", model: "m".repeat(500) }).length, 64);
});
