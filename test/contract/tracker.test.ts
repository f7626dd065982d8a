/** Beads through the real hooks: what it says is so, whatever a command's text says (FIELD.md 36). */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { FakeSession } from "../support/repo/mod.ts";
import { claimed, makeTracked } from "../support/tracker/mod.ts";

const TASKS = [{ id: "bd-a1", issue_type: "bug" }, { id: "bd-a2" }, { id: "bd-a3" }];

const claimIt = (who: FakeSession, id = "bd-a1") => who.command(`bd update ${id} --claim`);

test("without a name of its own for each session every claim succeeds: why BEADS_ACTOR is set", async (t) => {
  const { repo } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  for (const who of [ada, bob]) assert.equal((await who.sh("bd update bd-a1 --claim")).code, 0);
  for (const who of [ada, bob]) {
    const { code } = await who.shell("bd update bd-a2 --claim");
    assert.equal(code, who === ada ? 0 : 1);
  }
});

test("a claim made in Bash is the session's; the next one is told whose it is", async (t) => {
  for (const env of [{}, { BD_ARRAYS: "1" }]) {
    const { repo, issue } = await makeTracked(t, TASKS, env);
    const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
    assert.equal((await claimIt(ada)).told, "");
    assert.equal(issue("bd-a1")?.assignee, "pat/sb-ada");
    const { code, told } = await claimIt(bob);
    assert.equal(code, 1);
    assert.match(
      told,
      /bd-a1 is claimed by session ada; it is not yours\. To ask for it: git signalbox handoff request bd-a1/,
    );
    assert.deepEqual(await claimed(repo), { "bd-a1": "ada" });
    const [taken] = repo.eventsOf("claim.taken");
    assert.deepEqual([taken?.kind, taken?.tracker], ["bug", "beads"]);
    assert.equal(repo.eventsOf("claim.refused").length, 1);
  }
});

test("the text is not trusted: neither a claim that failed nor one that only was talked about is one", async (t) => {
  const { repo } = await makeTracked(t, [...TASKS, { id: "bd-p1", status: "in_progress", assignee: "kim" }]);
  const [ada] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await ada.command('echo "then: bd update bd-a1 --claim"');
  await ada.command(
    "bd update bd-a1 --claim --nonsense || true; bd update bd-a1 --status open --assignee ''",
  );
  assert.match(
    (await ada.command("bd update bd-p1 --claim")).told,
    /bd-p1 is kim's in beads, which is no session that is known here/,
  );
  assert.deepEqual(await claimed(repo), {});
});

test("other forms, and ids that are not in the text", async (t) => {
  const { repo, issue } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await ada.command('id=bd-a1; bd update "$id" --claim');
  await ada.command("bd --quiet update bd-a2 --status=in_progress");
  await bob.command('bd ready --json | sed -n \'s/.*"id": "\\(.*\\)",/\\1/p\' | xargs -n1 bd update --claim');
  assert.deepEqual(await claimed(repo), { "bd-a1": "ada", "bd-a2": "ada", "bd-a3": "bob" });
  assert.equal(
    issue("bd-a2")?.assignee,
    "pat/sb-ada",
    "in progress and nobody's: the log's word is written there",
  );
});

test("only what a command tries to take can be refused to it, or be its own for want of a name", async (t) => {
  const { repo } = await makeTracked(t, [...TASKS, { id: "bd-n1", status: "in_progress" }]);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await claimIt(ada);
  assert.equal(
    (await bob.command("bd show bd-a1 bd-n1; bd comment bd-a1 'please hurry'; bd dep add bd-n1 bd-a2")).told,
    "",
  );
  assert.match(
    (await bob.command("bd update bd-n1 \\\n  --status in_progress && bd update bd-a1 --claim")).told,
    /^signalbox: bd-a1 is claimed by session ada/,
  );
  assert.deepEqual(await claimed(repo), { "bd-a1": "ada", "bd-n1": "bob" });
  assert.equal(repo.eventsOf("claim.refused").length, 1);
});

