/** Sessions as Claude Code announces them: start, continue, clear, resume, compact, end, subagents, notices. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch, payload, type ScratchRepo } from "../support/repo/mod.ts";

const types = (repo: ScratchRepo) => repo.events().map((event) => event.type);

test("alone, a session is told nothing, ever", async (t) => {
  const repo = await makeScratch(t);
  const ada = repo.session("ada");
  for (const answer of [
    await ada.started(),
    await ada.prompt(),
    await ada.edit("a.txt"),
    await ada.bash("ls"),
    await ada.bash("ls", "post-bash"),
    await ada.hook("stop", "{}"),
    await ada.started("compact"),
    await ada.end(),
  ])
    assert.deepEqual([answer.code, answer.stdout, answer.stderr], [0, "", ""]);
  assert.deepEqual(repo.errors(), []);
});

test("a session is told who else is here, and what they hold", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("3f2a91c0-0000-4000-8000-000000000001");
  await ada.edit("a.txt");
  const { told, denied, shown } = await repo.session("bob").started();
  assert.match(told, /another session works in this repository: session 3f2a91c0 \(has a\.txt\)/);
  assert.deepEqual([denied, shown], [undefined, ""]);
});

test("resume and compact go on with the same session: it keeps what it holds", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  for (const source of ["resume", "compact"]) await ada.started(source);
  assert.deepEqual(
    repo.eventsOf("session.continued").map((e) => [e.session, e.from, e.reason]),
    [
      ["ada", "ada", "resume"],
      ["ada", "ada", "compact"],
    ],
  );
  assert.equal(repo.eventsOf("session.started").length, 1);
  assert.notEqual((await (await repo.startSession("bob")).ask("a.txt")).denied, undefined);
});

test("/clear: the same process has a new id, keeps what it holds, and can commit it (S52)", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.end("clear");
  assert.match((await bob.ask("a.txt")).denied ?? "", /session ada/, "between the two, too");
  const later = ada.renamed("ada-2");
  await later.started("clear");
  assert.match((await bob.ask("a.txt")).denied ?? "", /session ada-2/);
  assert.equal((await later.ask("a.txt")).denied, undefined);
  await later.mustGit("commit", "-qam", "m");
  assert.equal(repo.eventsOf("commit.recorded")[0]?.session, "ada-2");
  assert.equal((await bob.ask("a.txt")).denied, undefined, "committed, so free");
  assert.deepEqual(types(repo).includes("session.ended"), false);
});

test("/clear without a goodbye: the process is what counts", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  const later = ada.renamed("ada-2");
  await later.started("clear");
  assert.equal((await later.ask("a.txt")).denied, undefined);
  const [event] = repo.eventsOf("session.continued");
  assert.deepEqual([event?.from, event?.session], ["ada", "ada-2"]);
  // The old id still comes from a hook that was on its way.
  assert.equal((await ada.ask("a.txt")).denied, undefined);
  assert.deepEqual(new Set(Object.keys(await live(repo))), new Set(["ada-2"]));
});

async function live(repo: ScratchRepo): Promise<Record<string, string[]>> {
  const { sessions } = JSON.parse((await repo.signalbox("status", "--json")).stdout) as {
    sessions: { id: string; holds: { target: string }[] }[];
  };
  return Object.fromEntries(sessions.map((s) => [s.id, s.holds.map((h) => h.target)]));
}

test("a session's end frees what it held; a second goodbye changes nothing", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.end("prompt_input_exit");
  assert.equal((await bob.ask("a.txt")).denied, undefined);
  const count = repo.events().length;
  await ada.end();
  assert.equal(repo.events().length, count);
  assert.equal(existsSync(join(repo.boxDir, "views/live/ada")), false);
});

test("a session whose process is gone lapses at the next decision, and holds nothing", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await ada.kill();
  assert.equal((await bob.edit("a.txt")).denied, undefined, "reclaimable at once (S49)");
  const [lapsed] = repo.eventsOf("session.lapsed");
  assert.deepEqual([lapsed?.session, lapsed?.reason], ["ada", "process-gone"]);
  assert.deepEqual(await live(repo), { bob: ["a.txt"] });
  assert.equal(existsSync(join(repo.boxDir, "views/live/ada")), false);
});

test("a session that was there before signalbox is adopted by its first edit", async (t) => {
  const repo = await makeScratch(t);
  const ada = repo.session("ada");
  assert.equal((await ada.edit("a.txt")).denied, undefined);
  assert.deepEqual(types(repo).slice(0, 2), ["session.started", "reservation.granted"]);
  assert.match((await (await repo.startSession("bob")).ask("a.txt")).denied ?? "", /session ada/);
});

test("subagents are holders of their own, and their session is family", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const [one, two] = [ada.agent("ae300b57c8794964f"), ada.agent("be400b57c8794964f")];
  await one.agentStart();
  await two.agentStart();
  assert.equal((await one.edit("a.txt")).denied, undefined);
  assert.match((await two.ask("a.txt")).denied ?? "", /subagent ae300b57 of session ada/);
  assert.equal((await ada.ask("a.txt")).denied, undefined, "the parent may");
  const bob = await repo.startSession("bob");
  assert.notEqual((await bob.ask("a.txt")).denied, undefined);
  await one.agentStop();
  assert.match((await bob.ask("a.txt")).denied ?? "", /reserved by session ada /, "the parent has it now");
  assert.equal((await two.ask("a.txt")).denied, undefined);
  assert.deepEqual(repo.eventsOf("agent.stopped").length, 1);
});

test("forks that the client makes for itself (no agent_type) leave no trace", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const count = repo.events().length;
  await ada.agent("aed86a884a84cf8b4").agentStart("");
  await ada.agent("aed86a884a84cf8b4").agentStop("");
  assert.equal(repo.events().length, count);
});

test("a refusal reaches its holder with the next turn, once", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await ada.edit("a.txt");
  await bob.ask("a.txt");
  await bob.ask("a.txt");
  const { told } = await ada.prompt();
  assert.match(told, /^signalbox:\n- \d\d:\d\d session bob wanted a\.txt, .*release/);
  assert.equal(told.split("\n").length, 2, "one line a matter, however often it was asked");
  assert.equal((await ada.prompt()).told, "");
  assert.equal((await bob.prompt()).told, "");
  repo.write("a.txt", "by a person\n");
  await repo.mustGit("commit", "-qam", "m");
  assert.match((await ada.prompt()).told, /a person committed a\.txt, which you have reserved/);
});

test("what the shell hooks spool is in the log after the next decision, and gone from the spool", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const { starts } = repo.countStarts();
  await ada
    .agent("ae300b57")
    .hook(
      "post-edit",
      payload.editPayload(
        { session: "ada", cwd: repo.top, agent: "ae300b57" },
        "PostToolUse",
        repo.path("a.txt"),
      ),
    );
  const huge = payload.editPayload(ada.who, "PostToolUse", repo.path("b.txt"), "Write", "é\n".repeat(50_000));
  await ada.hook("post-edit", huge);
  await ada.bash("ls");
  assert.deepEqual(starts(), [], "shell alone");
  const spool = (kind: string) => readdirSync(join(repo.boxDir, "spool", kind));
  assert.equal(spool("wrote").length, 2);
  assert.deepEqual(spool("seen"), ["ada"]);
  const later = new Date(Date.now() + 120_000);
  utimesSync(join(repo.boxDir, "spool/seen/ada"), later, later);
  await ada.prompt();
  assert.deepEqual(
    // By path: two marks of one clock tick (4 ms and more on ext4) come in no order.
    repo
      .eventsOf("file.written")
      .map((e) => [e.session, e.agent, e.tool, e.path])
      .sort((a, b) => (a[3]! < b[3]! ? -1 : 1)),
    [
      ["ada", "ae300b57", "Edit", "a.txt"],
      ["ada", undefined, "Write", "b.txt"],
    ],
  );
  assert.deepEqual(repo.eventsOf("session.seen").length, 1);
  assert.deepEqual(spool("wrote"), []);
  await ada.prompt();
  assert.equal(repo.eventsOf("file.written").length, 2, "once");
});

test("a session id of letters, digits, dots and dashes is one; anything else passes and is on record", async (t) => {
  const repo = await makeScratch(t);
  for (const id of [randomUUID(), "a.b-c_D9", "x".repeat(128)]) {
    const { stdout, code } = await repo.session(id).ask(`${id.slice(0, 8)}.txt`);
    assert.deepEqual([stdout, code], ["", 0], id);
  }
  const names = readdirSync(join(repo.boxDir, "views/live"));
  for (const id of [
    "../../evil",
    "a b",
    "",
    "-n\nx",
    "x".repeat(129),
    ".hidden",
    "日本",
    "a/b",
    "$(id)",
    "*",
  ]) {
    const session = repo.session(id);
    const answer = await session.ask("a.txt");
    assert.deepEqual([answer.code, answer.denied], [0, undefined], JSON.stringify(id));
    assert.match(
      answer.shown,
      /^signalbox: .*session id .* is not one.*git signalbox doctor$/,
      JSON.stringify(id),
    );
    for (const name of ["pre-bash", "post-edit", "stop", "prompt-submit"]) {
      const { code, stderr } = await session.hook(name, JSON.stringify(payload.promptPayload(session.who)));
      assert.deepEqual([code, stderr], [0, ""], `${name} of ${JSON.stringify(id)}`);
    }
  }
  assert.deepEqual(readdirSync(join(repo.boxDir, "views/live")), names);
  assert.equal(repo.eventsOf("guard.failed").length, 10);
});
