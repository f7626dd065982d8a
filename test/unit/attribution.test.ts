import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { assertEvent, type Event, type StoredEvent } from "../../events/mod.ts";
import {
  attribute,
  type AttributionQuestion,
  candidates,
  type Change,
  changesSince,
  onlyReads,
  type Seen,
  toKeep,
  type Window,
} from "../../src/domain/attribution.ts";
import { inTheWayOf, type Terms } from "../../src/domain/reservations.ts";
import {
  agentStarted,
  at,
  continued,
  evolve,
  given,
  granted,
  holder,
  initialStates,
  min,
  plausibleHistory,
  started,
} from "../support/domain/mod.ts";

const survey = (paths: Record<string, Partial<Seen>>, time = 100) => ({
  at: time,
  paths: new Map(
    Object.entries(paths).map(([path, seen]) => [path, { dirty: true, stamp: "s", at: 50, ...seen }]),
  ),
  wide: [],
  omitted: 0,
});
const window = (session: string, begin: number, end?: number, background = false): Window => ({
  session,
  begin,
  end,
  background,
});
const change = (path: string, to: number, kind: Change["kind"] = "changed", from = to): Change => ({
  path,
  kind,
  from,
  to,
});

describe("what changed between two surveys", () => {
  test("is everything dirty at the first", () => {
    assert.deepEqual(changesSince(undefined, survey({ a: {}, b: { stamp: "", at: 7 } })), [
      change("a", 50),
      change("b", 7, "deleted"),
    ]);
  });

  test("is what has another stamp, what is gone, and what is as in HEAD again", () => {
    const last = { at: 10, stamps: { same: "s", other: "t", gone: "t", undone: "t", committed: "s" } };
    const now = survey({
      same: {},
      other: {},
      gone: { stamp: "" },
      undone: { dirty: false },
      committed: { dirty: false },
    });
    assert.deepEqual(changesSince(last, now), [
      change("other", 50),
      change("gone", 50, "deleted", 10),
      change("undone", 50, "undone"),
    ]);
  });

  test("paths left for later are as they were", () => {
    const last = { at: 10, stamps: { a: "old", c: "old" } };
    const kept = toKeep(last, survey({ a: {}, b: {}, c: {}, d: { dirty: false } }), new Set(["a", "b"]));
    assert.deepEqual({ ...kept.stamps }, { a: "old", c: "s" });
    assert.equal(kept.at, 100);
  });

  test("names of an object's own making are names", () => {
    const names = ["__proto__", "constructor", "toString"];
    const first = survey(Object.fromEntries(names.map((name) => [name, {}])));
    first.paths.set("__proto__", { dirty: true, stamp: "s", at: 50 });
    const kept = JSON.parse(JSON.stringify(toKeep(undefined, first))) as ReturnType<typeof toKeep>;
    assert.equal(changesSince({ at: 0, stamps: {} }, first).length, 3);
    assert.deepEqual(changesSince(kept, first), []);
  });
});

describe("who may have made a change", () => {
  test("whose command ran then, its first and last moment included", () => {
    const windows = [window("a", 10, 20), window("b", 20), window("c", 5, 9)];
    assert.deepEqual(candidates(change("x", 10), windows), ["a"]);
    assert.deepEqual(candidates(change("x", 20), windows), ["a", "b"]);
    assert.deepEqual(candidates(change("x", 9.5), windows), []);
    assert.deepEqual(candidates(change("x", 12, "deleted", 8), windows), ["a", "c"]);
  });

  test("in the background only if no other's did", () => {
    const windows = [window("a", 10, undefined, true), window("b", 20, 30)];
    assert.deepEqual(candidates(change("x", 25), windows), ["b"]);
    assert.deepEqual(candidates(change("x", 35), windows), ["a"]);
  });
});

const terms = (more: Partial<Terms> = {}): Terms => ({
  until: min(26),
  renewalDue: () => true,
  graceMs: 0,
  isRelated: () => false,
  ...more,
});

type Asked = Partial<Omit<AttributionQuestion, "caller">> & { readonly caller?: string };

