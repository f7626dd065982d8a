import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { type Claim, claimsOf, take } from "../../src/domain/claims.ts";
import { at, continued, ended, given, lapsed, min, type Now, started } from "../support/domain/mod.ts";

const taken = (session: string, task = "t", kind?: string): Event =>
  event("claim.taken", { task, session, kind });
const progressed = (session: string): Event => event("claim.progressed", { task: "t", session });
const completed = (session: string, task = "t"): Event =>
  event("claim.completed", { task, session, outcome: "done" });
const handed = (from: string, to: string): Event =>
  event("handoff.accepted", { handoff: "h", from, to, task: "t", until: min(60) });

const takes =
  (session: string, gone: string[] = []) =>
  ({ states }: Now) =>
    take(states.claims, { task: "t", session, kind: "bug" }, new Set(gone)).events;

const claim = (session: string, since: number): Claim => ({
  task: "t",
  session,
  kind: undefined,
  tracker: undefined,
  since: min(since),
  lastProgress: min(since),
  wanted: [],
});
const claimant = ({ states }: Pick<Now, "states">) => states.claims.claims.t?.session;

describe("a task", () => {
  test("is the first one's who asks", () => {
    given()
      .when(1, takes("a"))
      .gives(taken("a", "t", "bug"));
  });

  test("is refused to the next one, who is told whose it is and since when", () => {
    given(at(1, taken("a")))
      .when(2, takes("b"))
      .gives(event("claim.refused", { task: "t", session: "b", holder: "a", since: min(1) }));
  });

  test("asked for again by its claimant, nothing happens", () => {
    given(at(1, taken("a")))
      .when(2, takes("a"))
      .gives();
  });

  test("is not free because somebody else is gone", () => {
    given(at(1, taken("a")))
      .when(2, takes("b", ["c"]))
      .gives(event("claim.refused", { task: "t", session: "b", holder: "a", since: min(1) }));
  });

  test("of a claimant who is proven gone is free", () => {
    given(at(1, taken("a")))
      .when(2, takes("b", ["a"]))
      .gives(taken("b", "t", "bug"));
  });

  const ways: Readonly<Record<string, Event>> = {
    "its claimant gives it back": event("claim.released", { task: "t", session: "a", reason: "later" }),
    "it stalled": event("claim.stalled", { task: "t", session: "a", lastProgress: min(1) }),
    "it is completed": completed("a"),
    "its claimant ended": ended("a"),
    "its claimant lapsed": lapsed("a"),
  };
  for (const [what, way] of Object.entries(ways)) {
    test(`is free again when ${what}`, () => {
      const world = given(at(0, started("a")), at(1, taken("a")), at(2, way));
      assert.equal(claimant(world), undefined);
      world.when(3, takes("b")).gives(taken("b", "t", "bug"));
    });
  }

  for (const [what, stranger] of Object.entries({
    "gives it back": event("claim.released", { task: "t", session: "b", reason: "?" }),
    "completes it": completed("b"),
    "lets it stall": event("claim.stalled", { task: "t", session: "b", lastProgress: min(1) }),
    "makes progress on it": progressed("b"),
    "hands it over": handed("c", "b"),
    ends: ended("b"),
  })) {
    test(`stays its claimant's when somebody else ${what}`, () => {
      const { states } = given(at(1, taken("a")), at(2, stranger));
      assert.deepEqual(states.claims, {
        claims: { t: claim("a", 1) },
        completed: [],
        givenUp: [],
        owed: [],
      });
    });
  }

  test("goes with its claimant's new id", () => {
    const world = given(at(1, taken("a")), at(2, continued("a", "b")));
    assert.equal(claimant(world), "b");
    world.when(3, takes("b")).gives();
  });

  test("handed over is the asker's, since then", () => {
    const { states } = given(at(1, taken("a")), at(5, handed("b", "a")));
    assert.deepEqual(states.claims.claims.t, claim("b", 5));
  });
});

test("progress is the last time the claimant did something for it", () => {
  const { states } = given(at(1, taken("a")), at(9, progressed("a")));
  assert.equal(states.claims.claims.t?.lastProgress, min(9));
});

test("a completed task is remembered with who did it and how long it took; the last 100 are", () => {
  const world = given(at(1, taken("a")), at(31, completed("a")));
  assert.deepEqual(world.states.claims.completed, [
    { task: "t", session: "a", at: min(31), tookMs: min(30), outcome: "done" },
  ]);
  for (let i = 0; i < 150; i += 1) world.when(40 + i, () => [taken("a", `t${i}`), completed("a", `t${i}`)]);
  assert.equal(world.states.claims.completed.length, 100);
  assert.equal(world.states.claims.completed.at(-1)?.task, "t149");
});

test("a session's claims are listed oldest first", () => {
  const { states } = given(at(1, taken("a", "z"), taken("b", "y")), at(2, taken("a", "1")));
  assert.deepEqual(
    claimsOf(states.claims, "a").map((c) => c.task),
    ["z", "1"],
  );
});
