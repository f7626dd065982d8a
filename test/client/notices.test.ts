/** What a session is told at its next prompt. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noTmux } from "../support/claude/mod.ts";
import { edit, finished, makeLab, short } from "./lab.ts";

test("the holder is told at its next prompt who wanted its file, once", { skip: noTmux() }, async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { text: "alice edited" },
        { text: "second answer" },
        { text: "third answer" },
      ],
      bob: [
        ...edit("a.txt", "one by alice", "one by bob"),
        ...edit("a.txt", "one by alice", "one by bob"),
        { signal: "bob was refused" },
        { wait: "alice was told" },
        { text: "bob is done" },
      ],
    },
  });
  const tui = await lab.startTui();
  await tui.type("[[script:alice]] go");
  await tui.waitFor(/alice edited/);
  const bob = lab.start("bob");
  await lab.api.waitFor("bob was refused");
  const by = short(lab.api.transcript("bob").sessionId);
  const told = () => lab.api.transcript("alice").hookNotes;
  assert.deepEqual(told(), []);
  await tui.type("and on");
  await tui.waitFor(/second answer/);
  assert.equal(told().length, 1, JSON.stringify(told()));
  assert.match(
    told()[0]!,
    new RegExp(
      `^UserPromptSubmit hook additional context: signalbox:\\n` +
        `- \\d\\d:\\d\\d session ${by} wanted a\\.txt, which you have reserved; commit or \`git signalbox release\` it when you are done$`,
    ),
  );
  await tui.type("and on");
  await tui.waitFor(/third answer/);
  assert.equal(told().length, 1, JSON.stringify(told()));
  lab.api.signal("alice was told");
  finished(await bob.done);
  assert.equal((await lab.storyOf("reservation.refused")).length, 1, "a retry is not told again");
});

test("a session that is alone by now is told what happened before", { skip: noTmux() }, async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        ...edit("b.txt", "two", "two by alice"),
        { text: "alice edited" },
        { text: "second answer" },
      ],
      bob: [...edit("a.txt", "one by alice", "one by bob"), { text: "bob is done" }],
    },
  });
  const tui = await lab.startTui();
  await tui.type("[[script:alice]] go");
  await tui.waitFor(/alice edited/);
  const { sessionId } = await lab.run("bob");
  const person = await lab.sh("git commit -qm 'person: b' b.txt");
  assert.equal(person.code, 0);
  assert.match(person.stderr, /^signalbox: committed, though a live session has reserved: b\.txt \(session /);
  await tui.type("and on");
  await tui.waitFor(/second answer/);
  const [told = ""] = lab.api.transcript("alice").hookNotes;
  assert.match(told, new RegExp(`session ${short(sessionId)} wanted a\\.txt`));
  assert.match(told, /a person committed b\.txt, which you have reserved/);
});