test("what only reads is not followed, however `bd` is named; all else is", async (t) => {
  const { repo, busy } = await makeTracked(t, TASKS);
  const [ada] = [await repo.startSession("ada"), await repo.startSession("bob")];
  busy(true);
  for (const command of [
    "bd ready",
    "bd list --json | head",
    "git add . && bd show bd-a1",
    "ls bd",
    "cat abd update",
  ])
    assert.equal((await ada.bash(command, "post-bash")).told, "", command);
  for (const command of ["cd x && command bd close bd-a1", "(bd ready; /usr/bin/bd $verb) | cat"])
    assert.match((await ada.bash(command, "post-bash")).told, /did not answer in time/, command);
});

test("closed, opened again and given away in Bash: the claim follows", async (t) => {
  const { repo } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  for (const id of ["bd-a1", "bd-a2", "bd-a3"]) await claimIt(ada, id);
  await ada.command("bd close bd-a1");
  await ada.command("bd update bd-a2 --status open --assignee ''");
  await bob.command('bd update bd-a3 --assignee "$BEADS_ACTOR" --status in_progress');
  assert.deepEqual(await claimed(repo), { "bd-a3": "bob" });
  assert.deepEqual(
    repo.eventsOf("claim.completed").map(({ task, outcome, tracker }) => [task, outcome, tracker]),
    [["bd-a1", "ok", "beads"]],
  );
  assert.equal(repo.eventsOf("tracker.told").length, 0, "it is not told what it said itself");
});

test("S57 with Beads: sessions claim one task at once through Bash; the log has the winner that Beads has", async (t) => {
  const { repo, issue } = await makeTracked(t, TASKS);
  const all = await Promise.all(["s1", "s2", "s3", "s4"].map((id) => repo.startSession(id)));
  for (const { id } of TASKS) {
    const done = await Promise.all(all.map((who) => claimIt(who, id)));
    const winners = all.filter((_, i) => done[i]?.code === 0);
    assert.equal(winners.length, 1);
    assert.equal((await claimed(repo))[id], winners[0]?.id);
    assert.equal(issue(id)?.assignee, `pat/sb-${winners[0]?.id}`);
    for (const [i, who] of all.entries())
      if (who !== winners[0])
        assert.match(done[i]?.told ?? "", new RegExp(`${id} is claimed by session ${winners[0]?.id}`));
  }
});

test("no answer in time is no grant, and is said; --sync looks again", async (t) => {
  const { repo, busy } = await makeTracked(t, TASKS);
  const [ada] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await ada.shell("bd update bd-a1 --claim");
  busy(true);
  const { told } = await ada.bash("bd update bd-a1 --claim", "post-bash");
  assert.match(
    told,
    /beads did not answer in time; whether bd-a1 is yours is not known\. Look again .*: git signalbox claim --sync/,
  );
  assert.deepEqual(await claimed(repo), {});
  const by = { env: { ...ada.env, BEADS_ACTOR: "pat/sb-ada" } };
  assert.equal((await repo.signalboxAs(by, "claim", "bd-a1")).code, 1);
  assert.equal((await repo.signalboxAs(by, "claim", "--sync")).code, 1);
  busy(false);
  assert.match((await repo.signalboxAs(by, "claim", "--sync")).stdout, /bd-a1: session ada since/);
});

