/** Commits through Bash: whose they are, and what they may not carry. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bash, edit, finished, makeLab, short } from "./lab.ts";

/** As a program runs it that knows where git is: past the session's own. */
const PLAIN = 'PATH="${PATH#*:}" git';

test("another's path is left out by -am, and refused where nothing can be left out, with the reason in the result", async (t) => {
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
        ...edit("b.txt", "two by bob", "three by bob"),
        bash(`${PLAIN} commit -qam 'bob: all, by the other git'`),
        ...edit("b.txt", "three by bob", "four by bob"),
        bash(`${PLAIN} commit -q -n -am 'bob: all, no verify'`),
        bash("git add a.txt"),
        bash("git commit -qm 'bob: b' b.txt"),
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

  const commits = lab.played("bob").filter(({ tool }) => tool === "Bash");
  assert.deepEqual(
    commits.map(({ isError }) => isError),
    [false, false, true, true, false],
    JSON.stringify(commits),
  );
  const [swept, plain, unverified, staged] = commits.map(({ text }) => text);
  const since = String.raw`since \d\d:\d\d`;
  for (const text of [swept!, plain!])
    assert.match(text, new RegExp(`signalbox: left out.*: a\\.txt \\(session ${held}, reserved ${since}\\)`));
  assert.match(unverified!, new RegExp(`a\\.txt: reserved by session ${held} ${since} [^\\n]*\\n`));
  assert.match(unverified!, /Leave them out \(`git restore --staged -- a\.txt`\)/);
  assert.match(staged!, new RegExp(`a\\.txt \\(session ${held}, reserved ${since}\\) would be staged`));
  assert.equal(
    lab.scratch.git("log", "--format=%s", "--name-only").replaceAll(/\n+/g, " ").trim(),
    "bob: b b.txt bob: all, by the other git b.txt bob: all b.txt base a.txt b.txt c.txt",
  );
  assert.equal(lab.scratch.git("status", "--porcelain", "--untracked-files=no"), " M a.txt\n");
  assert.deepEqual(
    (await lab.storyOf("commit.refused")).map((e) => [e.session, e.paths]),
    [[sessionId, ["a.txt"]]],
  );
  assert.deepEqual(
    (await lab.storyOf("guard.bypassed")).map((e) => e.session),
    [sessionId],
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
      // Alone nothing is reserved, and nothing freed.
      zoe: [{ signal: "zoe is here" }, { wait: "alice is done" }, { text: "zoe is done" }],
    },
  });
  const zoe = lab.start("zoe");
  await lab.api.waitFor("zoe is here");
  const { sessionId } = await lab.run("alice");
  lab.api.signal("alice is done");
  finished(await zoe.done);
  const [commit] = await lab.storyOf("commit.recorded");
  assert.deepEqual(
    [commit?.session, commit?.paths, commit?.branch],
    [sessionId, ["b.txt"], "refs/heads/main"],
  );
  const freed = (await lab.storyOf("reservation.released")).map((e) => [e.session, e.reason, e.targets]);
  assert.deepEqual(freed, [
    [sessionId, "committed", [{ kind: "path", path: "b.txt" }]],
    [
      sessionId,
      "ended",
      [
        { kind: "path", path: "a.txt" },
        { kind: "path", path: "commit.sh" },
      ],
    ],
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
