import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import { capRefused } from "../../src/app/messages.ts";
import { formatTarget } from "../../src/domain/pattern.ts";
import { type Request, reserve, type Via } from "../../src/domain/reservations.ts";
import {
  LEASE_DEFAULTS,
  type LeaseSettings,
  leaseTerms,
  leaseUntil,
  renewalDue,
} from "../../src/policy/mod.ts";
import {
  at,
  given,
  granted,
  holder,
  min,
  type Now,
  reclaimed,
  renewed,
  started,
  target,
} from "../support/domain/mod.ts";

describe("the lease", () => {
  test("is 15 minutes", () => assert.equal(leaseUntil(LEASE_DEFAULTS, min(1)), min(16)));

  test("is renewed when that adds a minute or more", () => {
    const until = leaseUntil(LEASE_DEFAULTS, min(0));
    assert.equal(renewalDue(LEASE_DEFAULTS, until, min(1) - 1), false);
    assert.equal(renewalDue(LEASE_DEFAULTS, until, min(1)), true);
  });

  test("that was made longer is not due", () => {
    assert.equal(renewalDue(LEASE_DEFAULTS, min(30), min(1)), false);
  });

  test("of whoever edits every half lease never runs out, whatever the settings", () => {
    const settings = fc.record({
      ttlMs: fc.integer({ min: 2, max: min(60) }),
      stepMs: fc.nat(min(60)),
      maxMs: fc.nat(min(90)),
      renewAfterMs: fc.nat(min(90)),
    });
    fc.assert(
      fc.property(settings, fc.array(fc.nat(1000), { minLength: 1 }), (lease, steps) => {
        let now = 0;
        let until = leaseUntil(lease, now);
        for (const step of steps) {
          now += Math.floor((lease.ttlMs / 2) * (step / 1000));
          assert.ok(until > now, "it ran out between two edits");
          if (renewalDue(lease, until, now)) until = leaseUntil(lease, now);
        }
      }),
    );
  });
});

/** What an edit by the holder leads to, of the real decider with the real terms. */
function edits(who: string, file: string, settings: Partial<LeaseSettings> = {}, via: Via = "edit") {
  return ({ states, now }: Now): readonly Event[] => {
    const request: Request = {
      holder: holder(who),
      tree: "",
      targets: [target(file)],
      mode: "exclusive",
      via,
    };
    const moment = { now, gone: new Set<string>() };
    const terms = leaseTerms(states, request, moment, { ...LEASE_DEFAULTS, ...settings });
    return reserve(states.reservations, request, { ...moment, ...terms }).events;
  };
}

