/** A lock that was left goes when its owner is proven dead; one that is held stays. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { scenario } from "../support/scenario/mod.ts";

/** A hook that kills the git that has started it. */
const killer = (hook: string) =>
  `mkdir -p .git/hooks; f=.git/hooks/${hook}; [ -e $f ] || { echo '#!/bin/sh' >$f; chmod +x $f; }; echo '[ ! -e ../kill ] || { rm ../kill; kill -9 $PPID $(ps -o ppid= -p $PPID); exit 1; }' >>$f`;

for (const hook of ["pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"])
  for (const [how, script] of [
    ["plain", "git add a.txt; git commit -qm A"],
    ["-a", "git commit -qam A"],
    ["-- path", "git commit -qm A -- a.txt"],
  ] as const)
    scenario(`S45, G40: git is killed in ${hook}, ${how}`, {
      given: `
        H$ ${killer(hook)}
        A edits a.txt
        A edits c.txt
        A$ git add c.txt; git restore --staged c.txt
        B edits b.txt
        B$ git add b.txt
      `,
      when: `
        A$ touch ../kill; ${script}
        B$ git commit -qm B
        A$ git add a.txt; git diff --cached --quiet || git commit -qm A2
        A$ git status --porcelain -uno
      `,
      must: async (w) => {
        for (const { done } of w.steps.slice(-3)) w.fine(done);
        assert.ok(!existsSync(w.repo.path("../kill")), "it was killed");
        const log = await w.log();
        const a = log.filter((line) => line.startsWith("A"));
        // Where it was killed after the ref was moved, the first is the one.
        assert.ok(a.length === 1 && /^A2?: a\.txt( c\.txt)?$/.test(a[0] ?? ""), log.join("\n"));
        assert.ok(log.includes("B: b.txt"), log.join("\n"));
        await w.unharmed("B").catch(() => undefined);
        assert.match(w.read("a.txt"), /A was here/);
      },
    });

scenario("S45: a lock that a live git holds is left alone", {
  given: `
    A edits a.txt
    A$ git add a.txt
  `,
  when: `
    A$ d=$(git rev-parse --absolute-git-dir); : >../ready; (GIT_EDITOR='sleep 2; echo A >' git commit -qa) & sleep 0.7; ls "$d/index.lock"; git add a.txt; ls "$d/index.lock"; wait
  `,
  must: async (w) => {
    assert.equal(w.last.stdout.match(/index\.lock/g)?.length, 2, w.transcript);
    assert.deepEqual(await w.log(), ["A: a.txt"]);
  },
});

scenario("S45: an index.lock of nobody's is cleared away", {
  given: `
    A edits a.txt
    A$ : >"$(git rev-parse --absolute-git-dir)/index.lock"
  `,
  when: `A$ git add a.txt && git commit -qm A`,
  today: (w) => assert.match(w.last.stderr, /index\.lock/),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt"]);
  },
});
