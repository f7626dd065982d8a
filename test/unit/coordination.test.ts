/** From one session to two, to many, and back (SYS-5's last row in FINDINGS: the transition has hysteresis). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import { activeGrants } from "../../src/domain/reservations.ts";
import type { States } from "../../src/domain/mod.ts";
import { coordinationMode, POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import { at, committed, ended, given, granted, lapsed, min, started } from "../support/domain/mod.ts";

const wrote = (session: string, path: string, minute: number): Event =>
  event("file.written", { session, tree: "", path, tool: "Edit", at: min(minute) });
const due = (
  { states, now }: { readonly states: States; readonly now: number },
  gone: readonly string[] = [],
) => settle(states, { now, gone: new Set(gone), running: new Map() }, POLICY_DEFAULTS);
const switches = (events: readonly Event[]) =>
  events.flatMap((e) => (e.type === "policy.switched" && e.policy === "coordination" ? [e.to] : []));
const held = (states: States, minute: number) =>
  activeGrants(states.reservations, min(minute)).map(
    (g) => `${g.session} ${"path" in g.target ? g.target.path : ""}`,
  );

describe("one session", () => {
  test("is not coordinated: nothing is reserved for what it writes", () => {
    given(at(0, started("a")), at(1, wrote("a", "f", 1)))
      .when(2, (now) => due(now))
      .gives();
  });
});

describe("the second session", () => {
  test("switches coordination on, once, and says how many are here", () => {
    const world = given(at(0, started("a")), at(5, started("b")));
    world
      .when(5, (now) => due(now))
      .gives(
        event("policy.switched", {
          policy: "coordination",
          from: "alone",
          to: "together",
          rate: 2,
          perMs: 0,
        }),
      );
    world.when(5, (now) => due(now)).gives();
  });

  test("finds reserved what the first has written of late, for as long as if it had been all along", () => {
    const world = given(
      at(0, started("a")),
      at(1, wrote("a", "f", 1)),
      at(3, wrote("a", "g", 3)),
      at(5, started("b")),
    );
    const { states } = world.when(5, (now) => due(now));
    assert.deepEqual(held(states, 5), ["a f", "a g"]);
    assert.deepEqual(held(states, 17), ["a g"], "15 minutes after the edit, not after the arrival");
  });

  test("does not find reserved what was committed, or written long ago, or by a session that is gone", () => {
    const world = given(
      at(0, started("a"), started("gone")),
      at(1, wrote("a", "old", 1), wrote("gone", "theirs", 1)),
      at(10, wrote("a", "done", 10)),
      at(11, committed("c", ["done"], { session: "a" })),
      at(17, started("b")),
    );
    const { states } = world.when(17, (now) => due(now, ["gone"]));
    assert.deepEqual(held(states, 17), []);
  });

  test("takes nothing from one who holds it", () => {
    const world = given(
      at(0, started("a"), started("b")),
      at(1, wrote("a", "f", 1)),
      at(2, granted("b", "f", 20)),
    );
    const { states } = world.when(3, (now) => due(now));
    assert.deepEqual(held(states, 3), ["b f"]);
  });
});

describe("back to one", () => {
  const together = () => {
    const world = given(at(0, started("a"), started("b")));
    world.when(0, (now) => due(now));
    return world;
  };

  for (const [how, gone] of [
    ["said goodbye", ended("b")],
    ["died", lapsed("b")],
  ] as const)
    test(`the other ${how}: coordination goes on for the dwell time, and then off`, () => {
      const world = together();
      world.when(10, () => [gone]);
      world.when(14.9, (now) => due(now)).gives();
      world
        .when(15, (now) => due(now))
        .gives(
          event("policy.switched", {
            policy: "coordination",
            from: "together",
            to: "alone",
            rate: 1,
            perMs: 0,
          }),
        );
    });

  test("one that is gone and has not been declared so keeps it on: its lapse begins the dwell time", () => {
    together()
      .when(60, (now) => due(now, ["b"]))
      .gives();
  });
});

test("sessions that come and go each minute, for a day: on once, off once", () => {
  const world = given(at(0, started("a")));
  const all: string[] = [];
  for (let minute = 1; minute <= 24 * 60 + 1; minute += 1) {
    const other = `b${Math.floor(minute / 2)}`;
    world.when(minute, () => [minute % 2 === 0 ? started(other) : ended(other)]);
    all.push(...switches(due({ states: world.states, now: min(minute) })));
    world.when(minute, (now) => due(now));
  }
  world.when(24 * 60 + 10, (now) => {
    const events = due(now);
    all.push(...switches(events));
    return events;
  });
  assert.deepEqual(all, ["together", "alone"]);
});

test("whatever comes and goes: never more than one switch off in a dwell time, and never off while two are live", () => {
  const step = fc.record({
    who: fc.constantFrom("b", "c", "d"),
    comes: fc.boolean(),
    wait: fc.double({ min: 0, max: 8, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const world = given(at(0, started("a")));
      let minute = 0;
      let lastOff = -Infinity;
      const live = new Set<string>(["a"]);
      for (const { who, comes, wait } of steps) {
        minute += wait;
        world.when(minute, () => [comes ? started(who) : ended(who)]);
        if (comes) live.add(who);
        else live.delete(who);
        const events = due({ states: world.states, now: min(minute) });
        world.when(minute, () => events);
        assert.deepEqual(
          due({ states: world.states, now: min(minute) }),
          [],
          "asked again, nothing more is due",
        );
        for (const mode of switches(events)) {
          if (mode !== "alone") continue;
          assert.ok(minute - lastOff >= 5);
          lastOff = minute;
        }
        if (live.size > 1) assert.equal(coordinationMode(world.states), "together");
      }
    }),
    { numRuns: 200 },
  );
});
