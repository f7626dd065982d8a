/** Whatever a hook is given: exit 0, at most one line, the tool goes on, and it is on record. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLAUDE_HOOKS } from "../../hooks/manifest.ts";
import { makeScratch, parseAnswer, payload, run } from "../support/repo/mod.ts";

const GARBAGE: Readonly<Record<string, string | Buffer>> = {
  "nothing at all": "",
  "not JSON": "hello",
  "half of it": '{"session_id":"bob","cwd":"/x","hook_event_na',
  "a number": "42",
  null: "null",
  "an array": "[]",
  "no session": '{"hook_event_name":"PreToolUse","cwd":"/"}',
  "no cwd": '{"session_id":"bob","hook_event_name":"PreToolUse"}',
  "fields of other types": '{"session_id":1,"hook_event_name":[],"cwd":{}}',
  "a path that is no text":
    '{"session_id":"bob","hook_event_name":"PreToolUse","cwd":"/","tool_input":{"file_path":7}}',
  "a path with a NUL":
    '{"session_id":"bob","hook_event_name":"PreToolUse","cwd":"/","tool_input":{"file_path":"/a\\u0000b"}}',
  "bytes that are no text": Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0a]),
};

for (const [what, input] of Object.entries(GARBAGE)) {
  test(`stdin is ${what}: the gate lets the edit through, says so in one line, and records it`, async (t) => {
    const repo = await makeScratch(t);
    await repo.startSession("ada");
    const bob = repo.session("bob");
    const answer = await bob.hook("pre-edit", input);
    assert.deepEqual([answer.code, answer.denied, answer.stderr], [0, undefined, ""]);
    assert.match(answer.shown, /^signalbox: claude hook pre-edit broke .*; run: git signalbox doctor$/);
    assert.equal(answer.stdout.trim().split("\n").length, 1);
    assert.equal(repo.eventsOf("guard.failed").length + repo.errors().length, 1, "on record, once");
    assert.equal((await repo.signalbox("doctor", "--json")).code, 1, "doctor is red");
    assert.equal((await bob.ask("a.txt")).stdout, "", "the next hook works");
  });
}

test("no hook at all answers garbage with anything but exit 0", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  for (const { name } of CLAUDE_HOOKS) {
    for (const input of ["", "{", "[1]", '{"session_id":"ada","hook_event_name":"X","cwd":"/nonexistent"}']) {
      const { code, denied, stdout } = await ada.hook(name, input);
      assert.deepEqual([code, denied], [0, undefined], `${name} given ${input}`);
      assert.ok(stdout.split("\n").length <= 2, name);
    }
  }
});

test("stdin is never closed: the hook ends by itself, and decides on what came (S54)", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  const bob = await repo.startSession("bob");
  const input = JSON.stringify(payload.editPayload(bob.who, "PreToolUse", repo.path("a.txt")));
  const env = { ...bob.env, SIGNALBOX_HOOKS_STDIN_DEADLINE_MS: "200" };
  const complete = await run(repo.entry, ["claude", "pre-edit"], {
    cwd: repo.top,
    env,
    input,
    holdStdin: true,
  });
  assert.notEqual(parseAnswer(complete).denied, undefined);
  const nothing = await run(repo.entry, ["claude", "pre-edit"], { cwd: repo.top, env, holdStdin: true });
  assert.equal(nothing.code, 0);
  assert.match(
    parseAnswer(nothing).shown,
    /could not run \(its input did not end\): this operation was not guarded/,
  );
  assert.equal(nothing.stderr.trim().split("\n").length, 1);
  const end = await run(repo.entry, ["claude", "session-end"], { cwd: repo.top, env, holdStdin: true });
  assert.equal(end.code, 0);
});

test("a Write of 10 MB is gated like any other", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  const bob = await repo.startSession("bob");
  const content = "0123456789abcdé\n".repeat(625_000);
  const huge = payload.editPayload(bob.who, "PreToolUse", repo.path("a.txt"), "Write", content);
  assert.notEqual((await bob.hook("pre-edit", huge)).denied, undefined);
  assert.deepEqual(repo.errors(), []);
  assert.equal(repo.eventsOf("guard.failed").length, 0);
});

/** Ways to break the guard, and what its line has to name. */
const BREAKAGES: Readonly<
  Record<string, { break: (boxDir: string) => void; says: RegExp; logWorks?: true }>
