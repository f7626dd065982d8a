import assert from "node:assert/strict";
import { test } from "node:test";
import { holderOf, rivals, sameHolder } from "../../src/domain/holder.ts";
import { holder } from "../support/domain/mod.ts";

test("sessions are rivals, so are two subagents of one; parent and child are family", () => {
  const table: [string, string, boolean][] = [
    ["a", "b", true],
    ["a/x", "b/x", true],
    ["a/x", "b", true],
    ["a/x", "a/y", true],
    ["a", "a", false],
    ["a", "a/x", false],
    ["a/x", "a/x", false],
  ];
  for (const [one, other, expected] of table) {
    assert.equal(rivals(holder(one), holder(other)), expected, `${one} and ${other}`);
    assert.equal(rivals(holder(other), holder(one)), expected, `${other} and ${one}`);
  }
});

test("a holder is the same by session and subagent both", () => {
  assert.ok(sameHolder(holder("a"), { session: "a", agent: undefined }));
  assert.ok(sameHolder(holder("a/x"), holder("a/x")));
  for (const other of ["b", "a/x"]) assert.ok(!sameHolder(holder("a"), holder(other)));
});

test("an event has a holder's fields alone, and no agent if there is none", () => {
  assert.deepEqual(holderOf({ session: "a", agent: undefined }), { session: "a" });
  assert.deepEqual(holderOf({ session: "a", agent: "x", tree: "" } as never), { session: "a", agent: "x" });
});
