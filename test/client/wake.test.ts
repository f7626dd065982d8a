/** An idle session that waits for a file is woken when it is its own (setting wait.wake, off by default). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noTmux } from "../support/claude/mod.ts";
import { bash, edit, finished, makeLab } from "./lab.ts";

test(
  "a session waits for a file at the end of its turn: it is woken when the other has committed it",
  { skip: noTmux() },
  async (t) => {
    const lab = await makeLab(t, {
      scripts: {
        alice: [
          ...edit("a.txt", "one", "one by alice"),
          { signal: "alice has it" },
          { wait: "bob waits" },
          bash("git commit -qm mine -- a.txt"),
          { signal: "alice has committed" },
          { wait: "bob was woken" },
          { text: "alice is done" },
        ],
        bob: [
          { wait: "alice has it" },
          bash("git signalbox wait a.txt --seconds 0; true"),
          { text: "bob is idle" },
          { signal: "bob was woken" },
          ...edit("a.txt", "one by alice", "one by both"),
          { text: "bob is done" },
        ],
      },
    });
    assert.equal((await lab.signalbox("config", "wait.wake", "true")).code, 0);
    assert.equal((await lab.signalbox("init")).code, 0);
    const alice = lab.start("alice");
    const tui = await lab.startTui();
    await tui.type("[[script:bob]] go");
    await tui.waitFor(/bob is idle/);
    lab.api.signal("bob waits");
    await tui.waitFor(/bob is done/);
    finished(await alice.done);
    assert.equal(lab.read("a.txt"), "one by both\n");
    const told = JSON.stringify(lab.api.transcript("bob"));
    assert.match(told, /a\.txt, which you waited for, is yours now/);
    assert.deepEqual(lab.errors(), []);
  },
);
