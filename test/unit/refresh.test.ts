/** SYS-1: indexes are carried forward lazily, at their own sessions' calls, and not by every commit for everybody. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import type { States } from "../../src/domain/mod.ts";
import { hysteresis, perHour } from "../../src/policy/hysteresis.ts";
import { POLICY_DEFAULTS, refreshDue, refreshMode, settle } from "../../src/policy/mod.ts";
import { at, given, min, sha, started } from "../support/domain/mod.ts";

/** The n-th commit there is. */
const id = (n: number): string => n.toString(16).padStart(40, "0");
const commit = (n: number, session = "b"): Event =>
  event("commit.recorded", {
    commit: id(n),
    parents: [],
    tree: "",
    session,
    paths: ["f"],
    total: 1,
    subject: "s",
  });
const index = (session: string, base: string): Event =>
  event("index.created", { session, gitdir: `g-${session}`, tree: "", base });
const due = ({ states, now }: { readonly states: States; readonly now: number }) =>
  settle(states, { now, gone: new Set(), running: new Map() }, POLICY_DEFAULTS);
const refresh = (states: States, minute: number, session = "a") =>
  refreshDue(states, { session, tree: "" }, min(minute), POLICY_DEFAULTS)?.gitdir;

describe("while commits are few", () => {
  const here = [at(0, started("a"), started("b"), index("a", sha("0")))];

  test("a session's index is due when HEAD has moved", () => {
    const world = given(...here, at(1, commit(1)));
    assert.equal(refresh(world.states, 1), "g-a");
  });

  test("it is not when HEAD has not, or for one without an index, or in another tree", () => {
    const { states } = given(
      ...here,
      at(1, commit(1)),
      at(1, event("index.refreshed", { session: "a", gitdir: "g-a", from: sha("0"), to: id(1) })),
    );
    assert.equal(refresh(states, 9), undefined);
    assert.equal(refresh(states, 9, "b"), undefined);
    assert.equal(refreshDue(states, { session: "a", tree: "wt" }, min(9), POLICY_DEFAULTS), undefined);
  });

  test("commits of the next 30 seconds are answered by one refresh", () => {
    const { states } = given(
      ...here,
      at(1, commit(1)),
      at(1, event("index.refreshed", { session: "a", gitdir: "g-a", from: sha("0"), to: id(1) })),
      at(1.1, commit(2)),
      at(1.2, commit(3)),
    );
    assert.equal(refresh(states, 1.4), undefined);
    assert.equal(refresh(states, 1.5), "g-a");
  });
});

describe("by the rate of commits", () => {
  /** Commits at these minutes, settling after each. */
  function after(minutes: readonly number[]) {
    const world = given(at(0, started("a")));
    const modes: string[] = [];
    for (const [n, minute] of minutes.entries()) {
      world.when(minute, () => [commit(n)]);
      world.when(minute, (now) => {
        const events = due(now);
        modes.push(
          ...events.flatMap((e) =>
            e.type === "policy.switched" && e.policy === "refresh" ? [`${e.to} ${e.rate}`] : [],
          ),
        );
        return events;
      });
    }
    return { world, modes };
  }
  const every = (minutes: number, from: number, count: number) =>
    Array.from({ length: count }, (_, i) => from + i * minutes);

  test("above 60 an hour it is lazy, with the rate that switched it on record; then nothing is due", () => {
    const { world, modes } = after(every(0.5, 0, 30));
    assert.deepEqual(modes, ["lazy 66"]);
    world.when(15, () => [index("a", sha("0"))]);
    assert.equal(refreshMode(world.states), "lazy");
    assert.equal(refresh(world.states, 15), undefined);
  });

  test("between 30 and 60 it stays as it is, below 30 it is eager again", () => {
    const { modes } = after([...every(0.5, 0, 30), ...every(1.5, 20, 30), ...every(4, 70, 6)]);
    assert.deepEqual(modes, ["lazy 66", "eager 24"]);
  });

  test("a rate that wavers around one threshold does not make it flap", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 45, max: 75 }), { maxLength: 200 }), (rates) => {
        let mode = "eager" as "eager" | "lazy";
        let switches = 0;
        for (const rate of rates) {
          const next = hysteresis(mode, rate, {
            low: "eager",
            high: "lazy",
            above: 60,
            below: 30,
          });
          if (next !== mode) switches += 1;
          mode = next;
        }
        assert.ok(switches <= 1);
      }),
    );
  });

  test("is commits of the last ten minutes, an hour", () => {
    assert.equal(perHour([min(0), min(1), min(9)], min(10), min(10)), 12);
  });
});
