import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event } from "../../events/mod.ts";
import { findCommit, headOf } from "../../src/domain/commits.ts";
import { at, committed, continued, given, min, sha } from "../support/domain/mod.ts";

const main = "refs/heads/main";
const rewritten = (...pairs: [string, string][]) =>
  event("commit.rewritten", {
    how: "amend",
    pairs: pairs.map(([from, to]) => ({ from: sha(from), to: sha(to) })),
  });

describe("commits", () => {
  test("are remembered with their session, paths and time; a person's has none", () => {
    const { states } = given(at(1, committed("a", ["f"], { session: "s" })), at(2, committed("b", ["g"])));
    const { session, paths, at: when } = findCommit(states.commits, sha("a"))!;
    assert.deepEqual({ session, paths, when }, { session: "s", paths: ["f"], when: min(1) });
    assert.equal(findCommit(states.commits, sha("b"))?.session, undefined);
  });

  test("recorded twice are one", () => {
    const { states } = given(at(1, committed("a", ["f"])), at(2, committed("a", ["f"])));
    assert.equal(states.commits.recent.length, 1);
  });

  test("keep the first 16 paths and how many there were", () => {
    const paths = Array.from({ length: 100 }, (_, i) => `f${i}`);
    const commit = findCommit(given(at(1, committed("a", paths))).states.commits, sha("a"));
    assert.deepEqual([commit?.paths.length, commit?.total], [16, 100]);
  });

  test("are the last 64", () => {
    const ids = Array.from({ length: 100 }, (_, i) => (i + 256).toString(16).padStart(40, "0"));
    const steps = ids.map((commit, i) => at(i, { ...committed("a", ["f"]), commit } as never));
    const { recent } = given(...steps).states.commits;
    assert.deepEqual(
      recent.map((c) => c.commit),
      ids.slice(-64),
    );
  });

  test("replaced by amend or rebase are known by their new id", () => {
    const { states } = given(at(1, committed("a", ["f"], { session: "s" })), at(2, rewritten(["a", "b"])));
    assert.equal(findCommit(states.commits, sha("b"))?.session, "s");
    assert.equal(findCommit(states.commits, sha("a")), undefined);
  });

  test("whose replacement is recorded already are not doubled", () => {
    const { states } = given(
      at(1, committed("a", ["f"])),
      at(2, committed("b", ["f"])),
      at(3, rewritten(["a", "b"])),
    );
    assert.deepEqual(
      states.commits.recent.map((c) => c.commit),
      [sha("a"), sha("b")],
    );
  });

  test("squashed into one are known by it once", () => {
    const { states } = given(
      at(1, committed("a", ["f"]), committed("b", ["g"])),
      at(2, rewritten(["a", "c"], ["b", "c"])),
    );
    assert.equal(states.commits.recent.filter((c) => c.commit === sha("c")).length, 1);
  });

  test("go with their session's new id", () => {
    const { states } = given(at(1, committed("a", ["f"], { session: "s" })), at(2, continued("s", "s2")));
    assert.equal(findCommit(states.commits, sha("a"))?.session, "s2");
  });
});

describe("a tree's HEAD", () => {
  test("is where its last commit or movement put it, each tree's by itself", () => {
    const moved = event("head.moved", { tree: "wt", to: sha("c"), how: "checkout" });
    const { states } = given(at(1, committed("a", ["f"], { branch: main })), at(2, moved));
    assert.deepEqual(headOf(states.commits, ""), { commit: sha("a"), branch: main, at: min(1) });
    assert.deepEqual(headOf(states.commits, "wt"), { commit: sha("c"), branch: undefined, at: min(2) });
  });

  test("is unknown for a tree nobody heard of, whatever its name", () => {
    assert.equal(headOf(given().states.commits, "constructor"), undefined);
  });

  test("is known for the last 128 trees that were heard of", () => {
    const moves = Array.from({ length: 200 }, (_, i) =>
      at(i, event("head.moved", { tree: `${i}`, to: sha("a"), how: "found" })),
    );
    const { states } = given(at(0, committed("a", ["f"])), ...moves);
    assert.equal(Object.keys(states.commits.heads).length, 128);
    assert.equal(headOf(states.commits, "71"), undefined);
    assert.notEqual(headOf(states.commits, "72"), undefined);
  });
});
