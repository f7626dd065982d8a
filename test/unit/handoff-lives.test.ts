/**
 * Three sessions, two tasks and a few files, by the real deciders, each decision settled first as the app does it:
 * whoever asks, answers, keeps silent or dies when, every claim and request ends up right.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import { findClaim, take } from "../../src/domain/claims.ts";
import { answer, lapsed, leasesFor, openRequests, request, requestsTo } from "../../src/domain/handoffs.ts";
import { evolve, type States } from "../../src/domain/mod.ts";
import { activeGrants, reserve } from "../../src/domain/reservations.ts";
import { lapse, leave } from "../../src/domain/sessions.ts";
import { endClaims, LEASE_DEFAULTS, leaseUntil, POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import { initialStates, min, started, target } from "../support/domain/mod.ts";

const SESSIONS = ["a", "b", "c"] as const;

const step = fc.record({
  who: fc.constantFrom(...SESSIONS),
  does: fc.constantFrom(
    "claim",
    "edit",
    "ask",
    "ask",
    "askFile",
    "accept",
    "reject",
    "withdraw",
    "done",
    "die",
    "leave",
    "look",
  ),
  what: fc.nat(1),
  waitMs: fc.oneof({ weight: 4, arbitrary: fc.nat(min(3)) }, fc.nat(min(15)), fc.nat(min(70))),
});
type Step = Omit<typeof step extends fc.Arbitrary<infer T> ? T : never, "who"> & { readonly who: string };

/** Somebody who is there to the end, and looks up a day later, and another. */
const WITNESS = "z";
const aDayLater: Step = { who: WITNESS, does: "look", what: 0, waitMs: min(24 * 60) };

function live(steps: readonly Step[]) {
  const states: States = initialStates();
  const dead = new Set<string>();
  const log: Event[] = [];
  let now = 0;
  let seq = 0;
  append([...SESSIONS, WITNESS].map((id) => started(id)));
  for (const { who, does, what, waitMs } of steps) {
    now += waitMs;
    if (dead.has(who)) continue;
    if (does === "die") dead.add(who);
    else {
      const gone = new Set([...dead].filter((id) => states.sessions.live[id] !== undefined));
      append(settle(states, { now, gone, running: new Map() }, POLICY_DEFAULTS));
      append([...lapse(states.sessions, gone), ...act(who, does, what, gone)]);
      append(settle(states, { now, gone, running: new Map() }, POLICY_DEFAULTS));
    }
    check();
  }
  return { log, states };

  function append(events: readonly Event[]): void {
    seq += 1;
    for (const e of events) evolve(states, e, { seq, t: now });
    log.push(...events);
  }

  function act(who: string, does: Step["does"], what: number, gone: ReadonlySet<string>): Event[] {
    const task = `t${what}`;
    const targets = [target(`f${what}`)];
    const until = leaseUntil(LEASE_DEFAULTS, now);
    const [waiting] = requestsTo(states.handoffs, who);
    switch (does) {
      case "claim":
        return take(states.claims, { task, session: who }, gone).events;
      case "edit":
        return reserve(
          states.reservations,
          { holder: { session: who }, tree: "", targets, mode: "exclusive", via: "edit" },
          { now, gone, until, renewalDue: () => true, graceMs: 0, isRelated: () => false },
        ).events;
      case "ask":
      case "askFile": {
        const matter = does === "ask" ? { task } : { tree: "", targets };
        const asked = request(states, matter, { from: who, reason: "x", now, until: now + min(10) });
        return asked.kind === "asked" ? asked.events : [];
      }
      case "accept": {
        if (waiting === undefined) return [];
        const claim = waiting.task === undefined ? undefined : findClaim(states.claims, waiting.task);
        const grants = activeGrants(states.reservations, now);
        return [
          answer(states.handoffs, waiting.handoff, who, {
            accept: true,
            until,
            ...leasesFor(waiting, { claim, tree: "", grants }),
          })!,
        ];
      }
      case "reject":
        return waiting === undefined
          ? []
          : [answer(states.handoffs, waiting.handoff, who, { accept: false, reason: "no" })!];
      case "withdraw":
        return openRequests(states.handoffs)
          .filter(({ from }) => from === who)
          .map((each) => lapsed(each, "withdrawn"));
      case "leave":
        dead.add(who);
        return [
          ...endClaims(states, who, gone),
          ...leave(states.sessions, { session: who, reason: "exit", goesOn: false }),
        ];
      case "done":
        return findClaim(states.claims, task)?.session === who
          ? [event("claim.completed", { task, session: who, outcome: "ok" })]
          : [];
      default:
        return [];
    }
  }

  /** At every moment at which somebody has just decided something. */
  function check(): void {
    const there = (id: string) => states.sessions.live[id] !== undefined;
    for (const { task, session } of Object.values(states.claims.claims))
      assert.ok(there(session), `${task}: ${session} is dead`);
    const grants = activeGrants(states.reservations, now);
    for (const one of grants)
      for (const other of grants)
        assert.ok(
          one === other || JSON.stringify(one.target) !== JSON.stringify(other.target),
          "one holder a file",
        );
    for (const { handoff, from, to } of openRequests(states.handoffs))
      assert.ok(there(from) && there(to), handoff);
  }
}

const ENDS: ReadonlySet<string> = new Set(["handoff.accepted", "handoff.rejected", "handoff.lapsed"]);

test("every request ends once, and what it was about is where its end says", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const { log, states } = live([...steps, aDayLater, aDayLater]);
      const asked = log.flatMap((e) => (e.type === "handoff.requested" ? [e.handoff] : []));
      assert.equal(new Set(asked).size, asked.length, "an id is given once");
      const ended = log.flatMap((e) => (ENDS.has(e.type) && "handoff" in e ? [e.handoff] : []));
      assert.equal(new Set(ended).size, ended.length, "an answer is final");
      for (const e of log) if (ENDS.has(e.type)) seen.add(`${e.type}${"reason" in e ? ` ${e.reason}` : ""}`);
      assert.deepEqual([...ended].sort(), [...asked].sort(), "and each has one");
      assert.deepEqual(states.handoffs.open, {});
      assert.deepEqual(states.claims.claims, {}, "nobody has worked on anything for days");
    }),
    { numRuns: 1500, seed: 7 },
  );
  for (const end of [
    "handoff.accepted",
    "handoff.rejected no",
    "handoff.lapsed withdrawn",
    "handoff.lapsed no answer; its holder is at work",
    "handoff.lapsed its holder does not work on it; it is yours now",
    "handoff.lapsed who asked is gone",
    "handoff.lapsed it was completed: ok",
    "handoff.lapsed another session has it now",
  ])
    assert.ok(seen.has(end), `${end} never happened: ${[...seen].join(" · ")}`);
});

test("a task is one session's at a time: it is taken only when nobody has it", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) => {
      const holder = new Map<string, string>();
      for (const e of live(steps).log) {
        if (e.type === "claim.taken") {
          assert.equal(holder.get(e.task), undefined);
          holder.set(e.task, e.session);
        } else if (
          e.type === "claim.stalled" ||
          e.type === "claim.released" ||
          e.type === "claim.completed"
        ) {
          assert.equal(holder.get(e.task), e.session);
          holder.delete(e.task);
        } else if (e.type === "handoff.accepted" && e.task !== undefined) {
          assert.equal(holder.get(e.task), e.to);
          holder.set(e.task, e.from);
        }
      }
    }),
    { numRuns: 300 },
  );
});
