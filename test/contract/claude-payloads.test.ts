/** What the real client gave its hooks (test/fixtures/claude), through everything that reads it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { hookNameOf } from "../../hooks/claude/mod.ts";
import { CLAUDE_HOOKS } from "../../hooks/manifest.ts";
import { editedPath, parseHookInput, writtenPath } from "../../src/adapters/claude.ts";
import { isSessionId } from "../../src/app/identity.ts";

const DIR = join(import.meta.dirname, "../fixtures/claude");
const PAYLOADS = readdirSync(DIR)
  .filter((name) => name.endsWith(".json"))
  .map((name) => ({ name: name.slice(0, -".json".length), text: readFileSync(join(DIR, name), "utf8") }));

/** How much of a payload hook.sh keeps. */
const HEAD = 8192;

const FILES: Readonly<Record<string, string>> = {
  Edit: "/home/dev/repo/a.txt",
  Write: "/home/dev/repo/new.txt",
  NotebookEdit: "/home/dev/repo/n.ipynb",
};

/** The hook that a fixture's event and tool are for, by the fixture's name. */
const HOOK_OF: readonly (readonly [RegExp, string])[] = [
  [/^SessionStart\./, "session-start"],
  [/^SessionEnd\./, "session-end"],
  [/^UserPromptSubmit$/, "prompt-submit"],
  [/^PreToolUse\.(Edit|Write|NotebookEdit)\b/, "pre-edit"],
  [/^PostToolUse\.(Edit|Write|NotebookEdit)\b/, "post-edit"],
  [/^PreToolUse\.Bash\b/, "pre-bash"],
  [/^PostToolUse\.Bash\b/, "post-bash"],
  [/^PostToolUseFailure\.Bash\b/, "post-bash-failure"],
  [/^Stop$/, "stop"],
  [/^SubagentStart\b/, "agent-start"],
  [/^PreToolUse\.Read\b/, "pre-read"],
  [/^SubagentStop\b/, "agent-stop"],
];

test("there is a payload for every hook that is installed", () => {
  const named = new Set(PAYLOADS.map(({ text }) => hookNameOf(parseHookInput(text))));
  assert.deepEqual(
    CLAUDE_HOOKS.filter(({ name }) => !named.has(name)).map(({ name }) => name),
    [],
  );
});

for (const { name, text } of PAYLOADS) {
  test(`${name} is understood`, () => {
    const input = parseHookInput(text);
    assert.ok(isSessionId(input.session_id), input.session_id);
    assert.equal(input.hook_event_name, name.split(".")[0]);
    assert.match(input.cwd, /^\/home\/dev\/repo/);
    assert.equal(hookNameOf(input), HOOK_OF.find(([fixture]) => fixture.test(name))?.[1] ?? "");

    const inSubagent = name.startsWith("Subagent") || name.endsWith(".in-subagent");
    assert.equal(input.agent_id !== undefined, inSubagent);
    const [event, variant] = name.split(".");
    if (event === "SessionStart") assert.equal(input.source, variant);
    if (event === "SessionEnd") assert.equal(input.reason, variant);
    if (name === "SubagentStop.internal-fork") assert.equal(input.agent_type, "");
    if (name === "SubagentStart") assert.equal(input.agent_type, "general-purpose");

    const tool = /^(?:Pre|Post)ToolUse\.(Edit|Write|NotebookEdit)\b/.exec(name)?.[1];
    if (tool !== undefined) assert.equal(editedPath(input), FILES[tool]);
    else if (variant !== "Read") assert.equal(editedPath(input), undefined);
  });
}

for (const { name, text } of PAYLOADS.filter((p) =>
  /^PostToolUse\.(Edit|Write|NotebookEdit)\b/.test(p.name),
)) {
  test(`${name}: the head that the shell keeps says what was written, wherever it is cut`, () => {
    const { tool_name: tool, agent_id: agent } = parseHookInput(text);
    const whole = { path: FILES[tool ?? ""], tool, agent, isBefore: false };
    const bytes = Buffer.from(text);
    const end = text.indexOf('"', text.indexOf(whole.path!, text.indexOf('"tool_input"'))) + 1;
    assert.ok(end < HEAD, "the path is in the head");
    for (let cut = 0; cut <= Math.min(bytes.length, HEAD); cut += 1) {
      const written = writtenPath(bytes.subarray(0, cut).toString("utf8"));
      assert.deepEqual(written, cut < end ? undefined : whole, `cut at ${cut}`);
    }
  });

  test(`${name}: content that looks like a payload misleads nobody`, () => {
    const payload = JSON.parse(text) as { tool_input: Record<string, unknown> };
    const trap = '"tool_input":{"file_path":"/trap"},"agent_id":"trap","tool_name":"Trap"';
    const { tool_input: input } = payload;
    const trapped = Object.fromEntries(
      Object.keys(input).map((key) => [key, key.endsWith("_path") ? `/home/dev/${trap}` : trap]),
    );
    const told = { ...payload, cwd: `/home/${trap}`, tool_input: trapped };
    const { tool_name: tool, agent_id: agent } = parseHookInput(text);
    const read = (event: string) => writtenPath(JSON.stringify({ ...told, hook_event_name: event }));
    const whole = { path: `/home/dev/${trap}`, tool, agent };
    assert.deepEqual(read("PostToolUse"), { ...whole, isBefore: false });
    assert.deepEqual(read("PreToolUse"), { ...whole, isBefore: true });
  });
}

test("what is no payload is refused, and says why", () => {
  assert.throws(() => parseHookInput(""), SyntaxError);
  assert.throws(() => parseHookInput("[1"), SyntaxError);
  for (const text of ["null", "7", '"text"']) assert.throws(() => parseHookInput(text), /not an object/);
  for (const field of ["session_id", "hook_event_name", "cwd"]) {
    const { [field]: _, ...rest } = JSON.parse(PAYLOADS[0]!.text) as Record<string, unknown>;
    assert.throws(() => parseHookInput(JSON.stringify(rest)), {
      name: "TypeError",
      message: new RegExp(field),
    });
    assert.throws(() => parseHookInput(JSON.stringify({ ...rest, [field]: 7 })), TypeError);
  }
});
