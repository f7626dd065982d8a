/** A session's git is its own in its own tree, and the plain one everywhere else. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

scenario("S40: another repository in the session's shell", {
  given: `
    A edits a.txt
    A$ git add a.txt
  `,
  // Today the way to an index of one's own is to export it.
  when: `A$ [ -x .git/signalbox/shim/git ] || { cp -p .git/index .git/index-A; export GIT_INDEX_FILE="$PWD/.git/index-A"; }; git init -q ../O; echo x >../O/x; git -C ../O add x; git -C ../O commit -qm O; cp "\${GIT_INDEX_FILE:-.git/index}" ../index-after`,
  today: async (w) => {
    const files = await w.repo.git("-C", "../O", "ls-tree", "--name-only", "HEAD");
    assert.notEqual(files.stdout, "x\n", w.transcript);
  },
  must: async (w) => {
    w.fine();
    assert.equal(await w.repo.mustGit("-C", "../O", "ls-tree", "-r", "--name-only", "HEAD"), "x\n");
    assert.equal(await w.repo.mustGit("-C", "../O", "status", "--porcelain"), "");
    assert.deepEqual(await w.staged("A"), ["M a.txt"]);
    await w.unharmed("A");
  },
});

scenario(
  "G35: a clone, a nested repository, a linked tree, a submodule: each is right, and the index is as it was",
  {
    given: `
    A edits a.txt
    A$ git add a.txt
  `,
    when: `
    A$ git clone -q . ../clone && cd ../clone && echo y >y && git add y && git commit -qm y && git show --name-only --format= HEAD
    A$ git init -q nested && cd nested && echo z >z && git add z && git commit -qm z && git ls-files
    A$ git worktree add -q -b side ../side && cd ../side && echo s >>b.txt && git commit -qam side && git show --name-only --format= HEAD
    A$ git diff --cached --name-only
  `,
    must: async (w) => {
      assert.deepEqual(
        w.steps.slice(-4).map(({ done }) => [done.code, done.stdout]),
        [
          [0, "y\n"],
          [0, "z\n"],
          [0, "b.txt\n"],
          [0, "a.txt\n"],
        ],
        w.transcript,
      );
      await w.unharmed("A");
    },
  },
);

scenario("G36: a hook of the repository's own adds a file in a folder", {
  setup:
    "mkdir -p sub .husky; f=.husky/pre-commit; printf '#!/bin/sh\\necho made >sub/gen.txt\\ncd sub && git add gen.txt\\ngit -C ../../other status >/dev/null\\n' >$f; chmod +x $f; git init -q ../other; git config core.hooksPath .husky; git add .; git commit -qnm hook; git signalbox init --tracked-hooks >/dev/null 2>&1; git add .; git commit -qnm hooks; rm -f sub/gen.txt",
  given: `
    A edits a.txt
    B edits b.txt
    B$ git add b.txt
  `,
  when: `A$ git add a.txt; git commit -qm A`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt sub/gen.txt"]);
    assert.deepEqual(await w.staged("B"), ["M b.txt"]);
    assert.equal(await w.repo.mustGit("-C", "../other", "status", "--porcelain"), "");
  },
});

scenario("G37: a session in a linked tree, on another branch", {
  sessions: "AL",
  given: `
    A edits a.txt
    A$ git add a.txt
    L edits b.txt
  `,
  when: `L$ git commit -qam L`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), [], "main is where it was");
    assert.deepEqual(await w.log("main..W"), ["L: b.txt"]);
    assert.deepEqual(await w.staged("A"), ["M a.txt"]);
    assert.deepEqual(
      w.repo.eventsOf("commit.recorded").map(({ session }) => session),
      ["lin"],
      "one log for both",
    );
  },
});

scenario("S44: a relative core.hooksPath that one tree has not: doctor says so", {
  sessions: "A",
  setup: "mkdir .husky; git worktree add -q -b W2 ../W2; git config core.hooksPath .husky",
  when: `H$ git status`,
  must: async (w) => {
    const { code, stdout, stderr } = await w.repo.signalbox("doctor");
    assert.notEqual(code, 0);
    assert.match(stdout + stderr, /W2/);
  },
});

scenario("G35: a submodule's gitdir is the repository's, its entry the session's", {
  setup: "git init -q -b main ../O; echo x >../O/x; git -C ../O add x; git -C ../O commit -qm x",
  given: `B edits b.txt`,
  when: `A$ git -c protocol.file.allow=always submodule --quiet add ../O sm && git commit -qm sm`,
  must: async (w) => {
    w.fine();
    assert.ok(w.exists(".git/modules/sm/HEAD"));
    assert.deepEqual(await w.log(), ["sm: .gitmodules sm"]);
    assert.equal(await w.git("H", "status", "--porcelain"), " M b.txt\n");
    await w.unharmed("B");
  },
});

scenario("G41: a session in a submodule is the plain git's", {
  setup:
    "git init -q -b main ../O; echo x >../O/x; git -C ../O add x; git -C ../O commit -qm x; git -c protocol.file.allow=always submodule --quiet add ../O sm; git commit -qm sm",
  given: `
    A edits a.txt
    A$ git add a.txt
  `,
  when: `A$ cd sm && echo y >y && git add y && git commit -qm y && git show --name-only --format= HEAD`,
  must: async (w) => {
    w.fine();
    assert.equal(w.last.stdout, "y\n");
    assert.deepEqual(await w.staged("A"), ["M a.txt"]);
  },
});

scenario("G41: reftable, where git has it", {
  setup: "git refs migrate --ref-format=reftable 2>/dev/null || :",
  given: `
    A edits a.txt
    B edits b.txt
    B$ git add b.txt
    A$ git add a.txt; git commit -qm A
  `,
  when: `B$ git commit -qm B`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt", "B: b.txt"]);
  },
});
