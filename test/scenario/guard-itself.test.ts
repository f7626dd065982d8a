/** The guard broken, talked about, gone round. */
import assert from "node:assert/strict";
import { chmodSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { scenario, World } from "../support/scenario/mod.ts";

const BREAKS: Readonly<Record<string, (box: string) => void>> = {
  "its bundle is gone": (box) => rmSync(join(box, "runtime/hook.cjs")),
  "its bundle is garbage": (box) => writeFileSync(join(box, "runtime/hook.cjs"), "}{"),
  "its log is gone": (box) => rmSync(join(box, "log"), { recursive: true }),
  "its views are gone": (box) => rmSync(join(box, "views"), { recursive: true }),
  "its views are a file": (box) => {
    rmSync(join(box, "views"), { recursive: true });
    writeFileSync(join(box, "views"), "");
  },
  "its folder is read-only": (box) => chmodSync(box, 0o555),
};

for (const [what, breakIt] of Object.entries(BREAKS))
  test(`S71: ${what}: work goes on, and it is said`, async (t) => {
    const w = await World.make(t, { guarded: true });
    await w.play("A edits a.txt\nB edits b.txt", true);
    breakIt(w.repo.boxDir);
    await w.play("B edits b.txt");
    assert.equal(w.last.code, 0, w.transcript);
    await w.play("B$ git add b.txt && git commit -qm B");
    assert.equal(w.last.code, 0, w.transcript);
    assert.deepEqual(await w.log(), ["B: b.txt"]);
    for (const line of w.last.stderr.split("\n").filter(Boolean)) assert.match(line, /^signalbox: /);
    chmodSync(w.repo.boxDir, 0o755);
    if (!/read-only|views/.test(what))
      assert.notEqual((await w.repo.signalbox("doctor")).code, 0, "doctor is red");
    await w.repo.mustSignalbox("init");
    await w.play("B edits c.txt", true);
  });

scenario("S72: words are not deeds", {
  given: `
    A edits a.txt
    B edits b.txt
  `,
  when: `
    B$ git add b.txt; git commit -qm 'git reset --hard; git checkout -- a.txt'
    B$ git log --grep 'git stash -u'; echo 'git clean -fd' | cat; grep -c 'git reset --hard' a.txt; :
    B$ echo 'git stash; git reset --hard' | git commit -q --allow-empty -F -
  `,
  must: async (w) => {
    for (const { done } of w.steps.slice(-3)) w.fine(done);
    assert.match((await w.log()).join(), /git reset --hard; git checkout -- a\.txt: b\.txt/);
    await w.unharmed("A");
  },
});

scenario("S73: a commit that no hook sees is seen afterwards", {
  given: `A edits a.txt`,
  when: `B$ g=/usr/bin/git; GIT_INDEX_FILE=../i $g read-tree HEAD; GIT_INDEX_FILE=../i $g add a.txt; c=$($g commit-tree -p HEAD -m sly "$(GIT_INDEX_FILE=../i $g write-tree)"); $g update-ref HEAD "$c"`,
  today: async (w) => assert.deepEqual(await w.log(), ["sly: a.txt"]),
  must: async (w) => {
    const sly = await w.repo.head();
    await w.arrive("C");
    if (sly !== w.base)
      assert.ok(w.repo.eventsOf("head.moved").some((event) => event.to === sly && event.how === "found"));
    await w.unharmed("A");
  },
});

for (const script of [
  "git commit -qnam m",
  "g=git; $g commit -qam m",
  "git ci m",
  'cd /; git -C "$OLDPWD" commit -qam m',
  "printf 'git commit -qam m' | sh",
  "git -c core.hooksPath=/dev/null commit -qam m",
  "git --git-dir=.git --work-tree=. commit -qam m",
  "git commit -qam m --no-veri",
])
  scenario(`S73: however a commit is spelled: ${script}`, {
    setup: "git config alias.ci 'commit -am'",
    given: `A edits a.txt`,
    when: `B$ ${script}`,
    today: async (w) => assert.deepEqual(await w.log(), ["m: a.txt"]),
    must: async (w) => {
      w.refused("");
      assert.deepEqual(await w.log(), []);
      await w.unharmed("A");
    },
  });
