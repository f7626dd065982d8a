import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import { type Claim, claimsOf, take } from "../../src/domain/claims.ts";
import {
  at,
  blocker,
  committed,
  continued,
  ended,
  given,
  granted,
  lapsed,
  min,
  type Now,
  refused,
  renewed,
  started,
} from "../support/domain/mod.ts";

const taken = (session: string, task = "t", kind?: string): Event =>
  event("claim.taken", { task, session, kind });
const progressed = (session: string): Event => event("claim.progressed", { task: "t", session });
const completed = (session: string, task = "t"): Event =>
  event("claim.completed", { task, session, outcome: "done" });
const handed = (from: string, to: string): Event =>
  event("handoff.accepted", { handoff: "h", from, to, task: "t", until: min(60) });

const takes =
  (session: string, gone: string[] = []) =>
  ({ states }: Now) =>
    take(states.claims, { task: "t", session, kind: "bug" }, new Set(gone)).events;

const claim = (session: string, since: number): Claim => ({
  task: "t",
  session,
  kind: undefined,
  tracker: undefined,
  since: min(since),
  lastProgress: min(since),
  wanted: [],
});
const claimant = ({ states }: Pick<Now, "states">) => states.claims.claims.t?.session;

describe("a task", () => {
  test("is the first one's who asks", () => {
    given()
      .when(1, takes("a"))
      .gives(taken("a", "t", "bug"));
  });

  test("is refused to the next one, who is told whose it is and since when", () => {
    given(at(1, taken("a")))
      .when(2, takes("b"))
      .gives(event("claim.refused", { task: "t", session: "b", holder: "a", since: min(1) }));
  });

  test("asked for again by its claimant, nothing happens", () => {
    given(at(1, taken("a")))
      .when(2, takes("a"))
      .gives();
  });

  test("is not free because somebody else is gone", () => {
    given(at(1, taken("a")))
      .when(2, takes("b", ["c"]))
      .gives(event("claim.refused", { task: "t", session: "b", holder: "a", since: min(1) }));
  });

  test("of a claimant who is proven gone is free", () => {
    given(at(1, taken("a")))
      .when(2, takes("b", ["a"]))
      .gives(taken("b", "t", "bug"));
  });

  const ways: Readonly<Record<string, Event>> = {
    "its claimant gives it back": event("claim.released", { task: "t", session: "a", reason: "later" }),
    "it stalled": event("claim.stalled", { task: "t", session: "a", lastProgress: min(1) }),
    "it is completed": completed("a"),
    "its claimant ended": ended("a"),
    "its claimant lapsed": lapsed("a"),
  };
  for (const [what, way] of Object.entries(ways)) {
    test(`is free again when ${what}`, () => {
      const world = given(at(0, started("a")), at(1, taken("a")), at(2, way));
      assert.equal(claimant(world), undefined);
      world.when(3, takes("b")).gives(taken("b", "t", "bug"));
    });
  }

  for (const [what, stranger] of Object.entries({
    "gives it back": event("claim.released", { task: "t", session: "b", reason: "?" }),
    "completes it": completed("b"),
    "lets it stall": event("claim.stalled", { task: "t", session: "b", lastProgress: min(1) }),
    "makes progress on it": progressed("b"),
    "hands it over": handed("c", "b"),
    ends: ended("b"),
  })) {
    test(`stays its claimant's when somebody else ${what}`, () => {
      const { states } = given(at(1, taken("a")), at(2, stranger));
      assert.deepEqual(states.claims, {
        claims: { t: claim("a", 1) },
        completed: [],
        givenUp: [],
        owed: [],
      });
    });
  }

  test("goes with its claimant's new id", () => {
    const world = given(at(1, taken("a")), at(2, continued("a", "b")));
    assert.equal(claimant(world), "b");
    world.when(3, takes("b")).gives();
  });

  test("handed over is the asker's, since then", () => {
    const { states } = given(at(1, taken("a")), at(5, handed("b", "a")));
    assert.deepEqual(states.claims.claims.t, claim("b", 5));
  });
});

