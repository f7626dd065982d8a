import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event } from "../../events/mod.ts";
import {
  activeGrants,
  type Answer,
  holdersOf,
  inTheWayOf,
  lapsedOf,
  type Mode,
  release,
  reserve,
  type Via,
} from "../../src/domain/reservations.ts";
import { LEASE_DEFAULTS, leaseUntil, renewalDue } from "../../src/policy/mod.ts";
import {
  agentStopped,
  at,
  blocker,
  continued,
  ended,
  expired,
  given,
  granted,
  holder,
  lapsed,
  min,
  type Now,
  refused,
  released,
  renewed,
  started,
  target,
} from "../support/domain/mod.ts";

/** Nothing but the lease itself. */
const PLAIN = { graceMs: 0, isRelated: () => false };

interface How {
  mode?: Mode;
  via?: Via;
  tree?: string;
  gone?: string[];
  /** Minutes. */
  grace?: number;
}

function ask(who: string, words: string | string[], { states, now }: Now, how: How = {}): Answer {
  const { mode = "exclusive", via = "edit", tree = "", gone = [] } = how;
  const targets = [words].flat().map((word) => target(word));
  return reserve(
    states.reservations,
    { holder: holder(who), tree, targets, mode, via },
    {
      now,
      gone: new Set(gone),
      until: leaseUntil(LEASE_DEFAULTS, now),
      renewalDue: (until) => renewalDue(LEASE_DEFAULTS, until, now),
      graceMs: min(how.grace ?? 0),
      isRelated: () => false,
    },
  );
}

/** The events that a request for these files leads to; leases are 15 minutes. */
const asks = (who: string, words: string | string[], how?: How) => (now: Now) =>
  ask(who, words, now, how).events;

/** Who has a running lease on what, as `a f (exclusive)`. */
function held({ states }: { states: Now["states"] }, minute: number): string[] {
  return activeGrants(states.reservations, min(minute)).map(
    ({ session, agent, target: t, mode }) =>
      `${agent === undefined ? session : `${session}/${agent}`} ${"path" in t ? t.path : t.glob}${mode === "shared" ? " (shared)" : ""}`,
  );
}

describe("a free file", () => {
  test("is granted to whoever asks first", () => {
    given(at(0, started("a")))
      .when(1, asks("a", "f"))
      .gives(granted("a", "f", 16));
  });

  test("is free again once its holder gave it back", () => {
    given(at(1, granted("a", "f", 16)), at(2, released("a", "f", "command")))
      .when(3, asks("b", "f"))
      .gives(granted("b", "f", 18));
  });

  test("in another working tree has another holder", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("b", "f", { tree: "wt" }))
      .gives(granted("b", "f", 17, { tree: "wt" }));
  });

  test("beside the held ones is free: /src/ab is not in /src/a", () => {
    given(at(1, granted("a", "src/a/", 16)))
      .when(2, asks("b", "src/ab"))
      .gives(granted("b", "src/ab", 17));
  });
});

describe("a held file", () => {
  test("is refused, and the refusal says who holds it, as what, since when and until when", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("b", "f"))
      .gives(refused("b", "f", [blocker("a", "f", 1, 16)]));
  });

  test("is refused through a directory that holds it, and through a glob", () => {
    const world = given(at(1, granted("a", "src/", 16), granted("b", "test/**/*.ts", 16)));
    world.when(2, asks("c", "src/x/f")).gives(refused("c", "src/x/f", [blocker("a", "src/", 1, 16)]));
    world
      .when(2, asks("c", "test/x/f.ts"))
      .gives(refused("c", "test/x/f.ts", [blocker("b", "test/**/*.ts", 1, 16)]));
  });

  test("keeps a directory and a glob that would cover it from others", () => {
    const world = given(at(1, granted("a", "src/x.ts", 16)));
    for (const word of ["src/", "./", "src/*.ts", "**"])
      assert.equal(ask("b", word, { ...world, now: min(2) }).kind, "refused", word);
    for (const word of ["src/y.ts", "lib/", "src/*.js"])
      assert.equal(ask("b", word, { ...world, now: min(2) }).kind, "granted", word);
  });

  test("one of a batch refuses the whole batch", () => {
    const { states } = given(at(1, granted("a", "f", 16))).when(2, asks("b", ["e", "f", "g"]));
    assert.deepEqual(held({ states }, 2), ["a f"]);
  });

  test("is not free because somebody else is gone", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("b", "f", { gone: ["c"] }))
      .gives(refused("b", "f", [blocker("a", "f", 1, 16)]));
  });

  test("is nobody's once its holder is proven gone", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("b", "f", { gone: ["a"] }))
      .gives(granted("b", "f", 17));
  });
});

