/** `suggest`: who should take what, by what was seen of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { FakeSession } from "../support/repo/mod.ts";
import { makeTracked } from "../support/tracker/mod.ts";

test("sessions for a task and tasks for a session, each with its reasons", async (t) => {
  const { repo } = await makeTracked(t, [
    { id: "bd-a1", issue_type: "bug" },
    { id: "bd-a2", issue_type: "docs" },
    { id: "bd-a3", issue_type: "bug", status: "blocked" },
  ]);
  const [ada] = [await repo.startSession("ada"), await repo.startSession("bob")];
  const as = (who: FakeSession, ...args: string[]) => repo.signalboxAs({ env: who.env }, ...args);
  assert.match(
    (await as(ada, "suggest")).stdout,
    /^1\. bd-a1: \S+ has ended no bug yet; never tried, so tried first\n2\. bd-a2: /,
  );
  await as(ada, "claim", "bd-a1");
  await as(ada, "claim", "bd-a1", "--done");
  await as(ada, "claim", "t", "--kind", "bug");
  await as(ada, "claim", "t", "--stuck");
  const { tasks } = JSON.parse((await as(ada, "suggest", "--json")).stdout) as {
    tasks: { name: string; ended: number; done: number }[];
  };
  assert.deepEqual(
    tasks.map(({ name, ended, done }) => [name, ended, done]),
    [
      ["bd-a2", 0, 0],
      ["t", 2, 1],
    ],
  );
  await as(ada, "claim", "mine");
  const { stdout } = await repo.signalbox("suggest", "bd-a3");
  assert.match(
    stdout,
    /^1\. bob: \S+ has done 1 of 2 bug, in .* on average; worth 0\.25, exploring 0\.83; works on no task\n2\. ada: .*; works on 1 task\n$/,
  );
});

test("nobody here, nothing known, and no session to suggest for", async (t) => {
  const { repo } = await makeTracked(t);
  assert.equal((await repo.signalbox("suggest")).code, 2);
  assert.equal((await repo.signalbox("suggest", "--kind", "bug")).stdout, "no session is here\n");
  const ada = await repo.startSession("ada");
  assert.match((await repo.signalboxAs({ env: ada.env }, "suggest")).stdout, /no open task is known/);
});