test("`signalbox claim` takes it in Beads as well; ending the claim ends it there", async (t) => {
  const { repo, issue } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  const as = (who: FakeSession, ...args: string[]) => repo.signalboxAs({ env: who.env }, ...args);
  for (const { id } of TASKS) {
    assert.equal((await as(ada, "claim", id)).code, 0);
    assert.equal(issue(id)?.assignee, "pat/sb-ada");
    assert.equal((await as(bob, "claim", id)).code, 3);
  }
  await as(ada, "claim", "bd-a1", "--done");
  await as(ada, "claim", "bd-a2", "--stuck");
  await as(bob, "handoff", "request", "bd-a3", "--reason", "x");
  await as(ada, "handoff", "accept");
  assert.deepEqual(
    TASKS.map(({ id }) => [issue(id)?.status, issue(id)?.assignee]),
    [
      ["closed", "pat/sb-ada"],
      ["open", ""],
      ["in_progress", "pat/sb-bob"],
    ],
  );
  assert.deepEqual(await claimed(repo), { "bd-a3": "bob" });
  assert.equal(
    (await as(ada, "claim", "unknown")).code,
    0,
    "what Beads does not know is a task of the log's own",
  );
});

test("a stalled claim is freed in Beads at the next turn of anybody, and not taken for a claim again", async (t) => {
  const { repo, issue } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await claimIt(ada);
  await claimIt(bob);
  await repo.signalbox("config", "claim.stallMinutes", "0.05");
  await new Promise((done) => setTimeout(done, 3100));
  assert.match((await bob.prompt()).told, /bd-a1, which session ada had claimed, is free/);
  assert.deepEqual([issue("bd-a1")?.status, issue("bd-a1")?.assignee], ["open", ""]);
  await repo.startSession("cyd");
  assert.deepEqual(await claimed(repo), {});
  assert.equal((await claimIt(bob)).code, 0);
  assert.deepEqual(await claimed(repo), { "bd-a1": "bob" });
});

test("what was claimed while alone is known when the next session comes; what a dead one had is freed", async (t) => {
  const { repo, issue } = await makeTracked(t, TASKS);
  const ada = await repo.startSession("ada");
  await claimIt(ada);
  assert.deepEqual(await claimed(repo), {}, "alone: nobody was asked");
  const bob = await repo.startSession("bob");
  assert.deepEqual(await claimed(repo), { "bd-a1": "ada" });
  await ada.kill();
  await bob.prompt();
  assert.deepEqual([issue("bd-a1")?.status, issue("bd-a1")?.assignee], ["open", ""]);
});

test("it cannot be told: on record, and in nobody's way", async (t) => {
  const { repo, busy, issue } = await makeTracked(t, TASKS);
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  await claimIt(ada);
  busy(true);
  const { code, stderr } = await repo.signalboxAs({ env: ada.env }, "claim", "bd-a1", "--release");
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(repo.eventsOf("tracker.told").at(-1)?.error ?? "", /no answer in time/);
  busy(false);
  await bob.prompt();
  assert.equal(issue("bd-a1")?.status, "open");
});

test("`signalbox run` gives what it runs a name in Beads too", async (t) => {
  const { repo } = await makeTracked(t, TASKS);
  const { stdout } = await repo.signalbox("run", "--name", "w1", "--", "sh", "-c", 'echo "$BEADS_ACTOR"');
  assert.equal(stdout, "pat/sb-w1\n");
});

test("no tracker: claims.tracker none, no .beads, or no bd: nothing is run, nothing is set", async (t) => {
  const { repo } = await makeTracked(t, TASKS);
  await repo.signalbox("config", "claims.tracker", "none");
  const [ada, bob] = [await repo.startSession("ada"), await repo.startSession("bob")];
  assert.equal((await ada.shell('echo "[$BEADS_ACTOR]"')).stdout, "[]\n");
  assert.equal((await claimIt(ada)).told, "");
  assert.deepEqual(await claimed(repo), {});
  await repo.signalbox("config", "claims.tracker", "auto");
  rmSync(join(repo.top, ".beads"), { recursive: true });
  assert.equal((await claimIt(bob)).told, "");
  const { code, stderr } = await repo.signalboxAs({ env: bob.env }, "claim", "--sync");
  assert.equal(code, 2);
  assert.match(stderr, /there is no tracker here/);
});
