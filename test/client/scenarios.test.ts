/** Incidents that people have reported, played by real clients in one working tree; each named as in its report. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { bash, edit, finished, type Lab, makeLab, short, write } from "./lab.ts";
import type { Scripts, Step, StepMaker, ToolResult } from "../support/claude/mod.ts";

const FILES = { "a.txt": nine("a"), "b.txt": nine("b"), "c.txt": nine("c") };

function nine(name: string): string {
  return Array.from({ length: 9 }, (_, i) => `${name} ${i + 1}\n`).join("");
}

interface Duet {
  readonly lab: Lab;
  readonly ada: readonly ToolResult[];
  readonly bob: readonly ToolResult[];
  readonly adaId: string;
}

/** Ada works up to a point; then Bob does all of his; then Ada goes on. */
async function duet(
  t: TestContext,
  {
    before,
    meanwhile: bob,
    after = [],
  }: { before: (Step | StepMaker)[]; meanwhile: (Step | StepMaker)[]; after?: (Step | StepMaker)[] },
  prepare?: (lab: Lab) => Promise<unknown>,
): Promise<Duet> {
  const scripts: Scripts = {
    ada: [...before, { signal: "ada is there" }, { wait: "bob is done" }, ...after, { text: "ada is done" }],
    bob: [...bob, { signal: "bob is done" }, { text: "bob is done" }],
  };
  const lab = await makeLab(t, { scripts, files: FILES });
  await prepare?.(lab);
  const ada = lab.start("ada");
  await lab.api.waitFor("ada is there");
  await lab.run("bob");
  finished(await ada.done);
  const { sessionId } = lab.api.transcript("ada");
  assert.deepEqual(lab.errors(), [], "no hook broke");
  return { lab, ada: lab.played("ada"), bob: lab.played("bob"), adaId: sessionId! };
}

const lastOf = (results: readonly ToolResult[]): ToolResult => results.at(-1)!;
const pathsOf = (lab: Lab, commit = "HEAD") => lab.mustSh(`git show --format= --name-only ${commit}`);

/** A refusal says who, and a command that goes on. */
function refused({ isError, text }: ToolResult, adaId: string): void {
  assert.equal(isError, true, text);
  assert.match(text, new RegExp(`signalbox: [^]*${short(adaId)}`), text);
}

test("S01: what another session has staged is not in a commit, and stays staged", async (t) => {
  const { lab, ada } = await duet(t, {
    before: [...edit("a.txt", "a 1", "a by ada"), bash("git add a.txt")],
    meanwhile: [...edit("b.txt", "b 1", "b by bob"), bash("git add b.txt; git commit -qm bob")],
    after: [bash("git diff --cached --name-only"), bash("git commit -qm ada")],
  });
  assert.equal(await pathsOf(lab, "HEAD~1"), "b.txt\n");
  assert.equal(await pathsOf(lab), "a.txt\n");
  assert.equal(ada.at(-2)!.text.trim(), "a.txt");
});

test("S02: add -A and commit -am take what is the session's, and say what they left out", async (t) => {
  const { lab, bob } = await duet(t, {
    before: [...edit("a.txt", "a 1", "a by ada"), write("a_new.txt", "new\n")],
    meanwhile: [
      ...edit("b.txt", "b 1", "b by bob"),
      bash("git add -A; git commit -qm bob"),
      ...edit("b.txt", "b 2", "again by bob"),
      bash("git commit -qam 'bob again'"),
    ],
  });
  assert.equal(await pathsOf(lab, "HEAD~1"), "b.txt\n");
  assert.equal(await pathsOf(lab), "b.txt\n");
  const notes = bob.filter(({ tool }) => tool === "Bash").map(({ text }) => text);
  assert.match(notes[0]!, /a\.txt/);
  assert.match(notes[1]!, /a\.txt/);
  assert.equal(await lab.mustSh("git status --porcelain"), " M a.txt\n?? a_new.txt\n");
});

test("S11: two indexes from one HEAD: the second commit takes nothing back", async (t) => {
  const { lab } = await duet(t, {
    before: [...edit("b.txt", "b 1", "b by ada"), bash("git add b.txt")],
    meanwhile: [
      ...edit("a.txt", "a 1", "a by bob"),
      write("new.txt", "new\n"),
      bash("git add a.txt new.txt && git commit -qm bob"),
    ],
    after: [bash("git commit -qm ada")],
  });
  assert.equal(await pathsOf(lab), "b.txt\n");
  assert.equal(await lab.mustSh("git show HEAD:new.txt"), "new\n");
  assert.match(await lab.mustSh("git show HEAD:a.txt"), /a by bob/);
});

test("S12: a person's index is clean after each session's commit, and what they had staged survives", async (t) => {
  const { lab } = await duet(
    t,
    {
      before: [...edit("a.txt", "a 1", "a by ada"), bash("git commit -qm ada -- a.txt")],
      meanwhile: [...edit("b.txt", "b 1", "b by bob"), bash("git commit -qam bob")],
    },
    async (lab) => {
      lab.write("c.txt", "a person's\n");
      await lab.mustSh("git add c.txt");
    },
  );
  assert.equal(await lab.mustSh("git diff --cached --name-only"), "c.txt\n");
  await lab.mustSh("git commit -qm person");
  assert.equal(await pathsOf(lab), "c.txt\n");
  assert.equal(await lab.mustSh("git status --porcelain"), "");
});

