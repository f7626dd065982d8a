/**
 * The real Claude Code client on a scripted model: no model, no network, real hooks.
 *
 *     const scratch = makeScratch({ "a.txt": "hello\n" });
 *     writeProjectSettings(scratch.repo, { hooks: … });
 *     const { runs, api } = await runScenario({
 *       repo: scratch.repo,
 *       scripts: { alice: [{ tool: "Read", input: { file_path: "{{repo}}/a.txt" } }, { text: "done" }] },
 *       sessions: [{ script: "alice" }],
 *     });
 *     api.transcript("alice").results[0]?.text; // what the model was sent
 *     scratch.remove();
 *
 * Known of the client: Edit and Write on a file that exists and was not Read are refused before any hook runs, so
 * script a Read first. Deferred tools (NotebookEdit, EnterWorktree) need `ENABLE_TOOL_SEARCH=false`. An API error
 * of 403 ends the turn at once, 400 is retried about five times, 401 and 529 with a long back-off.
 */
export { findClaude, makeHome, type Settings, writeProjectSettings } from "./environment.ts";
export { type FakeApi, startFakeApi } from "./fake-api.ts";
export { recordFixtures } from "./fixtures.ts";
export { type Transcript } from "./player.ts";
export { HOOK_EVENTS, type HookCall, type HookRecorder, recordHooks } from "./record.ts";
export {
  type ClaudeOptions,
  type ClaudeRun,
  type ClaudeSession,
  runClaude,
  runScenario,
  type Scenario,
  startClaude,
} from "./run.ts";
export { makeScratch, type Scratch } from "./scratch.ts";
export {
  type Script,
  type Scripts,
  type Step,
  type StepMaker,
  type ToolCall,
  type ToolResult,
} from "./script.ts";
export { noTmux, startTui, type Tui } from "./tui.ts";
