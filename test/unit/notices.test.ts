import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { undelivered } from "../../src/domain/notices.ts";
import {
  at,
  blocker,
  continued,
  ended,
  expired,
  given,
  min,
  type Now,
  refused,
  started,
  target,
} from "../support/domain/mod.ts";

const sessions = at(0, started("a"), started("b"), started("c"));
const wants = (who: string, word = "f"): Event => refused(who, word, [blocker("a", word, 0, 60)]);
const LATER = min(1_000_000);
const matter = { handoff: "h", from: "b", to: "a", task: "t" };
const delivered = (through: number, session = "a"): Event => event("notice.delivered", { session, through });

/** What waits for a session, as `kind by what`. */
const inbox = ({ states }: Pick<Now, "states">, session = "a") =>
  undelivered(states.notices, session, LATER).map(
    ({ kind, by, what }) => `${kind} ${by || "person"} ${what}`,
  );

describe("a session is to hear", () => {
  test("that somebody wanted what it holds", () => {
    assert.deepEqual(inbox(given(sessions, at(1, wants("b")))), ["wanted b f"]);
  });

  test("that somebody has what it held, its lease having run out", () => {
    assert.deepEqual(inbox(given(sessions, at(20, expired("a", "f", 16, "b")))), ["taken b f"]);
  });

  test("that a person committed what it holds", () => {
    const warned = event("commit.warned", { tree: "", paths: ["f"], blockers: [blocker("a", "f", 0, 60)] });
    assert.deepEqual(inbox(given(sessions, at(1, warned))), ["overridden person f"]);
  });

  test("that it is asked for something, and why", () => {
    const asked = event("handoff.requested", { ...matter, reason: "I know it", until: min(9) });
    const world = given(sessions, at(1, asked));
    assert.deepEqual(inbox(world), ["asked b t"]);
    assert.equal(undelivered(world.states.notices, "a", LATER)[0]?.detail, "I know it");
  });

  test("that its claim has stalled, and that what it wanted is free or done", () => {
    const task = { task: "t", session: "a" };
    const world = given(
      sessions,
      at(1, event("claim.stalled", { ...task, lastProgress: 0, why: "no-edit", wanted: ["b", "gone"] })),
      at(2, event("claim.released", { ...task, task: "u", reason: "", wanted: ["b"] })),
      at(3, event("claim.completed", { ...task, task: "v", outcome: "ok", wanted: ["b"] })),
    );
    assert.deepEqual(inbox(world), ["stalled a t"]);
    assert.deepEqual(inbox(world, "b"), ["free a t", "free a u", "done a v"]);
  });

  test("that its request is over, and why; and who was asked need not answer any more", () => {
    const asked = event("handoff.requested", { ...matter, reason: "I know it", until: min(9) });
    for (const [over, told] of [
      [event("handoff.lapsed", { ...matter, reason: "no answer" }), ["lapsed a t"]],
      [event("handoff.accepted", { ...matter, until: min(9) }), ["accepted a t"]],
      [event("handoff.rejected", { ...matter, reason: "no" }), ["rejected a t"]],
    ] as const) {
      const world = given(sessions, at(1, asked), at(2, over));
      assert.deepEqual([inbox(world), inbox(world, "b")], [[], told]);
    }
  });

  test("the answer to what it asked, and why not", () => {
    const files = { handoff: "i", from: "b", to: "a", tree: "", targets: [target("f"), target("src/")] };
    const world = given(
      sessions,
      at(1, event("handoff.accepted", { ...matter, until: min(9) })),
      at(2, event("handoff.rejected", { ...files, reason: "still at it" })),
    );
    assert.deepEqual(inbox(world, "b"), ["accepted a t", "rejected a f, src/"]);
    assert.equal(undelivered(world.states.notices, "b", LATER)[1]?.detail, "still at it");
  });
});

describe("a session is not told", () => {
  test("what its own family did", () => {
    const within = refused("a/y", "f", [blocker("a/x", "f", 0, 60)]);
    assert.deepEqual(inbox(given(sessions, at(1, within, expired("a", "g", 1, "a")))), []);
  });

  test("that a lease ran out which nobody took: that is seen from the lease", () => {
    assert.deepEqual(inbox(given(sessions, at(20, expired("a", "f", 16)))), []);
  });

  test("the same thing twice; the last time counts", () => {
    const world = given(sessions, at(1, wants("b")), at(2, wants("c")), at(3, wants("b")));
    assert.deepEqual(inbox(world), ["wanted c f", "wanted b f"]);
    assert.equal(undelivered(world.states.notices, "a", LATER)[1]?.at, min(3));
  });

  test("again what it has been told; what came since, it is", () => {
    const world = given(sessions, at(1, wants("b", "f")), at(2, wants("b", "g")));
    const [first] = undelivered(world.states.notices, "a", LATER);
    world.when(3, () => [delivered(first!.seq)]);
    assert.deepEqual(inbox(world), ["wanted b g"]);
  });

  test("more than the last 20 things", () => {
    const wanted = Array.from({ length: 50 }, (_, i) => wants("b", `f${i}`));
    const all = inbox(given(sessions, at(1, ...wanted)));
    assert.equal(all.length, 20);
    assert.equal(all.at(-1), "wanted b f49");
  });

  test("anything longer than 300 characters", () => {
    const asked = event("handoff.requested", { ...matter, reason: "x".repeat(9999), until: min(9) });
    const world = given(sessions, at(1, asked));
    assert.equal(undelivered(world.states.notices, "a", LATER)[0]?.detail?.length, 300);
  });
});

describe("an inbox", () => {
  test("goes with the session's new id, and others' notices name that", () => {
    const world = given(sessions, at(1, wants("b")), at(2, continued("a", "a2"), continued("b", "b2")));
    assert.deepEqual(inbox(world, "a2"), ["wanted b2 f"]);
    assert.deepEqual(inbox(world, "a"), []);
  });

  test("of two sessions that become one is one, in the order things happened, and no longer than any", () => {
    const toC = refused("a", "x", [blocker("c", "x", 0, 60)]);
    const world = given(
      sessions,
      at(1, wants("b")),
      at(2, toC),
      at(3, wants("b", "g")),
      at(4, continued("c", "a")),
    );
    assert.deepEqual(inbox(world), ["wanted b f", "wanted a x", "wanted b g"]);
    const many = Array.from({ length: 20 }, (_, i) => wants("b", `f${i}`));
    const toB = Array.from({ length: 20 }, (_, i) => refused("c", `g${i}`, [blocker("b", `g${i}`, 0, 60)]));
    assert.equal(inbox(given(sessions, at(1, ...many, ...toB), at(2, continued("b", "a")))).length, 20);
  });

  test("is there for a session that was first heard of when it went on", () => {
    assert.deepEqual(inbox(given(at(0, continued("a", "a")), at(1, wants("b")))), ["wanted b f"]);
  });

  test("is gone with its session, and nobody who is not live gets one", () => {
    const world = given(sessions, at(1, wants("b")), at(2, ended("a")), at(3, wants("b")));
    assert.deepEqual(Object.keys(world.states.notices.inbox), ["b", "c"]);
  });

  test("is empty for a session that starts anew", () => {
    assert.deepEqual(inbox(given(sessions, at(1, wants("b")), at(2, started("a")))), []);
  });
});