describe("shared leases", () => {
  const shared = { mode: "shared" } as const;

  test("stand beside shared ones", () => {
    given(at(1, granted("a", "f", 16, shared)))
      .when(2, asks("b", "f", shared))
      .gives(granted("b", "f", 17, shared));
  });

  test("keep exclusive ones away, and are kept away by them", () => {
    given(at(1, granted("a", "f", 16, shared)))
      .when(2, asks("b", "f"))
      .gives(refused("b", "f", [blocker("a", "f", 1, 16, "shared")]));
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("b", "f", shared))
      .gives(refused("b", "f", [blocker("a", "f", 1, 16)], "shared"));
  });

  test("become exclusive for a holder who is alone, and since the first moment", () => {
    const world = given(at(1, granted("a", "f", 16, shared))).when(2, asks("a", "f"));
    assert.deepEqual(held(world, 2), ["a f"]);
    assert.equal(world.states.reservations.grants[0]?.since, min(1));
  });

  test("are not taken by a holder whose exclusive one covers them", () => {
    given(at(1, granted("a", "src/", 16)))
      .when(1.5, asks("a", "src/f", shared))
      .gives();
  });
});

describe("a family", () => {
  test("parent and child do not stand in each other's way", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("a/x", "f"))
      .gives(granted("a/x", "f", 17));
    given(at(1, granted("a/x", "f", 16)))
      .when(2, asks("a", "f"))
      .gives(granted("a", "f", 17));
  });

  test("two subagents of one session do", () => {
    given(at(1, granted("a/x", "f", 16)))
      .when(2, asks("a/y", "f"))
      .gives(refused("a/y", "f", [blocker("a/x", "f", 1, 16)]));
  });

  test("a subagent of the same name in another session is another one", () => {
    given(at(1, granted("a/x", "f", 16)))
      .when(2, asks("b/x", "f"))
      .gives(refused("b/x", "f", [blocker("a/x", "f", 1, 16)]));
  });

  test("a subagent under its parent's directory has a lease of its own: its sibling is kept away", () => {
    const { states } = given(at(1, granted("a", "src/", 16))).when(2, asks("a/x", "src/f"));
    assert.equal(ask("a/y", "src/f", { states, now: min(3) }).kind, "refused");
  });

  test("what a subagent held is its parent's when it stops", () => {
    const world = given(at(1, granted("a/x", ["f", "g"], 16)), at(2, agentStopped("a", "x")));
    assert.deepEqual(held(world, 2), ["a f", "a g"]);
  });

  test("then the parent keeps the stronger mode and the later end of both", () => {
    const { states } = given(
      at(1, granted("a", "f", 16)),
      at(2, granted("a/x", "f", 17, { mode: "shared" })),
      at(3, agentStopped("a", "x")),
    );
    const [grant, ...more] = states.reservations.grants;
    assert.deepEqual(more, []);
    assert.deepEqual([grant?.mode, grant?.since, grant?.until], ["exclusive", min(1), min(17)]);
  });

  test("a stop of somebody else's subagent moves nothing", () => {
    const world = given(at(1, granted("a/x", "f", 16)), at(2, agentStopped("b", "x")));
    assert.deepEqual(held(world, 2), ["a/x f"]);
  });
});

