/** Nobody is moved to another branch, and no commit lands on one, without knowing. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

for (const verb of ["git switch -q -c fB", "git checkout -q -b fB", "git switch -q other"])
  scenario(`S20: another session switches the branch under one that works: ${verb}`, {
    setup: "git branch other; git switch -q -c fA",
    given: `A edits a.txt`,
    when: `
      B$ ${verb}
      A$ git commit -qam "A work"
    `,
    today: async (w) => {
      assert.deepEqual(await w.log("fA.."), ["A work: a.txt"], "it is not on fA");
    },
    must: async (w) => {
      w.refused("A", w.steps.at(-2)?.done);
      assert.match(w.steps.at(-2)?.done.stderr ?? "", /git worktree add/, "a tree of its own is offered");
      assert.equal((await w.git("H", "symbolic-ref", "HEAD")).trim(), "refs/heads/fA");
      w.fine();
      assert.deepEqual(await w.log("fA~1..fA"), ["A work: a.txt"]);
    },
  });

scenario("S23: a new branch from a branch that carries another's commit", {
  setup: "git switch -q -c fA",
  given: `
    A edits a.txt
    A$ git add a.txt; git commit -qm A1
  `,
  when: `B$ git switch -q -c fB`,
  today: async (w) => assert.deepEqual(await w.log("main..fB"), ["A1: a.txt"]),
  must: (w) => {
    // Refused, or warned of: it says that fB would carry A1, and how to begin at main.
    const said = w.last.stderr + w.last.stdout;
    assert.match(said, /ada/, w.transcript);
    assert.match(said, /git (switch -c fB main|worktree add)/, w.transcript);
  },
});

for (const [how, script] of [
  ["checkout -B main", "git checkout -q -B main"],
  ["update-ref", "git update-ref refs/heads/main HEAD"],
  ["branch -f", "git branch -f main HEAD"],
] as const)
  scenario(`S24: the branch of another tree is taken along: ${how}`, {
    sessions: "AL",
    given: `
      A edits a.txt
      L edits l.txt
      L$ git add l.txt; git commit -qm L
    `,
    when: `
      L$ ${script}
      A$ git add a.txt; git commit -qm A
    `,
    // Git itself refuses `branch -f` there.
    ...(how === "branch -f"
      ? {}
      : { today: async (w) => assert.notEqual((await w.log("main~1..main")).at(-1), "A: a.txt") }),
    must: async (w) => {
      const [last = ""] = (await w.log("main~1..main")).slice(-1);
      assert.equal(last, "A: a.txt", "A's commit takes nothing back");
      await w.unharmed("A");
    },
  });

scenario("S26: a session that only reads holds nobody up, and nobody it", {
  given: `A edits a.txt`,
  when: `
    B$ git status; git diff; git log; git show; git blame a.txt; git grep -n 1; git branch -a; git stash list; git ls-files
    B$ cat a.txt; grep -r 1 a.txt; git rev-parse HEAD; git describe --always; git worktree list; git config -l
  `,
  must: async (w) => {
    for (const { done } of w.steps.slice(-2)) w.fine(done);
    assert.deepEqual(
      w.repo.eventsOf("reservation.granted").filter(({ session }) => session === "bob"),
      [],
    );
    await w.unharmed("A");
  },
});

/** A hook that takes its time: with `commit -a` it holds git's lock, without it the window for a race is wide. */
const SLOW = (hook: string) =>
  `mkdir -p .git/hooks; f=.git/hooks/${hook}; [ -e $f ] || { echo '#!/bin/sh' >$f; chmod +x $f; }; echo 'sleep 0.1' >>$f`;

