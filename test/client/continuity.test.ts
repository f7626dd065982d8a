/** A session goes on after /compact, /clear and --resume: it keeps what it holds, and can still give it back. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { noTmux } from "../support/claude/mod.ts";
import { bash, edit, finished, makeLab, short } from "./lab.ts";

test("/compact, /clear and /resume in one process", { skip: noTmux() }, async (t) => {
  const tries = (name: string) =>
    [name, [...edit("a.txt", "one by alice", "one by bob"), { text: name }]] as const;
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { text: "alice edited" },
        bash("git commit -qm alice a.txt b.txt"),
        { text: "alice committed" },
      ],
      cleared: [...edit("b.txt", "two", "two by alice"), { text: "alice goes on" }],
      ...Object.fromEntries([tries("bob1"), tries("bob2"), tries("bob3"), tries("bob4")]),
    },
  });
  const refusedBy = async (script: string) => {
    await lab.run(script);
    const [, edited] = lab.played(script);
    return edited!.isError ? /reserved by session ([0-9a-f]{8})/.exec(edited!.text)?.[1] : undefined;
  };
  const continued = async (reason: string) =>
    lab.eventually(async () => (await lab.storyOf("session.continued")).find((e) => e.reason === reason));

  const tui = await lab.startTui();
  await tui.type("[[script:alice]] go");
  await tui.waitFor(/alice edited/);
  const first = lab.api.transcript("alice").sessionId!;

  await tui.type("/compact");
  assert.equal((await continued("compact")).session, first);
  await tui.waitFor(/ompacted/);
  assert.equal(await refusedBy("bob1"), short(first));

  await tui.type("/clear");
  const cleared = await continued("clear");
  assert.equal(cleared.from, first);
  assert.notEqual(cleared.session, first);
  assert.equal(await refusedBy("bob2"), short(cleared.session));
  await tui.type("[[script:cleared]] go");
  await tui.waitFor(/alice goes on/);
  assert.deepEqual(await lab.holdings(), { [cleared.session]: ["a.txt", "b.txt"] });

  await tui.type(`/resume ${first}`);
  assert.equal((await continued("resume")).session, first);
  assert.equal(await refusedBy("bob3"), short(first));
  await tui.type("go on");
  await tui.waitFor(/alice committed/);
  assert.deepEqual(await lab.holdings(), { [first]: [] });
  assert.equal(await refusedBy("bob4"), undefined);
  await tui.type("/exit");
  await tui.ended();
  assert.deepEqual(await lab.holdings(), {});
});

test("--resume in a new process after a crash", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        bash("kill -9 $CLAUDE_PID"),
        { signal: "alice is back" },
        { wait: "bob was refused" },
        bash("git commit -qm alice a.txt"),
        { signal: "alice committed" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("a.txt", "one by alice", "one by bob"),
        { signal: "bob was refused" },
        { wait: "alice committed" },
        ...edit("a.txt", "one by alice", "one by bob"),
        { signal: "bob is done" },
        { text: "bob is done" },
      ],
    },
  });
  const crashed = await lab.start("alice").done;
  assert.equal(crashed.signal, "SIGKILL");
  const id = lab.api.transcript("alice").sessionId!;
  const again = lab.start("alice", { args: ["--resume", id] });
  await lab.api.waitFor("alice is back");
  await lab.run("bob");
  finished(await again.done);
  const edits = lab.played("bob").filter(({ tool }) => tool === "Edit");
  assert.deepEqual(
    edits.map(({ isError }) => isError),
    [true, false],
  );
  assert.match(edits[0]!.text, new RegExp(`reserved by session ${short(id)}`));
  const [goesOn] = await lab.storyOf("session.continued");
  assert.deepEqual([goesOn?.session, goesOn?.reason], [id, "resume"]);
  assert.deepEqual(await lab.storyOf("session.lapsed"), []);
});

test("a session resumed in a second process goes on when the first one ends", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice holds" },
        // Both processes play this script: the second comes in while the first is busy with this.
        bash("curl -s $ANTHROPIC_BASE_URL/__ctl/wait/second"),
        { signal: "second" },
        bash("curl -s $ANTHROPIC_BASE_URL/__ctl/wait/bob"),
        { text: "first is done" },
        { text: "second is done" },
      ],
      bob: [...edit("a.txt", "one by alice", "one by bob"), { signal: "bob" }, { text: "bob is done" }],
    },
  });
  const first = lab.start("alice");
  await lab.api.waitFor("alice holds");
  const id = lab.api.transcript("alice").sessionId!;
  const second = lab.start("alice", { args: ["--resume", id] });
  finished(await first.done);
  assert.deepEqual(Object.keys(await lab.holdings()), [id]);
  await lab.run("bob");
  assert.match(lab.played("bob")[1]!.text, new RegExp(`reserved by session ${short(id)}`));
  finished(await second.done);
  assert.deepEqual(await lab.holdings(), {});
});
