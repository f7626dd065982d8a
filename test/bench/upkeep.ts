/** What the cleanup costs those who work: to start it from a hook, and to work beside it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchEnv, race, type Row, rowsOf, run } from "./measure.ts";
import { grow, makeRepo, ROOT } from "./place.ts";

const COMMAND = join(ROOT, "dist/signalbox.cjs");

export function benchUpkeep(dir: string, rounds: number, events: number): Row[] {
  return [...starting(join(dir, "starting"), rounds), ...beside(join(dir, "beside"), rounds, events)];
}

/** A session's end looks whether a compaction is due, and may begin one. */
function starting(dir: string, rounds: number): Row[] {
  const repo = makeRepo(dir, true);
  const hook = join(repo, ".git/signalbox/bin/hook");
  const mark = join(repo, ".git/signalbox/cache/compaction-started");
  const input = JSON.stringify({
    session_id: "a",
    cwd: repo,
    hook_event_name: "SessionEnd",
    reason: "other",
  });
  const end = (auto: boolean) => () =>
    run(hook, ["claude", "session-end"], {
      env: benchEnv({ CLAUDE_CODE_SESSION_ID: "a", SIGNALBOX_COMPACT_AUTO: String(auto) }),
      input,
    });
  run(process.execPath, [COMMAND, "compact"], { cwd: repo, env: benchEnv() });
  // What was begun is done before the next one is measured.
  const settle = () => void spawnSync("sleep", ["0.7"]);
  return rowsOf(
    "a session's end",
    race(rounds, [
      { name: "compact.auto off", before: settle, run: end(false) },
      { name: "nothing due", before: settle, run: end(true) },
      {
        name: "a compaction begun",
        before: () => {
          settle();
          rmSync(mark, { force: true });
          writeFileSync(mark, "");
          spawnSync("touch", ["-d", "3 days ago", mark]);
        },
        run: end(true),
      },
    ]),
  );
}

/** The gate while nothing else goes on, and while a long compaction does; each beside a bare runtime. */
function beside(dir: string, rounds: number, events: number): Row[] {
  const repo = makeRepo(dir, true);
  grow(repo, events);
  const empty = join(dir, ".git/empty.cjs");
  writeFileSync(empty, "");
  const hook = join(repo, ".git/signalbox/bin/hook");
  const env = benchEnv({ CLAUDE_CODE_SESSION_ID: "a", CLAUDE_PID: String(process.pid) });
  let n = 0;
  const edit = () =>
    JSON.stringify({
      session_id: "a",
      cwd: repo,
      hook_event_name: "PreToolUse",
      tool_name: "Edit",
      tool_input: { file_path: join(repo, `n${(n += 1)}.txt`), old_string: "a", new_string: "b" },
      tool_use_id: "t",
    });
  run(hook, ["claude", "session-start"], {
    env,
    input: JSON.stringify({ session_id: "a", cwd: repo, hook_event_name: "SessionStart", source: "startup" }),
  });
  run(hook, ["claude", "session-start"], {
    env: { ...env, CLAUDE_CODE_SESSION_ID: "b", CLAUDE_PID: "1" },
    input: JSON.stringify({ session_id: "b", cwd: repo, hook_event_name: "SessionStart", source: "startup" }),
  });
  let compaction: ChildProcess | undefined;
  const compacts = () => {
    if (compaction !== undefined && compaction.exitCode === null) return;
    // As a hook starts it, at low priority; the whole proof each time, so that it lasts.
    compaction = spawn("nice", ["-n", "10", process.execPath, COMMAND, "compact", "--full"], {
      cwd: repo,
      env: benchEnv(),
      stdio: "ignore",
    });
    spawnSync("sleep", ["0.3"]);
  };
  const gate = () => run(hook, ["claude", "pre-edit"], { env, input: edit() });
  const bare = () => run(process.execPath, [empty]);
  const quiet = race(rounds, [
    { name: "bare runtime", run: bare },
    { name: "gate", run: gate },
  ]);
  const busy = race(rounds, [
    { name: "bare runtime", before: compacts, run: bare },
    { name: "gate", before: compacts, run: gate },
  ]);
  compaction?.kill("SIGKILL");
  return [...rowsOf("nothing beside", quiet), ...rowsOf(`a compaction of ${events} events beside`, busy)];
}
