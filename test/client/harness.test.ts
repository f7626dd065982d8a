/** The harness proves itself: what other client tests build on is true of the real client. */
import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  makeScratch,
  noTmux,
  recordFixtures,
  recordHooks,
  runScenario,
  startClaude,
  startFakeApi,
  startTui,
  writeProjectSettings,
} from "../support/claude/mod.ts";

const EVENTS = ["SessionStart", "UserPromptSubmit", "PreToolUse", "PostToolUse", "Stop", "SessionEnd"];

test("two sessions side by side: hooks fire, a write is refused, CLAUDE_ENV_FILE reaches Bash", async (t) => {
  const scratch = makeScratch({ "a.txt": "hello\n" });
  t.after(() => scratch.remove());
  const hook = join(scratch.dir, "hook");
  const log = join(scratch.dir, "hooks.log");
  writeFileSync(
    hook,
    `#!/bin/sh
in=$(cat)
printf '%s\\n' "$in" >>"${log}"
[ -n "$CLAUDE_ENV_FILE" ] && echo "export FROM_HOOK=$CLAUDE_CODE_SESSION_ID" >"$CLAUDE_ENV_FILE"
case $in in *'"PreToolUse"'*taken.txt*)
  echo '{"hookSpecificOutput":{"hookEventName":"PreToolUse","permissionDecision":"deny","permissionDecisionReason":"taken.txt is reserved by bob"}}' ;;
esac
exit 0
`,
  );
  chmodSync(hook, 0o755);
  const entry = [{ hooks: [{ type: "command", command: hook, args: [] }] }];
  writeProjectSettings(scratch.repo, { hooks: Object.fromEntries(EVENTS.map((event) => [event, entry])) });

  const { runs, api } = await runScenario({
    repo: scratch.repo,
    home: scratch.home,
    scripts: {
      alice: [
        { tool: "Read", input: { file_path: "{{repo}}/a.txt" } },
        {
          tool: "Edit",
          input: { file_path: "{{repo}}/a.txt", old_string: "hello", new_string: "hi from alice" },
        },
        { signal: "alice edited" },
        { tool: "Write", input: { file_path: "{{repo}}/taken.txt", content: "mine" } },
        { tool: "Bash", input: { command: 'echo "env=$FROM_HOOK sid=$CLAUDE_CODE_SESSION_ID"' } },
        { tool: "Bash", input: { command: "echo oops >&2; exit 3" } },
        { text: "alice is done" },
      ],
      bob: [
        { wait: "alice edited" },
        { tool: "Read", input: { file_path: "{{repo}}/a.txt" } },
        { tool: "Write", input: { file_path: "{{repo}}/b.txt", content: "bob\n" } },
        { text: "bob is done" },
      ],
    },
    sessions: [{ script: "alice" }, { script: "bob" }],
  });

  const alice = api.transcript("alice");
  const bob = api.transcript("bob");
  assert.deepEqual(
    runs.map(({ code, reply }) => [code, reply]),
    [
      [0, "alice is done"],
      [0, "bob is done"],
    ],
  );
  assert.deepEqual([...alice.errors, ...bob.errors, alice.stepsLeft, bob.stepsLeft], [0, 0]);
  assert.match(bob.results[0]!.text, /hi from alice/, "bob waited for the edit");
  assert.equal(alice.results[2]!.isError, true);
  assert.match(alice.results[2]!.text, /taken\.txt is reserved by bob/, "the reason reached the model");
  const id = runs[0]!.sessionId!;
  assert.ok(alice.results[3]!.text.includes(`env=${id} sid=${id}`));
  assert.match(alice.results[4]!.text, /^Exit code 3\noops/);
  const seen = readFileSync(log, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { session_id: string; hook_event_name: string });
  for (const { sessionId } of runs) {
    const fired = seen.filter((call) => call.session_id === sessionId).map((call) => call.hook_event_name);
    assert.deepEqual([...new Set(fired)].sort(), [...EVENTS].sort());
  }
});

test("a session in the background is killed in the middle of a call", async (t) => {
  const scratch = makeScratch({ "a.txt": "hello\n" });
  const recorder = recordHooks(scratch.dir);
  writeProjectSettings(scratch.repo, recorder.settings());
  const api = await startFakeApi({
    scripts: {
      alice: [{ tool: "Bash", input: { command: "curl -s $ANTHROPIC_BASE_URL/__ctl/signal/on; sleep 3" } }],
    },
  });
  t.after(async () => {
    await api.close();
    scratch.remove();
  });
  const session = startClaude({ script: "alice", cwd: scratch.repo, home: scratch.home, url: api.url });
  await api.waitFor("on");
  const run = await session.kill();
  assert.deepEqual([run.code, run.signal, run.reply], [null, "SIGKILL", undefined]);
  assert.throws(() => process.kill(session.pid, 0), { code: "ESRCH" });
  const calls = recorder.calls();
  assert.deepEqual(
    calls.map((call) => call.event),
    ["SessionStart", "UserPromptSubmit", "PreToolUse"],
  );
  for (const call of calls) assert.equal(call.env["CLAUDE_PID"], String(session.pid), call.event);
});

test("an interactive session is typed into, and ends", { skip: noTmux() }, async (t) => {
  const scratch = makeScratch({ "a.txt": "hello\n" });
  const recorder = recordHooks(scratch.dir);
  writeProjectSettings(scratch.repo, recorder.settings());
  const api = await startFakeApi({ scripts: { alice: [{ text: "alice says hello" }] } });
  const tui = await startTui({ cwd: scratch.repo, home: scratch.home, url: api.url });
  t.after(async () => {
    await tui.stop();
    await api.close();
    scratch.remove();
  });
  await tui.type("[[script:alice]] go");
  await tui.waitFor(/alice says hello/);
  await tui.type("/exit");
  await tui.ended();
  const last = recorder.calls().at(-1);
  assert.equal(last?.payload["reason"], "prompt_input_exit");
});

test("the recorded payloads are what the client sends", { skip: noTmux() }, async () => {
  const dir = join(import.meta.dirname, "../fixtures/claude");
  const now = await recordFixtures();
  const files = readdirSync(dir).filter((name) => name.endsWith(".json"));
  assert.deepEqual(files.sort(), [...now.keys()].map((name) => `${name}.json`).sort());
  for (const [name, text] of now) {
    const recorded = readFileSync(join(dir, `${name}.json`), "utf8");
    assert.deepEqual(shapeOf(JSON.parse(text)), shapeOf(JSON.parse(recorded)), name);
    assert.deepEqual(
      [recorded.indexOf("\n"), text.indexOf("\n")],
      [recorded.length - 1, text.length - 1],
      name,
    );
  }
});

/** Field names and types, at any depth; a list has the shape of its first element. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, shapeOf(v)]));
}
