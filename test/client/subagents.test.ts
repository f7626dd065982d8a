/** Subagents are holders of their own within their session's family. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agent, bash, edit, makeLab, meanwhile, read, short, write } from "./lab.ts";

test("siblings refuse each other, parent and child share, what a child held goes to its parent", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      parent: [
        ...edit("a.txt", "one", "one by parent"),
        { tools: [agent("first"), agent("second")] },
        meanwhile(async () => {
          [after] = (await lab.status()).sessions;
        }),
        agent("third"),
        read("b.txt"),
        write("b.txt", "two by parent\n"),
        { text: "parent is done" },
      ],
      first: [
        ...edit("b.txt", "two", "two by first"),
        ...edit("a.txt", "one by parent", "one by both"),
        { signal: "first holds" },
        { wait: "second was refused" },
        { text: "first is done" },
      ],
      second: [
        { wait: "first holds" },
        ...edit("b.txt", "two by first", "two by second"),
        ...edit("c.txt", "three", "three by second"),
        bash("git commit -qm 'second: c' c.txt"),
        meanwhile(async () => {
          [during] = (await lab.status()).sessions;
        }),
        { signal: "second was refused" },
        { text: "second is done" },
      ],
      third: [...edit("b.txt", "two by first", "two by third"), { text: "third is done" }],
    },
  });
  let during: Awaited<ReturnType<typeof lab.status>>["sessions"][number] | undefined;
  let after: typeof during;
  const { sessionId } = await lab.run("parent");
  const results = Object.fromEntries(
    ["parent", "first", "second", "third"].map((name) => [name, lab.played(name)] as const),
  );
  const [, refused, , own, committed] = results["second"]!;
  for (const result of [...results["parent"]!, ...results["first"]!, ...results["third"]!, own!, committed!])
    assert.equal(result.isError, false, `${result.tool}: ${result.text}`);
  assert.equal(refused!.isError, true);
  assert.match(
    refused!.text,
    new RegExp(`b\\.txt is reserved by subagent [0-9a-z]{8} of session ${short(sessionId)} since `),
  );

  // Both start at once, so which of them is recorded first says nothing.
  const first = (await lab.storyOf("reservation.granted")).find((e) =>
    JSON.stringify(e.targets).includes("b.txt"),
  )?.agent;
  const started = (await lab.storyOf("agent.started")).slice(0, 2).map((e) => e.agent);
  assert.ok(started.includes(String(first)));
  assert.deepEqual(during?.agents.toSorted(), started.toSorted());
  const holds = (session: typeof during) =>
    session?.holds.map(
      ({ target, agent: by }) => `${target} ${by === null ? "parent" : by === first ? "first" : by}`,
    );
  // The parent is alone with its children: what it edits itself is only noted.
  assert.deepEqual(holds(during), ["b.txt first", "a.txt first"]);
  assert.deepEqual([after?.agents, holds(after)], [[], ["b.txt parent", "a.txt parent"]]);
  assert.equal(lab.read("b.txt"), "two by parent\n");
  const [commit] = await lab.storyOf("commit.recorded");
  assert.deepEqual(
    [commit?.session, commit?.paths],
    [sessionId, ["c.txt"]],
    "a subagent's commit is its session's",
  );
  assert.deepEqual(lab.api.transcript("parent").hookNotes, [], "a family alone is told nothing");
});
