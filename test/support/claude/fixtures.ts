/** Records what the real client gives its hooks, as the fixtures in test/fixtures/claude. */
import { setTimeout as sleep } from "node:timers/promises";
import { writeProjectSettings } from "./environment.ts";
import { type FakeApi, startFakeApi } from "./fake-api.ts";
import { type HookCall, type HookRecorder, recordHooks } from "./record.ts";
import { runClaude } from "./run.ts";
import { makeScratch, type Scratch } from "./scratch.ts";
import { type Script } from "./script.ts";
import { startTui } from "./tui.ts";

const NOTEBOOK = JSON.stringify({
  cells: [{ id: "c1", cell_type: "code", source: ["1"], metadata: {}, outputs: [], execution_count: null }],
  metadata: {},
  nbformat: 4,
  nbformat_minor: 5,
});

const EVERY_TOOL: Script = [
  { tool: "Read", input: { file_path: "{{repo}}/a.txt" } },
  { tool: "Edit", input: { file_path: "{{repo}}/a.txt", old_string: "hello", new_string: "hi" } },
  { tool: "Write", input: { file_path: "{{repo}}/new.txt", content: "new\n" } },
  { tool: "Write", input: { file_path: "{{repo}}/new.txt", content: "newer\n" } },
  { tool: "Read", input: { file_path: "{{repo}}/n.ipynb" } },
  { tool: "NotebookEdit", input: { notebook_path: "{{repo}}/n.ipynb", cell_id: "c1", new_source: "2" } },
  { tool: "Bash", input: { command: "echo hi" } },
  { tool: "Bash", input: { command: "echo oops >&2; exit 3" } },
  {
    tool: "Agent",
    input: {
      description: "sub",
      prompt: "[[script:sub]] go",
      subagent_type: "general-purpose",
      run_in_background: false,
    },
  },
  { tool: "Bash", input: { command: "cd sub" } },
  { text: "done" },
  { text: "resumed" },
  { text: "forked" },
];

const IN_SUBAGENT: Script = [
  { tool: "Read", input: { file_path: "{{repo}}/a.txt" } },
  { tool: "Edit", input: { file_path: "{{repo}}/a.txt", old_string: "hi", new_string: "hi there" } },
  { tool: "Bash", input: { command: "echo hi" } },
  { text: "sub done" },
];

/**
 * Runs sessions in which every event that hooks need happens.
 *
 * @returns the first payload of each kind by fixture name ("PreToolUse.Edit.in-subagent"): bytes as the client
 * wrote them, with paths and ids replaced, so that recording again changes only what the client changed
 */
export async function recordFixtures(): Promise<Map<string, string>> {
  const scratch = makeScratch({ "a.txt": "hello\n", "sub/b.txt": "b\n", "n.ipynb": NOTEBOOK });
  const recorder = recordHooks(scratch.dir);
  writeProjectSettings(scratch.repo, recorder.settings());
  const api = await startFakeApi({
    vars: { repo: scratch.repo },
    scripts: {
      main: EVERY_TOOL,
      sub: IN_SUBAGENT,
      tui: [
        { text: "hello from the tui" },
        { error: { status: 403, type: "permission_error", message: "no" } },
      ],
    },
  });
  try {
    await headless(scratch, api);
    await interactive(scratch, api, recorder);
    const scrub = scrubber(scratch);
    const fixtures = new Map<string, string>();
    for (const call of recorder.calls()) {
      const text = scrub(call.stdin);
      if (!fixtures.has(nameOf(call))) fixtures.set(nameOf(call), text);
    }
    return fixtures;
  } finally {
    await api.close();
    scratch.remove();
  }
}

async function headless({ repo, home }: Scratch, { url }: FakeApi): Promise<void> {
  const run = async (script: string, ...args: readonly string[]): Promise<string> => {
    // Else NotebookEdit is a deferred tool, which a script cannot call at once.
    const env = { ENABLE_TOOL_SEARCH: "false" };
    const { sessionId, code, stderr } = await runClaude({ script, cwd: repo, home, url, args, env });
    if (sessionId === undefined) throw new Error(`the client ended with ${code}: ${stderr}`);
    return sessionId;
  };
  const first = await run("main");
  await run("main", "--resume", first);
  await run("main", "--resume", first, "--fork-session");
}

async function interactive({ repo, home }: Scratch, { url }: FakeApi, recorder: HookRecorder): Promise<void> {
  const fired = async (event: string, fields: Readonly<Record<string, string>> = {}): Promise<string> => {
    for (let i = 0; i < 1200; i += 1) {
      const call = recorder
        .calls()
        .find(
          (call) => call.event === event && Object.entries(fields).every(([k, v]) => call.payload[k] === v),
        );
      if (call) return String(call.payload["session_id"]);
      await sleep(50);
    }
    throw new Error(`no ${event} with ${JSON.stringify(fields)} within 60 s\n${tui.screen()}`);
  };
  const tui = await startTui({ cwd: repo, home, url });
  try {
    await tui.type("[[script:tui]] go");
    await tui.waitFor(/hello from the tui/);
    // Here and not headless: the client does not wait for this hook, and would be gone before it.
    await tui.type("and again");
    const id = await fired("StopFailure");
    await tui.type("/compact");
    await fired("SessionStart", { source: "compact" });
    await tui.waitFor(/ompacted/);
    await tui.type("/clear");
    await fired("SessionStart", { source: "clear" });
    await tui.type(`/resume ${id}`);
    await fired("SessionStart", { source: "resume", session_id: id });
    await tui.type("/exit");
    await tui.ended();
  } finally {
    await tui.stop();
  }
}

function nameOf({ event, payload }: HookCall): string {
  const variants: unknown[] = [
    payload["tool_name"],
    payload["source"],
    payload["reason"],
    payload["trigger"],
  ];
  const response = payload["tool_response"];
  if (payload["tool_name"] === "Write" && typeof response === "object" && response !== null)
    variants.push((response as { type?: unknown }).type);
  if (event === "SubagentStop" && payload["agent_type"] === "") variants.push("internal-fork");
  if (payload["agent_id"] !== undefined && !event.startsWith("Subagent")) variants.push("in-subagent");
  return [event, ...variants.filter((v) => typeof v === "string")].join(".");
}

/** Replaces what differs from run to run, the same thing always by the same. */
function scrubber({ repo, home }: Scratch): (text: string) => string {
  const uuids = new Map<string, string>();
  const agents = new Map<string, string>();
  const calls = new Map<string, string>();
  const number = (known: Map<string, string>, id: string, width: number): string => {
    if (!known.has(id)) known.set(id, String(known.size + 1).padStart(width, "0"));
    return known.get(id)!;
  };
  const slug = (path: string): string => path.replace(/[^A-Za-z0-9]/g, "-");
  return (text) =>
    text
      .replaceAll(home, "/home/dev")
      .replaceAll(repo, "/home/dev/repo")
      .replaceAll(slug(repo), slug("/home/dev/repo"))
      .replace(
        /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g,
        (id) => `00000000-0000-4000-8000-${number(uuids, id, 12)}`,
      )
      .replace(/\ba[0-9a-f]{16}\b/g, (id) => `a${number(agents, id, 16)}`)
      .replace(/\btoolu_\w+/g, (id) => `toolu_${number(calls, id, 4)}`)
      .replace(/"(duration_ms|totalDurationMs)":\d+/g, '"$1":5')
      .replace(/"(seconds_since_last_response)":\d+/g, '"$1":0');
}
