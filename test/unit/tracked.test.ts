/** What a tracker's word means for the claims. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import { evolved } from "../../src/domain/mod.ts";
import { follow, type TrackedTask } from "../../src/domain/tracked.ts";
import { at, given, min, type Now, started } from "../support/domain/mod.ts";

const sessions = at(0, started("a"), started("b"));
const there = (status: TrackedTask["status"], actor = "", kind?: string): TrackedTask => ({
  id: "t",
  status,
  actor,
  ...(kind === undefined ? {} : { kind }),
});
const whose = (actor: string) => (actor === "A" ? "a" : actor === "B" ? "b" : undefined);
const follows =
  (task: TrackedTask, asker?: string) =>
  ({ states, now }: Now) =>
    follow(states.claims, [task], { tracker: "beads", whose, asked: asked(asker), now }).events;

const asked = (by: string | undefined) => (by === undefined ? undefined : { by, tasks: new Set(["t"]) });
const taken = (session: string, more: object = {}): Event =>
  event("claim.taken", { task: "t", session, tracker: "beads", ...more });
const refused = (session: string, holder: string, since: number): Event =>
  event("claim.refused", { task: "t", session, holder, since: min(since) });
const released = (session: string, reason: string, more: object = {}): Event =>
  event("claim.released", {
    task: "t",
    session,
    reason: `beads says that it is ${reason}`,
    tracker: "beads",
    ...more,
  });
const completed = (session: string): Event =>
  event("claim.completed", { task: "t", session, outcome: "ok", tracker: "beads" });
const givenBack = event("claim.released", { task: "t", session: "a", reason: "later" });
const told = (status: "open" | "taken" | "closed", session?: string): Event =>
  event("tracker.told", { tracker: "beads", task: "t", status, session });

describe("a task that the tracker says is", () => {
  test("a session's is its claim; said again it is nothing new", () => {
    const world = given(sessions);
    world.when(1, follows(there("taken", "A", "bug"))).gives(taken("a", { kind: "bug" }));
    world.when(2, follows(there("taken", "A", "bug"))).gives();
  });

  test("another's than in the log is that other's", () => {
    given(sessions, at(1, taken("a"), refused("b", "a", 1)))
      .when(2, follows(there("taken", "B")))
      .gives(released("a", "another session's"), taken("b"));
  });

  test("somebody's who is no session here is no claim", () => {
    given(sessions)
      .when(1, follows(there("taken", "kim")))
      .gives();
    given(sessions, at(1, taken("a")))
      .when(2, follows(there("taken", "kim")))
      .gives(released("a", "kim's"));
  });

  test("closed is done, open again is free, and what waits with its claimant is its own", () => {
    const world = given(sessions, at(1, taken("a"), refused("b", "a", 1)));
    world.when(2, follows(there("other", "A"))).gives();
    world.when(3, follows(there("open"))).gives(released("a", "open", { wanted: ["b"] }));
    given(sessions, at(1, taken("a")))
      .when(2, follows(there("closed", "A")))
      .gives(completed("a"));
    given(sessions, at(1, taken("a")))
      .when(2, follows(there("other")))
      .gives(released("a", "to wait"));
    given(sessions)
      .when(1, follows(there("closed", "A")))
      .gives();
  });
});

describe("who has just tried to take it", () => {
  test("is refused what is another's, once on record", () => {
    const world = given(sessions, at(1, taken("a")));
    world.when(2, follows(there("taken", "A"), "b")).gives(refused("b", "a", 1));
    world.when(3, follows(there("taken", "A"), "b")).gives();
  });

  test("learns whose it is, session or not", () => {
    const { states } = given(sessions, at(1, taken("a")));
    const holders = (task: TrackedTask) =>
      follow(states.claims, [task], { tracker: "beads", whose, asked: asked("b"), now: min(2) }).refused.map(
        (r) => r.holder,
      );
    assert.deepEqual(holders(there("taken", "A")), ["a"]);
    assert.deepEqual(holders(there("taken", "kim")), [undefined]);
    assert.deepEqual(holders(there("taken", "B")), []);
  });

  test("has what is in progress and nobody's, if the log has nobody either: the first one", () => {
    const world = given(sessions);
    world.when(1, follows(there("taken"), "a")).gives(taken("a"));
    world.when(2, follows(there("taken"), "b")).gives(refused("b", "a", 1));
    given(sessions)
      .when(1, follows(there("taken")))
      .gives();
  });
});

describe("what the tracker has not been told yet it is not asked about", () => {
  test("a claim that was given back is not one again because the tracker says so, but because its session does", () => {
    const world = given(sessions, at(1, taken("a")), at(2, givenBack));
    world.when(3, follows(there("taken", "A"))).gives();
    world.when(4, follows(there("taken", "A"), "b")).gives();
    world.when(5, follows(there("taken", "A"), "a")).gives(taken("a"), told("taken", "a"));
    assert.deepEqual(world.states.claims.owed, []);
  });

  test("somebody else has taken it there meanwhile: nothing is to be told any more", () => {
    const world = given(sessions, at(1, taken("a")), at(2, givenBack));
    world.when(3, follows(there("taken", "B"))).gives(taken("b"), told("taken", "b"));
    assert.deepEqual(world.states.claims.owed, []);
  });

  test("handed over in the log it is not its former claimant's, whatever that one tries", () => {
    const handed = event("handoff.accepted", { handoff: "h", from: "b", to: "a", task: "t", until: min(9) });
    const world = given(sessions, at(1, taken("a")), at(2, handed));
    world.when(3, follows(there("taken", "A"))).gives();
    world.when(4, follows(there("taken", "A"), "a")).gives(refused("a", "b", 2));
    world.when(5, follows(there("open"))).gives();
  });

  test("it says so by itself: told", () => {
    const world = given(sessions, at(1, taken("a")), at(2, givenBack));
    world.when(3, follows(there("open"))).gives(told("open"));
  });
});

test("followed twice is followed once, and the log has what the tracker has", () => {
  const status = fc.constantFrom("open" as const, "taken" as const, "closed" as const, "other" as const);
  const actor = fc.constantFrom("", "A", "B", "kim");
  const asker = fc.constantFrom(undefined, "a", "b");
  fc.assert(
    fc.property(fc.array(fc.tuple(status, actor, asker), { maxLength: 8 }), (said) => {
      let { states } = given(sessions);
      for (const [i, [is, actor, by]] of said.entries()) {
        const task = there(is, is === "open" ? "" : actor);
        const step = () =>
          follow(states.claims, [task], { tracker: "beads", whose, asked: asked(by), now: min(i) }).events;
        states = evolved(states, step(), min(i));
        assert.deepEqual(
          step().filter(({ type }) => type !== "tracker.told"),
          [],
        );
        const holder = states.claims.claims.t?.session;
        if (is === "taken" && whose(actor) !== undefined) assert.equal(holder, whose(actor));
        if (is === "closed" || is === "open") assert.equal(holder, undefined);
      }
    }),
    { numRuns: 300 },
  );
});
