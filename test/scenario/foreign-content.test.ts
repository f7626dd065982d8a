/** What one session has changed or staged does not end in another's commit. */
import assert from "node:assert/strict";
import { scenario } from "../support/scenario/mod.ts";

scenario("S01: another session has a file staged", {
  given: `
    A edits a.txt
    A$ git add a.txt
    B edits b.txt
  `,
  when: `B$ git add b.txt; git commit -qm B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: a.txt b.txt"]),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["B: b.txt"]);
    assert.deepEqual(await w.staged("A"), ["M a.txt"]);
    await w.unharmed("A");
  },
});

for (const [how, script] of [
  ["add -A", "git add -A; git commit -qm B"],
  ["add .", "git add .; git commit -qm B"],
  ["add -u", "git add -u; git commit -qm B"],
  ["commit -a", "git commit -qam B"],
  ["commit -- .", "git commit -qm B -- ."],
] as const)
  scenario(`S02: another session has changed files; ${how}`, {
    given: `
      A edits a.txt
      A edits a_new.txt
      B edits b.txt
    `,
    when: `B$ ${script}`,
    today: async (w) => assert.match((await w.log()).join(), /^B: a\.txt/),
    must: async (w) => {
      w.fine();
      assert.deepEqual(await w.log(), ["B: b.txt"]);
      assert.match(w.last.stderr + w.last.stdout, /a\.txt/, "says what was left out");
      assert.deepEqual(await w.staged("B"), []);
      await w.unharmed("A");
    },
  });

scenario("S02: another session has changed files; commit -a --no-verify", {
  given: `
    A edits a.txt
    B edits b.txt
  `,
  when: `B$ git commit -qnam B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: a.txt b.txt"]),
  must: async (w) => {
    // Left out by the shim, or refused by the hook that -n does not skip.
    if (w.last.code === 0) assert.deepEqual(await w.log(), ["B: b.txt"]);
    else w.refused("A");
    await w.unharmed("A");
  },
});

for (const script of [
  "git add a.txt",
  "git add a.txt && git commit -qm B",
  "git commit -qm B a.txt",
  "git commit -qm B -i a.txt",
])
  scenario(`S03: another session's file by its name: ${script}`, {
    given: `
      A edits a.txt
      B edits b.txt
    `,
    when: `B$ ${script}`,
    today: (w) => assert.equal(w.last.code, 0),
    must: async (w) => {
      w.refused("A");
      assert.deepEqual(await w.log(), []);
      assert.deepEqual(await w.staged("B"), []);
      await w.unharmed("A");
    },
  });

scenario("S06: another session has a rename staged", {
  given: `
    A$ git mv c.txt d.txt
    B edits b.txt
  `,
  when: `B$ git add b.txt; git commit -qm B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: b.txt c.txt d.txt"]),
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["B: b.txt"]);
    assert.deepEqual(await w.staged("A"), ["D c.txt", "A d.txt"]);
    assert.ok(w.exists("d.txt"));
  },
});

scenario("S07: only another's edits are there: there is nothing of one's own to commit", {
  given: `A edits a.txt`,
  when: `B$ git commit -qam B`,
  today: async (w) => assert.deepEqual(await w.log(), ["B: a.txt"]),
  must: async (w) => {
    w.refused("A");
    assert.deepEqual(await w.log(), []);
    assert.deepEqual(await w.staged("B"), []);
    await w.unharmed("A");
  },
});

scenario("S08: the undo of a commit throws another's edit away", {
  given: `
    A edits a.txt
    B edits b.txt
    B$ git add b.txt; git commit -qm B
  `,
  when: `B$ git reset -q --hard HEAD~1`,
  today: async (w) => assert.deepEqual(await w.harm("A"), ["a.txt on disk"]),
  must: async (w) => {
    w.refused("A");
    assert.deepEqual(await w.log(), ["B: b.txt"]);
    await w.unharmed("A");
  },
});

scenario("S08: the safe undo goes through", {
  given: `
    A edits a.txt
    B edits b.txt
    B$ git add b.txt; git commit -qm B
  `,
  when: `B$ git reset -q --soft HEAD~1`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), []);
    assert.deepEqual(await w.staged("B"), ["M b.txt"]);
    assert.deepEqual(await w.staged("A"), []);
    await w.unharmed("A");
  },
});