/** What is found when a's command, which ran from minute 10 to 11, has ended. */
function find(states: ReturnType<typeof given>["states"], { caller = "a", ...more }: Asked) {
  const me = holder(caller);
  return attribute(states, {
    caller: me,
    tree: "",
    changes: [change("x", min(10.5))],
    windows: [window(me.session, min(10), min(11))],
    writes: [],
    shared: ["**/*.lock"],
    reserveAtMost: 3,
    now: min(11),
    gone: new Set(),
    graceMs: 0,
    terms: () => terms(),
    ...more,
  });
}
const types = (events: readonly Event[]) => events.map((e) => e.type);
const both = at(0, started("a"), started("b"));

describe("whose it is", () => {
  test("the one's whose command ran alone: it is reserved", () => {
    const { events } = find(given(both).states, {});
    assert.deepEqual(events, [granted("a", "x", 26, { via: "effect" })]);
  });

  test("already its own: nothing to say", () => {
    const { states } = given(both, at(9, granted("a", "x", 24)));
    assert.deepEqual(find(states, { terms: () => terms({ renewalDue: () => false }) }).events, []);
  });

  test("under its lease on the directory: on record as changed", () => {
    const { states } = given(both, at(9, granted("a", "./", 24, { via: "command" })));
    assert.deepEqual(types(find(states, { terms: () => terms({ renewalDue: () => false }) }).events), [
      "work.attributed",
    ]);
  });

  test("the other's who has it reserved, or has left it uncommitted", () => {
    const held = given(both, at(9, granted("b", "x", 24))).states;
    assert.deepEqual(types(find(held, {}).events), ["work.attributed", "reservation.refused"]);
    assert.equal(find(held, {}).overwritten[0]?.owner, "b");
    const left = given(both, at(2, granted("b", "x", 3))).states;
    assert.deepEqual(types(find(left, {}).events), ["work.attributed"]);
    assert.equal(find(left, { gone: new Set(["b"]) }).overwritten.length, 0);
  });

  test("that the other was allowed to edit it later is no report of a write", () => {
    const { states } = given(both, at(10.8, granted("b", "x", 24)));
    assert.equal(find(states, {}).overwritten.length, 1);
    assert.deepEqual(find(states, { writes: [{ session: "b", path: "x", at: min(10.9) }] }).events, []);
    assert.equal(
      find(states, { writes: [{ session: "b", path: "x", at: min(10.4) }] }).overwritten.length,
      1,
    );
  });

  test("a rival subagent's is not the caller's", () => {
    const agents = at(1, agentStarted("a", "1"), agentStarted("a", "2"));
    const { states } = given(both, agents, at(9, granted("a/1", "x", 24)));
    assert.equal(find(states, { caller: "a/2" }).overwritten.length, 1);
    assert.equal(find(states, { caller: "a/1" }).overwritten.length, 0);
    assert.equal(find(states, { caller: "a" }).overwritten.length, 0);
  });

  test("under the id that its session has now", () => {
    const { states } = given(both, at(10.9, continued("a", "a2")));
    const { events } = find(states, { caller: "a2", windows: [window("a", min(10), min(11))] });
    assert.deepEqual(events, [granted("a2", "x", 26, { via: "effect" })]);
  });

  test("nobody's whose session is gone", () => {
    const windows = [window("a", min(10), min(11)), window("b", min(10)), window("never", min(10))];
    assert.equal(find(given(both).states, { windows }).unclear.length, 1);
    assert.equal(find(given(both).states, { windows, gone: new Set(["b"]) }).unclear.length, 0);
  });

  test("what others share is shared", () => {
    const { states } = given(both, at(9, granted("b", "./", 24, { mode: "shared", via: "command" })));
    assert.deepEqual(find(states, {}).events, [granted("a", "x", 26, { mode: "shared", via: "effect" })]);
  });

  test("a shared file's in two commands is both's", () => {
    const windows = [window("a", min(10), min(11)), window("b", min(10))];
    const { events, unclear } = find(given(both).states, {
      windows,
      changes: [change("d/y.lock", min(10.5))],
    });
    assert.deepEqual([types(events), unclear], [["reservation.granted", "reservation.granted"], []]);
  });

  test("of very many files no more than a thousand are on record, none reserved", () => {
    const changes = Array.from({ length: 5000 }, (_, i) => change(`f${i}`, min(10.5)));
    const { events, unreserved } = find(given(both).states, { changes });
    assert.deepEqual(new Set(types(events)), new Set(["work.attributed"]));
    assert.deepEqual([events.length, unreserved.length], [5, 5000]);
  });

  test("in any history: events are valid, and nobody gets what another holds", () => {
    const paths = ["f", "g", "d/f", "d/e/f", "__proto__"];
    const anyWindow = fc.record({
      session: fc.constantFrom("a", "b", "c"),
      begin: fc.integer({ min: 0, max: 20 }),
      end: fc.option(fc.integer({ min: 5, max: 30 }), { nil: undefined }),
      background: fc.boolean(),
    });
    const anyChange = fc.record({
      path: fc.constantFrom(...paths),
      kind: fc.constantFrom("changed" as const, "deleted" as const, "undone" as const),
      from: fc.integer({ min: 0, max: 15 }),
      to: fc.integer({ min: 15, max: 30 }),
    });
    const changes = fc.uniqueArray(anyChange, { selector: (c) => c.path });
    fc.assert(
      fc.property(
        plausibleHistory(),
        changes,
        fc.array(anyWindow, { maxLength: 4 }),
        (history, all, windows) => {
          const states = initialStates();
          for (const moment of history) evolve(states, moment);
          const now = history.at(-1)?.meta.t ?? 0;
          const found = find(states, { changes: all, windows, now, terms: () => terms({ until: now + 1 }) });
          for (const e of found.events) {
            assertEvent(e as unknown as StoredEvent);
            if (e.type !== "reservation.granted") continue;
            const granted = e.targets.flatMap((t) => (t.kind === "path" ? [t.path] : []));
            const commit = { session: e.session, tree: "", paths: granted };
            assert.deepEqual(inTheWayOf(states.reservations, commit, { now, gone: new Set() }), []);
            for (const path of granted) {
              const by = candidates(
                all.find((c) => c.path === path)!,
                windows,
              );
              assert.ok(by.length === 0 || by.includes(e.session) || e.mode === "shared");
            }
          }
        },
      ),
    );
  });
});

