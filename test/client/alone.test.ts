/** With nobody else there, signalbox cannot be noticed: not by the model, not in what the user's rules decide. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { agent, bash, edit, type Lab, makeLab, read, write } from "./lab.ts";

const SCRIPTS = {
  ada: [
    ...edit("a.txt", "one", "one by ada"),
    write("new.txt", "new\n"),
    bash("git add -A && git commit -m 'ada: a'"),
    bash("git commit -m 'nothing to commit'"),
    bash("git switch -q -c topic && git commit -q --amend -m 'ada: amended' && git switch -q main"),
    agent("child"),
    read("a.txt"),
    { text: "ada is done" },
    bash("git status --short"),
    { text: "ada is done again" },
  ],
  child: [
    ...edit("b.txt", "two", "two by a child"),
    bash("git commit -qm 'child: b' b.txt"),
    { text: "child is done" },
  ],
};

test("alone: no hook says a word, to the model or to the user", async (t) => {
  const lab = await makeLab(t, { scripts: SCRIPTS });
  const first = await lab.run("ada");
  const second = await lab.run("ada", { args: ["--resume", first.sessionId!] });
  const results = [...lab.played("ada"), ...lab.played("child")];
  assert.deepEqual(
    results.filter(({ isError }) => isError).map(({ input }) => input["command"]),
    ["git commit -m 'nothing to commit'"],
  );
  for (const name of ["ada", "child"]) {
    const { hookNotes, notes } = lab.api.transcript(name);
    assert.deepEqual(hookNotes, [], name);
    const said = lab.plain([...notes, ...results.map(({ text }) => text)].join("\n"));
    assert.doesNotMatch(said, /signalbox/i, name);
  }
  const shown = [...first.events, ...second.events].map((event) => JSON.stringify(event));
  const worded = shown.filter((event) => /systemMessage|"signalbox: /.test(event));
  assert.deepEqual(worded, []);
  assert.deepEqual([lab.errors(), first.stderr, second.stderr], [[], "", ""]);
  const story = await lab.story();
  assert.equal(story.filter((e) => e.type === "commit.recorded").length, 3, "the amend is one");
  assert.equal(
    story.filter((e) => e.type === "reservation.granted").length,
    1,
    "its subagent's: alone, a session's own edits are only noted",
  );
});

test("the user's permission rules decide as they do without signalbox", async (t) => {
  const script = [
    ...edit("a.txt", "one", "one by ada"),
    write("new.txt", "new\n"),
    bash("git add a.txt && git commit -qm a"),
    bash("touch forbidden.txt"),
    { text: "ada is done" },
  ];
  const ways: readonly (readonly string[])[] = [
    [],
    ["--allowedTools", "Edit"],
    ["--permission-mode", "acceptEdits"],
    ["--allowedTools", "Bash(git add:*),Bash(git commit:*)"],
    ["--permission-mode", "plan"],
  ];
  const scripts = Object.fromEntries(ways.map((_, i) => [`way${i}`, script]));
  const seen = async (lab: Lab, args: readonly string[], i: number) => {
    await lab.run(`way${i}`, { permissions: "ask", args });
    const { notes } = lab.api.transcript(`way${i}`);
    const results = lab.played(`way${i}`).map(({ tool, isError, text }) => `${tool} ${isError} ${text}`);
    await lab.mustSh("git reset -q --hard base && git clean -fdq");
    return [...notes, ...results].map((text) =>
      lab
        .plain(text)
        .replace(/\b[0-9a-f]{7,40}\b/g, "HASH")
        .replace(/plans\/[\w-]+\.md/g, "PLAN"),
    );
  };
  const [bare, guarded] = [await makeLab(t, { scripts, install: false }), await makeLab(t, { scripts })];
  for (const lab of [bare, guarded]) await lab.mustSh("git tag base");
  let refused = 0;
  for (const [i, args] of ways.entries()) {
    const [without, withIt] = await Promise.all([seen(bare, args, i), seen(guarded, args, i)]);
    assert.deepEqual(withIt, without, args.join(" "));
    refused += without.filter((text) => /^(Edit|Write|Bash) true/.test(text)).length;
  }
  assert.ok(refused > 6, "the ways differ in what they allow");
});
