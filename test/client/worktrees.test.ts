/** Linked working trees: one log for all, and each its own copy of every file. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { join } from "node:path";
import { bash, edit, finished, makeLab, meanwhile } from "./lab.ts";

test("a session in a linked worktree is on the same log and edits its own copies freely", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("{{dir}}/linked/a.txt", "one", "one by bob"),
        ...edit("a.txt", "one by alice", "one by bob"),
        ...edit("b.txt", "two", "two by bob"),
        bash("git signalbox who a.txt"),
        meanwhile(async () => {
          [here, there] = [await lab.status(), await lab.status(linked)];
        }),
        bash("git commit -qam 'bob: a'"),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  const linked = join(lab.scratch.dir, "linked");
  let here: Awaited<ReturnType<typeof lab.status>> | undefined;
  let there: typeof here;
  await lab.mustSh("git worktree add -q -b topic ../linked");
  await lab.install();

  const alice = lab.start("alice");
  await lab.api.waitFor("alice holds");
  const { sessionId } = await lab.run("bob", { cwd: linked });
  finished(await alice.done);
  const aliceId = lab.api.transcript("alice").sessionId!;

  const [, own, , others, , free, who, committed] = lab.played("bob");
  for (const result of [own, free, who, committed]) assert.equal(result!.isError, false, result!.text);
  assert.equal(others!.isError, true, "where the file is counts, not where the session sits");
  assert.match(others!.text, /a\.txt is reserved by session /);
  assert.match(who!.text, /^a\.txt is reserved by session /);
  assert.ok(who!.text.includes(sessionId!.slice(0, 8)), who!.text);
  assert.equal(lab.read("a.txt"), "one by alice\n");
  assert.equal(lab.scratch.git("log", "-1", "--format=%s", "topic"), "bob: a\n");

  assert.deepEqual([there?.seq, there?.sessions.map(({ id }) => id)], [here?.seq, [aliceId, sessionId]]);
  assert.deepEqual(
    here?.sessions.map(({ tree, holds }) => [
      tree,
      holds.map((held) => `${held.tree}:${held.target}`).sort(),
    ]),
    [
      ["", [":a.txt"]],
      ["linked", [":b.txt", "linked:a.txt"]],
    ],
  );
  const [commit] = await lab.storyOf("commit.recorded");
  assert.deepEqual([commit?.session, commit?.tree, commit?.paths], [sessionId, "linked", ["a.txt"]]);
});

test("claude --worktree: the worktree that the client makes for itself is guarded from the start", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        bash("pwd"),
        ({ results }) => edit(join(results[0]!.text.trim(), "a.txt"), "one", "one by alice"),
        bash("git commit -qam 'alice: a'"),
        ({ results }) => edit(join(results[0]!.text.trim(), "b.txt"), "two", "two by alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("a.txt", "one", "one by bob"),
        ...edit("{{repo}}/.claude/worktrees/feature/b.txt", "two by alice", "two by bob"),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  const alice = lab.start("alice", { args: ["--worktree", "feature"] });
  await lab.api.waitFor("alice holds");
  await lab.run("bob");
  finished(await alice.done);
  assert.deepEqual(
    lab.played("bob").map(({ isError }) => isError),
    [false, false, false, true],
  );
  assert.ok(
    lab.played("alice").every(({ isError }) => !isError),
    JSON.stringify(lab.played("alice")),
  );
  const [commit] = await lab.storyOf("commit.recorded");
  assert.deepEqual([commit?.session, commit?.tree], [lab.api.transcript("alice").sessionId, "feature"]);
});
