/** The stall rule and the end of requests: what time and death make of claims, with nobody awake for it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import { claimsOf } from "../../src/domain/claims.ts";
import { evolved, type States } from "../../src/domain/mod.ts";
import { lapse } from "../../src/domain/sessions.ts";
import { endClaims, POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import {
  at,
  drive,
  anyCommands,
  given,
  granted,
  lapsed,
  min,
  type Now,
  together,
} from "../support/domain/mod.ts";

const moment = (now: number, gone: readonly string[] = []) => ({
  now,
  gone: new Set(gone),
  running: new Map(),
});
const settles =
  (gone: readonly string[] = []) =>
  ({ states, now }: Now) =>
    settle(states, moment(now, gone), POLICY_DEFAULTS).filter(({ type }) => /^(claim|handoff)/.test(type));

const taken = (session: string, more: object = {}): Event =>
  event("claim.taken", { task: "t", session, ...more });
const wants = (session: string): Event =>
  event("claim.refused", { task: "t", session, holder: "a", since: min(1) });
const stalled = (why: "no-edit" | "process-gone", wanted?: string[], lastProgress = 1): Event =>
  event("claim.stalled", { task: "t", session: "a", lastProgress: min(lastProgress), why, wanted });
const matter = { handoff: "h1", from: "b", to: "a", task: "t" };
const asked = (until = 12): Event =>
  event("handoff.requested", { ...matter, reason: "mine", until: min(until) });
const over = (reason: string, more: Partial<typeof matter> = {}): Event =>
  event("handoff.lapsed", { ...matter, ...more, reason });
const sessions = at(0, ...together("a", "b", "c"));
const IT_IS_YOURS = "its holder does not work on it; it is yours now";

describe("a claim", () => {
  test("is not old because it was taken long ago, but because nothing is edited for it", () => {
    const world = given(
      sessions,
      at(1, taken("a")),
      at(50, granted("a", "f", 65)),
      at(105, granted("a", "g", 120)),
    );
    world.when(165, settles()).gives();
    world.when(166, settles()).gives(stalled("no-edit", undefined, 105));
    world.when(167, settles()).gives();
  });

  test("that nobody works on is free for those who wanted it, and they are named", () => {
    given(sessions, at(1, taken("a")), at(2, wants("b")), at(3, wants("c")))
      .when(62, settles())
      .gives(stalled("no-edit", ["b", "c"]));
  });

  test("of a process that is gone is free at once", () => {
    given(sessions, at(1, taken("a")), at(2, wants("b")))
      .when(3, settles(["a"]))
      .gives(stalled("process-gone", ["b"]));
  });

  test("that stalls goes to the first who asked its holder for it; the others still want it, or hear who has it", () => {
    const second = event("handoff.requested", {
      ...matter,
      handoff: "h2",
      from: "c",
      reason: "me",
      until: min(99),
    });
    const world = given(
      sessions,
      at(1, taken("a", { kind: "bug", tracker: "beads" })),
      at(2, wants("c")),
      at(55, asked(65)),
      at(56, second),
    );
    world
      .when(62, settles())
      .gives(
        stalled("no-edit"),
        taken("b", { kind: "bug", tracker: "beads", wanted: ["c"] }),
        over(IT_IS_YOURS),
        over("another session has it now", { handoff: "h2", from: "c" }),
      );
    assert.equal(world.states.claims.claims.t?.session, "b");
  });

  test("never goes to one who is gone as well", () => {
    given(sessions, at(1, taken("a")), at(2, asked()))
      .when(3, settles(["a", "b"]))
      .gives(stalled("process-gone"), over("who asked is gone"));
  });

  test("of a session that says goodbye goes the same way", () => {
    const goodbye = ({ states }: Now) => endClaims(states, "a", new Set());
    const released = (wanted?: string[]) =>
      event("claim.released", { task: "t", session: "a", reason: "its session ended", wanted });
    given(sessions, at(1, taken("a")), at(2, wants("c")))
      .when(3, goodbye)
      .gives(released(["c"]));
    given(sessions, at(1, taken("a")), at(2, asked()))
      .when(3, goodbye)
      .gives(released(), taken("b"), over(IT_IS_YOURS));
  });
});

describe("a request", () => {
  test("without an answer is over; a holder at work keeps what it has", () => {
    const world = given(sessions, at(1, taken("a")), at(2, asked()));
    world.when(11, settles()).gives();
    world.when(12, settles()).gives(over("no answer; its holder is at work"));
  });

  test("for a task that is done, free again or somebody else's is over, and says so", () => {
    for (const [what, reason] of [
      [event("claim.completed", { task: "t", session: "a", outcome: "ok" }), "it was completed: ok"],
      [event("claim.completed", { task: "t", session: "a", outcome: "failed" }), "it is free now"],
      [event("claim.released", { task: "t", session: "a", reason: "" }), "it is free now"],
      [
        event("handoff.accepted", { ...matter, handoff: "h9", from: "c", until: min(9) }),
        "another session has it now",
      ],
    ] as const)
      given(sessions, at(1, taken("a")), at(2, asked()), at(3, what))
        .when(4, settles())
        .gives(over(reason));
  });

  test("for files ends with their lease", () => {
    const files = { task: undefined, tree: "", targets: [{ kind: "path" as const, path: "f" }] };
    const ask = event("handoff.requested", { ...matter, ...files, reason: "mine", until: min(20) });
    const world = given(sessions, at(1, granted("a", "f", 10)), at(2, ask));
    world.when(9, settles()).gives();
    world.when(10, settles()).gives(
      event("handoff.lapsed", {
        ...matter,
        ...files,
        reason: "its reservation has run out or was given back",
      }),
    );
  });

  test("of a dead party is over", () => {
    given(sessions, at(1, taken("a")), at(2, asked()))
      .when(3, settles(["b"]))
      .gives(over("who asked is gone"));
    given(
      sessions,
      at(1, granted("a", "f", 30)),
      at(
        2,
        event("handoff.requested", {
          handoff: "h1",
          from: "b",
          to: "a",
          tree: "",
          targets: [{ kind: "path", path: "f" }],
          reason: "x",
          until: min(9),
        }),
      ),
    )
      .when(3, settles(["a"]))
      .gives(
        event("handoff.lapsed", {
          handoff: "h1",
          from: "b",
          to: "a",
          tree: "",
          targets: [{ kind: "path", path: "f" }],
          reason: "its holder is gone",
        }),
      );
  });
});

describe("whatever happens, and whoever dies when", () => {
  const invariants = (states: States, now: number, gone: ReadonlySet<string>) => {
    const due = settle(states, moment(now, [...gone]), POLICY_DEFAULTS);
    const after = evolved(evolved(states, due, now), lapse(states.sessions, gone), now);
    const live = new Set(Object.keys(after.sessions.live));
    for (const [task, claim] of Object.entries(after.claims.claims)) {
      assert.equal(claim.task, task);
      assert.ok(live.has(claim.session), `${task} is claimed by ${claim.session}, who is not there`);
      assert.ok(
        now - claim.lastProgress <= POLICY_DEFAULTS.claim.stallMs,
        `${task} is held and nobody works on it`,
      );
    }
    for (const request of Object.values(after.handoffs.open)) {
      assert.ok(
        live.has(request.from) && live.has(request.to),
        `${request.handoff} is of somebody who is not there`,
      );
      assert.notEqual(request.from, request.to);
      assert.ok(request.until > now, `${request.handoff} waits for ever`);
      if (request.task !== undefined)
        assert.ok(
          claimsOf(after.claims, request.to).some((c) => c.task === request.task),
          "its holder has it",
        );
    }
    assert.deepEqual(settle(after, moment(now), POLICY_DEFAULTS), [], "and that is all there is to do");
  };

  test("no claim is a dead session's, no request a dead party's, and settling twice is settling once", () => {
    fc.assert(
      fc.property(anyCommands({ maxLength: 50 }), (commands) => {
        drive(commands, { onRecord: invariants });
      }),
      { numRuns: 200 },
    );
  });

  test("an answered request is never answered again", () => {
    fc.assert(
      fc.property(anyCommands({ maxLength: 80 }), (commands) => {
        const answers = drive(commands).flatMap(({ event: e }) =>
          e.type === "handoff.accepted" || e.type === "handoff.rejected" || e.type === "handoff.lapsed"
            ? [e.handoff]
            : [],
        );
        assert.equal(new Set(answers).size, answers.length);
      }),
      { numRuns: 200 },
    );
  });

  test("a session that is gone holds nothing, even before anybody settles", () => {
    const { states } = given(sessions, at(1, taken("a")), at(2, asked()), at(3, lapsed("a")));
    assert.deepEqual([states.claims.claims, states.handoffs.open], [{}, {}]);
  });
});