for (const hook of ["pre-commit", "commit-msg"])
  scenario(`G18, G23, G26: commits at once, while ${hook} is slow`, {
    given: `
      H$ ${SLOW(hook)}
      A edits a.txt
      B edits b.txt
    `,
    when: `
      A$ for n in 1 2 3 4; do echo $n >>a.txt; git add a.txt && git commit -qm A$n || exit; done
      & B$ for n in 1 2 3 4; do echo $n >>b.txt; git add b.txt && git commit -qm B$n || exit; done
    `,
    today: async (w) =>
      assert.notEqual((await w.log()).filter((line) => /^(A\d: a|B\d: b)\.txt$/.test(line)).length, 8),
    must: async (w) => {
      for (const { done } of w.steps.slice(-2)) w.fine(done);
      assert.deepEqual(
        (await w.log()).sort(),
        [1, 2, 3, 4].map((n) => `A${n}: a.txt`).concat([1, 2, 3, 4].map((n) => `B${n}: b.txt`)),
      );
    },
  });

for (const verb of [
  "git reset -q",
  "git reset -q --hard",
  "git reset -q --hard HEAD",
  "git reset -q --mixed HEAD",
])
  scenario(`G19: commits land while another session calls ${verb}, over and over`, {
    given: `B$ git status`,
    when: `
      A$ for n in 1 2 3 4 5 6; do git commit -q --allow-empty -m A$n || exit; done
      & B$ for n in 1 2 3 4 5 6 7 8; do ${verb}; done; :
    `,
    must: async (w) => {
      assert.deepEqual(
        await w.log(),
        [1, 2, 3, 4, 5, 6].map((n) => `A${n}:`),
        w.transcript,
      );
    },
  });

scenario("G20: a rebase is given up after another has committed", {
  sessions: "A",
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `A$ git rebase -q topic || :`,
  when: `
    B comes
    B edits b.txt
    B$ git add b.txt; git commit -qm B
    A$ git rebase --abort
  `,
  today: async (w) => assert.ok(!(await w.log("main")).includes("B: b.txt"), w.transcript),
  must: async (w) => {
    const committed = w.steps.at(-2)?.done.code === 0;
    if (committed) assert.ok((await w.log("main")).includes("B: b.txt"), "it is on main");
    assert.match(w.read("b.txt"), /B was here/);
  },
});

scenario("G21: an amend of another's commit", {
  given: `
    A edits a.txt
    A$ git add a.txt; git commit -qm A
    B edits b.txt
    B$ git add b.txt
  `,
  when: `B$ git commit -q --amend -m B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: a.txt b.txt"]),
  must: async (w) => {
    w.refused("A");
    assert.deepEqual(await w.log(), ["A: a.txt"]);
    assert.deepEqual(await w.staged("B"), ["M b.txt"]);
  },
});

scenario("G21: an amend of a person's commit", {
  given: `
    H edits h.txt
    H$ git add h.txt; git commit -qm H
    B edits b.txt
    B$ git add b.txt
  `,
  when: `B$ git commit -q --amend -m B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: b.txt h.txt"]),
  must: async (w) => {
    w.refused("");
    assert.deepEqual(await w.log(), ["H: h.txt"]);
    assert.deepEqual(await w.staged("B"), ["M b.txt"]);
  },
});

for (const who of ["A", "H"])
  scenario(`G18, G21: ${who} commits while one amends one's own commit`, {
    given: `
      B edits b.txt
      B$ git add b.txt; git commit -qm B
      B edits b.txt
      B$ git add b.txt
      A edits a.txt
      A$ git add a.txt
      H edits h.txt
      H$ git add h.txt
      H$ mkdir -p .git/hooks; f=.git/hooks/pre-commit; [ -e $f ] || { echo '#!/bin/sh' >$f; chmod +x $f; }; echo '[ -e ../amending ] || { : >../amending; sleep 1; }' >>$f
    `,
    when: `
      B$ git commit -q --amend -m B2
      & ${who}$ while [ ! -e ../amending ]; do sleep 0.02; done; git commit -qm other
    `,
    must: async (w) => {
      const log = await w.log();
      const other = who === "A" ? "other: a.txt" : "other: h.txt";
      assert.ok(log.includes(other), log.join("\n"));
      // Refused, or done before the other's.
      const amended = w.steps.at(-2)?.done.code === 0;
      assert.deepEqual(log, amended ? ["B2: b.txt", other] : ["B: b.txt", other]);
      if (!amended) assert.deepEqual(await w.staged("B"), ["M b.txt"]);
    },
  });

