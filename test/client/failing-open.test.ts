/** Switched off or broken, signalbox is in nobody's way; broken, it says so every time. */
import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import type { ClaudeRun } from "../support/claude/mod.ts";
import { bash, edit, finished, type Lab, makeLab, write } from "./lab.ts";

const BOB = [
  ...edit("a.txt", "one by alice", "one by bob"),
  write("new.txt", "new\n"),
  bash("git add new.txt && git commit -m 'bob: new'"),
  bash("git commit -qam 'bob: all'"),
  { signal: "bob is done" },
  { text: "bob is done" },
];

/** Alice holds a.txt; then something happens to signalbox, and Bob does as he likes. */
async function beside(
  t: TestContext,
  happens: (lab: Lab) => void,
  env: Readonly<Record<string, string>> = {},
) {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice holds" },
        { wait: "bob is done" },
        { text: "alice is done" },
      ],
      bob: BOB,
    },
  });
  const alice = lab.start("alice");
  await lab.api.waitFor("alice holds");
  happens(lab);
  const run = await lab.run("bob", { env });
  finished(await alice.done);
  const results = lab.played("bob");
  assert.deepEqual(
    results.map(({ isError }) => isError),
    results.map(() => false),
    JSON.stringify(results),
  );
  assert.equal(lab.read("a.txt"), "one by bob\n");
  assert.equal(lab.scratch.git("log", "--format=%s"), "bob: all\nbob: new\nbase\n");
  return { lab, run, results };
}

test("SIGNALBOX=0 lets everything through, silently", async (t) => {
  const { lab, run, results } = await beside(t, () => undefined, { SIGNALBOX: "0" });
  const said = [...lab.api.transcript("bob").notes, ...results.map(({ text }) => text), run.stderr];
  assert.doesNotMatch(lab.plain(said.join("\n")), /signalbox/);
  assert.deepEqual(messages(run), []);
  assert.deepEqual(lab.errors(), []);
  const { sessionId } = run;
  assert.deepEqual(
    (await lab.story()).filter((e) => JSON.stringify(e).includes(sessionId!)),
    [],
  );
  assert.equal((await lab.signalbox("doctor")).code, 0);
});

for (const [what, harm, why] of [
  ["deleted", (file: string) => rmSync(file), /no bundle at /],
  ["corrupt", (file: string) => writeFileSync(file, readFileSync(file).subarray(0, 5000)), /exit 1/],
] as const) {
  test(`a ${what} bundle lets everything through, with a line each time, on record`, async (t) => {
    const { lab, run, results } = await beside(t, ({ boxDir }) => harm(join(boxDir, "runtime", "hook.cjs")));
    const line = (hook: string) =>
      new RegExp(
        `^(?:[\\dT:-]{19}Z )?signalbox: (?:claude |git )?hook ${hook} could not run \\(${why.source}[^\\n]*\\): this operation was not guarded; run: git signalbox doctor$`,
        "m",
      );
    const shown = messages(run);
    for (const hook of ["session-start", "pre-edit"]) assert.match(shown.join("\n"), line(hook));
    assert.equal(shown.filter((text) => line("pre-edit").test(text)).length, 2, "one line for each edit");
    assert.ok(
      shown.every((text) => !text.includes("\n")),
      JSON.stringify(shown),
    );
    for (const { text } of results.slice(-2)) assert.match(text, line("pre-commit"));
    const recorded = lab.errors().join("\n");
    for (const hook of ["session-start", "pre-edit", "pre-commit", "post-commit"])
      assert.match(recorded, line(hook));

    const doctor = await lab.signalbox("doctor");
    assert.equal(doctor.code, 1);
    assert.match(doctor.stdout, /^BAD +bundle /m);
    assert.match(doctor.stdout, /^BAD +failures /m);
    const person = await lab.sh("git commit --allow-empty -qm 'person'");
    assert.equal(person.code, 0, person.stderr);
  });
}

/** What the client shows its user of what hooks say. */
function messages(run: ClaudeRun): string[] {
  return run.events.flatMap((event) => JSON.stringify(event).match(/signalbox: [^"\\]*/g) ?? []);
}
