/** Waiting is waiting and claiming: first come, first served. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Event } from "../../events/mod.ts";
import { aheadOf, waitersFor, withdraw } from "../../src/domain/waiters.ts";
import { POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import {
  agentStopped,
  anyCommands,
  at,
  canonical,
  continued,
  drive,
  ended,
  evolve,
  expired,
  extended,
  given,
  granted,
  initialStates,
  joined,
  left,
  type Now,
  released,
  renewed,
  target,
  together,
} from "../support/domain/mod.ts";

interface World {
  gone?: string[];
  running?: Record<string, number>;
}

const settles =
  ({ gone = [], running = {} }: World = {}, policies = POLICY_DEFAULTS) =>
  ({ states, now }: Now): readonly Event[] =>
    settle(states, { now, gone: new Set(gone), running: new Map(Object.entries(running)) }, policies);

const all = at(0, ...together("a", "b", "c", "d"));
const held = at(0, granted("a", "f", 15));
const queueOf = (states: ReturnType<typeof given>["states"]) => states.waiters.queue.map((w) => w.session);

describe("who waits", () => {
  test("gets it at the release, the first alone", () => {
    given(all, held, at(1, joined("b", "f")), at(2, joined("c", "f")), at(5, released("a", "f", "committed")))
      .when(5, settles())
      .gives(granted("b", "f", 20, { via: "wait" }), left("b", "f", "granted"));
  });

  test("gets it when grace is over, not before", () => {
    const world = given(all, held, at(1, joined("b", "f")));
    world.when(16.9, settles()).gives();
    world
      .when(17, settles())
      .gives(expired("a", "f", 15, "b"), granted("b", "f", 32, { via: "wait" }), left("b", "f", "granted"));
  });

  test("gets all of it or nothing; what it waits for in vain is free for others meanwhile", () => {
    const world = given(all, held, at(1, joined("b", ["f", "g"])), at(2, joined("c", "g", 40)));
    // First come, first served: c comes after b, who is to have g too.
    world.when(3, settles()).gives();
    const { states } = world.when(4, ({ states }) => withdraw(states.waiters, "b", undefined));
    assert.deepEqual(queueOf(states), ["c"]);
    world.when(4, settles()).gives(granted("c", "g", 19, { via: "wait" }), left("c", "g", "granted"));
  });

  test("several at once, where they do not keep each other out", () => {
    given(
      all,
      held,
      at(
        1,
        joined("b", "f", 30, { mode: "shared" }),
        joined("c", "f", 30, { mode: "shared" }),
        joined("d", "f"),
      ),
      at(5, released("a", "f", "committed")),
    )
      .when(5, settles())
      .gives(
        granted("b", "f", 20, { via: "wait", mode: "shared" }),
        left("b", "f", "granted"),
        granted("c", "f", 20, { via: "wait", mode: "shared" }),
        left("c", "f", "granted"),
      );
  });

  test("is granted what it waits for: that is no edit, and renews nothing else", () => {
    given(all, at(0, granted("b", ["g", "h"], 15)), at(1, joined("b", ["f", "g"])))
      .when(5, settles())
      .gives(granted("b", "f", 30, { via: "wait" }), renewed("b", "g", 30), left("b", ["f", "g"], "granted"));
  });

  test("is dropped when its time is over, and when it is not there", () => {
    given(all, held, at(1, joined("b", "f", 5), joined("x", "f")))
      .when(5, settles())
      .gives(left("b", "f", "timed-out"), left("x", "f", "withdrew"));
    const { states } = given(all, held, at(1, joined("b", "f")), at(2, ended("b")));
    assert.deepEqual(queueOf(states), []);
  });

  test("and is gone keeps nobody else waiting", () => {
    given(all, at(1, joined("b", "f"), joined("c", "f")))
      .when(2, settles({ gone: ["b"] }))
      .gives(granted("c", "f", 17, { via: "wait" }), left("c", "f", "granted"));
  });

  test("and has as much as it may, keeps nobody else waiting", () => {
    const policies = { ...POLICY_DEFAULTS, lease: { ...POLICY_DEFAULTS.lease, cap: 1 } };
    given(all, at(0, granted("b", "x", 15)), at(1, joined("b", "f"), joined("c", "f")))
      .when(2, settles({}, policies))
      .gives(granted("c", "f", 17, { via: "wait" }), left("c", "f", "granted"));
  });

  test("keeps its place when it asks again, and under its new id", () => {
    const { states } = given(
      all,
      held,
      at(1, joined("b", "f", 10)),
      at(2, joined("c", "f")),
      at(3, joined("b", "f", 33)),
      at(4, continued("b", "B")),
    );
    assert.deepEqual(
      states.waiters.queue.map((w) => [w.session, w.since / 60_000, w.until / 60_000]),
      [
        ["B", 1, 33],
        ["c", 2, 30],
      ],
    );
  });

  test("has eight places at most; a subagent's end with it", () => {
    const files = Array.from({ length: 10 }, (_, i) => joined("b", `f${i}`));
    assert.equal(given(all, at(1, ...files)).states.waiters.queue.length, 8);
    assert.deepEqual(
      queueOf(given(all, at(1, joined("b/1", "f")), at(2, agentStopped("b", "1"))).states),
      [],
    );
  });

  test("gives up what is named, or all", () => {
    const { states } = given(all, at(1, joined("b", "f"), joined("b", ["g", "d/x"]), joined("c", "f")));
    const gives = (...words: string[]) =>
      withdraw(states.waiters, "b", { tree: "", targets: words.map((word) => target(word)) }).length;
    assert.deepEqual([gives("f"), gives("d/"), gives("x"), gives("f", "g")], [1, 1, 0, 2]);
    assert.equal(withdraw(states.waiters, "b", undefined).length, 2);
  });

  test("is seen: who waits for a file, and who comes before", () => {
    const { states } = given(all, held, at(1, joined("b", "f"), joined("c", "./"), joined("d", "g")));
    const names = (waiters: readonly { session: string }[]) => waiters.map((w) => w.session);
    assert.deepEqual(names(waitersFor(states.waiters, "", target("f"))), ["b", "c"]);
    assert.deepEqual(names(waitersFor(states.waiters, "wt", target("f"))), []);
    assert.deepEqual(names(aheadOf(states.waiters, states.waiters.queue[2]!)), ["c"]);
  });
});

describe("a command that runs", () => {
  const running = { running: { a: 5 * 60_000 } };

  test("keeps what its session held when it began (S50)", () => {
    given(all, held)
      .when(16, settles(running))
      .gives(extended("a", "f", 31));
    given(all, held)
      .when(40, settles(running))
      .gives(extended("a", "f", 55));
  });

  test("for an hour at most", () => {
    given(all, held)
      .when(64, settles(running))
      .gives(extended("a", "f", 65));
    given(all, held).when(65, settles(running)).gives();
  });

  test("not what had run out before, what runs still, or what others hold", () => {
    given(all, at(0, granted("a", "old", 4), granted("a", "new", 30), granted("b", "x", 15)))
      .when(16, settles(running))
      .gives();
  });

  test("not of a session that is gone, or not there", () => {
    given(all, held)
      .when(16, settles({ ...running, gone: ["a"] }))
      .gives();
    given(all, at(0, granted("x", "f", 15)))
      .when(16, settles({ running: { x: 0 } }))
      .gives();
  });

  test("ahead of who waits for it; but who waits itself keeps no others waiting", () => {
    const waited = at(6, joined("b", "f"));
    given(all, held, waited)
      .when(17, settles(running))
      .gives(extended("a", "f", 32));
    given(all, held, at(0, granted("b", "g", 40)), waited, at(7, joined("a", "g")))
      .when(17, settles(running))
      .gives(expired("a", "f", 15, "b"), granted("b", "f", 37, { via: "wait" }), left("b", "f", "granted"));
  });
});

test("what is served to one in the queue is looked at again: its command keeps its files then", () => {
  const running = { running: { a: 5 * 60_000 } };
  const world = given(
    all,
    held,
    at(6, joined("b", ["f", "g"], 60), joined("a", "h", 60)),
    at(7, granted("c", "g", 60), granted("d", "h", 16)),
  );
  world.when(18.5, settles(running));
  world.when(18.5, settles(running)).gives();
  assert.deepEqual(
    world.states.reservations.grants.map((g) => [g.session, g.until / 60_000]),
    [
      ["a", 33.5],
      ["c", 60],
      ["a", 33.5],
    ],
  );
});

describe("whatever happens", () => {
  test("what is due is due once: settled again at the same time, nothing is", () => {
    let due = 0;
    fc.assert(
      fc.property(anyCommands({ maxLength: 60 }), fc.nat(40 * 60_000), (commands, waitMs) => {
        const states = initialStates();
        let now = 0;
        for (const moment of drive(commands)) {
          evolve(states, moment);
          now = moment.meta.t;
        }
        const moment = { now: now + waitMs, gone: new Set<string>(), running: new Map([["s1", now]]) };
        const events = settle(states, moment, POLICY_DEFAULTS);
        due += events.length;
        for (const event of events) evolve(states, { event, meta: { seq: 9999, t: moment.now } });
        const before = canonical(states);
        assert.deepEqual(settle(states, moment, POLICY_DEFAULTS), []);
        assert.equal(canonical(states), before);
      }),
      { numRuns: 300 },
    );
    assert.ok(due > 20, `only ${due} events were due`);
  });

  test("whoever is granted by waiting was first of those who waited for that file", () => {
    let served = 0;
    fc.assert(
      fc.property(anyCommands({ maxLength: 120 }), (commands) => {
        // By hand, from the events alone; exact paths are enough to catch a queue jumper.
        let queue: { who: string; file: string; shared: boolean }[] = [];
        const name = (e: { session: string; agent?: string | undefined }) => `${e.session}/${e.agent ?? ""}`;
        const history = drive(commands);
        for (const { event: e, meta } of history) {
          if (e.type === "session.ended" || e.type === "session.lapsed")
            queue = queue.filter((w) => w.who !== `${e.session}/`);
          if (e.type === "session.continued")
            for (const w of queue) if (w.who === `${e.from}/`) w.who = `${e.session}/`;
          if (e.type !== "waiter.joined" && e.type !== "waiter.left") continue;
          const file = `${e.tree}:${JSON.stringify(e.targets)}`;
          const place = queue.find((w) => w.who === name(e) && w.file === file);
          if (e.type === "waiter.joined") {
            if (place === undefined) queue.push({ who: name(e), file, shared: e.mode === "shared" });
            else place.shared &&= e.mode === "shared";
            continue;
          }
          if (e.reason === "granted" && place !== undefined) {
            served += 1;
            const before = queue.slice(0, queue.indexOf(place)).filter((w) => w.file === file);
            // Who is gone is passed over; the same record says so.
            const same = history.filter((m) => m.meta.seq === meta.seq);
            const isGone = ({ who }: { who: string }) =>
              same.some(({ event }) => event.type === "session.lapsed" && who === `${event.session}/`);
            const jumped = before.filter((w) => !(w.shared && place.shared) && !isGone(w));
            if (jumped.length > 0)
              assert.fail(`${place.who} came before ${jumped.map((w) => w.who).join(", ")}`);
          }
          queue = queue.filter((w) => w !== place);
        }
      }),
      { numRuns: 200 },
    );
    assert.ok(served > 50, `only ${served} were served`);
  });
});
