import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { LEASE_DEFAULTS, leaseUntil, renewalDue } from "../../src/policy/mod.ts";
import { min } from "../support/domain/mod.ts";

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
