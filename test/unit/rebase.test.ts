/** SYS-4: branches come up to their base one after the other, with a cooldown, a back-off and batches. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import type { States } from "../../src/domain/mod.ts";
import { queuedFor } from "../../src/domain/rebase-queue.ts";
import {
  afterConflict,
  dequeueRebase,
  mayRebase,
  POLICY_DEFAULTS,
  queueRebase,
  rebaseMode,
  settle,
} from "../../src/policy/mod.ts";
import { at, given, min, sha, started } from "../support/domain/mod.ts";

const tree = (session: string) => `wt-${session}`;
const queued = (session: string, commit = "a", notBefore = 0): Event =>
  event("rebase.queued", { session, tree: tree(session), target: sha(commit), notBefore: min(notBefore) });
const begun = (session: string): Event =>
  event("rebase.started", { session, tree: tree(session), target: sha("a") });
const done = (session: string): Event =>
  event("rebase.succeeded", { session, tree: tree(session), to: sha("a") });
const conflict = (session: string, notBefore: number): Event =>
  event("rebase.conflicted", {
    session,
    tree: tree(session),
    target: sha("a"),
    paths: ["f"],
    notBefore: min(notBefore),
  });
const commit = (n: number): Event =>
  event("commit.recorded", {
    commit: n.toString(16).padStart(40, "0"),
    parents: [],
    tree: "",
    session: "x",
    paths: ["f"],
    total: 1,
    subject: "s",
  });

const may = (states: States, session: string, minute: number, gone: readonly string[] = []) => {
  const entry = queuedFor(states.rebaseQueue, session, tree(session));
  assert.ok(entry !== undefined);
  const answer = mayRebase(
    states,
    entry,
    { now: min(minute), gone: new Set(gone), running: new Map() },
    POLICY_DEFAULTS,
  );
  return answer.kind === "go" ? "go" : `${answer.why} ${answer.until / 60_000}`;
};
const behind = (states: States, session: string, minute: number, letter = "a") =>
  queueRebase(states, { session, tree: tree(session), target: sha(letter) }, min(minute), POLICY_DEFAULTS);

describe("who has fallen behind", () => {
  test("is queued once a target, and told; later targets coalesce, and are told again after the cooldown", () => {
    const world = given(at(0, started("a")));
    const step = (minute: number, letter: string) => {
      const { events, tell } = behind(world.states, "a", minute, letter);
      world.when(minute, () => events);
      return [...events.map((e) => e.type), tell ? "told" : "not told"].join(" ");
    };
    assert.equal(step(1, "a"), "rebase.queued told");
    assert.equal(step(1.2, "a"), "not told");
    assert.equal(step(1.5, "b"), "rebase.coalesced not told");
    assert.equal(step(3, "c"), "rebase.coalesced told");
    assert.equal(queuedFor(world.states.rebaseQueue, "a", tree("a"))?.target, sha("c"));
  });

  test("and has come up by itself is queued no more", () => {
    const world = given(at(1, queued("a")));
    world.when(2, ({ states }) => dequeueRebase(states, { session: "a", tree: tree("a"), target: sha("b") }));
    assert.equal(queuedFor(world.states.rebaseQueue, "a", tree("a")), undefined);
    world
      .when(2, ({ states }) => dequeueRebase(states, { session: "a", tree: tree("a"), target: sha("b") }))
      .gives();
  });
});

describe("a rebase waits", () => {
  test("a minute after the last one", () => {
    const { states } = given(
      at(1, queued("a")),
      at(2, begun("a")),
      at(2, done("a")),
      at(2.5, queued("a", "b")),
    );
    assert.equal(may(states, "a", 2.5), "cooldown 3");
    assert.equal(may(states, "a", 3), "go");
  });

  test("after a conflict, twice as long each time, an hour at most", () => {
    assert.deepEqual(
      [0, 1, 2, 5, 6, 60].map((n) => afterConflict(n, 0, POLICY_DEFAULTS) / 60_000),
      [1, 2, 4, 32, 60, 60],
    );
    const { states } = given(at(1, queued("a")), at(2, conflict("a", 6)));
    assert.equal(may(states, "a", 3), "conflict 6");
    assert.equal(may(states, "a", 6), "go");
  });

  test("for those that have waited longer, those with conflicts last; two at a time", () => {
    const { states } = given(
      at(1, queued("a")),
      at(1.1, queued("b")),
      at(1.2, queued("c")),
      at(1.3, queued("d")),
    );
    assert.deepEqual(
      ["a", "b", "c", "d"].map((s) => may(states, s, 1.5)),
      ["go", "go", "turn 2.5", "turn 2.5"],
    );
    const after = given(
      at(1, queued("a")),
      at(1.1, queued("b")),
      at(1.2, queued("c")),
      at(1.5, conflict("a", 1.5)),
    );
    assert.deepEqual(
      ["a", "b", "c"].map((s) => may(after.states, s, 1.6)),
      ["turn 2.6", "go", "go"],
    );
  });

  test("not for those that are due and do not come, are gone, or died on the way", () => {
    const idle = given(at(1, queued("a")), at(1.1, queued("b")), at(5, queued("c")));
    assert.equal(may(idle.states, "c", 5), "go");
    const fresh = [at(5, queued("a")), at(5, queued("b")), at(5.1, queued("c"))];
    assert.equal(may(given(...fresh).states, "c", 5.2), "turn 6.2");
    assert.equal(may(given(...fresh).states, "c", 5.2, ["a"]), "go");
    const running = [at(1, queued("a"), queued("b")), at(1, begun("a"), begun("b")), at(1.1, queued("c"))];
    assert.equal(may(given(...running).states, "c", 5), "turn 6");
    assert.equal(may(given(...running).states, "c", 12), "go");
  });

  test("for the next full five minutes while commits are many, with the rate on record; with hysteresis back", () => {
    const world = given(at(0, started("a")));
    const modes: string[] = [];
    const settleAt = (minute: number) =>
      world.when(minute, ({ states, now }) => {
        const events = settle(states, { now, gone: new Set(), running: new Map() }, POLICY_DEFAULTS);
        for (const e of events)
          if (e.type === "policy.switched" && e.policy === "rebase") modes.push(`${e.to} ${e.rate}`);
        return events;
      });
    for (let i = 0; i < 24; i += 1) {
      world.when(i / 2, () => [commit(i)]);
      settleAt(i / 2);
    }
    assert.deepEqual(modes, ["batch 66"]);
    assert.equal(rebaseMode(world.states), "batch");
    world.when(12, () => [queued("a", "a", 12)]);
    assert.equal(may(world.states, "a", 12.5), "batch 15");
    assert.equal(may(world.states, "a", 15), "go");
    settleAt(15);
    assert.deepEqual(modes, ["batch 66"], "42 an hour is between");
    settleAt(20);
    assert.deepEqual(modes, ["batch 66", "immediate 18"]);
  });
});

test("whatever comes, the queue drains, at most one rebase a session in a minute, and the newest target wins", () => {
  const sessions = ["a", "b", "c", "d", "e"];
  const step = fc.record({
    who: fc.constantFrom(...sessions),
    wait: fc.double({ min: 0, max: 2, noNaN: true }),
    conflicts: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const world = given(at(0, ...sessions.map((s) => started(s))));
      const finished = new Map<string, number>();
      let minute = 0;
      let n = 0;
      const pull = (who: string, conflicts: boolean) => {
        const entry = queuedFor(world.states.rebaseQueue, who, tree(who));
        if (entry === undefined) return;
        const moment = { now: min(minute), gone: new Set<string>(), running: new Map<string, number>() };
        if (mayRebase(world.states, entry, moment, POLICY_DEFAULTS).kind !== "go") return;
        world.when(minute, () => [begun(who)]);
        if (conflicts) {
          const until = afterConflict(entry.conflicts, moment.now, POLICY_DEFAULTS);
          world.when(minute, () => [
            event("rebase.conflicted", {
              session: who,
              tree: tree(who),
              target: entry.target,
              paths: ["f"],
              notBefore: until,
            }),
          ]);
          return;
        }
        assert.ok(moment.now - (finished.get(who) ?? -Infinity) >= 60_000, "the cooldown");
        finished.set(who, moment.now);
        world.when(minute, () => [done(who)]);
      };
      for (const { who, wait, conflicts } of steps) {
        minute += wait;
        n += 1;
        const target = n.toString(16).padStart(40, "0");
        for (const other of sessions) {
          const { events } = queueRebase(
            world.states,
            { session: other, tree: tree(other), target },
            min(minute),
            POLICY_DEFAULTS,
          );
          world.when(minute, () => events);
        }
        assert.equal(queuedFor(world.states.rebaseQueue, who, tree(who))?.target, target);
        pull(who, conflicts);
      }
      for (let i = 0; i < 600 && Object.keys(world.states.rebaseQueue.queue).length > 0; i += 1) {
        minute += 0.5;
        for (const session of sessions) pull(session, false);
      }
      assert.deepEqual(world.states.rebaseQueue.queue, {});
    }),
    { numRuns: 100 },
  );
});
