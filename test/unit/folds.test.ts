/** What holds for every fold: it is a pure function of the events, its state is JSON, small, and indifferent to names. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { event, type Event } from "../../events/mod.ts";
import {
  anyHistory,
  canonical,
  deepFreeze,
  drive,
  evolve,
  FOLD_LIST,
  type History,
  HOSTILE,
  initialStates,
  notJson,
  plausibleHistory,
  roundTrip,
  run,
} from "../support/domain/mod.ts";
import { churn } from "../support/domain/churn.ts";

const anyOrPlausible: fc.Arbitrary<History> = fc.oneof(anyHistory(), plausibleHistory());

for (const [name, fold] of FOLD_LIST) {
  describe(`fold ${name}`, () => {
    test("a snapshot at any cut and the tail give what the full history gives", () => {
      fc.assert(
        fc.property(anyOrPlausible, (history) => {
          const full = canonical(run(fold, history));
          for (let cut = 0; cut <= history.length; cut += 1) {
            const snapshot = roundTrip(run(fold, history.slice(0, cut)));
            assert.equal(canonical(run(fold, history.slice(cut), snapshot)), full, `cut at ${cut}`);
          }
        }),
        { numRuns: 150 },
      );
    });

    test("replayed twice, a history gives one state; the events stay as they were", () => {
      fc.assert(
        fc.property(anyOrPlausible, (history) => {
          const frozen = deepFreeze(history);
          assert.deepEqual(run(fold, frozen), run(fold, frozen));
        }),
        { numRuns: 300 },
      );
    });

    test("no valid history makes it throw, and its state is always JSON", () => {
      fc.assert(
        fc.property(anyHistory({ maxLength: 80 }), (history) => {
          assert.deepEqual(notJson(run(fold, history)), []);
        }),
        { numRuns: 500 },
      );
    });

    test("events it does not know leave its state untouched", () => {
      fc.assert(
        fc.property(anyOrPlausible, fc.constantFrom("future.happened", ...HOSTILE), (history, type) => {
          const state = run(fold, history);
          const before = canonical(state);
          fold.evolve(state, { type, v: 9, session: "a" } as unknown as Event, { seq: 99, t: 1 });
          assert.equal(canonical(state), before);
        }),
        { numRuns: 100 },
      );
    });
  });
}

/**
 * Bytes of JSON that a fold's state takes at most while eight clients work, whatever the log's length. What it
 * is bounded by stands beside it; each fold's own test has the counts.
 */
const BOUNDS: Readonly<Record<string, number>> = {
  sessions: 16_000, // live sessions; their subagents and former ids; the last 50 that are gone
  reservations: 16_000, // targets granted within the last lease and hour; the last 64 refusals
  claims: 16_000, // open tasks; the last 100 that were completed
  indexes: 4_000, // indexes not yet removed
  rebaseQueue: 4_000, // one entry a live session and tree
  handoffs: 4_000, // requests that are open, and not run out for a day
  commits: 40_000, // the last 64 commits, the first 16 paths of each; the last 128 trees
  notices: 24_000, // the last 20 a live session
  guard: 8_000, // the last 20 incidents
  work: 32_000, // the last 256 files edited and not committed
  upkeep: 300, // five numbers and a hash
  modes: 2_000, // the last 16 policies
  waiters: 8_000, // eight places a live holder
  stashes: 16_000, // the last 128 stash entries
  capability: 32_000, // the last 128 pairs of task kind and agent kind; work begun and not ended
};

describe("a long history", () => {
  test("leaves every state within its bound, at 2,000 as at 20,000 commands", () => {
    for (const length of [2000, 20_000]) {
      const states = initialStates();
      for (const moment of churn(length)) evolve(states, moment);
      for (const [name] of FOLD_LIST) {
        const bytes = JSON.stringify(states[name]).length;
        assert.ok(bytes <= BOUNDS[name]!, `${name} takes ${bytes} bytes after ${length} commands`);
      }
    }
  });

  test("is full of events of every kind a session makes", () => {
    const seen = new Set(churn(2000).map(({ event }) => event.type));
    for (const type of ["session.lapsed", "session.continued", "reservation.expired", "handoff.accepted"])
      assert.ok(seen.has(type as never), `${type} is missing`);
  });
});

