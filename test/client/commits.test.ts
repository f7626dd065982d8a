/** Commits through Bash: whose they are, and what they may not carry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bash, edit, finished, makeLab, short } from "./lab.ts";

test("a commit of another's path is refused, by -am and by -n, with the reason in the tool result", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("b.txt", "two", "two by bob"),
        bash("git commit -qam 'bob: all'"),
        bash("git commit -q -n -am 'bob: all, no verify'"),
        bash("git add -A && git commit -q -n -m 'bob: staged, no verify'"),
        bash("git restore --staged -- a.txt && git commit -qm 'bob: b'"),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  const alice = lab.start("alice");
  await lab.api.waitFor("alice holds");
  const held = short(lab.api.transcript("alice").sessionId);
  const { sessionId } = await lab.run("bob");
  finished(await alice.done);

  const [, , ...commits] = lab.played("bob");
  assert.deepEqual(
    commits.map(({ isError }) => isError),
    [true, true, true, false],
    JSON.stringify(commits),
  );
  for (const { text } of commits.slice(0, 3)) {
    assert.match(
      text,
      new RegExp(
        `signalbox: this commit holds files that another live session has reserved; nothing was committed:\\n` +
          ` +a\\.txt: reserved by session ${held} since [^\\n]*\\n` +
          " +Leave them out \\(`git restore --staged -- a\\.txt`\\) and commit again\\.",
      ),
    );
  }
  assert.equal(lab.scratch.git("log", "--format=%s"), "bob: b\nbase\n");
  assert.equal(lab.scratch.git("status", "--porcelain", "--untracked-files=no"), " M a.txt\n");
  assert.deepEqual(
    (await lab.storyOf("commit.refused")).map((e) => [e.session, e.paths]),
    Array.from({ length: 3 }, () => [sessionId, ["a.txt"]]),
  );
  assert.deepEqual(
    (await lab.storyOf("guard.bypassed")).map((e) => e.session),
    [sessionId, sessionId],
  );
});

test("a session's end frees what it held; a commit from any depth of Bash is its session's", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        ...edit("b.txt", "two", "two by alice"),
        bash(
          "cat >commit.sh <<'E'\ngit add b.txt\n(cd sub 2>/dev/null; exec git commit -qm 'alice: b')\nE\nsh ./commit.sh",
        ),
        { text: "alice is done" },
      ],
      bob: [...edit("a.txt", "one by alice", "one by bob"), { text: "bob is done" }],
    },
  });
  const { sessionId } = await lab.run("alice");
  const [commit] = await lab.storyOf("commit.recorded");
  assert.deepEqual(
    [commit?.session, commit?.paths, commit?.branch],
    [sessionId, ["b.txt"], "refs/heads/main"],
  );
  const freed = (await lab.storyOf("reservation.released")).map((e) => [e.session, e.reason, e.targets]);
  assert.deepEqual(freed, [
    [sessionId, "committed", [{ kind: "path", path: "b.txt" }]],
    [sessionId, "ended", [{ kind: "path", path: "a.txt" }]],
  ]);
  const [end] = await lab.storyOf("session.ended");
  assert.equal(end?.session, sessionId);
  assert.deepEqual(await lab.holdings(), {});

  await lab.run("bob");
  assert.deepEqual(
    lab.played("bob").map(({ isError }) => isError),
    [false, false],
  );
  assert.deepEqual(lab.api.transcript("bob").hookNotes, []);
});
