import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { answer, leasesFor, type Matter, request, requestsTo } from "../../src/domain/handoffs.ts";
import { formatTarget } from "../../src/domain/pattern.ts";
import {
  at,
  continued,
  ended,
  given,
  granted,
  lapsed,
  min,
  type Now,
  started,
  target,
} from "../support/domain/mod.ts";

const matter = { handoff: "h", from: "b", to: "a", task: "t", tree: "", targets: [target("f")] };
const requested = (more: Partial<typeof matter> = {}, until = 30): Event =>
  event("handoff.requested", { ...matter, ...more, reason: "I need it", until: min(until) });
const accepted = event("handoff.accepted", { ...matter, until: min(45) });
const rejected = event("handoff.rejected", { ...matter, reason: "not yet" });

const accepts =
  (by: string, id = "h") =>
  ({ states }: Now) =>
    [answer(states.handoffs, id, by, { accept: true, until: min(45) })].filter((e) => e !== undefined);
const rejects =
  (by: string, id = "h") =>
  ({ states }: Now) =>
    [answer(states.handoffs, id, by, { accept: false, reason: "not yet" })].filter((e) => e !== undefined);

const sessions = at(0, started("a"), started("b"), started("c"));
const open = ({ states }: Pick<Now, "states">) => Object.keys(states.handoffs.open);

describe("a request", () => {
  test("is accepted by its holder: what it was about stands in the answer", () => {
    given(sessions, at(1, requested())).when(2, accepts("a")).gives(accepted);
  });

  test("is rejected by its holder, with a reason", () => {
    given(sessions, at(1, requested())).when(2, rejects("a")).gives(rejected);
  });

  test("is nobody else's to answer: not the asker's, not a stranger's", () => {
    for (const by of ["b", "c"]) {
      given(sessions, at(1, requested())).when(2, accepts(by)).gives();
      given(sessions, at(1, requested())).when(2, rejects(by)).gives();
    }
  });

  test("is answered once: the first answer is final", () => {
    const world = given(sessions, at(1, requested()));
    world.when(2, rejects("a")).gives(rejected);
    world.when(3, accepts("a")).gives();
  });

  test("that nobody made has no answer", () => {
    given(sessions).when(1, accepts("a", "constructor")).gives();
  });

  for (const gone of [ended("a"), ended("b"), lapsed("a"), lapsed("b")]) {
    test(`is over when ${gone.type === "session.ended" ? "a party says goodbye" : "a party is gone"} (${"session" in gone ? gone.session : ""})`, () => {
      const world = given(sessions, at(1, requested()), at(2, gone));
      assert.deepEqual(open(world), []);
      world.when(3, accepts("a")).gives();
    });
  }

  test("of others is not over when somebody else ends", () => {
    assert.deepEqual(open(given(sessions, at(1, requested()), at(2, ended("c")))), ["h"]);
  });

  test("is over when it lapsed", () => {
    const lapsed = event("handoff.lapsed", { ...matter, reason: "no answer" });
    assert.deepEqual(open(given(sessions, at(1, requested()), at(31, lapsed))), []);
  });

  test("follows both parties to their new ids", () => {
    given(sessions, at(1, requested()), at(2, continued("a", "a2"), continued("b", "b2")))
      .when(3, accepts("a2"))
      .gives(event("handoff.accepted", { ...matter, from: "b2", to: "a2", until: min(45) }));
  });

  test("between two sessions that became one is over", () => {
    assert.deepEqual(open(given(sessions, at(1, requested()), at(2, continued("a", "b")))), []);
  });

  test("that ran out over a day ago is forgotten with the next one", () => {
    const day = 24 * 60;
    const world = given(
      sessions,
      at(1, requested({ handoff: "old" })),
      at(29 + day, requested({ handoff: "x" }, 90 + day)),
    );
    assert.deepEqual(open(world), ["old", "x"]);
    world.when(31 + day, () => [requested({ handoff: "y" }, 90 + day)]);
    assert.deepEqual(open(world), ["x", "y"]);
  });
});

