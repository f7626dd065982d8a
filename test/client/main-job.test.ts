/** What signalbox is for: two sessions and a person in one repository. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bash, edit, finished, makeLab, meanwhile, short } from "./lab.ts";

test("two sessions and a person: refused before the write, each commits its own, the log tells it all", async (t) => {
  const lab = await makeLab(t, {
    scripts: {
      alice: [
        ...edit("a.txt", "one", "one by alice"),
        { signal: "alice edited" },
        { wait: "person committed" },
        bash("git add a.txt && git commit -qm 'alice: a'"),
        { signal: "alice committed" },
        { wait: "bob is ready" },
        { text: "alice is done" },
      ],
      bob: [
        ...edit("a.txt", "one", "one by bob"),
        bash("git signalbox who a.txt"),
        ...edit("b.txt", "two", "two by bob"),
        { signal: "bob edited" },
        { wait: "alice committed" },
        bash("git add b.txt && git commit -qm 'bob: b'"),
        ...edit("a.txt", "one by alice", "one by both"),
        bash("git add a.txt && git commit -qm 'bob: a'"),
        meanwhile(async () => {
          atEnd = await lab.holdings();
        }),
        { signal: "bob is ready" },
        { text: "bob is done" },
      ],
    },
  });
  let atEnd: Record<string, string[]> = {};
  assert.match((await lab.signalbox("status")).stdout, /^no sessions, no reservations/);

  const alice = lab.start("alice");
  await lab.api.waitFor("alice edited");
  const bob = lab.start("bob");
  await lab.api.waitFor("bob edited");
  const [a, b] = ["alice", "bob"].map((name) => lab.api.transcript(name).sessionId!) as [string, string];

  assert.deepEqual(await lab.holdings(), { [a]: ["a.txt"], [b]: ["b.txt"] });
  const shown = (await lab.signalbox("status")).stdout;
  assert.match(shown, /^2 sessions, 2 reservations/);
  assert.match(shown, new RegExp(`${short(a)} +claude-code[^\\n]*\\n +until \\d\\d:\\d\\d +a\\.txt`));
  assert.ok(shown.split("\n").every((line) => line.length <= 80));

  lab.write("c.txt", "c by a person\n");
  const person = await lab.sh("git add c.txt && git commit -qm 'person: c'");
  assert.deepEqual([person.code, person.stdout, person.stderr], [0, "", ""]);
  lab.api.signal("person committed");
  finished(await alice.done);
  finished(await bob.done);

  const aliceSaw = lab.played("alice");
  assert.ok(
    aliceSaw.every(({ isError }) => !isError),
    JSON.stringify(aliceSaw),
  );
  const [wanted, ...more] = lab.api.transcript("alice").hookNotes;
  assert.match(wanted ?? "", new RegExp(`session ${short(b)} wanted a\\.txt, which you have reserved`));
  assert.deepEqual(more, [], "nobody was there when she came");

  const [, refused, who, , , committed, , again, committedAgain] = lab.played("bob");
  assert.match(
    lab.api.transcript("bob").hookNotes.join("\n"),
    new RegExp(`another session works in this repository: session ${short(a)} \\(has a\\.txt\\)`),
  );
  assert.equal(refused!.isError, true);
  assert.match(
    refused!.text,
    new RegExp(
      `a\\.txt is reserved by session ${short(a)} since \\d\\d:\\d\\d \\(\\d+ (?:s|min) ago\\), until \\d\\d:\\d\\d unless it edits again\\.\\n` +
        "Nothing was written\\. Work on other files meanwhile; `git signalbox who a\\.txt` tells when it is free, `git signalbox wait a\\.txt` waits for it\\.",
    ),
  );
  assert.match(who!.text, new RegExp(`^a\\.txt is reserved by session ${short(a)}`));
  for (const result of [committed, again, committedAgain]) assert.equal(result!.isError, false, result!.text);
  assert.deepEqual(
    atEnd,
    { [a]: [], [b]: [] },
    "a commit gives back what it committed, and both are still there",
  );

  assert.equal(lab.read("a.txt"), "one by both\n");
  const commits = lab.scratch
    .git("log", "--reverse", "--format=%s", "--name-only")
    .split("\n")
    .filter(Boolean);
  assert.deepEqual(commits.slice(0, 4), ["base", "a.txt", "b.txt", "c.txt"]);
  assert.deepEqual(commits.slice(4), [
    "person: c",
    "c.txt",
    "alice: a",
    "a.txt",
    "bob: b",
    "b.txt",
    "bob: a",
    "a.txt",
  ]);

  const name = new Map<unknown, string>([
    [a, "alice"],
    [b, "bob"],
    [undefined, "a person"],
  ]);
  const told = (await lab.story()).flatMap((e) => {
    if (e.type === "session.started" || e.type === "session.ended")
      return [`${name.get(e.session)} ${e.type.slice(8)}`];
    if (
      e.type === "reservation.granted" ||
      e.type === "reservation.refused" ||
      e.type === "reservation.released"
    )
      return [`${name.get(e.session)} ${e.type.slice(12)} ${e.targets.map((x) => JSON.stringify(x)).join()}`];
    return e.type === "commit.recorded" ? [`${name.get(e.session)} committed ${e.paths.join()}`] : [];
  });
  const target = (path: string) => JSON.stringify({ kind: "path", path });
  const ends = told.filter((line) => line.endsWith("ended"));
  assert.deepEqual(ends.sort(), ["alice ended", "bob ended"]);
  assert.deepEqual(
    told.filter((line) => !line.endsWith("ended")),
    [
      "alice started",
      "bob started",
      `alice granted ${target("a.txt")}`,
      `bob refused ${target("a.txt")}`,
      `bob granted ${target("b.txt")}`,
      "a person committed c.txt",
      "alice committed a.txt",
      `alice released ${target("a.txt")}`,
      "bob committed b.txt",
      `bob released ${target("b.txt")}`,
      `bob granted ${target("a.txt")}`,
      "bob committed a.txt",
      `bob released ${target("a.txt")}`,
    ],
  );
  const text = (await lab.signalbox("replay")).stdout;
  const sentences = [
    `session ${short(a)} reserved a.txt`,
    `session ${short(b)} was refused a.txt, held by session ${short(a)}`,
    /a person committed [0-9a-f]{8} "person: c" on main: c\.txt/,
    `session ${short(a)} committed`,
    `session ${short(a)} released a.txt (committed)`,
    `session ${short(b)} reserved a.txt`,
  ].map((part) => text.search(typeof part === "string" ? escaped(part) : part));
  assert.ok(!sentences.includes(-1), text);
  assert.deepEqual(
    sentences,
    [...sentences].sort((x, y) => x - y),
    text,
  );

  const verified = await lab.signalbox("replay", "--verify");
  assert.deepEqual([verified.code, verified.stderr], [0, ""]);
  const after = await lab.status();
  assert.deepEqual([after.sessions, after.queue, after.incidents], [[], [], []]);
  assert.deepEqual(
    after.commits.map(({ session, subject }) => [name.get(session ?? undefined), subject]),
    [
      ["a person", "person: c"],
      ["alice", "alice: a"],
      ["bob", "bob: b"],
      ["bob", "bob: a"],
    ],
  );
  assert.match((await lab.signalbox("status")).stdout, /^no sessions, no reservations/);
});

function escaped(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
}