describe("a new id after /clear", () => {
  test("nothing in any state goes on under the old one, but what is past", () => {
    fc.assert(
      fc.property(plausibleHistory(), (history) => {
        const states = initialStates();
        for (const moment of history) evolve(states, moment);
        for (const id of Object.keys(states.sessions.live)) {
          const meta = { seq: 1000, t: history.at(-1)!.meta.t };
          const e = event("session.continued", {
            session: "new",
            from: id,
            reason: "clear",
            tree: "",
            cwd: "/repo",
          });
          const copy = roundTrip(states);
          evolve(copy, { event: e, meta });
          const { past: _, renamed: __, ...sessions } = copy.sessions;
          const { completed: ___, ...claims } = copy.claims;
          const { guard: ____, ...others } = copy;
          const left = JSON.stringify({ ...others, sessions, claims });
          assert.ok(!left.includes(JSON.stringify(id)), `${id} is still in ${left}`);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("names that objects have by themselves", () => {
  const meta = (seq: number) => ({ seq, t: seq * 1000 });

  test("are sessions, tasks, trees and requests like any other: what holds for s1 holds for __proto__", () => {
    fc.assert(
      fc.property(plausibleHistory(), fc.constantFrom(...HOSTILE), (history, hostile) => {
        // The same history with another name for one session, one task and so on must give the same states.
        const text = JSON.stringify(history);
        // Where somebody has that name already, two become one.
        fc.pre(!text.includes(JSON.stringify(hostile)));
        for (const name of ["s1", "s2", "t1", "h3", "wt", "x", "slot-1"]) {
          const plain = states(JSON.parse(text) as History);
          const renamed = states(JSON.parse(renameIn(text, name, hostile)) as History);
          for (const [fold] of FOLD_LIST)
            assert.equal(
              canonical(renamed[fold]),
              canonical(JSON.parse(renameIn(JSON.stringify(plain[fold]), name, hostile))),
              `${fold}, ${name}`,
            );
        }
      }),
      { numRuns: 60 },
    );
  });

  test("never reach the prototype of all objects", () => {
    fc.assert(
      fc.property(anyHistory(), (history) => {
        states(history);
        assert.deepEqual(Object.keys(Object.prototype), []);
        assert.equal(({} as { id?: string }).id, undefined);
      }),
      { numRuns: 200 },
    );
  });

  function states(history: History) {
    const all = initialStates();
    for (const [i, { event }] of history.entries()) evolve(all, { event, meta: meta(i + 1) });
    return all;
  }

  function renameIn(json: string, from: string, to: string): string {
    // Names are values and keys; the rebase queue's keys have a tree behind the session.
    return json
      .replaceAll(JSON.stringify(from), JSON.stringify(to))
      .replaceAll(`"${from}\\n`, `"${to}\\n`)
      .replaceAll(`\\n${from}"`, `\\n${to}"`);
  }
});

test("the driver of these histories makes every decision there is", () => {
  const types = new Set<string>();
  fc.assert(
    fc.property(plausibleHistory({ maxLength: 80 }), (history) => {
      for (const { event } of history) types.add(event.type);
    }),
    { numRuns: 200, seed: 1 },
  );
  for (const type of [
    "session.cleared",
    "session.lapsed",
    "reservation.renewed",
    "reservation.refused",
    "reservation.reclaimed",
    "reservation.extended",
    "reservation.expired",
    "waiter.joined",
    "waiter.left",
    "reservation.released",
    "claim.refused",
    "handoff.accepted",
    "handoff.rejected",
    "notice.delivered",
    "agent.stopped",
  ])
    assert.ok(types.has(type), `${type} never happened`);
  assert.deepEqual(drive([]), []);
});