describe("asking", () => {
  const taken = (session: string, task = "t") => event("claim.taken", { task, session });
  const asks =
    (from: string, about: Matter) =>
    ({ states, now }: Now) => {
      const result = request(states, about, { from, reason: "I need it", now, until: now + min(10) });
      return result.kind === "asked" ? result.events : [];
    };
  const kind = (world: Pick<Now, "states">, from: string, about: Matter) =>
    request(world.states, about, { from, reason: "x", now: min(5), until: min(15) }).kind;
  const ask = (handoff: string, from: string, to: string, more: object, until: number): Event =>
    event("handoff.requested", { handoff, from, to, reason: "I need it", until: min(until), ...more });

  test("goes to whoever has the task", () => {
    given(sessions, at(1, taken("a")))
      .when(2, asks("b", { task: "t" }))
      .gives(ask("h1", "b", "a", { task: "t" }, 12));
  });

  test("for files goes to each of their holders for what is theirs", () => {
    const files = { tree: "", targets: [target("f"), target("g"), target("src/")] };
    given(
      sessions,
      at(1, granted("a", ["f", "src/x"], 60), granted("b/1", "g", 60), granted("a", "g", 60, { tree: "wt" })),
    )
      .when(2, asks("c", files))
      .gives(
        ask("h1", "c", "a", { tree: "", targets: [target("f"), target("src/")] }, 12),
        ask("h2", "c", "b", { tree: "", targets: [target("g")] }, 12),
      );
  });

  test("for what is nobody's, or one's own, is no request", () => {
    const world = given(sessions, at(1, taken("a"), granted("a", "f", 3)));
    assert.equal(kind(world, "a", { task: "t" }), "own");
    assert.equal(kind(world, "b", { task: "u" }), "free");
    assert.equal(kind(world, "b", { tree: "", targets: [target("f")] }), "free", "its lease has run out");
  });

  test("again for the same is the same request, and no id is given twice", () => {
    const world = given(sessions, at(1, taken("a"), taken("a", "u")));
    world.when(2, asks("b", { task: "t" }));
    world.when(3, asks("b", { task: "t" })).gives();
    world.when(4, asks("c", { task: "t" })).gives(ask("h2", "c", "a", { task: "t" }, 14));
    world.when(5, () => [
      event("handoff.rejected", { handoff: "h2", from: "c", to: "a", task: "t", reason: "no" }),
    ]);
    world.when(6, asks("c", { task: "t" })).gives(ask("h3", "c", "a", { task: "t" }, 16));
  });

  test("of what is asked for in part already, no id is given twice", () => {
    const files = (...names: string[]): Matter => ({ tree: "", targets: names.map(target) });
    const world = given(sessions, at(1, granted("a", "f", 60), granted("b/1", "g", 60)));
    const part = (handoff: string, from: string, to: string, name: string, until: number) =>
      ask(handoff, from, to, files(name), until);
    world.when(2, asks("c", files("f"))).gives(part("h1", "c", "a", "f", 12));
    world.when(3, asks("c", files("f", "g"))).gives(part("h2", "c", "b", "g", 13));
    world.when(4, asks("b", files("f"))).gives(part("h3", "b", "a", "f", 14));
  });
});

describe("what goes with an accepted request", () => {
  const claim = event("claim.taken", { task: "t", session: "a" });
  const moved = (
    world: Pick<Now, "states">,
    request: Event,
    { tree = "", only }: { tree?: string; only?: string } = {},
  ) => {
    const { type: _, v: __, ...handoff } = request as EventNamed<"handoff.requested">;
    const { targets } = leasesFor(
      { ...handoff, at: 0 },
      {
        claim: world.states.claims.claims.t,
        tree,
        grants: world.states.reservations.grants,
        only: only === undefined ? undefined : [target(only)],
      },
    );
    return targets.map((t) => formatTarget(t));
  };
  const world = given(
    sessions,
    at(1, granted("a", "before", 60)),
    at(2, claim),
    at(
      3,
      granted("a", ["f", "src/"], 60),
      granted("a/1", "g", 60),
      granted("b", "h", 60),
      granted("a", "w", 60, { tree: "wt" }),
    ),
  );
  const task = { tree: undefined, targets: undefined } as never;

  test("with a task: what its claimant has reserved since, where the asker works", () => {
    assert.deepEqual(moved(world, requested(task)), ["f", "src/", "g"]);
    assert.deepEqual(moved(world, requested(task), { tree: "wt" }), ["w"]);
    assert.deepEqual(moved(world, requested(task), { only: "f" }), ["f"]);
  });

  test("of files: those asked for; of a directory that is held the file, of one asked for what is held", () => {
    const files = (...words: string[]) =>
      requested({ task: undefined as never, targets: words.map((w) => target(w)) });
    assert.deepEqual(moved(world, files("f", "src/x", "h")), ["f", "src/x"]);
    assert.deepEqual(moved(world, files("src/", "")), ["src/"]);
    assert.deepEqual(moved(world, files("*")), ["before", "f", "src/", "g"]);
  });

  test("moves claim and leases in the one event", () => {
    const after = given(
      sessions,
      at(1, claim),
      at(2, granted("a", "f", 60)),
      at(3, requested({ targets: undefined as never })),
    );
    after.when(4, ({ states }) => [
      answer(states.handoffs, "h", "a", { accept: true, until: min(45), tree: "", targets: [target("f")] })!,
    ]);
    assert.equal(after.states.claims.claims.t?.session, "b");
    assert.deepEqual(
      after.states.reservations.grants.map((g) => [g.session, g.until]),
      [["b", min(45)]],
    );
  });
});

test("a session sees the requests that wait for it, oldest first", () => {
  const { states } = given(
    sessions,
    at(1, requested({ handoff: "z" })),
    at(2, requested({ handoff: "1" }), requested({ handoff: "c", to: "c" })),
  );
  assert.deepEqual(
    requestsTo(states.handoffs, "a").map((r) => r.handoff),
    ["z", "1"],
  );
});
