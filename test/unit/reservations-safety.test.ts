/**
 * Whatever sessions, subagents and clocks do: no two rivals hold the same path. Judged by a naive oracle that
 * knows nothing of the matcher: it writes the paths out and compares them one by one.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import type { States } from "../../src/domain/mod.ts";
import type { Target } from "../../src/domain/pattern.ts";
import type { Grant, Mode } from "../../src/domain/reservations.ts";
import { LEASE_DEFAULTS } from "../../src/policy/mod.ts";
import { anyCommands, type Asked, drive, evolve, initialStates } from "../support/domain/mod.ts";

const GRACE_MS = LEASE_DEFAULTS.graceMs;
const NAMES = ["d", "e", "f", "g", "__proto__"];
/** Every path of up to three names: all that the targets of these histories tell apart. */
const PATHS = NAMES.flatMap((a) => [
  a,
  ...NAMES.flatMap((b) => [`${a}/${b}`, ...NAMES.map((c) => `${a}/${b}/${c}`)]),
]);

/** The paths a target covers, each by its own plain rule. */
function pathsOf(target: Target): Set<string> {
  if (target.kind === "path") return new Set([target.path]);
  if (target.kind === "dir")
    return new Set(PATHS.filter((p) => target.path === "" || `${p}/`.startsWith(`${target.path}/`)));
  const rules: Readonly<Record<string, RegExp>> = {
    "*": /^[^/]+$/,
    "**": /^/,
    "d/*": /^d\/[^/]+$/,
    "d/**": /^d\/./,
    "**/f": /^(?:.*\/)?f$/,
  };
  return new Set(PATHS.filter((p) => rules[target.glob]!.test(p)));
}

function meet(a: Target, b: Target): boolean {
  const paths = pathsOf(a);
  return [...pathsOf(b)].some((path) => paths.has(path));
}

interface Who {
  readonly session: string;
  readonly agent?: string | undefined;
}

/** Rivals: of two sessions, or two subagents of one. */
function rival(a: Who, b: Who): boolean {
  if (a.session !== b.session) return true;
  return a.agent !== undefined && b.agent !== undefined && a.agent !== b.agent;
}

const name = ({ session, agent }: Who) => (agent === undefined ? session : `${session}/${agent}`);
const exclusive = (...modes: Mode[]) => modes.includes("exclusive");

function clash(a: Grant, b: Grant): boolean {
  return a.tree === b.tree && rival(a, b) && exclusive(a.mode, b.mode) && meet(a.target, b.target);
}

function assertNoClash({ reservations: { grants } }: States): void {
  for (const [i, a] of grants.entries())
    for (const b of grants.slice(i + 1))
      assert.ok(
        !clash(a, b),
        `${name(a)} and ${name(b)} both hold ${JSON.stringify([a.target, b.target])} in "${a.tree}"`,
      );
}

describe("reservations, whatever happens", () => {
  test("leases of rivals never overlap, unless both are shared", () => {
    fc.assert(
      fc.property(anyCommands({ maxLength: 120 }), (commands) => {
        drive(commands, { onRecord: assertNoClash });
      }),
      { numRuns: 400 },
    );
  });

  test("whoever is refused is refused by a lease that runs, of a rival who is not gone, on a path asked for", () => {
    let refusals = 0;
    const onAnswer = ({ request, answer, now, gone }: Asked) => {
      if (answer.kind === "granted") return;
      refusals += 1;
      assert.notEqual(answer.blockers.length, 0);
      for (const blocker of answer.blockers) {
        assert.ok(blocker.until + GRACE_MS > now, "a lease whose grace is over refuses nobody");
        assert.ok(rival(blocker, request.holder), "nobody is refused by the own family");
        assert.ok(!gone.has(blocker.session), "the dead refuse nobody");
        assert.equal(blocker.tree, request.tree);
        assert.ok(exclusive(blocker.mode, request.mode), "shared stands with shared");
        assert.ok(request.targets.some((target) => meet(target, blocker.target)));
      }
    };
    fc.assert(
      fc.property(anyCommands({ maxLength: 120 }), (commands) => void drive(commands, { onAnswer })),
      { numRuns: 300 },
    );
    assert.ok(refusals > 100, `only ${refusals} refusals`);
  });

  test("whoever is granted a request holds all of it, at least that strongly, until the lease's end or later", () => {
    let grants = 0;
    const onAnswer = ({ request: { holder, tree, targets, mode }, answer, now }: Asked, before: States) => {
      if (answer.kind === "refused") return;
      grants += 1;
      const states = structuredClone(before);
      for (const event of answer.events) evolve(states, { event, meta: { seq: 1, t: now } });
      const own = states.reservations.grants.filter(
        (g) =>
          g.session === holder.session &&
          g.agent === holder.agent &&
          g.tree === tree &&
          g.until > now &&
          (g.mode === "exclusive" || mode === "shared"),
      );
      for (const target of targets)
        for (const path of pathsOf(target))
          assert.ok(
            own.some((g) => pathsOf(g.target).has(path)),
            `${name(holder)} does not hold ${path}`,
          );
    };
    fc.assert(
      fc.property(anyCommands({ maxLength: 80 }), (commands) => void drive(commands, { onAnswer })),
      { numRuns: 200 },
    );
    assert.ok(grants > 100, `only ${grants} grants`);
  });

  test("who is refused gets nothing: not even the targets that were free", () => {
    const onAnswer = ({ answer }: Asked) => {
      if (answer.kind === "refused")
        assert.ok(answer.events.every((event) => event.type === "reservation.refused"));
    };
    fc.assert(
      fc.property(anyCommands(), (commands) => void drive(commands, { onAnswer })),
      { numRuns: 200 },
    );
  });

  test("a lease that would run out of its own is never taken away by a rival before", () => {
    // Of two states that follow each other, a running lease of a session that lives goes only by its own family.
    fc.assert(
      fc.property(anyCommands({ maxLength: 100 }), (commands) => {
        const states = initialStates();
        for (const { event, meta } of drive(commands)) {
          if (event.type === "reservation.expired")
            assert.ok(
              event.until + GRACE_MS <= meta.t,
              "a lease was declared run out before its grace was over",
            );
          evolve(states, { event, meta });
        }
      }),
      { numRuns: 200 },
    );
  });
});

test("the claims: at most one session works on a task, and nobody is refused a task that is free", () => {
  fc.assert(
    fc.property(anyCommands({ maxLength: 120 }), (commands) => {
      const holders = new Map<string, string>();
      for (const { event } of drive(commands)) {
        // Counted by hand, from the events alone.
        if (event.type === "claim.taken") {
          assert.equal(holders.get(event.task), undefined, `${event.task} was taken twice`);
          holders.set(event.task, event.session);
        } else if (
          event.type === "claim.completed" ||
          event.type === "claim.stalled" ||
          event.type === "claim.released"
        ) {
          if (holders.get(event.task) === event.session) holders.delete(event.task);
        } else if (event.type === "claim.refused") {
          assert.equal(holders.get(event.task), event.holder);
          assert.notEqual(event.holder, event.session);
        } else if (event.type === "handoff.accepted") {
          if (event.task !== undefined && holders.get(event.task) === event.to)
            holders.set(event.task, event.from);
        } else if (event.type === "session.continued") {
          for (const [task, session] of holders) if (session === event.from) holders.set(task, event.session);
        } else if (event.type === "session.ended" || event.type === "session.lapsed") {
          for (const [task, session] of holders) if (session === event.session) holders.delete(task);
        }
      }
    }),
    { numRuns: 300 },
  );
});