describe("a command that surely writes nothing", () => {
  for (const command of [
    "ls -la",
    "git status",
    "git --no-pager log --oneline -5 | head -3",
    "cat a.txt b.txt 2>/dev/null; pwd",
    "cd src && grep -rn 'a b' . || true",
    "sed -n '1,40p' src/x.ts",
    "git diff HEAD~1 -- src\ngit show HEAD",
    "rg foo 2>&1 | wc -l",
  ])
    test(JSON.stringify(command), () => assert.ok(onlyReads(command)));

  const writing = [
    "",
    "npm test",
    "echo x > f",
    "echo x >> f",
    "ls; rm f",
    "ls && make",
    "ls | tee f",
    "ls & rm f",
    "cat $(rm f)",
    "cat `rm f`",
    "ls\nrm f",
    "ls \\\n; rm f",
    "(rm f)",
    "git checkout f",
    "git diff --output=f",
    "git diff --output f",
    "git log --outpu=f",
    "git -c alias.status='!rm f' status",
    "git grep -Orm x",
    "sed -i s/a/b/ f",
    "sed -n 's/a/b/w f' g",
    "sed -n 1p -i f",
    "rg --pre rm x",
    "env rm f",
    "X=1 rm f",
    "find . -delete",
    "sort -o f f",
    "echo 'a' \"b' ; rm f\"x'",
    "ls >/dev/null/../f",
    "'ls; rm' f",
    "{ rm f; }",
    "! rm f",
    "cat <<E\nE",
    "ls ; 'rm' f",
    "l's' ; \"rm\" f",
  ];
  for (const command of writing) test(`not ${JSON.stringify(command)}`, () => assert.ok(!onlyReads(command)));
});
