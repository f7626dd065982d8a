/** Incidents of SCENARIOS.md that reservations and hooks answer: on plain git what went wrong, and here that it does not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { makeScratch, type FakeSession, type ScratchRepo } from "../support/repo/mod.ts";

/** A edits line 1 of a.txt; B changes line 9 of it by a command, adds and commits it. */
async function bothHunks(a: (text: string) => Promise<unknown>, b: FakeSession) {
  await a("ada's line\n");
  await b.sh("sed -i 's/^9$/nine/' a.txt");
  const added = await b.git("add", "a.txt");
  return added.code === 0 ? b.git("commit", "-qm", "B") : added;
}

test("S04: two hunks of two sessions in one file do not end in one commit", async (t) => {
  const plain = await makeScratch(t, { install: false });
  const write = async (repo: ScratchRepo, text: string) => repo.write("a.txt", text + repo.read("a.txt"));
  const today = await bothHunks((text) => write(plain, text), plain.session("bob"));
  assert.equal(today.code, 0);
  assert.match(await plain.mustGit("show", "HEAD"), /\+ada's line[^]*\+nine/, "today: both in B's commit");

  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  const edit = async (text: string) => {
    assert.equal((await ada.ask("a.txt")).denied, undefined);
    await write(repo, text);
  };
  const base = await repo.head();
  const { code, stderr } = await bothHunks(edit, bob);
  assert.equal(code, 1);
  assert.match(stderr, /a\.txt \(session ada, reserved since \d\d:\d\d\)/);
  assert.equal(await repo.head(), base);
  assert.match(repo.read("a.txt"), /ada's line[^]*nine/, "nothing is lost on disk");
});

test("S05: A commits its other files and leaves a.txt out on purpose; it is still A's", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.edit("c.txt");
  await ada.mustGit("commit", "-qm", "A", "c.txt");
  const { code, stderr } = await bob.git("commit", "-qam", "B");
  assert.equal(code, 1);
  assert.match(stderr, /a\.txt \(session ada, reserved since \d\d:\d\d\)/);
});

test("S26: a session that only reads is never blocked and holds nothing", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const count = repo.events().length;
  for (const command of [
    "cat a.txt",
    "grep -r 1 .",
    "git status",
    "git diff",
    "git log",
    "git show",
    "git blame a.txt",
  ]) {
    assert.equal((await bob.bash(command)).stdout, "");
    assert.equal((await bob.sh(command)).code, 0, command);
  }
  assert.equal(repo.events().length, count);
});

test("S43: a hook reads what `commit -a` commits through GIT_INDEX_FILE, and does not pass it on", async (t) => {
  const repo = await makeScratch(t);
  const other = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  // Only the temporary index of -a has it: the real one is clean.
  assert.equal((await bob.git("diff", "--cached", "--quiet")).code, 0);
  assert.equal((await bob.git("commit", "-qam", "B")).code, 1);
  assert.equal((await bob.git("diff", "--cached", "--quiet")).code, 0, "and it is clean afterwards");
  // A repository that is looked at from a hook is judged by its own index.
  const elsewhere = await bob.at({ cwd: other.top }).git("commit", "-q", "--allow-empty", "-m", "x");
  assert.equal(elsewhere.code, 0);
  assert.equal(await other.mustGit("status", "--porcelain"), "");
});

test("S49: the holder is killed outright: what it held is free at once, and its death is on record", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  assert.notEqual((await bob.ask("a.txt")).denied, undefined);
  await ada.kill();
  assert.equal((await bob.edit("a.txt")).denied, undefined);
  await bob.mustGit("commit", "-qam", "B");
  assert.deepEqual(
    repo.eventsOf("session.lapsed").map((e) => e.session),
    ["ada"],
  );
});