for (const who of ["A", "H"])
  scenario(`G18, G21: one amends one's own commit while ${who} is about to commit`, {
    given: `
      B edits b.txt
      B$ git add b.txt; git commit -qm B
      B edits b.txt
      B$ git add b.txt
      A edits a.txt
      A$ git add a.txt
      H edits h.txt
      H$ git add h.txt
      H$ mkdir -p .git/hooks; f=.git/hooks/pre-commit; [ -e $f ] || { echo '#!/bin/sh' >$f; chmod +x $f; }; echo '[ -e ../committing ] || { : >../committing; sleep 1; }' >>$f
    `,
    when: `
      ${who}$ git commit -qm other
      & B$ while [ ! -e ../committing ]; do sleep 0.02; done; git commit -q --amend -m B2
    `,
    must: async (w) => {
      const log = await w.log();
      const other = who === "A" ? "other: a.txt" : "other: h.txt";
      const [committed, amended] = w.steps.slice(-2).map(({ done }) => done.code === 0);
      // One of them may lose: a person, whom git tells so, or the one who amends.
      assert.deepEqual(log, [amended ? "B2: b.txt" : "B: b.txt", ...(committed ? [other] : [])]);
      if (who === "A") assert.ok(committed, w.transcript);
      if (!amended) assert.deepEqual(await w.staged("B"), ["M b.txt"]);
    },
  });

scenario("G21: an amend of one's own commit", {
  given: `
    A edits a.txt
    B edits b.txt
    B$ git add b.txt; git commit -qm B
    B edits b.txt
    B$ git add b.txt
  `,
  when: `B$ git commit -q --amend -m B2`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["B2: b.txt"]);
    assert.equal(await w.git("H", "status", "--porcelain"), " M a.txt\n");
  },
});

for (const script of [
  "git reset -q --soft HEAD~1",
  "git reset -q HEAD~1",
  "git reset -q --keep HEAD~1",
  "git reset -q --hard HEAD~1",
  "git branch -f main HEAD~1; git update-ref refs/heads/main HEAD~1",
])
  scenario(`G22: another's commit is not taken off the branch: ${script}`, {
    given: `
      A edits a.txt
      A$ git add a.txt; git commit -qm A
    `,
    when: `B$ ${script}`,
    today: async (w) => assert.deepEqual(await w.log("main"), ["base: a.txt b.txt c.txt"]),
    must: async (w) => {
      w.refused("A");
      assert.deepEqual(await w.log(), ["A: a.txt"]);
    },
  });

for (const who of ["A", "H"])
  for (const verb of ["git reset -q --soft HEAD~1", "git reset -q HEAD~1"])
    scenario(`G19, G22: ${verb} of one's own commit while ${who} is about to commit`, {
      given: `
        B edits b.txt
        B$ git add b.txt; git commit -qm B
        A edits a.txt
        A$ git add a.txt
        H edits h.txt
        H$ git add h.txt
        H$ mkdir -p .git/hooks; f=.git/hooks/pre-commit; [ -e $f ] || { echo '#!/bin/sh' >$f; chmod +x $f; }; echo '[ -e ../committing ] || { : >../committing; sleep 1; }' >>$f
      `,
      when: `
        ${who}$ git commit -qm other
        & B$ while [ ! -e ../committing ]; do sleep 0.02; done; ${verb}
      `,
      must: async (w) => {
        const log = await w.log();
        const [committed, reset] = w.steps.slice(-2).map(({ done }) => done.code === 0);
        const other = who === "A" ? "other: a.txt" : "other: h.txt";
        assert.deepEqual(log, [...(reset ? [] : ["B: b.txt"]), ...(committed ? [other] : [])]);
        if (who === "A") assert.ok(committed, w.transcript);
        assert.doesNotMatch((await w.staged("B")).join(), /[ah]\.txt/);
      },
    });