> = {
  "the bundle is gone": {
    break: (box) => rmSync(join(box, "runtime"), { recursive: true }),
    says: /no bundle/,
  },
  "the bundle is empty": {
    break: (box) => writeFileSync(join(box, "runtime/hook.cjs"), "process.exit(9)"),
    says: /exit 9/,
  },
  "the bundle is torn": {
    break: (box) => writeFileSync(join(box, "runtime/hook.cjs"), "(function(){ let x = ;"),
    says: /could not run/,
  },
  "the log is gone": { break: (box) => rmSync(join(box, "log"), { recursive: true }), says: /ELOG/ },
  "the log's folder is a file": {
    break: (box) => {
      rmSync(join(box, "log"), { recursive: true });
      writeFileSync(join(box, "log"), "");
    },
    says: /ELOG/,
  },
  "its settings are no JSON": {
    break: (box) => writeFileSync(join(box, "settings.json"), "{"),
    says: /^$/,
    logWorks: true,
  },
};

for (const [what, { break: breakIt, says, logWorks }] of Object.entries(BREAKAGES)) {
  test(`${what}: edits and commits go on, one line each, on record (S71)`, async (t) => {
    const repo = await makeScratch(t);
    const ada = await repo.startSession("ada");
    const bob = await repo.startSession("bob");
    await ada.edit("a.txt");
    breakIt(repo.boxDir);
    const asked = await bob.ask("a.txt");
    assert.equal(asked.code, 0);
    if (logWorks) {
      assert.notEqual(asked.denied, undefined, "a broken setting switches no guard off");
      return;
    }
    assert.equal(asked.denied, undefined);
    assert.match(asked.shown, says);
    assert.match(asked.shown, /git signalbox doctor/);
    const { code, stderr } = await bob.git("commit", "-qam", "m");
    assert.equal(code, 0);
    const lines = stderr.trim().split("\n");
    assert.ok(
      lines.every((line) => line.startsWith("signalbox: ")),
      stderr,
    );
    assert.ok(repo.errors().length >= 2, "errors.log has it");
    assert.equal(await repo.mustGit("status", "--porcelain"), "", "a person's index follows all the same");
    assert.notEqual((await repo.signalbox("doctor")).code, 0, "doctor is red");
  });
}

test("shell hooks never block, whatever is wrong with the spool", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const spool = join(repo.boxDir, "spool");
  const broken = {
    "it is gone": () => rmSync(spool, { recursive: true }),
    "a file stands in its place": () => writeFileSync(spool, ""),
    "a directory stands in a mark's place": () => {
      rmSync(spool);
      mkdirSync(join(spool, "seen/ada"), { recursive: true });
      mkdirSync(join(spool, "wrote"), { recursive: true });
    },
    "the name is too long": () => {
      renameSync(join(spool, "seen"), join(spool, "seen.old"));
      mkdirSync(join(spool, "seen"));
    },
  };
  for (const [what, breakIt] of Object.entries(broken)) {
    breakIt();
    const session = what.startsWith("the name") ? repo.session("x".repeat(300)) : ada;
    for (const name of ["pre-bash", "post-bash", "post-bash-failure", "post-edit", "stop"]) {
      const { code, stdout } = await session.hook(
        name,
        JSON.stringify(payload.bashPayload(ada.who, "PreToolUse", "ls")),
      );
      // Exit 2 would tell the client to block the tool.
      assert.deepEqual([code, stdout], [0, ""], `${what}: ${name}`);
    }
  }
  assert.ok(existsSync(repo.boxDir));
});
