import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event } from "../../events/mod.ts";
import { at, blocker, given, min } from "../support/domain/mod.ts";

const failed = (error: string) => event("guard.failed", { where: "edit", error, session: "a" });

describe("the guard's incidents", () => {
  test("are what it refused, who passed it by, and where it broke", () => {
    const { incidents, counts } = given(
      at(1, failed("ENOSPC")),
      at(2, event("guard.bypassed", { how: "commit --no-verify" })),
      at(3, event("guard.bypassed", { how: "bypass", reason: "hotfix", session: "a" })),
      at(4, event("guard.refused", { session: "a", tree: "", verb: "reset", reason: "b's work", paths: [] })),
      at(
        5,
        event("commit.refused", {
          session: "a",
          tree: "",
          paths: ["f", "g"],
          blockers: [blocker("b", "f", 0, 9)],
        }),
      ),
    ).states.guard;
    assert.deepEqual(
      incidents.map(({ kind, at: when, text }) => [kind, when, text]),
      [
        ["failed", min(1), "edit: ENOSPC"],
        ["bypassed", min(2), "commit --no-verify"],
        ["bypassed", min(3), "hotfix"],
        ["refused", min(4), "reset: b's work"],
        ["refused", min(5), "commit of f, g"],
      ],
    );
    assert.deepEqual(counts, { failed: 1, bypassed: 2, refused: 2 });
  });

  test("are the last 20, each cut to 300 characters; all are counted", () => {
    const many = Array.from({ length: 50 }, (_, i) => failed(`${i} ${"x".repeat(9999)}`));
    const { incidents, counts } = given(at(1, ...many)).states.guard;
    assert.equal(incidents.length, 20);
    assert.ok(incidents.every(({ text }) => text.length === 300));
    assert.ok(incidents.at(-1)?.text.startsWith("edit: 49 "));
    assert.equal(counts.failed, 50);
  });
});
