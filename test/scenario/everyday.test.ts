/** What people and sessions do all day; each was found to go wrong once by somebody who tried it. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

scenario("a folder is renamed: its files go along, though none of them has changed", {
  setup: "mkdir sub; seq 9 >sub/s.txt; git add .; git commit -qm sub",
  given: `B edits b.txt`,
  when: `
    A$ sleep 0.1; mv sub lib
    A$ git add -A; git commit -qm A
  `,
  today: async (w) => assert.deepEqual(await w.log("HEAD~1.."), ["A: b.txt lib/s.txt sub/s.txt"]),
  must: async (w) => {
    assert.deepEqual(await w.log("HEAD~1.."), ["A: lib/s.txt sub/s.txt"]);
    await w.unharmed("B");
  },
});

scenario("git refuses -a with paths, also where something would be left out", {
  given: `
    A edits a.txt
    A edits c.txt
    B edits b.txt
  `,
  when: `A$ git commit -qam A c.txt`,
  must: async (w) => {
    assert.match(w.last.stderr, /does not make sense/);
    assert.deepEqual(await w.log(), []);
  },
});

scenario("one's own merge is undone", {
  setup: "git switch -q -c topic; echo t >t.txt; git add .; git commit -qm topic; git switch -q main",
  given: `
    B edits b.txt
    A edits a.txt
    A$ git add a.txt; git commit -qm A; git merge -q --no-edit topic
  `,
  when: `A$ git reset -q --keep ORIG_HEAD`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt"]);
    await w.unharmed("B");
  },
});

scenario("an amend of a commit's message alone takes nothing of what another has changed since", {
  given: `
    A edits b.txt
    A$ git add b.txt; git commit -qm A
    B edits b.txt
  `,
  when: `
    A$ git commit -q --amend -m A2
    A$ git add -A; git checkout -- b.txt
  `,
  must: async (w) => {
    assert.equal(w.steps.at(-2)?.done.stderr, "");
    assert.match(w.last.stderr, /b\.txt \(session bob/);
    assert.deepEqual(await w.log(), ["A2: b.txt"]);
    await w.unharmed("B");
  },
});

scenario("a merge with conflicts that one began alone is one's own when another comes", {
  sessions: "A",
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `A$ git merge -q topic || :`,
  when: `
    B comes
    A$ git checkout --theirs a.txt && git add a.txt && git commit -qm merged
  `,
  must: async (w) => {
    w.fine();
    assert.match(w.read("a.txt"), /topic/);
  },
});