test("S46, S57: many want what a dead session held, at once: exactly one gets it, the others learn who", async (t) => {
  const repo = await makeScratch(t);
  const heirs = await Promise.all(Array.from({ length: 6 }, (_, i) => repo.startSession(`heir-${i}`)));
  for (let round = 0; round < 5; round++) {
    const holder = await repo.startSession(`holder-${round}`);
    await holder.ask(`f${round}.txt`);
    await holder.kill();
    const answers = await Promise.all(heirs.map((heir) => heir.ask(`f${round}.txt`)));
    const winner = heirs.filter((_, i) => answers[i]?.denied === undefined);
    assert.equal(winner.length, 1, `round ${round}`);
    for (const { denied } of answers)
      if (denied !== undefined) assert.match(denied, new RegExp(`session ${winner[0]?.id} `));
  }
  assert.equal(repo.eventsOf("session.lapsed").length, 5, "each declared dead once");
});

test("S50: a holder that is quiet but alive keeps what it holds while its lease runs", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_LEASE_TTL_MINUTES: "1440" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  assert.match((await bob.ask("a.txt")).denied ?? "", /session ada/);
  assert.equal((await repo.signalbox("doctor")).code, 0, "quiet is no illness");
});

test("S52: /clear, compact and resume: the same process keeps and can release what it holds", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await repo.startSession("eve");
  await ada.edit("a.txt");
  await ada.started("compact");
  await ada.end("clear");
  const cleared = ada.renamed("ada-2");
  await cleared.started("clear");
  await cleared.started("resume");
  const { stdout } = await repo.signalboxAs({ env: cleared.env }, "release", "a.txt");
  assert.equal(stdout, "released: a.txt\n");
  assert.equal((await (await repo.startSession("bob")).ask("a.txt")).denied, undefined);
});

test("S72: words are not deeds: a message, a heredoc or a grep that names a verb is not blocked", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  for (const command of [
    "git commit -m 'git reset --hard a.txt'",
    "cat <<X\ngit stash\nX",
    "grep 'git clean -fd' a.txt",
  ])
    assert.equal((await bob.bash(command)).stdout, "", command);
  await bob.edit("b.txt");
  await bob.mustGit("commit", "-qm", "git reset --hard; rm a.txt\n\ngit checkout -- a.txt", "b.txt");
});

test("S73: however a commit is spelled, it is guarded, or seen afterwards", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  const base = await repo.head();
  await repo.mustGit("config", "alias.ci", "commit -am");
  for (const script of [
    "git commit -qnam m",
    "g=git; $g commit -qam m",
    "git ci m",
    `cd / && git -C '${repo.top}' commit -qam m`,
    "printf 'git commit -qam m' | sh",
    "GIT_DIR=.git git commit -qam m",
    "env -u PWD git commit -qa -m m --no-verify",
  ]) {
    const { code } = await bob.sh(script);
    assert.notEqual(code, 0, script);
    assert.equal(await repo.head(), base, script);
  }
  // No hook is asked here; the next movement that one sees tells of it.
  await bob.sh(
    'git add a.txt; c=$(git commit-tree -p HEAD -m sly "$(git write-tree)") && git update-ref HEAD "$c"',
  );
  const sly = await repo.head();
  assert.notEqual(sly, base);
  await repo.session("cyd").started();
  assert.ok(
    repo.eventsOf("head.moved").some((e) => e.to === sly && e.how === "found"),
    "seen afterwards",
  );
  await bob.sh("echo z >> a.txt; git -c core.hooksPath=/dev/null commit -qam off");
  const off = await repo.head();
  await repo.session("dee").started();
  assert.ok(
    repo.eventsOf("head.moved").some((e) => e.to === off),
    "seen afterwards",
  );
});

test("S75: a bypass is possible, in the log, and in the next status", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await bob.edit("b.txt");
  await ada.edit("a.txt");
  await bob.mustGit("commit", "-qnm", "m", "b.txt");
  assert.deepEqual(
    repo.eventsOf("guard.bypassed").map((e) => [e.session, e.how]),
    [["bob", "commit --no-verify"]],
  );
  assert.match((await repo.signalbox("status")).stdout, /incidents\n.*bypassed: commit --no-verify \(bob\)/);
});
