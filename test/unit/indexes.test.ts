import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event } from "../../events/mod.ts";
import { indexesOf, orphans } from "../../src/domain/indexes.ts";
import { at, continued, ended, given, min, sha, started } from "../support/domain/mod.ts";

const owner = { session: "a", gitdir: "g" };
const created = (more: { session?: string; gitdir?: string } = {}) =>
  event("index.created", { ...owner, tree: "", base: sha("a"), ...more });

describe("an index", () => {
  test("has one owner, a tree and the commit its staged work is relative to", () => {
    const { states } = given(at(1, created()));
    assert.deepEqual(states.indexes.indexes, {
      g: { ...owner, tree: "", base: sha("a"), createdAt: min(1), heals: 0, conflicted: [] },
    });
  });

  test("is carried forward with HEAD", () => {
    const refreshed = event("index.refreshed", { ...owner, from: sha("a"), to: sha("b"), commits: 3 });
    const index = given(at(1, created()), at(2, refreshed)).states.indexes.indexes.g;
    assert.deepEqual([index?.base, index?.healedAt, index?.heals], [sha("b"), min(2), 1]);
  });

  test("has the paths of a conflict until it is carried forward without one", () => {
    const conflicted = event("index.conflicted", { ...owner, to: sha("b"), paths: ["f"] });
    const refreshed = event("index.refreshed", { ...owner, from: sha("b"), to: sha("c") });
    const world = given(at(1, created()), at(2, conflicted));
    assert.deepEqual(world.states.indexes.indexes.g?.conflicted, ["f"]);
    world.when(3, () => [refreshed]);
    assert.deepEqual(world.states.indexes.indexes.g?.conflicted, []);
    assert.equal(world.states.indexes.indexes.g?.heals, 2);
  });

  test("made anew has a new age and base", () => {
    const recreated = event("index.recreated", { ...owner, base: sha("b"), reason: "a day old" });
    const index = given(at(1, created()), at(2, recreated)).states.indexes.indexes.g;
    assert.deepEqual([index?.base, index?.createdAt], [sha("b"), min(2)]);
  });

  test("that was never made is not made by events about it", () => {
    const { states } = given(
      at(1, event("index.refreshed", { ...owner, from: sha("a"), to: sha("b") })),
      at(2, event("index.conflicted", { ...owner, to: sha("b"), paths: [] })),
      at(3, event("index.recreated", { ...owner, base: sha("b"), reason: "?" })),
    );
    assert.deepEqual(states.indexes.indexes, {});
  });

  test("goes with its owner's new id", () => {
    const { states } = given(at(0, started("a")), at(1, created()), at(2, continued("a", "b")));
    assert.deepEqual(
      indexesOf(states.indexes, "b").map((i) => i.gitdir),
      ["g"],
    );
    assert.deepEqual(indexesOf(states.indexes, "a"), []);
  });

  test("outlives its owner until it is removed: staged work is saved first", () => {
    const world = given(
      at(0, started("a")),
      at(1, created(), created({ session: "b", gitdir: "h" })),
      at(2, ended("a")),
    );
    assert.deepEqual(
      orphans(world.states.indexes, new Set(["b"])).map((i) => i.gitdir),
      ["g"],
    );
    world.when(3, () => [event("index.removed", { ...owner, rescue: "refs/signalbox/rescue/a/1" })]);
    assert.deepEqual(orphans(world.states.indexes, new Set(["b"])), []);
  });
});
