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
    assert.deepEqual(counts, { failed: 1, bypassed: 2, refused: 2, repaired: 0 });
  });

  test("that somebody has seen are still told, and noted; what breaks afterwards is not", () => {
    const swept = (what: string) => event("cleanup.swept", { what, count: 1 });
    const { incidents } = given(
      at(1, failed("a")),
      at(2, event("guard.bypassed", { how: "x" })),
      at(3, swept("sessions")),
      at(4, failed("b")),
      at(5, swept("failures")),
      at(6, failed("c")),
    ).states.guard;
    assert.deepEqual(
      incidents.map(({ text, noted }) => [text, noted]),
      [
        ["edit: a", true],
        ["x", undefined],
        ["edit: b", true],
        ["edit: c", undefined],
      ],
    );
  });

  test("and repairs of the log are told, and what they lost", () => {
    const repaired = event("log.repaired", { at: 9, lost: "records 4 to 4", kept: "x.broken" });
    const { incidents, counts } = given(at(1, repaired)).states.guard;
    assert.deepEqual(
      [incidents[0]?.kind, incidents[0]?.text, counts.repaired],
      ["repaired", "the log was damaged; lost: records 4 to 4", 1],
    );
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
