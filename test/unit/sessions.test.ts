import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { event, type Event } from "../../events/mod.ts";
import {
  type Arrival,
  arrive,
  findSession,
  lapse,
  leave,
  liveSessions,
  type ProcessId,
} from "../../src/domain/sessions.ts";
import {
  agentStarted,
  agentStopped,
  at,
  committed,
  continued,
  ended,
  given,
  granted,
  lapsed,
  min,
  type Now,
  proc,
  started,
} from "../support/domain/mod.ts";

/** A session announces itself, as the SessionStart hook has it. */
const announces =
  (session: string, process?: ProcessId, more: Partial<Arrival> = {}) =>
  ({ states }: Now) =>
    arrive(states.sessions, {
      session,
      kind: "claude-code",
      tree: "",
      cwd: "/repo",
      process,
      reason: "startup",
      ...more,
    });

const says =
  (session: string, reason: string, goesOn: boolean, pid?: number) =>
  ({ states }: Now) =>
    leave(states.sessions, { session, reason, goesOn, pid });

describe("a session announces itself", () => {
  test("an id nobody knows, in a process nobody knows, starts", () => {
    given()
      .when(1, announces("a", proc(10)))
      .gives(started("a", { process: proc(10) }));
  });

  test("resumed in a new process, it goes on", () => {
    const { states } = given(at(0, started("a", { process: proc(10) }))).when(
      1,
      announces("a", proc(11), { reason: "resume" }),
    );
    assert.deepEqual(findSession(states.sessions, "a")?.process, proc(11));
    assert.equal(findSession(states.sessions, "a")?.since, min(0));
  });

  test("under a new id in the same process (/clear), it goes on under the new id", () => {
    given(at(0, started("a", { process: proc(10) })), at(1, event("session.cleared", { session: "a" })))
      .when(2, announces("b", proc(10), { reason: "clear" }))
      .gives(continued("a", "b", { process: proc(10) }));
  });

  test("two live sessions of one process become one", () => {
    given(at(0, started("a", { process: proc(10) }), started("b", { process: proc(11) })))
      .when(1, announces("b", proc(10), { reason: "resume" }))
      .gives(
        continued("a", "b", { reason: "resume", process: proc(10) }),
        continued("b", "b", { reason: "resume", process: proc(10) }),
      );
  });

  const others: Readonly<Record<string, ProcessId | undefined>> = {
    "the same pid with another start time": proc(10, "200"),
    "the same pid and start time after a reboot": proc(10, "100", "boot-2"),
    "another pid": proc(11),
    "a process nobody could identify": undefined,
  };
  for (const [what, process] of Object.entries(others)) {
    test(`${what} is another process, and a new id in it another session`, () => {
      given(at(0, started("a", { process: proc(10) })))
        .when(1, announces("b", process))
        .gives(started("b", process === undefined ? {} : { process }));
    });
  }

  test("processes whose start time is not known are never taken for the same", () => {
    given(at(0, started("a", { process: proc(10, "") })))
      .when(1, announces("b", proc(10, "")))
      .gives(started("b", { process: proc(10, "") }));
  });

  test("compacted, it goes on as itself: same id, same process, same subagents", () => {
    const { states } = given(at(0, started("a", { process: proc(10) })), at(1, agentStarted("a", "x"))).when(
      2,
      announces("a", proc(10), { reason: "compact" }),
    );
    assert.deepEqual(Object.keys(states.sessions.live), ["a"]);
    assert.deepEqual(Object.keys(states.sessions.live.a!.agents), ["x"]);
    assert.deepEqual(states.sessions.renamed, {});
  });

  test("once it ended, it starts anew", () => {
    given(at(0, started("a", { process: proc(10) })), at(1, ended("a")))
      .when(2, announces("a", proc(10)))
      .gives(started("a", { process: proc(10) }));
  });
});

describe("a session goes on under a new id", () => {
  test("it is found by each id it ever had, and is there once", () => {
    const { states } = given(at(0, started("a")), at(1, continued("a", "b")), at(2, continued("b", "c")));
    for (const id of ["a", "b", "c"]) assert.equal(findSession(states.sessions, id)?.id, "c");
    assert.equal(liveSessions(states.sessions).length, 1);
  });

  test("back at a former id, both are still the same one", () => {
    const { states } = given(at(0, started("a")), at(1, continued("a", "b")), at(2, continued("b", "a")));
    for (const id of ["a", "b"]) assert.equal(findSession(states.sessions, id)?.id, "a");
    assert.deepEqual(states.sessions.renamed, { b: "a" });
  });

  test("it keeps its beginning, its subagents, and its process if the client did not say", () => {
    const { states } = given(
      at(0, started("a", { process: proc(10) }), agentStarted("a", "x")),
      at(5, continued("a", "b")),
    );
    const { since, agents, process, lastSeen } = states.sessions.live.b!;
    assert.deepEqual({ since, process, lastSeen }, { since: 0, process: proc(10), lastSeen: min(5) });
    assert.deepEqual(Object.keys(agents), ["x"]);
  });

  test("it is no longer waiting for that after /clear", () => {
    const { states } = given(
      at(0, started("a")),
      at(1, event("session.cleared", { session: "a" })),
      at(2, continued("a", "b")),
    );
    assert.equal(states.sessions.live.b?.cleared, undefined);
  });

  test("a former id that starts as a session of its own is that, also after it ended", () => {
    const { states } = given(
      at(0, started("a")),
      at(1, continued("a", "b")),
      at(2, started("a")),
      at(3, ended("a")),
    );
    assert.equal(findSession(states.sessions, "a"), undefined);
    assert.equal(findSession(states.sessions, "b")?.id, "b");
  });

  test("the last 17 ids are known, however often it is cleared", () => {
    const clears = Array.from({ length: 100 }, (_, i) => at(i + 1, continued(`id${i}`, `id${i + 1}`)));
    const { states } = given(at(0, started("id0")), ...clears);
    assert.equal(Object.keys(states.sessions.renamed).length, 17);
    assert.equal(findSession(states.sessions, "id99")?.id, "id100");
    assert.equal(findSession(states.sessions, "id84")?.id, "id100");
  });
});

