/** A session that dies without a word. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { edit, makeLab, meanwhile } from "./lab.ts";

test("kill -9 frees a session's files at once, and nothing frees them before", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        ...edit("b.txt", "two", "two by alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
      ],
      bob: [
        ...edit("a.txt", "one by alice", "one by bob"),
        meanwhile(async () => {
          assert.equal((await alice.kill()).signal, "SIGKILL");
          [dead] = (await lab.status()).sessions;
        }),
        ...edit("a.txt", "one by alice", "one by bob"),
        ...edit("b.txt", "two by alice", "two by bob"),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  let dead: Awaited<ReturnType<typeof lab.status>>["sessions"][number] | undefined;
  const alice = lab.start("alice");
  await lab.api.waitFor("alice holds");
  const aliceId = lab.api.transcript("alice").sessionId;
  const { sessionId } = await lab.run("bob");

  const edits = lab.played("bob").filter(({ tool }) => tool === "Edit");
  assert.deepEqual(
    edits.map(({ isError }) => isError),
    [true, false, false],
    JSON.stringify(edits),
  );
  assert.ok(
    edits.every(({ ms }) => ms < 60_000),
    "nobody waits for a dead session",
  );
  assert.deepEqual([dead?.id, dead?.gone], [aliceId, true], "status says so before anybody has decided");
  const told = (await lab.story()).flatMap((e) => {
    if (e.type === "session.lapsed") return [`${e.session} lapsed ${e.reason}`];
    return e.type === "reservation.granted" && e.session === sessionId ? [`${e.session} granted`] : [];
  });
  assert.deepEqual(told, [`${aliceId} lapsed process-gone`, `${sessionId} granted`, `${sessionId} granted`]);
});
