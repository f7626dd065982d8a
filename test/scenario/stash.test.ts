/** refs/stash is one for all: each gets back its own. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

scenario("S35: two stash and pop crosswise, in two trees", {
  sessions: "AL",
  given: `
    A edits a.txt
    L edits b.txt
    A$ git stash -q
    L$ git stash -q
  `,
  when: `
    A$ git stash pop -q
    L$ git stash pop -q
  `,
  today: (w) => assert.doesNotMatch(w.read("a.txt"), /A was here/),
  must: (w) => {
    w.fine();
    assert.match(w.read("a.txt"), /A was here/);
    assert.doesNotMatch(w.read("b.txt"), /L was here/);
    assert.match(w.read("../W/b.txt"), /L was here/);
  },
});

scenario("G27: another's stash is not popped", {
  given: `
    A edits a.txt
    A$ git stash push -q a.txt
  `,
  when: `B$ git stash pop -q`,
  today: (w) => assert.equal(w.last.code, 0),
  must: async (w) => {
    w.refused("");
    assert.doesNotMatch(w.read("a.txt"), /A was here/);
    assert.match(await w.git("A", "stash", "list"), /stash@\{0\}/);
  },
});

for (const verb of [
  "git stash drop -q",
  "git stash clear",
  "git stash apply -q",
  "git stash drop -q 'stash@{0}'",
  "git stash branch x",
])
  scenario(`G27: another's stash is left alone: ${verb}`, {
    given: `
      A edits a.txt
      A$ git stash push -q a.txt
    `,
    when: `B$ ${verb}`,
    today: (w) => assert.equal(w.last.code, 0),
    must: async (w) => {
      w.refused("");
      await w.play("A$ git stash pop -q", true);
      assert.match(w.read("a.txt"), /A was here/);
    },
  });

for (const verb of [
  "git pull -q --rebase --autostash",
  "git rebase -q --autostash origin/main",
  "git pull -q --rebase",
  "git merge -q --autostash origin/main",
])
  scenario(`S39: ${verb} in a tree with another's edits`, {
    setup:
      "git init -q --bare -b main ../origin; git remote add origin ../origin; git push -qu origin main; git clone -q ../origin ../peer; cd ../peer; echo p >>a.txt; git commit -qam peer; git push -q",
    given: `
      A edits a.txt: mine
      B edits b.txt
      B$ git fetch -q
    `,
    when: `B$ ${verb}`,
    // Git itself refuses a rebase of a changed tree without --autostash.
    ...(verb === "git pull -q --rebase"
      ? {}
      : { today: async (w) => assert.notDeepEqual(await w.log(), []) }),
    must: async (w) => {
      w.refused("A");
      assert.deepEqual(await w.log(), []);
      assert.equal(await w.repo.mustGit("stash", "list"), "");
      await w.unharmed("A");
    },
  });
