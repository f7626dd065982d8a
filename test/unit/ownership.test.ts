import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event } from "../../events/mod.ts";
import { type Owner, ownersOf } from "../../src/domain/ownership.ts";
import { activeGrants } from "../../src/domain/reservations.ts";
import { covers } from "../../src/domain/pattern.ts";
import {
  at,
  committed,
  continued,
  ended,
  given,
  granted,
  initialStates,
  evolve,
  min,
  plausibleHistory,
  released,
  started,
} from "../support/domain/mod.ts";

const wrote = (session: string, path: string, minute: number, tree = "") =>
  event("file.written", { session, tree, path, tool: "Edit", at: min(minute) });

const both = at(0, started("a"), started("b"));

/** Whose a path is for a session at a minute. */
function owner(
  states: ReturnType<typeof given>["states"],
  session: string,
  path: string,
  minute: number,
  { tree = "", gone = [] as string[] } = {},
): Owner {
  const question = { tree, paths: [path], session, now: min(minute), gone: new Set(gone) };
  return ownersOf(states, question).get(path)!;
}

describe("whose a path is", () => {
  test("whoever has reserved it has it; to the other it is theirs", () => {
    const { states } = given(both, at(1, granted("a", "x", 16)));
    assert.deepEqual(owner(states, "a", "x", 2), { kind: "mine" });
    assert.deepEqual(owner(states, "b", "x", 2), {
      kind: "session",
      session: "a",
      since: min(1),
      how: "reservation",
    });
    assert.deepEqual(owner(states, "", "x", 2).kind, "session");
  });

  test("a subagent's is its session's", () => {
    const { states } = given(both, at(1, granted("a/1", "x", 16)));
    assert.deepEqual(owner(states, "a", "x", 2), { kind: "mine" });
  });

  test("a directory or glob covers what is in it", () => {
    const { states } = given(both, at(1, granted("a", ["src/", "*.md"], 16, { via: "command" })));
    assert.equal(owner(states, "b", "src/x", 2).kind, "session");
    assert.equal(owner(states, "b", "y.md", 2).kind, "session");
    assert.equal(owner(states, "b", "lib/x", 2).kind, "unknown");
  });

  test("the last editor's after the lease ran out, while that session lives", () => {
    const { states } = given(both, at(1, granted("a", "x", 2)));
    assert.deepEqual(owner(states, "a", "x", 60), { kind: "mine" });
    assert.deepEqual(owner(states, "b", "x", 60), {
      kind: "session",
      session: "a",
      since: min(1),
      how: "edit",
    });
  });

  test("nobody's after it is committed and let go", () => {
    const { states } = given(
      both,
      at(1, granted("a", "x", 16)),
      at(2, committed("a", ["x"]), released("a", "x", "committed")),
    );
    assert.deepEqual(owner(states, "a", "x", 3), { kind: "unknown" });
  });

  test("of a session that has ended, or is proven gone: nobody's, and its name is kept", () => {
    const { states } = given(both, at(1, granted("a", "x", 16)));
    const left = { kind: "unknown", session: "a", since: min(1) };
    assert.deepEqual(owner(states, "b", "x", 2, { gone: ["a"] }), left);
    assert.deepEqual(
      owner(given(both, at(1, granted("a", "x", 16)), at(2, ended("a"))).states, "b", "x", 3),
      left,
    );
  });

  test("whoever asks is not gone", () => {
    const { states } = given(both, at(1, granted("a", "x", 16)));
    assert.deepEqual(owner(states, "a", "x", 2, { gone: ["a"] }), { kind: "mine" });
  });

  test("what I have reserved is mine although another wrote over it", () => {
    const { states } = given(both, at(1, granted("a", "x", 16)), at(2, wrote("b", "x", 2)));
    assert.deepEqual(owner(states, "a", "x", 3), { kind: "mine" });
    assert.equal(owner(states, "b", "x", 3).kind, "session");
  });

  test("a lease by hand does not make another's unfinished work mine", () => {
    const { states } = given(
      both,
      at(1, granted("a", "x", 2)),
      at(3, granted("b", "./", 60, { via: "command" })),
    );
    const x = owner(states, "b", "x", 4);
    assert.equal(x.kind === "session" && x.session, "a");
    assert.deepEqual(owner(states, "b", "y", 4), { kind: "mine" });
  });

  test("a shared file is mine for each who changed it", () => {
    const shared = { mode: "shared", via: "effect" } as const;
    const { states } = given(
      both,
      at(0, started("c")),
      at(1, granted("a", "lock", 16, shared)),
      at(2, granted("b", "lock", 16, shared)),
    );
    assert.deepEqual(owner(states, "a", "lock", 3), { kind: "mine" });
    assert.deepEqual(owner(states, "b", "lock", 3), { kind: "mine" });
    assert.equal(owner(states, "c", "lock", 3).kind, "session");
  });

  test("a shared lease by hand is no change", () => {
    const { states } = given(both, at(1, granted("a", "src/", 16, { mode: "shared", via: "command" })));
    assert.deepEqual(owner(states, "a", "src/x", 2), { kind: "unknown" });
    assert.deepEqual(owner(states, "b", "src/x", 2), { kind: "unknown" });
  });

  test("what was seen on disk after a command says so", () => {
    const { states } = given(both, at(1, granted("a", "x", 16, { via: "effect" })));
    const x = owner(states, "b", "x", 2);
    assert.equal(x.kind === "session" && x.how, "attributed");
  });

  test("another working tree's file is another file", () => {
    const { states } = given(both, at(1, granted("a", "x", 16, { tree: "wt" })));
    assert.deepEqual(owner(states, "a", "x", 2), { kind: "unknown" });
    assert.deepEqual(owner(states, "a", "x", 2, { tree: "wt" }), { kind: "mine" });
  });

  test("the same session after /clear, under either id", () => {
    const { states } = given(both, at(1, granted("a", "x", 2)), at(3, continued("a", "a2")));
    assert.deepEqual(owner(states, "a2", "x", 4), { kind: "mine" });
    assert.deepEqual(owner(states, "a", "x", 4), { kind: "mine" });
  });

  test("in any history: mine to one alone unless shared, and never mine under another's exclusive lease", () => {
    fc.assert(
      fc.property(plausibleHistory(), (history) => {
        const states = initialStates();
        for (const moment of history) evolve(states, moment);
        const now = history.at(-1)?.meta.t ?? 0;
        const paths = ["f", "g", "d/f", "d/e/f", "__proto__"];
        const live = Object.keys(states.sessions.live);
        for (const tree of ["", "wt"]) {
          const leases = activeGrants(states.reservations, now).filter((g) => g.tree === tree);
          const byPath = new Map<string, string[]>();
          for (const session of live) {
            const owners = ownersOf(states, { tree, paths, session, now, gone: new Set() });
            assert.deepEqual([...owners.keys()], paths);
            for (const [path, found] of owners) {
              if (found.kind === "session") {
                assert.notEqual(found.session, session);
                assert.ok(live.includes(found.session));
              }
              if (found.kind !== "mine") continue;
              byPath.set(path, [...(byPath.get(path) ?? []), session]);
              const theirs = leases.some(
                (g) =>
                  g.session !== session &&
                  live.includes(g.session) &&
                  g.mode === "exclusive" &&
                  covers(g.target, path),
              );
              assert.ok(!theirs);
            }
          }
          for (const [path, all] of byPath) {
            const shared = leases.some((g) => g.mode === "shared" && covers(g.target, path));
            assert.ok(all.length === 1 || shared, `${path} is ${all.join(" and ")}'s`);
          }
        }
      }),
    );
  });
});