describe("progress is what is seen to change", () => {
  const effects: Readonly<Record<string, Event>> = {
    "a file it wrote": event("file.written", { session: "a", tree: "", path: "f", tool: "Edit", at: min(9) }),
    "an edit that was let through": granted("a", "f", 24),
    "an edit again": renewed("a", "f", 24),
    "what its command changed": granted("a", "f", 24, { via: "effect" }),
    "what was found to be its": event("work.attributed", {
      session: "a",
      tree: "",
      paths: ["f"],
      certainty: "sure",
    }),
    "a commit": committed("a", ["f"], { session: "a" }),
    "a subagent's edit": granted("a/1", "f", 24),
  };
  for (const [what, effect] of Object.entries(effects))
    test(what, () => {
      const { states } = given(at(1, taken("a", "t"), taken("b", "u")), at(9, effect));
      assert.equal(states.claims.claims.t?.lastProgress, min(9));
      assert.equal(states.claims.claims.u?.lastProgress, min(1), "nobody else's");
    });

  const talk: Readonly<Record<string, Event>> = {
    "a sign of life": event("session.seen", { session: "a", at: min(9) }),
    "a reservation by hand": granted("a", "f", 24, { via: "command" }),
    "a refusal": refused("a", "f", [blocker("b", "f", 0, 60)]),
    "the same claim again": event("claim.refused", { task: "t", session: "b", holder: "a", since: min(1) }),
    "a person's commit": committed("a", ["f"]),
  };
  for (const [what, word] of Object.entries(talk))
    test(`not: ${what}`, () => {
      const { states } = given(at(1, started("a"), taken("a")), at(9, word));
      assert.equal(states.claims.claims.t?.lastProgress, min(1));
    });

  test("an edit that is put down late counts when it was made, and never from the future", () => {
    const wrote = (at: number) =>
      event("file.written", { session: "a", tree: "", path: "f", tool: "Edit", at: min(at) });
    const { states } = given(at(1, taken("a")), at(9, wrote(4)));
    assert.equal(states.claims.claims.t?.lastProgress, min(4));
    assert.equal(given(at(1, taken("a")), at(9, wrote(99))).states.claims.claims.t?.lastProgress, min(9));
  });
});

describe("who wanted a task", () => {
  const wants = (session: string, holder = "a") =>
    event("claim.refused", { task: "t", session, holder, since: min(1) });
  const wanted = ({ states }: Pick<Now, "states">) => states.claims.claims.t?.wanted;

  test("is remembered in the order they asked, the last 16 of them", () => {
    const world = given(at(1, taken("a")), at(2, wants("b")), at(3, wants("c")), at(4, wants("b")));
    assert.deepEqual(wanted(world), ["c", "b"]);
    for (let i = 0; i < 40; i += 1) world.when(5 + i, () => [wants(`s${i}`)]);
    assert.equal(wanted(world)?.length, 16);
  });

  test("is refused once on record, however often it asks", () => {
    given(at(1, taken("a")), at(2, wants("b")))
      .when(3, takes("b"))
      .gives();
  });

  test("goes under its new id, and is gone with its session", () => {
    const world = given(at(0, started("a"), started("b"), started("c")), at(1, taken("a")));
    world.when(2, () => [wants("b"), wants("c"), continued("b", "d"), ended("c")]);
    assert.deepEqual(wanted(world), ["d"]);
  });
});

