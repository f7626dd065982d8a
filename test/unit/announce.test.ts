/** Whom a commit concerns, and nobody else (FINDINGS: message complexity). */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { undelivered } from "../../src/domain/notices.ts";
import { announce, POLICY_DEFAULTS } from "../../src/policy/mod.ts";
import { at, given, granted, min, sha, started } from "../support/domain/mod.ts";

const here = at(0, started("a"), started("b"), started("c"), started("far", { tree: "wt" }));
const wrote = (session: string, path: string): Event =>
  event("file.written", { session, tree: "", path, tool: "Edit", at: min(1) });

/** Who hears what of a commit by `a` at minute 5. */
function heard(
  steps: Parameters<typeof given>,
  paths: readonly string[],
  {
    reads = {},
    gone = [],
    resolved = false,
    person = false,
  }: {
    readonly reads?: Readonly<Record<string, readonly string[]>>;
    readonly gone?: readonly string[];
    readonly resolved?: boolean;
    readonly person?: boolean;
  } = {},
) {
  const world = given(here, ...steps);
  world.when(5, ({ states, now }) =>
    announce(
      states,
      { commit: sha("c"), session: person ? undefined : "a", tree: "", paths, resolved },
      (session) => new Set(reads[session] ?? []),
      { now, gone: new Set(gone) },
      POLICY_DEFAULTS,
    ),
  );
  return (minute: number) =>
    Object.fromEntries(
      ["a", "b", "c", "far"].flatMap((session) => {
        const told = undelivered(world.states.notices, session, min(minute)).map(
          (n) => `${n.kind} ${n.by || "person"} ${n.what}`,
        );
        return told.length === 0 ? [] : [[session, told]];
      }),
    );
}

describe("a commit is told", () => {
  test("to who has read, edited or reserved what it changed", () => {
    const steps = [at(1, wrote("b", "edited"), granted("c", "src/", 20))];
    assert.deepEqual(heard(steps, ["read", "edited", "src/x"], { reads: { b: ["read"] } })(5), {
      b: ["changed a read, edited"],
      c: ["changed a src/x"],
    });
  });

  test("to nobody else: not to whom it does not touch, not to who made it, not in another tree, not to the dead", () => {
    const reads = { a: ["f"], c: ["other"], far: ["f"], b: ["f"] };
    assert.deepEqual(heard([at(1, wrote("a", "f"))], ["f"], { reads, gone: ["b"] })(5), {});
  });

  test("with the first three paths, and how many more", () => {
    const paths = ["1", "2", "3", "4", "5"];
    assert.deepEqual(heard([], paths, { reads: { b: paths } })(5), { b: ["changed a 1, 2, 3 and 2 more"] });
  });

  test("as a person's, if it is one", () => {
    assert.deepEqual(heard([], ["f"], { reads: { a: ["f"] }, person: true })(5), {
      a: ["changed person f"],
    });
  });

  test("30 seconds later if it resolved a conflict (SYS-4)", () => {
    const told = heard([], ["f"], { reads: { b: ["f"] }, resolved: true });
    assert.deepEqual(told(5.4), {});
    assert.deepEqual(told(5.5), { b: ["changed a f"] });
  });
});

test("what is not due yet is not lost when the rest is delivered", () => {
  const world = given(
    here,
    at(
      1,
      event("commit.announced", {
        commit: sha("c"),
        to: ["b"],
        about: [{ session: "b", paths: ["f"], total: 1 }],
        by: "a",
        notBefore: min(3),
      }),
    ),
    at(
      2,
      event("handoff.requested", { handoff: "h", from: "a", to: "b", task: "t", reason: "r", until: min(9) }),
    ),
    at(2, event("notice.delivered", { session: "b", through: 3 })),
  );
  const left = (minute: number) =>
    undelivered(world.states.notices, "b", min(minute)).map(({ kind }) => kind);
  assert.deepEqual(left(2), []);
  assert.deepEqual(left(3), ["changed"]);
  world.when(3, () => [event("notice.delivered", { session: "b", through: 2 })]);
  assert.deepEqual(left(3), []);
});
