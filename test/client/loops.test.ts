/** The balancing loops on the real client: what a lapse, a handoff, a stall and a moved base look like to a model. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { bash, edit, finished, type Lab, makeLab, meanwhile, read, short } from "./lab.ts";

const set = async (lab: Lab, values: Readonly<Record<string, string>>) => {
  for (const [name, value] of Object.entries(values))
    assert.equal((await lab.signalbox("config", name, value)).code, 0, name);
};
const notesOf = (lab: Lab, name: string) => lab.api.transcript(name).hookNotes.join("\n");
const idOf = (lab: Lab, name: string) => short(lab.api.transcript(name).sessionId);

/** Both to their end, bob first to be there: alone nothing is reserved. */
async function both(lab: Lab): Promise<void> {
  const bob = lab.start("bob");
  await lab.api.waitFor("bob is here");
  const alice = lab.start("alice");
  finished(await alice.done);
  finished(await bob.done);
  assert.deepEqual(lab.errors(), []);
}

test("a lease runs out while its holder works: it is told before its next write who has the file (S51)", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice edited" },
        { wait: "bob took it" },
        ...edit("b.txt", "two", "two by alice"),
        { text: "alice is done" },
      ],
      bob: [
        { signal: "bob is here" },
        { wait: "alice edited" },
        bash("sleep 4"),
        ...edit("a.txt", "one by alice", "one by both"),
        { signal: "bob took it" },
        { text: "bob is done" },
      ],
    },
  });
  await set(lab, { "lease.ttlMinutes": "0.05", "lease.graceSeconds": "0" });
  await both(lab);
  assert.match(
    notesOf(lab, "alice"),
    new RegExp(`your reservation of a\\.txt had run out and session ${idOf(lab, "bob")} has it now`),
  );
  assert.match(
    notesOf(lab, "bob"),
    new RegExp(`a\\.txt was reserved by session ${idOf(lab, "alice")} until`),
  );
});

for (const [answer, command] of [
  ["accepts", "git signalbox handoff accept"],
  ["rejects", "git signalbox handoff reject --reason 'nearly done'"],
] as const)
  test(`a session asks for a file: its holder is told at its next tool call, and ${answer}`, async (t) => {
    const lab = await makeLab(t, {
      scripts: {
        alice: [
          ...edit("a.txt", "one", "one by alice"),
          { signal: "alice has it" },
          { wait: "bob asked" },
          read("b.txt"),
          bash(command),
          { signal: "alice answered" },
          { wait: "bob tried" },
          { text: "alice is done" },
        ],
        bob: [
          { signal: "bob is here" },
          { wait: "alice has it" },
          bash("git signalbox handoff request a.txt --reason 'I know the parser'"),
          { signal: "bob asked" },
          { wait: "alice answered" },
          ...edit("a.txt", "one by alice", "one by both"),
          { signal: "bob tried" },
          { text: "bob is done" },
        ],
      },
    });
    await both(lab);
    assert.match(
      notesOf(lab, "alice"),
      new RegExp(
        `session ${idOf(lab, "bob")} asks for a\\.txt: I know the parser; answer: \`git signalbox handoff accept h1\``,
      ),
    );
    const [, , edited] = lab.played("bob");
    const alice = idOf(lab, "alice");
    if (answer === "accepts") {
      assert.match(notesOf(lab, "bob"), new RegExp(`session ${alice} handed a\\.txt over to you`));
      assert.equal(edited?.isError, false, edited?.text);
      assert.equal(lab.read("a.txt"), "one by both\n");
      assert.equal((await lab.storyOf("handoff.accepted")).length, 1);
    } else {
      assert.match(notesOf(lab, "bob"), new RegExp(`session ${alice} keeps a\\.txt: nearly done`));
      assert.equal(edited?.isError, true);
      assert.equal(lab.read("a.txt"), "one by alice\n");
      assert.equal((await lab.storyOf("handoff.rejected")).length, 1);
    }
  });

test("nothing is edited for a task: another takes it, and who had it is told at its next tool call", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        bash("git signalbox claim T1"),
        { signal: "alice claimed" },
        { wait: "bob has it" },
        read("a.txt"),
        { text: "alice is done" },
      ],
      bob: [
        { signal: "bob is here" },
        { wait: "alice claimed" },
        bash("git signalbox claim T1; sleep 4; git signalbox claim T1"),
        { signal: "bob has it" },
        { text: "bob is done" },
      ],
    },
  });
  await set(lab, { "claim.stallMinutes": "0.05" });
  await both(lab);
  const [claimed] = lab.played("bob");
  assert.match(
    claimed?.text ?? "",
    new RegExp(`T1 is claimed by session ${idOf(lab, "alice")}[^]*T1 is yours`),
  );
  assert.match(
    notesOf(lab, "alice"),
    /T1 is not claimed by you any more: you have edited nothing for it for too long/,
  );
  assert.equal((await lab.storyOf("claim.stalled")).length, 1);
});

test("in a linked worktree: a session is told that its base has moved, and one command brings it up", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      bob: [{ signal: "bob is here" }, { wait: "alice is done" }, { text: "bob is done" }],
      alice: [
        bash("git signalbox sync; git status --porcelain; git log --format=%s -2"),
        { signal: "alice is done" },
        { text: "alice is done" },
      ],
    },
  });
  const side = join(lab.scratch.dir, "side");
  await lab.mustSh(`git worktree add -q -b side '${side}'`);
  await lab.mustSh(`cd '${side}' && echo mine >own.txt && git add own.txt && git commit -qm own`);
  const bob = lab.start("bob");
  await lab.api.waitFor("bob is here");
  await lab.mustSh("echo more >>b.txt && git commit -qam 'on main'");
  finished(await lab.start("alice", { cwd: side }).done);
  finished(await bob.done);
  assert.match(
    notesOf(lab, "alice"),
    /main is 1 commit ahead of side, which has 1 commit of its own; `git signalbox sync` brings it up/,
  );
  const [synced] = lab.played("alice");
  assert.match(synced?.text ?? "", /1 commit of side rebased onto main[^\n]*\nown\non main$/);
  assert.deepEqual(lab.errors(), []);
});

test("alone nothing is reserved; whoever comes finds reserved what was edited before", async (t) => {
  let before = -1;
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        meanwhile(async () => {
          before = (await lab.storyOf("reservation.granted")).length;
        }),
        { signal: "alice edited" },
        { wait: "bob was refused" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("a.txt", "one by alice", "one by bob"),
        { signal: "bob was refused" },
        { text: "bob is done" },
      ],
    },
  });
  const alice = lab.start("alice");
  await lab.api.waitFor("alice edited");
  await lab.run("bob");
  finished(await alice.done);
  assert.equal(before, 0);
  assert.match(
    lab.played("bob")[1]?.text ?? "",
    new RegExp(`a\\.txt is reserved by session ${idOf(lab, "alice")}`),
  );
});