describe("a task that is given up", () => {
  const stalled = event("claim.stalled", { task: "t", session: "a", lastProgress: min(1), why: "no-edit" });
  const gone = ({ states }: Pick<Now, "states">) =>
    states.claims.givenUp.map((each) => [each.task, each.session]);

  for (const way of [
    stalled,
    event("claim.released", { task: "t", session: "a", reason: "" }),
    ended("a"),
    lapsed("a"),
    event("claim.completed", { task: "t", session: "a", outcome: "failed" }),
  ])
    test(`is remembered until somebody takes it (${way.type})`, () => {
      const world = given(at(0, started("a"), started("b")), at(1, taken("a")), at(2, way));
      assert.deepEqual(gone(world), [["t", "a"]]);
      world.when(3, takes("b")).gives(taken("b", "t", "bug"));
      assert.deepEqual(gone(world), []);
    });

  test("is not one that was done; the last 32 are kept", () => {
    const world = given(at(1, taken("a")), at(2, completed("a")));
    assert.deepEqual(gone(world), []);
    for (let i = 0; i < 50; i += 1)
      world.when(3 + i, () => [
        taken("a", `t${i}`),
        event("claim.released", { task: `t${i}`, session: "a", reason: "" }),
      ]);
    assert.equal(gone(world).length, 32);
  });
});

describe("what a tracker is still to be told", () => {
  const tracked = event("claim.taken", { task: "t", session: "a", tracker: "beads" });
  const released = event("claim.released", { task: "t", session: "a", reason: "" });
  const told = (status: "open" | "taken" | "closed", more: { session?: string; error?: string } = {}) =>
    event("tracker.told", { tracker: "beads", task: "t", status, ...more });
  const owed = ({ states }: Pick<Now, "states">) =>
    states.claims.owed.map(({ status, from, session, failed }) => [status, from, session, failed]);

  test("a claim that ended, and how; nothing of tasks that are the log's own", () => {
    assert.deepEqual(owed(given(at(1, taken("a")), at(2, released))), []);
    for (const [way, status] of [
      [released, "open"],
      [ended("a"), "open"],
      [lapsed("a"), "open"],
      [completed("a"), "closed"],
      [event("claim.completed", { task: "t", session: "a", outcome: "failed" }), "open"],
    ] as const)
      assert.deepEqual(owed(given(at(0, started("a")), at(1, tracked), at(2, way))), [
        [status, "a", undefined, 0],
      ]);
  });

  test("not what it says itself", () => {
    const byIt = event("claim.released", { task: "t", session: "a", reason: "", tracker: "beads" });
    assert.deepEqual(owed(given(at(1, tracked), at(2, byIt))), []);
  });

  test("whose it is now: handed over, or taken before the tracker heard that it was free", () => {
    assert.deepEqual(owed(given(at(1, tracked), at(2, handed("b", "a")))), [["taken", "a", "b", 0]]);
    assert.deepEqual(owed(given(at(1, tracked), at(2, released), at(3, taken("c")))), [
      ["taken", "a", "c", 0],
    ]);
  });

  test("until it was told just that; what failed is counted", () => {
    const world = given(at(1, tracked), at(2, released));
    world.when(3, () => [told("closed"), told("open", { session: "b" })]);
    assert.equal(owed(world).length, 1);
    world.when(4, () => [told("open", { error: "locked" })]);
    assert.deepEqual(owed(world), [["open", "a", undefined, 1]]);
    world.when(5, () => [told("open")]);
    assert.deepEqual(owed(world), []);
  });
});

test("the claimant's word is progress where it is on record as such: the last time the claimant did something for it", () => {
  const { states } = given(at(1, taken("a")), at(9, progressed("a")));
  assert.equal(states.claims.claims.t?.lastProgress, min(9));
});

test("a completed task is remembered with who did it and how long it took; the last 100 are", () => {
  const world = given(at(1, taken("a")), at(31, completed("a")));
  assert.deepEqual(world.states.claims.completed, [
    { task: "t", session: "a", at: min(31), tookMs: min(30), outcome: "done" },
  ]);
  for (let i = 0; i < 150; i += 1) world.when(40 + i, () => [taken("a", `t${i}`), completed("a", `t${i}`)]);
  assert.equal(world.states.claims.completed.length, 100);
  assert.equal(world.states.claims.completed.at(-1)?.task, "t149");
});

test("a session's claims are listed oldest first", () => {
  const { states } = given(at(1, taken("a", "z"), taken("b", "y")), at(2, taken("a", "1")));
  assert.deepEqual(
    claimsOf(states.claims, "a").map((c) => c.task),
    ["z", "1"],
  );
});