describe("while related files are edited", () => {
  test("a lease is 5 minutes longer for each of them that its holder has as well, 30 at most", () => {
    const lengths = [0, 1, 2, 3, 4, 50].map((others) => leaseUntil(LEASE_DEFAULTS, 0, others) / min(1));
    assert.deepEqual(lengths, [15, 20, 25, 30, 30, 30]);
  });

  test("files of others, of another tree, unrelated or lapsed ones do not count", () => {
    given(
      at(0, granted("b", "src/b", 60), granted("a", "lib/x", 60), granted("a", "src/old", 1)),
      at(0, granted("a", "src/t", 60, { tree: "wt" }), granted("a/1", "src/agents", 60)),
    )
      .when(5, edits("a", "src/a"))
      .gives(granted("a", "src/a", 20));
  });

  test("an edit renews what it edits with its cluster, in one event, and not everything held", () => {
    given(at(0, granted("a", ["src/a", "src/b", "src/deep/c", "lib/x"], 15)))
      .when(5, edits("a", "src/a"))
      .gives(renewed("a", ["src/a", "src/b", "src/deep/c"], 5 + 25));
  });

  test("a new file of the cluster renews it too", () => {
    given(at(0, granted("a", ["src/a", "lib/x"], 15)))
      .when(5, edits("a", "src/new"))
      .gives(granted("a", "src/new", 25), renewed("a", "src/a", 25));
  });

  test("over and over within a minute, it is written once", () => {
    given(at(0, granted("a", ["src/a", "src/b"], 15)), at(1, renewed("a", ["src/a", "src/b"], 21)))
      .when(1.5, edits("a", "src/b"))
      .gives();
  });

  test("a change found on disk after a command is an edit; asking by hand is not", () => {
    const before = at(0, granted("a", ["src/a", "src/b"], 15));
    given(before)
      .when(5, edits("a", "src/a", {}, "effect"))
      .gives(renewed("a", ["src/a", "src/b"], 25));
    given(before)
      .when(5, edits("a", "src/a", {}, "command"))
      .gives(renewed("a", "src/a", 25));
  });

  test("asked for by hand, it runs anew however lately it was renewed", () => {
    given(at(0, granted("a", "src/a", 15)))
      .when(0.5, edits("a", "src/a", {}, "command"))
      .gives(renewed("a", "src/a", 15.5));
    given(at(0, granted("a", "src/a", 15)))
      .when(0.5, edits("a", "src/a"))
      .gives();
  });

  test("what of the cluster has run out and is in grace is taken back with it", () => {
    given(at(0, granted("a", "src/a", 15), granted("a", "src/b", 4)))
      .when(5, edits("a", "src/a"))
      .gives(renewed("a", "src/a", 25), reclaimed("a", "src/b", 25));
  });
});

describe("the cap", () => {
  const both = at(0, started("a"), started("b"));
  const two = at(0, granted("a", ["x/1", "y/2"], 15));
  const cap = { cap: 2 };

  test("a session that has as many as it may gets no more while another is here", () => {
    given(both, two)
      .when(1, edits("a", "z/3", cap))
      .gives(event("reservation.refused", { ...refusedScope("a", "z/3"), blockers: [], cap: 2 }));
  });

  test("its subagents count, and are refused, as it is", () => {
    given(both, two)
      .when(1, edits("a/1", "z/3", cap))
      .gives(event("reservation.refused", { ...refusedScope("a/1", "z/3"), blockers: [], cap: 2 }));
  });

  test("alone it may have any number; others' leases do not count", () => {
    given(at(0, started("a")), two)
      .when(1, edits("a", "z/3", cap))
      .gives(granted("a", "z/3", 16));
    given(both, two)
      .when(1, edits("b", "z/3", cap))
      .gives(granted("b", "z/3", 16));
  });

  test("what is held is renewed and taken back all the same", () => {
    given(both, two)
      .when(5, edits("a", "x/1", cap))
      .gives(renewed("a", "x/1", 20));
    given(both, two, at(1, granted("a", "z/3", 16)))
      .when(16.5, edits("a", "x/1", { ...cap, cap: 1 }))
      .gives(reclaimed("a", "x/1", 31.5));
  });

  test("the refusal names those that were not renewed for longest first", () => {
    const { states } = given(both, two, at(5, renewed("a", "x/1", 20)));
    const request: Request = {
      ...{ holder: holder("a"), tree: "", targets: [target("z/3")], mode: "exclusive", via: "edit" },
    };
    const moment = { now: min(6), gone: new Set<string>() };
    const terms = leaseTerms(states, request, moment, { ...LEASE_DEFAULTS, cap: 2 });
    const answer = reserve(states.reservations, request, { ...moment, ...terms });
    assert.ok(answer.kind === "refused" && answer.capped !== undefined);
    assert.deepEqual(
      answer.capped.held.map((g) => formatTarget(g.target)),
      ["y/2", "x/1"],
    );
    assert.match(
      capRefused(answer.capped),
      /reserved 2 files, and 2 is the most.*`git signalbox release y\/2 x\/1`/,
    );
  });
});

function refusedScope(who: string, file: string) {
  return { ...holder(who), tree: "", targets: [target(file)], mode: "exclusive" as const };
}
