/** Grace: after a lease has run out its holder may take it back for 2 minutes, ahead of others. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { Event } from "../../events/mod.ts";
import { clock, editRefused } from "../../src/app/messages.ts";
import {
  endingOf,
  gracedGrants,
  lapsedOf,
  release,
  type Request,
  reserve,
} from "../../src/domain/reservations.ts";
import { LEASE_DEFAULTS, leaseTerms } from "../../src/policy/mod.ts";
import {
  at,
  blocker,
  expired,
  given,
  granted,
  holder,
  lapsed,
  min,
  type Now,
  reclaimed,
  refused,
  started,
  target,
} from "../support/domain/mod.ts";

function ask(who: string, file: string, { states, now }: Now, gone: readonly string[] = []) {
  const request: Request = {
    ...{ holder: holder(who), tree: "", targets: [target(file)], mode: "exclusive", via: "edit" },
  };
  const moment = { now, gone: new Set(gone) };
  return reserve(states.reservations, request, {
    ...moment,
    ...leaseTerms(states, request, moment, LEASE_DEFAULTS),
  });
}
const edits =
  (who: string, file: string, gone?: readonly string[]) =>
  (now: Now): readonly Event[] =>
    ask(who, file, now, gone).events;

const both = at(0, started("a"), started("b"));
const held = at(0, granted("a", "f", 15));

describe("in grace", () => {
  for (const minute of [15, 16.99]) {
    test(`others are refused at minute ${minute}`, () => {
      given(both, held)
        .when(minute, edits("b", "f"))
        .gives(refused("b", "f", [blocker("a", "f", 0, 15)]));
    });
    test(`the last holder takes it back at minute ${minute}`, () => {
      given(both, held)
        .when(minute, edits("a", "f"))
        .gives(reclaimed("a", "f", minute + 15));
    });
  }

  test("is over after two minutes: whoever asks first has it", () => {
    given(both, held)
      .when(17, edits("b", "f"))
      .gives(expired("a", "f", 15, "b"), granted("b", "f", 32));
    given(both, held)
      .when(17, edits("a", "f"))
      .gives(granted("a", "f", 32));
  });

  test("what was given back or committed has none", () => {
    for (const reason of ["command", "committed"] as const) {
      const world = given(both, held);
      world.when(5, ({ states }) => release(states.reservations, "a", reason));
      world.when(5, edits("b", "f")).gives(granted("b", "f", 20));
    }
  });

  test("a session that is gone has none", () => {
    given(both, held)
      .when(15, edits("b", "f", ["a"]))
      .gives(granted("b", "f", 30));
    given(both, held, at(15, lapsed("a")))
      .when(15, edits("b", "f"))
      .gives(granted("b", "f", 30));
  });

  test("what was shared is taken anew by who wants it alone", () => {
    given(both, at(0, granted("a", "f", 15, { mode: "shared" })))
      .when(15.5, edits("a", "f"))
      .gives(granted("a", "f", 30.5));
  });

  test("the refusal says until when", () => {
    const { states } = given(both, held);
    const now = min(16);
    const answer = ask("b", "f", { states, now });
    assert.ok(answer.kind === "refused");
    const graceMs = LEASE_DEFAULTS.graceMs;
    assert.match(
      editRefused(["f"], answer.blockers, { now, graceMs }),
      new RegExp(
        `f is reserved by session a .* ran out at ${clock(min(15))} and is in grace until ${clock(min(17))}`,
      ),
    );
  });

  test("a lease is one thing at a time: it runs, is in grace, or has lapsed", () => {
    const { states } = given(both, held);
    const { graceMs } = LEASE_DEFAULTS;
    const phases = [14, 15, 16, 17].map((minute) => [
      endingOf(states.reservations, "a", min(minute), { graceMs, warnMs: min(3) }).length,
      gracedGrants(states.reservations, min(minute), graceMs).length,
      lapsedOf(states.reservations, "a", min(minute), graceMs).length,
    ]);
    assert.deepEqual(phases, [
      [1, 0, 0],
      [1, 1, 0],
      [1, 1, 0],
      [0, 0, 1],
    ]);
  });
});

test("never starves: a holder that does not edit again keeps nobody out past the end of its grace", () => {
  const tries = fc.array(fc.record({ who: fc.constantFrom("b", "c", "d"), waitMs: fc.nat(min(3)) }), {
    minLength: 12,
    maxLength: 40,
    size: "max",
  });
  let served = 0;
  fc.assert(
    fc.property(tries, (all) => {
      const world = given(at(0, ...["a", "b", "c", "d"].map((id) => started(id))), held);
      let now = 0;
      for (const { who, waitMs } of all) {
        now += waitMs;
        let kind = "";
        world.when(now / min(1), (moment) => {
          const answer = ask(who, "f", moment);
          ({ kind } = answer);
          return answer.events;
        });
        // Refused by a's lease and grace before; then the first who asks is served.
        assert.equal(kind, now >= min(17) ? "granted" : "refused");
        if (kind === "granted") {
          served += 1;
          return;
        }
      }
    }),
    { numRuns: 200 },
  );
  assert.ok(served > 50, `only ${served} came so far`);
});
