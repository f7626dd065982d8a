import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { due } from "../../src/domain/rebase-queue.ts";
import { at, continued, ended, given, lapsed, min, type Now, sha, started } from "../support/domain/mod.ts";

const entry = (session: string, tree = "") => ({ session, tree });
const queued = (session: string, commit = "a", notBefore = 0, tree = ""): Event =>
  event("rebase.queued", { ...entry(session, tree), target: sha(commit), notBefore: min(notBefore) });
const coalesced = (session: string, commit: string): Event =>
  event("rebase.coalesced", { ...entry(session), target: sha(commit) });
const begun = (session: string, commit = "a"): Event =>
  event("rebase.started", { ...entry(session), target: sha(commit) });
const succeeded = (session: string, commit = "a"): Event =>
  event("rebase.succeeded", { ...entry(session), to: sha(commit) });
const conflicted = (session: string, notBefore: number): Event =>
  event("rebase.conflicted", {
    ...entry(session),
    target: sha("a"),
    paths: ["f"],
    notBefore: min(notBefore),
  });

const dueAt = ({ states }: Pick<Now, "states">, minute: number) =>
  due(states.rebaseQueue, min(minute)).map((e) => e.session);

describe("the queue", () => {
  test("has one entry a session and tree: later targets coalesce into it, and it keeps its place", () => {
    const { queue } = given(at(1, queued("a", "a")), at(2, coalesced("a", "b")), at(3, coalesced("a", "c")))
      .states.rebaseQueue;
    assert.deepEqual(
      Object.values(queue).map((e) => [e.target, e.coalesced, e.queuedAt]),
      [[sha("c"), 2, min(1)]],
    );
  });

  test("who is queued again keeps the place, the conflicts, and gets the newer target", () => {
    const { queue } = given(at(1, queued("a", "a")), at(2, conflicted("a", 3)), at(9, queued("a", "b")))
      .states.rebaseQueue;
    assert.deepEqual(
      Object.values(queue).map((e) => [e.target, e.queuedAt, e.conflicts]),
      [[sha("b"), min(1), 1]],
    );
  });

  test("a session has an entry for each of its trees", () => {
    const { states } = given(at(1, queued("a"), queued("a", "a", 0, "wt")));
    assert.equal(due(states.rebaseQueue, min(1)).length, 2);
  });

  test("the oldest is due first, whatever the names", () => {
    assert.deepEqual(dueAt(given(at(1, queued("z")), at(2, queued("1")), at(3, queued("b"))), 3), [
      "z",
      "1",
      "b",
    ]);
  });

  test("who conflicted before comes last", () => {
    const world = given(at(1, queued("a")), at(2, queued("b")), at(3, conflicted("a", 4)));
    assert.deepEqual(dueAt(world, 5), ["b", "a"]);
  });

  test("nobody is due before the cooldown, nor before the back-off after a conflict", () => {
    const world = given(at(1, queued("a", "a", 2)), at(1, queued("b")), at(2, conflicted("b", 5)));
    assert.deepEqual(dueAt(world, 1.9), []);
    assert.deepEqual(dueAt(world, 2), ["a"]);
    assert.deepEqual(dueAt(world, 5), ["a", "b"]);
  });

  test("who rebases now is not due, and is done when it succeeded", () => {
    const world = given(at(1, queued("a")), at(2, begun("a")));
    assert.deepEqual(dueAt(world, 3), []);
    world.when(3, () => [succeeded("a")]);
    assert.deepEqual(world.states.rebaseQueue.queue, {});
    assert.deepEqual(world.states.rebaseQueue.rebasedAt, { a: min(3) });
  });

  test("a base that moved while a session rebased is rebased onto next: nothing is lost", () => {
    const world = given(
      at(1, queued("a", "a")),
      at(2, begun("a", "a")),
      at(3, coalesced("a", "b")),
      at(4, succeeded("a", "a")),
    );
    assert.deepEqual(dueAt(world, 4), ["a"]);
    world.when(5, () => [begun("a", "b"), succeeded("a", "b")]);
    assert.deepEqual(dueAt(world, 6), []);
  });

  test("events about nobody in the queue change nothing", () => {
    const world = given(at(1, coalesced("a", "b"), begun("a"), conflicted("a", 2)));
    assert.deepEqual(world.states.rebaseQueue, { queue: {}, rebasedAt: {}, resolvedAt: 0 });
  });

  test("a new id keeps place and cooldown", () => {
    const world = given(
      at(0, started("a")),
      at(1, succeeded("a")),
      at(2, queued("a")),
      at(3, queued("b")),
      at(4, continued("a", "c")),
    );
    assert.deepEqual(dueAt(world, 5), ["c", "b"]);
    assert.deepEqual(world.states.rebaseQueue.rebasedAt, { c: min(1) });
    world.when(6, () => [succeeded("c")]);
    assert.deepEqual(dueAt(world, 6), ["b"]);
  });

  for (const gone of [ended("a"), lapsed("a")]) {
    test(`${gone.type} leaves the queue`, () => {
      const world = given(
        at(1, succeeded("a"), queued("a"), queued("a", "a", 0, "wt"), queued("b")),
        at(2, gone),
      );
      assert.deepEqual(dueAt(world, 3), ["b"]);
      assert.deepEqual(world.states.rebaseQueue.rebasedAt, {});
    });
  }

  test("when somebody rebased is known for an hour", () => {
    const world = given(at(1, succeeded("a")), at(50, succeeded("b")), at(61, succeeded("c")));
    assert.deepEqual(Object.keys(world.states.rebaseQueue.rebasedAt), ["b", "c"]);
  });
});