describe("a session says goodbye", () => {
  test("it ended, and is known among those of the past", () => {
    const { states } = given(at(0, started("a"))).when(1, says("a", "logout", false));
    assert.equal(findSession(states.sessions, "a"), undefined);
    assert.deepEqual(states.sessions.past, [{ id: "a", at: min(1), how: "logout" }]);
  });

  test("whose process goes on is only cleared: it lives", () => {
    given(at(0, started("a")))
      .when(1, says("a", "clear", true))
      .gives(event("session.cleared", { session: "a" }));
  });

  test("under a former id, it is the session as it is called now that ends", () => {
    given(at(0, started("a")), at(1, continued("a", "b")))
      .when(2, says("a", "logout", false))
      .gives(event("session.ended", { session: "b", reason: "logout" }));
  });

  test("from a process that it left long ago, it stays", () => {
    given(at(0, started("a", { process: proc(10) })), at(1, continued("a", "a", { process: proc(11) })))
      .when(2, says("a", "logout", false, 10))
      .gives();
  });

  test("that nobody knows, nothing happens", () => {
    given()
      .when(1, says("a", "logout", false))
      .gives();
  });

  test("none of its ids leads anywhere any more", () => {
    const { states } = given(at(0, started("a")), at(1, continued("a", "b")), at(2, ended("b")));
    assert.deepEqual(states.sessions.live, {});
    assert.deepEqual(states.sessions.renamed, {});
  });

  test("the last 50 are known", () => {
    const steps = Array.from({ length: 80 }, (_, i) => at(i, started(`s${i}`), ended(`s${i}`)));
    const { past } = given(...steps).states.sessions;
    assert.equal(past.length, 50);
    assert.equal(past.at(-1)?.id, "s79");
  });
});

describe("a session is proven gone", () => {
  test("it lapses, with its last sign of life", () => {
    given(at(0, started("a"), started("b")), at(3, granted("a", "f", 18)))
      .when(9, ({ states }) => lapse(states.sessions, new Set(["a"])))
      .gives(event("session.lapsed", { session: "a", reason: "process-gone", lastSeen: min(3) }));
  });

  test("only once, and only if it is live", () => {
    given(at(0, started("a")), at(1, lapsed("a")))
      .when(2, ({ states }) => lapse(states.sessions, new Set(["a", "nobody"])))
      .gives();
  });
});

describe("signs of life", () => {
  const signs: Readonly<Record<string, Event>> = {
    "an edit that was granted": granted("a", "f", 20),
    "a file it wrote": event("file.written", {
      session: "a",
      tree: "",
      path: "f",
      tool: "Edit",
      at: min(7),
    }),
    "a commit": committed("a", ["f"], { session: "a" }),
    "a subagent that began": agentStarted("a", "x"),
    "what the spool saw": event("session.seen", { session: "a", at: min(7) }),
  };
  for (const [what, sign] of Object.entries(signs)) {
    test(`${what} is one`, () => {
      const { states } = given(at(0, started("a")), at(7, sign));
      assert.equal(states.sessions.live.a?.lastSeen, min(7));
    });
  }

  test("one that comes late does not take the last one back", () => {
    const { states } = given(
      at(0, started("a")),
      at(9, granted("a", "f", 20)),
      at(10, event("session.seen", { session: "a", at: min(5) })),
    );
    assert.equal(states.sessions.live.a?.lastSeen, min(9));
  });

  test("one from a clock that was ahead counts as now", () => {
    const { states } = given(
      at(0, started("a")),
      at(2, event("session.seen", { session: "a", at: min(90_000) })),
    );
    assert.equal(states.sessions.live.a?.lastSeen, min(2));
  });

  test("of a session that is not live bring nobody back", () => {
    const { states } = given(
      at(0, started("a")),
      at(1, ended("a")),
      ...Object.values(signs).map((sign, i) => at(2 + i, sign)),
      at(20, agentStopped("a", "x"), event("session.cleared", { session: "a" })),
    );
    assert.deepEqual(states.sessions.live, {});
  });
});

describe("subagents", () => {
  test("are the session's from their start to their stop", () => {
    const { states } = given(
      at(0, started("a")),
      at(1, agentStarted("a", "x"), agentStarted("a", "y")),
      at(2, agentStopped("a", "x")),
    );
    assert.deepEqual(states.sessions.live.a?.agents, { y: { kind: "Explore", since: min(1) } });
  });

  test("that never say they stopped are forgotten beyond the last 64", () => {
    const all = Array.from({ length: 200 }, (_, i) => agentStarted("a", `x${i}`));
    const { agents } = given(at(0, started("a")), at(1, ...all)).states.sessions.live.a!;
    assert.equal(Object.keys(agents).length, 64);
    assert.ok("x199" in agents);
  });
});

test("live sessions are listed oldest first, whatever their ids", () => {
  const { states } = given(
    at(0, started("z")),
    at(1, started("1")),
    at(2, started("b")),
    at(3, continued("z", "0")),
  );
  assert.deepEqual(
    liveSessions(states.sessions).map((s) => s.id),
    ["0", "1", "b"],
  );
});