describe("a lease", () => {
  test("is not renewed by an edit a moment later: the log stays quiet", () => {
    given(at(1, granted("a", "f", 16)))
      .when(1.9, asks("a", "f"))
      .gives();
  });

  test("is renewed by an edit that adds a minute or more", () => {
    given(at(1, granted("a", "f", 16)))
      .when(2, asks("a", "f"))
      .gives(renewed("a", "f", 17));
  });

  test("of a directory is renewed by an edit in it; leases beside it are not", () => {
    given(at(1, granted("a", ["src/", "lib/f"], 16)))
      .when(5, asks("a", "src/x"))
      .gives(renewed("a", "src/", 20));
  });

  test("that was made longer is not made shorter by an edit, nor by asking for it by hand", () => {
    const { states } = given(at(1, granted("a", "f", 60)));
    for (const due of [() => true, (until: number) => renewalDue(LEASE_DEFAULTS, until, min(2))]) {
      const request = {
        holder: holder("a"),
        tree: "",
        targets: [target("f")],
        mode: "exclusive",
        via: "command",
      } as const;
      const circumstances = {
        now: min(2),
        gone: new Set<string>(),
        until: min(17),
        renewalDue: due,
        ...PLAIN,
      };
      assert.deepEqual(reserve(states.reservations, request, circumstances).events, []);
    }
  });

  test("covers some of a batch: the rest is granted, what is there renewed", () => {
    given(at(1, granted("a", "f", 16)))
      .when(3, asks("a", ["f", "g"]))
      .gives(granted("a", "g", 18), renewed("a", "f", 18));
  });

  test("runs until just before its end, and not at it", () => {
    const world = given(at(1, granted("a", "f", 16)));
    assert.equal(ask("b", "f", { ...world, now: min(16) - 1 }).kind, "refused");
    assert.equal(ask("b", "f", { ...world, now: min(16) }).kind, "granted");
    assert.deepEqual(held(world, 15.999), ["a f"]);
    assert.deepEqual(held(world, 16), []);
  });

  test("that ran out gives way to who asks, who is told whose it was", () => {
    const world = given(at(1, granted("a", "src/", 16)));
    const answer = ask("b", "src/f", { ...world, now: min(20) });
    assert.deepEqual(answer.kind === "granted" && answer.lapsed.map((g) => g.session), ["a"]);
    world.when(20, asks("b", "src/f")).gives(expired("a", "src/", 16, "b"), granted("b", "src/f", 35));
    assert.deepEqual(held(world, 20), ["b src/f"]);
  });

  test("that ran out and nobody took is granted to its holder again, who has it since then", () => {
    const world = given(at(1, granted("a", "f", 16)));
    world.when(20, asks("a", "f")).gives(granted("a", "f", 35));
    assert.equal(world.states.reservations.grants[0]?.since, min(20));
  });

  test("that ran out stays known for an hour, to tell its holder, and not much longer", () => {
    const world = given(at(1, granted("a", "f", 16)), at(75, granted("b", "g", 90)));
    assert.deepEqual(
      lapsedOf(world.states.reservations, "a", min(75)).map((g) => g.until),
      [min(16)],
    );
    world.when(76, () => [granted("b", "h", 91)]);
    assert.deepEqual(lapsedOf(world.states.reservations, "a", min(76)), []);
  });

  test("renewed before the note of its end was written does not end", () => {
    const world = given(
      at(1, granted("a", "f", 16)),
      at(15, renewed("a", "f", 30)),
      at(16, expired("a", "f", 16)),
    );
    assert.deepEqual(held(world, 20), ["a f"]);
  });

  test("is extended and reclaimed by events of those names", () => {
    const scope = { session: "a", tree: "", targets: [target("f")] };
    const world = given(
      at(1, granted("a", "f", 16)),
      at(2, event("reservation.extended", { ...scope, until: min(31), reason: "related edits" })),
    );
    assert.deepEqual(held(world, 30), ["a f"]);
    world.when(32, () => [event("reservation.reclaimed", { ...scope, until: min(47) })]);
    assert.deepEqual(held(world, 46), ["a f"]);
  });
});

