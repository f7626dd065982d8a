import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { answer, requestsTo } from "../../src/domain/handoffs.ts";
import {
  at,
  continued,
  ended,
  given,
  lapsed,
  min,
  type Now,
  started,
  target,
} from "../support/domain/mod.ts";

const matter = { handoff: "h", from: "b", to: "a", task: "t", tree: "", targets: [target("f")] };
const requested = (more: Partial<typeof matter> = {}, until = 30): Event =>
  event("handoff.requested", { ...matter, ...more, reason: "I need it", until: min(until) });
const accepted = event("handoff.accepted", { ...matter, until: min(45) });
const rejected = event("handoff.rejected", { ...matter, reason: "not yet" });

const accepts =
  (by: string, id = "h") =>
  ({ states }: Now) =>
    [answer(states.handoffs, id, by, { accept: true, until: min(45) })].filter((e) => e !== undefined);
const rejects =
  (by: string, id = "h") =>
  ({ states }: Now) =>
    [answer(states.handoffs, id, by, { accept: false, reason: "not yet" })].filter((e) => e !== undefined);

const sessions = at(0, started("a"), started("b"), started("c"));
const open = ({ states }: Pick<Now, "states">) => Object.keys(states.handoffs.open);

describe("a request", () => {
  test("is accepted by its holder: what it was about stands in the answer", () => {
    given(sessions, at(1, requested())).when(2, accepts("a")).gives(accepted);
  });

  test("is rejected by its holder, with a reason", () => {
    given(sessions, at(1, requested())).when(2, rejects("a")).gives(rejected);
  });

  test("is nobody else's to answer: not the asker's, not a stranger's", () => {
    for (const by of ["b", "c"]) {
      given(sessions, at(1, requested())).when(2, accepts(by)).gives();
      given(sessions, at(1, requested())).when(2, rejects(by)).gives();
    }
  });

  test("is answered once: the first answer is final", () => {
    const world = given(sessions, at(1, requested()));
    world.when(2, rejects("a")).gives(rejected);
    world.when(3, accepts("a")).gives();
  });

  test("that nobody made has no answer", () => {
    given(sessions).when(1, accepts("a", "constructor")).gives();
  });

  for (const gone of [ended("a"), ended("b"), lapsed("a"), lapsed("b")]) {
    test(`is over when ${gone.type === "session.ended" ? "a party says goodbye" : "a party is gone"} (${"session" in gone ? gone.session : ""})`, () => {
      const world = given(sessions, at(1, requested()), at(2, gone));
      assert.deepEqual(open(world), []);
      world.when(3, accepts("a")).gives();
    });
  }

  test("of others is not over when somebody else ends", () => {
    assert.deepEqual(open(given(sessions, at(1, requested()), at(2, ended("c")))), ["h"]);
  });

  test("is over when it lapsed", () => {
    const lapsed = event("handoff.lapsed", { ...matter, reason: "no answer" });
    assert.deepEqual(open(given(sessions, at(1, requested()), at(31, lapsed))), []);
  });

  test("follows both parties to their new ids", () => {
    given(sessions, at(1, requested()), at(2, continued("a", "a2"), continued("b", "b2")))
      .when(3, accepts("a2"))
      .gives(event("handoff.accepted", { ...matter, from: "b2", to: "a2", until: min(45) }));
  });

  test("between two sessions that became one is over", () => {
    assert.deepEqual(open(given(sessions, at(1, requested()), at(2, continued("a", "b")))), []);
  });

  test("that ran out over a day ago is forgotten with the next one", () => {
    const day = 24 * 60;
    const world = given(
      sessions,
      at(1, requested({ handoff: "old" })),
      at(29 + day, requested({ handoff: "x" }, 90 + day)),
    );
    assert.deepEqual(open(world), ["old", "x"]);
    world.when(31 + day, () => [requested({ handoff: "y" }, 90 + day)]);
    assert.deepEqual(open(world), ["x", "y"]);
  });
});

test("a session sees the requests that wait for it, oldest first", () => {
  const { states } = given(
    sessions,
    at(1, requested({ handoff: "z" })),
    at(2, requested({ handoff: "1" }), requested({ handoff: "c", to: "c" })),
  );
  assert.deepEqual(
    requestsTo(states.handoffs, "a").map((r) => r.handoff),
    ["z", "1"],
  );
});