test("S20: a branch switch under another session's work is refused, and a working tree offered", async (t) => {
  const { lab, bob, adaId } = await duet(t, {
    before: [...edit("a.txt", "a 1", "a by ada")],
    meanwhile: [bash("git switch -c bob-branch"), bash("git checkout -b bob-branch")],
    after: [bash("git commit -qam 'ada work'")],
  });
  for (const result of bob) {
    refused(result, adaId);
    assert.match(result.text, /git worktree add/);
  }
  assert.equal((await lab.mustSh("git symbolic-ref --short HEAD")).trim(), "main");
  assert.equal(await pathsOf(lab, "main"), "a.txt\n");
});

test("S27, S31: what would throw away another's work is refused; one's own can be thrown away", async (t) => {
  const { lab, bob, adaId } = await duet(t, {
    before: [
      ...edit("a.txt", "a 1", "a by ada"),
      ...edit("c.txt", "c 1", "c by ada"),
      bash("git add c.txt"),
      write("a_new.txt", "new\n"),
    ],
    meanwhile: [
      ...edit("b.txt", "b 1", "b by bob"),
      bash("git reset --hard"),
      bash("git checkout -f"),
      bash("git checkout HEAD -- ."),
      bash("git clean -fd"),
      bash("sh -c 'git checkout -- a.txt'"),
      bash("git checkout -- b.txt && git diff --exit-code -- b.txt"),
    ],
    after: [bash("git status --porcelain")],
  });
  const tried = bob.filter(({ tool }) => tool === "Bash");
  for (const result of tried.slice(0, -1)) refused(result, adaId);
  assert.equal(lastOf(tried).isError, false, lastOf(tried).text);
  assert.match(lab.read("a.txt"), /a by ada/);
  assert.match(lab.read("c.txt"), /c by ada/);
  assert.equal(lab.read("a_new.txt"), "new\n");
});

test("S31: a stash takes the session's own work alone", async (t) => {
  const { lab } = await duet(t, {
    before: [...edit("a.txt", "a 1", "a by ada"), write("a_new.txt", "new\n")],
    meanwhile: [
      ...edit("b.txt", "b 1", "b by bob"),
      bash("git stash; git stash -u"),
      bash("git stash pop; git diff --name-only"),
    ],
  });
  assert.match(lab.read("a.txt"), /a by ada/);
  assert.equal(lab.read("a_new.txt"), "new\n");
  assert.match(lab.read("b.txt"), /b by bob/);
});

test("S40: another repository made in a session's shell is itself", async (t) => {
  const { lab, ada } = await duet(t, {
    before: [
      ...edit("a.txt", "a 1", "a by ada"),
      bash("git add a.txt"),
      bash(
        "mkdir ../other && git init -q ../other && echo x >../other/x && git -C ../other add x && git -C ../other -c user.name=a -c user.email=a@b commit -qm x && git -C ../other ls-files",
      ),
      bash("git diff --cached --name-only"),
    ],
    meanwhile: [bash("git status")],
  });
  assert.equal(ada.at(-2)!.text.trim(), "x");
  assert.equal(ada.at(-1)!.text.trim(), "a.txt");
  assert.equal(await lab.mustSh("git log --format=%s"), "base\n");
});

test("S59: four sessions, ten commits each, in one tree: forty commits, each its own", async (t) => {
  const names = ["ada", "bob", "cy", "dan"];
  const steps = (name: string): Step[] => [
    write(`${name}.txt`, "0\n"),
    bash(`git add ${name}.txt && git commit -qm '${name} 0' && echo ok`),
    ...Array.from({ length: 9 }, (_, i) =>
      bash(`echo ${i + 1} >>${name}.txt && git add -A && git commit -qm '${name} ${i + 1}' && echo ok`),
    ),
  ];
  const scripts: Scripts = Object.fromEntries(
    names.map((name) => [
      name,
      [{ signal: `${name} is there` }, { wait: "go" }, ...steps(name), { text: "done" }],
    ]),
  );
  const lab = await makeLab(t, { scripts, files: FILES });
  const all = names.map((name) => lab.start(name));
  for (const name of names) await lab.api.waitFor(`${name} is there`);
  lab.api.signal("go");
  for (const one of all) finished(await one.done);
  for (const name of names)
    for (const { tool, text } of lab.played(name))
      if (tool === "Bash") assert.match(text, /ok/, `${name}: ${text}`);
  const log = await lab.mustSh(
    "git log --reverse --format='@%s' --name-only base.. 2>/dev/null || git log --reverse --format='@%s' --name-only",
  );
  const commits = log
    .split("@")
    .filter((each) => /^\w+ \d/.test(each))
    .map((each) => each.trim().split(/\n+/));
  assert.equal(commits.length, 40);
  for (const [subject, ...paths] of commits)
    assert.deepEqual(paths, [`${subject!.split(" ")[0]}.txt`], subject);
});