describe("a refusal", () => {
  const holds = at(0, granted("a", "f", 60));

  test("repeated within a minute is not recorded again, and is a refusal all the same", () => {
    const world = given(holds);
    world.when(1, asks("b", "f"));
    assert.equal(ask("b", "f", { ...world, now: min(1.5) }).kind, "refused");
    world.when(1.99, asks("b", "f")).gives();
    world.when(2, asks("b", "f")).gives(refused("b", "f", [blocker("a", "f", 0, 60)]));
  });

  test("of another file, of another holder or in another mode is another one", () => {
    const world = given(at(0, granted("a", ["f", "g"], 60)));
    world.when(1, asks("b", "f"));
    for (const [who, word, mode] of [
      ["b", "g", "exclusive"],
      ["c", "f", "exclusive"],
      ["b/x", "f", "exclusive"],
      ["b", "f", "shared"],
      ["b", "*", "exclusive"],
    ] as const)
      assert.equal(ask(who, word, { ...world, now: min(1.1) }, { mode }).events.length, 1, `${who} ${word}`);
  });

  test("by somebody else is another one: the new holder is to hear of it", () => {
    const world = given(holds);
    world.when(1, asks("b", "f"));
    world.when(1.2, () => [released("a", "f", "command"), granted("c", "f", 16)]);
    world.when(1.4, asks("b", "f")).gives(refused("b", "f", [blocker("c", "f", 1.2, 16)]));
  });

  test("is not recorded again because either of them got a new id", () => {
    const world = given(at(0, started("a"), started("b")), holds);
    world.when(1, asks("b", "f"));
    world.when(1.1, () => [continued("b", "b2"), continued("a", "a2")]);
    world.when(1.2, asks("b2", "f")).gives();
  });

  test("is remembered for the last 64", () => {
    const world = given(holds);
    for (let i = 0; i < 100; i += 1) world.when(1 + i, asks(`s${i}`, "f"));
    assert.equal(world.states.reservations.refusals.length, 64);
  });

  test("tells the file *.ts from the glob *.ts", () => {
    const file = { kind: "path", path: "*.ts" } as const;
    const glob = { kind: "glob", glob: "*.ts" } as const;
    const world = given(
      at(1, event("reservation.granted", { ...granted("a", "f", 16), targets: [file] })),
      at(1, event("reservation.released", { session: "a", tree: "", targets: [glob], reason: "command" })),
    );
    assert.deepEqual(held(world, 2), ["a *.ts"]);
  });
});

describe("giving back", () => {
  const world = () =>
    given(
      at(1, granted("a", ["f", "g"], 16), granted("a/x", "h", 16), granted("a", "f", 16, { tree: "wt" })),
    );

  test("everything is the whole family's, one event a holder and tree", () => {
    world()
      .when(2, ({ states }) => release(states.reservations, "a", "ended"))
      .gives(
        released("a", ["f", "g"], "ended"),
        released("a/x", "h", "ended"),
        released("a", "f", "ended", "wt"),
      );
  });

  test("committed files gives back those, in that tree, whoever of the family holds them", () => {
    const targets = [target("f"), target("h"), target("never held")];
    world()
      .when(2, ({ states }) => release(states.reservations, "a", "committed", { tree: "", targets }))
      .gives(released("a", "f", "committed"), released("a/x", "h", "committed"));
  });

  test("a subagent's gives back only its own", () => {
    world()
      .when(2, ({ states }) => release(states.reservations, "a", "command", { agent: "x" }))
      .gives(released("a/x", "h", "command"));
  });

  test("a file does not give back the directory it is in", () => {
    given(at(1, granted("a", "src/", 16)))
      .when(2, ({ states }) =>
        release(states.reservations, "a", "committed", { tree: "", targets: [target("src/f")] }),
      )
      .gives();
  });

  for (const gone of [ended("a"), lapsed("a")]) {
    test(`${gone.type} frees all the family held, and forgets its refusals`, () => {
      const { reservations } = given(
        at(1, granted("a", "f", 16), granted("a/x", "g", 16), granted("b", "h", 16)),
        at(2, refused("a", "h", [blocker("b", "h", 1, 16)])),
        at(3, gone),
      ).states;
      assert.deepEqual(
        reservations.grants.map((g) => g.session),
        ["b"],
      );
      assert.deepEqual(reservations.refusals, []);
    });
  }
});

describe("a new id", () => {
  test("keeps everything, subagents' leases included", () => {
    const world = given(at(1, granted("a", "f", 16), granted("a/x", "g", 16)), at(2, continued("a", "b")));
    assert.deepEqual(held(world, 3), ["b f", "b/x g"]);
  });

  test("compaction changes nothing", () => {
    const world = given(at(1, granted("a", "f", 16)), at(2, continued("a", "a", { reason: "compact" })));
    assert.deepEqual(held(world, 3), ["a f"]);
  });

  test("two sessions that become one hold a file once, as strongly as either", () => {
    const shared = { mode: "shared" } as const;
    const world = given(
      at(1, granted("a", "f", 16, shared), granted("b", "f", 20, shared)),
      at(2, continued("a", "b")),
    );
    assert.deepEqual(held(world, 19), ["b f (shared)"]);
    assert.equal(world.states.reservations.grants.length, 1);
  });
});