scenario("G24: a plain commit during another's merge that has conflicts", {
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `B edits b.txt`,
  when: `
    A$ git merge -q topic
    B$ git add b.txt; git commit -qm B
    A edits a.txt: resolved
    A$ git add a.txt; git commit -qm merged
  `,
  today: async (w) => {
    // Git alone refuses B while A merges, or makes A's merge of B's commit.
    assert.notDeepEqual(
      (await w.log()).filter((line) => line.startsWith("B: ")),
      ["B: b.txt"],
    );
  },
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["B: b.txt", "merged: a.txt"]);
    const parents = async (commit: string) =>
      (await w.repo.mustGit("log", "-1", "--format=%P", commit)).trim().split(" ");
    assert.equal((await parents("HEAD")).length, 2);
    assert.equal((await parents("HEAD~1")).length, 1);
    assert.match(await w.repo.mustGit("show", "HEAD:b.txt"), /B was here/);
  },
});

scenario("G25: a commit during another's cherry-pick that has conflicts", {
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic --author 'X <x@example.com>'; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `B edits b.txt`,
  when: `
    A$ git cherry-pick topic
    B$ git add b.txt; git commit -qm B
    A edits a.txt: resolved
    A$ git add a.txt; git -c core.editor=true cherry-pick --continue
  `,
  today: async (w) =>
    assert.notDeepEqual(
      (await w.log()).filter((line) => line.startsWith("B: ")),
      ["B: b.txt"],
    ),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["B: b.txt", "topic: a.txt"]);
    assert.equal(await w.repo.mustGit("log", "-2", "--format=%an"), "X\nTest\n");
  },
});

scenario("G25: a cherry-pick that is given up drops no commit of another", {
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `B edits b.txt`,
  when: `
    A$ git cherry-pick topic
    B$ git add b.txt; git commit -qm B
    A$ git cherry-pick --abort; git cherry-pick --quit
  `,
  must: async (w) => {
    assert.deepEqual(await w.log(), ["B: b.txt"]);
    assert.match(w.read("b.txt"), /B was here/);
  },
});

/** A hook that runs when an index has been written; once, a person commits just then. */
const PERSON_COMMITS = [
  "mkdir -p .git/hooks; f=.git/hooks/post-index-change; cat >$f <<'EOF'",
  "#!/bin/sh",
  "[ -e ../once ] || exit 0",
  "rm ../once",
  "for name in $(git rev-parse --local-env-vars) CLAUDE_CODE_SESSION_ID SIGNALBOX_SESSION SIGNALBOX_LOCK; do unset $name; done",
  "git commit -qm P -- b.txt >../p.out 2>&1",
  "EOF",
  "chmod +x $f",
].join("\n");

for (const [verb, subject] of [
  ["git cherry-pick topic~1", "topic1"],
  ["git cherry-pick topic~1 topic", "topic"],
  ["git revert --no-edit HEAD", 'Revert "base"'],
] as const)
  scenario(`G18: a person commits between the merge and the commit of ${verb}`, {
    setup: `git switch -qc topic; echo 1 >t.txt; git add .; git commit -qm topic1; echo 2 >>t.txt; git commit -qam topic; git switch -q main; echo x >>c.txt; git commit -qam base\n${PERSON_COMMITS}`,
    given: `H edits b.txt`,
    when: `B$ touch ../once; ${verb}`,
    today: async (w) => {
      const [last = ""] = (await w.log()).slice(-1);
      assert.match(last, /b\.txt/, "the person's commit is taken back");
    },
    must: async (w) => {
      w.fine(w.last);
      const log = await w.log();
      const mine = log.filter((line) => !line.startsWith("P:"));
      assert.ok(log.includes("P: b.txt"), log.join());
      assert.ok(
        mine.every((line) => !line.includes("b.txt")),
        log.join(),
      );
      assert.ok(
        log.some((line) => line.startsWith(subject)),
        log.join(),
      );
    },
  });
