import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event } from "../../events/mod.ts";
import { findEdit } from "../../src/domain/work.ts";
import { at, given, min } from "../support/domain/mod.ts";

const COMMIT = "a".repeat(40);

const reserved = (session: string, path: string, via: "edit" | "command" = "edit") =>
  event("reservation.granted", {
    session,
    tree: "",
    targets: [{ kind: "path", path }],
    mode: "exclusive",
    via,
    until: min(60),
  });
const wrote = (session: string, path: string, minute: number) =>
  event("file.written", { session, tree: "", path, tool: "Edit", at: min(minute) });
const committed = (tree: string, ...paths: string[]) =>
  event("commit.recorded", {
    commit: COMMIT,
    parents: [],
    tree,
    paths,
    total: paths.length,
    subject: "s",
  });
const editorOf = (states: ReturnType<typeof given>["states"], path: string) =>
  findEdit(states.work, "", path)?.session;

describe("whose uncommitted changes a file may hold", () => {
  test("whoever was last allowed to edit it", () => {
    const { states } = given(at(0, reserved("a", "x")), at(1, reserved("b", "x")));
    assert.equal(editorOf(states, "x"), "b");
  });

  test("still so when its session has ended or lapsed: the changes are there", () => {
    const { states } = given(
      at(0, reserved("a", "x"), reserved("b", "y")),
      at(1, event("session.ended", { session: "a", reason: "exit" })),
      at(1, event("session.lapsed", { session: "b", reason: "process-gone", lastSeen: 0 })),
    );
    assert.deepEqual([editorOf(states, "x"), editorOf(states, "y")], ["a", "b"]);
  });

  test("nobody's once it is committed in that tree, by whomever", () => {
    const elsewhere = given(at(0, reserved("a", "x")), at(1, committed("linked", "x")));
    assert.equal(editorOf(elsewhere.states, "x"), "a");
    const here = given(at(0, reserved("a", "x")), at(1, committed("", "x", "z")));
    assert.equal(editorOf(here.states, "x"), undefined);
  });

  test("a reservation by hand is no edit, a write is", () => {
    assert.equal(editorOf(given(at(0, reserved("a", "x", "command"))).states, "x"), undefined);
    assert.equal(editorOf(given(at(0, wrote("a", "x", 0))).states, "x"), "a");
  });

  test("a write that is told late does not undo who came after it", () => {
    const { states } = given(at(5, reserved("b", "x")), at(6, wrote("a", "x", 1)));
    assert.equal(editorOf(states, "x"), "b");
  });

  test("the same session under its new id after /clear", () => {
    const renamed = event("session.continued", {
      session: "a2",
      from: "a",
      reason: "clear",
      tree: "",
      cwd: "/",
    });
    assert.equal(editorOf(given(at(0, reserved("a", "x")), at(1, renamed)).states, "x"), "a2");
  });

  test("found on disk after a command: that session's; if that is not clear, nobody's alone", () => {
    const found = (session: string, certainty: "sure" | "ambiguous", ...paths: string[]) =>
      event("work.attributed", { session, tree: "", paths, certainty });
    const { states } = given(
      at(0, reserved("b", "x"), found("a", "sure", "w")),
      at(1, found("a", "sure", "x"), found("a", "ambiguous", "y", "z"), found("b", "ambiguous", "y")),
    );
    assert.deepEqual(
      states.work.edits.map(({ path, session, unclear = false }) => [path, session, unclear]),
      [
        ["x", "b", true],
        ["w", "a", false],
        ["y", "a", true],
        ["z", "a", true],
      ],
    );
  });

  test("with a file that is handed over goes what is in it; all else stays its author's", () => {
    const handed = event("handoff.accepted", {
      handoff: "h",
      from: "b",
      to: "a",
      tree: "",
      targets: [
        { kind: "dir", path: "src" },
        { kind: "path", path: "z" },
      ],
      until: min(60),
    });
    const { states } = given(
      at(0, reserved("a", "src/x"), reserved("a", "y"), reserved("c", "src/w"), reserved("a", "z")),
      at(1, handed),
    );
    assert.deepEqual(
      ["src/x", "y", "src/w", "z"].map((path) => editorOf(states, path)),
      ["b", "a", "c", "b"],
    );
  });

  test("at most 1024 files, the oldest forgotten first", () => {
    const { states } = given(...Array.from({ length: 1100 }, (_, i) => at(i, reserved("a", `f${i}`))));
    assert.equal(states.work.edits.length, 1024);
    assert.equal(editorOf(states, "f75"), undefined);
    assert.equal(editorOf(states, "f76"), "a");
  });
});