describe("an accepted handoff", () => {
  const accepted = (words: string[], tree = "") =>
    event("handoff.accepted", {
      handoff: "h",
      from: "b",
      to: "a",
      tree,
      targets: words.map((word) => target(word)),
      until: min(30),
    });

  test("moves the leases to who asked, as leases of its own from now until then", () => {
    const world = given(
      at(1, granted("a", ["f", "g"], 16), granted("a/x", "h", 16)),
      at(5, accepted(["f", "h"])),
    );
    assert.deepEqual(held(world, 5), ["a g", "b f", "b h"]);
    const moved = world.states.reservations.grants.filter((g) => g.session === "b");
    assert.deepEqual(
      moved.map((g) => [g.agent, g.since, g.until]),
      [
        [undefined, min(5), min(30)],
        [undefined, min(5), min(30)],
      ],
    );
  });

  test("of a file out of a directory leaves the giver nothing that overlaps", () => {
    const world = given(at(1, granted("a", ["src/", "lib/"], 16)), at(5, accepted(["src/f"])));
    assert.deepEqual(held(world, 5), ["a lib", "b src/f"]);
    assert.equal(ask("b", "src/f", { ...world, now: min(6) }).kind, "granted");
  });

  test("moves nothing that the holder no longer holds: somebody else may have it", () => {
    const world = given(
      at(1, granted("a", "f", 16)),
      at(20, expired("a", "f", 16, "c"), granted("c", "f", 35)),
      at(21, accepted(["f"])),
    );
    assert.deepEqual(held(world, 21), ["c f"]);
  });

  test("moves nothing in another tree, nor a glob that is written like the file", () => {
    const world = given(at(1, granted("a", "f", 16)), at(2, accepted(["f"], "wt")));
    assert.deepEqual(held(world, 3), ["a f"]);
  });

  test("of a task alone moves no file", () => {
    const task = event("handoff.accepted", { handoff: "h", from: "b", to: "a", task: "t", until: min(30) });
    const world = given(at(1, granted("a", "f", 16)), at(2, task));
    assert.deepEqual(held(world, 3), ["a f"]);
  });
});

describe("the commit gate's question", () => {
  const question = (
    world: Pick<Now, "states">,
    session: string | undefined,
    paths: string[],
    more: How = {},
  ) =>
    inTheWayOf(
      world.states.reservations,
      { session, tree: more.tree ?? "", paths },
      { now: min(5), gone: new Set(more.gone) },
    ).map(({ grant, paths }) => [grant.session, ...paths]);
  const world = given(
    at(1, granted("a", ["f", "src/"], 16), granted("a/x", "g", 16)),
    at(1, granted("b", "h", 16, { mode: "shared" }), granted("b", "old", 4)),
  );

  test("names each lease of another session, with the paths it covers", () => {
    assert.deepEqual(question(world, "b", ["f", "src/x", "src/y", "z"]), [
      ["a", "f"],
      ["a", "src/x", "src/y"],
    ]);
  });

  test("is nobody for what the family holds, whoever of it commits", () => {
    assert.deepEqual(question(world, "a", ["f", "g"]), []);
  });

  test("asks for a person about everybody's", () => {
    assert.deepEqual(question(world, undefined, ["f", "g"]), [
      ["a", "f"],
      ["a", "g"],
    ]);
  });

  test("passes by shared leases, those that ran out, of the gone, and of other trees", () => {
    assert.deepEqual(question(world, "c", ["h", "old"]), []);
    assert.deepEqual(question(world, "c", ["f"], { gone: ["a"] }), []);
    assert.deepEqual(question(world, "c", ["f"], { tree: "wt" }), []);
  });
});

test("who holds a path: the longest held first, through directories and globs too", () => {
  const { states } = given(
    at(1, granted("a", "src/", 16, { mode: "shared" })),
    at(2, granted("b", "**", 16, { mode: "shared" })),
    at(3, continued("a", "c")),
  );
  const holders = holdersOf(states.reservations, "", "src/f", min(4));
  assert.deepEqual(
    holders.map((g) => g.session),
    ["c", "b"],
  );
  assert.deepEqual(holdersOf(states.reservations, "wt", "src/f", min(4)), []);
});

test("a clock that steps back frees nothing: a lease runs until the log's time has passed it", () => {
  // The app never passes a `now` before the log's own time; an earlier one would only find more leases running.
  const world = given(at(10, granted("a", "f", 25)));
  assert.equal(ask("b", "f", { ...world, now: min(3) }).kind, "refused");
});
