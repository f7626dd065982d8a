/** An index that was made before others committed takes nothing of theirs back. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

scenario("S12: a person commits from the terminal after a session's commit", {
  given: `
    H edits h.txt
    H$ git add h.txt
    A edits a.txt
    A edits new.txt
  `,
  when: `
    A$ git add a.txt new.txt; git commit -qm A
    H$ git diff --cached --name-only
    H edits b.txt
    H$ git status --porcelain
    H$ git add b.txt; git commit -qm H
  `,
  today: async (w) => assert.deepEqual(await w.log(), ["A: a.txt h.txt new.txt", "H: b.txt"]),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt new.txt", "H: b.txt h.txt"]);
    assert.deepEqual(w.steps.find(({ line }) => line.startsWith("H$ git diff"))?.done.stdout, "h.txt\n");
    assert.equal(
      w.steps.find(({ line }) => line.startsWith("H$ git status"))?.done.stdout,
      " M b.txt\nA  h.txt\n",
    );
    assert.equal(await w.git("A", "status", "--porcelain"), "");
  },
});

scenario("S11: two indexes from one HEAD, and a commit from each", {
  given: `
    A$ [ -x .git/signalbox/shim/git ] || cp -p .git/index .git/index-A; cp -p .git/index .git/index-B
    A edits a.txt
    A edits new.txt
    B edits b.txt
  `,
  when: `
    A$ [ -x .git/signalbox/shim/git ] || export GIT_INDEX_FILE="$PWD/.git/index-A"; git add a.txt new.txt; git commit -qm A
    B$ [ -x .git/signalbox/shim/git ] || export GIT_INDEX_FILE="$PWD/.git/index-B"; git add b.txt; git commit -qm B
  `,
  today: async (w) => assert.deepEqual(await w.log(), ["A: a.txt new.txt", "B: a.txt b.txt new.txt"]),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt new.txt", "B: b.txt"]);
    assert.equal(await w.git("H", "status", "--porcelain", "-uno"), "");
  },
});

/** §10 1-5: B's index is of before A's commit, in every way of committing. B has changed b.txt alone. */
for (const [how, script] of [
  ["add, commit", "git add b.txt; git commit -qm B"],
  ["-a", "git commit -qam B"],
  ["-- b.txt", "git commit -qm B -- b.txt"],
  ["-i b.txt", "git commit -qm B -i b.txt"],
  ["-p", "printf 'y\\n' | git commit -q -p -m B"],
  ["an editor", "git add b.txt; GIT_EDITOR='echo B >' git commit -q"],
  ["--no-verify", "git add b.txt; git commit -qnm B"],
  ["-a --no-verify", "git commit -qnam B"],
] as const)
  scenario(`G1-G5: others have committed since; ${how}`, {
    given: `
      A edits a.txt
      A edits d.txt
      B$ git status
      A$ git add a.txt d.txt; git commit -qm A
      B edits b.txt
    `,
    when: `
      B$ ${script}
      B$ git status --porcelain
    `,
    must: async (w) => {
      w.fine(w.steps.at(-2)?.done);
      assert.deepEqual(await w.log(), ["A: a.txt d.txt", "B: b.txt"]);
      assert.equal(w.last.stdout, "");
      assert.equal(await w.git("H", "status", "--porcelain"), "");
    },
  });

scenario("S15: a squash over what a peer has pushed", {
  sessions: "AL",
  setup: "git init -q --bare -b main ../origin; git remote add origin ../origin; git push -qu origin main",
  given: `
    A edits a.txt
    A$ git add a.txt; git commit -qm A
    L edits peer.txt
    L$ git add peer.txt; git commit -qm peer; git push -q origin HEAD:main
  `,
  when: `A$ git fetch -q; git reset -q --soft origin/main; git commit -qm squash`,
  today: async (w) => assert.deepEqual(await w.log("HEAD~1.."), ["squash: a.txt peer.txt"]),
  must: async (w) => {
    w.refused("");
    assert.match(w.transcript, /peer\.txt/, "says which path");
    const at = await w.repo.git("cat-file", "-e", "origin/main:peer.txt");
    assert.equal(at.code, 0);
    assert.doesNotMatch((await w.log()).join("\n"), /squash/);
  },
});

scenario("S16: a branch is moved from another tree under one that has it checked out", {
  sessions: "AL",
  given: `
    A edits a.txt
    L edits peer.txt
    L$ git add peer.txt; git commit -qm peer
  `,
  when: `
    L$ git update-ref refs/heads/main HEAD
    A$ git add -A; git commit -qm A
  `,
  today: async (w) => assert.deepEqual(await w.log("HEAD~1.."), ["A: a.txt peer.txt"]),
  must: async (w) => {
    const [last] = (await w.log()).slice(-1);
    assert.ok(last === undefined || last === "A: a.txt" || last === "peer: peer.txt", last);
    assert.match(w.read("a.txt"), /A was here/);
  },
});

scenario("S19: a branch is switched when nobody is at risk: every index follows", {
  setup: "git switch -q -c other; echo o >o.txt; git add o.txt; git commit -qm o; git switch -q main",
  sessions: "A",
  given: `A$ git status`,
  when: `
    H$ git switch -q --ignore-other-worktrees other
    A$ git status --porcelain
    B comes
    A edits a.txt
    A$ git add a.txt; git commit -qm A
  `,
  must: async (w) => {
    w.fine();
    assert.equal(w.steps.find(({ line }) => line.startsWith("A$ git status --p"))?.done.stdout, "");
    assert.deepEqual(await w.log("other~1..other"), ["A: a.txt"]);
    assert.deepEqual(await w.log("main..main"), []);
    assert.equal(await w.git("B", "status", "--porcelain"), "");
    assert.equal(await w.git("H", "status", "--porcelain"), "");
  },
});

scenario("G16, G17: twenty commits by others while one has something staged", {
  given: `
    B edits b.txt
    B$ git add b.txt
    A$ for n in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do echo $n >n.txt; git add n.txt; git commit -qm $n; done
  `,
  when: `B$ git diff --cached --name-only; git commit -qm B`,
  today: async (w) => assert.deepEqual((await w.log())[0], "1: b.txt n.txt"),
  must: async (w) => {
    w.fine();
    assert.equal(w.last.stdout, "b.txt\n");
    assert.deepEqual((await w.log()).slice(-2), ["20: n.txt", "B: b.txt"]);
  },
});

scenario("G38: a person's commit -a after a session's commit takes nothing back", {
  given: `
    H$ git status
    A edits a.txt
    A edits new.txt
    A$ git add a.txt new.txt; git commit -qm A
    H edits b.txt
  `,
  when: `H$ git commit -qam H`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt new.txt", "H: b.txt"]);
  },
});
