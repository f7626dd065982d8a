/** What hooks add to a tool call and to git, as ratios to the bare runtime and to bare git. */
import { spawn } from "node:child_process";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchEnv, race, type Row, rowsOf, run } from "./measure.ts";
import { grow, makeRepo, ROOT } from "./place.ts";

const HISTORY = [0, 1000, 100_000, 1_000_000];

export function benchHooks(dir: string, rounds: number, histories: readonly number[] = HISTORY): Row[] {
  const rows: Row[] = [];
  for (const events of histories) rows.push(...benchGate(join(dir, `gate-${events}`), events, rounds));
  rows.push(...benchCheapHook(join(dir, "cheap"), rounds), ...benchGit(join(dir, "git"), rounds));
  const bundle = statSync(join(ROOT, "dist/hook.cjs")).size;
  return [...rows, { what: "hook bundle", value: `${(bundle / 1024).toFixed(1)} KB` }];
}

function payload(session: string, file: string, name = "PreToolUse"): string {
  return JSON.stringify({
    session_id: session,
    transcript_path: "",
    cwd: "",
    hook_event_name: name,
    tool_name: "Edit",
    tool_input: { file_path: file, old_string: "a", new_string: "b" },
    tool_use_id: "t",
  });
}

function benchGate(dir: string, events: number, rounds: number): Row[] {
  const repo = makeRepo(dir, true);
  grow(repo, events);
  const empty = join(dir, "empty.cjs");
  writeFileSync(empty, "");
  const hook = join(repo, ".git/signalbox/bin/hook");
  const env = benchEnv({ CLAUDE_CODE_SESSION_ID: "bench", CLAUDE_PID: String(process.pid) });
  const held = payload("bench", join(repo, "held.txt"));
  run(hook, ["claude", "pre-edit"], { env, input: held });
  let n = 0;
  const medians = race(rounds, [
    { name: "bare runtime", run: () => run(process.execPath, [empty]) },
    {
      name: "gate, new file (append + fdatasync)",
      run: () =>
        run(hook, ["claude", "pre-edit"], { env, input: payload("bench", join(repo, `new${(n += 1)}.txt`)) }),
    },
    {
      name: "gate, own file (no append)",
      run: () => run(hook, ["claude", "pre-edit"], { env, input: held }),
    },
  ]);
  return rowsOf(`edit gate at ${events} events`, medians);
}

function benchCheapHook(dir: string, rounds: number): Row[] {
  const repo = makeRepo(dir, true);
  const hook = join(repo, ".git/signalbox/bin/hook");
  const env = benchEnv({ CLAUDE_CODE_SESSION_ID: "bench" });
  const written = payload("bench", join(repo, "a.txt"), "PostToolUse");
  const asked = payload("bench", join(repo, "a.txt"), "PreToolUse");
  const start = { session_id: "bench", cwd: repo, hook_event_name: "SessionStart", source: "startup" };
  run(hook, ["claude", "session-start"], { env, input: JSON.stringify(start) });
  const medians = race(rounds * 3, [
    { name: "sh -c :", run: () => run("sh", ["-c", ":"]) },
    { name: "pre-bash (activity)", run: () => run(hook, ["claude", "pre-bash"], { env, input: "{}" }) },
    {
      name: "pre-edit, alone (noted)",
      run: () => run(hook, ["claude", "pre-edit"], { env, input: asked }),
    },
    { name: "post-edit (spools)", run: () => run(hook, ["claude", "post-edit"], { env, input: written }) },
    { name: "pre-commit, alone", run: () => run(hook, ["git", "pre-commit"], { env }) },
  ]);
  return rowsOf("hook without a decision", medians);
}

function benchGit(dir: string, rounds: number): Row[] {
  const bare = makeRepo(join(dir, "bare"), false);
  const hooked = makeRepo(join(dir, "hooked"), true);
  const watched = makeRepo(join(dir, "watched"), true);
  const other = spawn("sleep", ["3600"], { stdio: "ignore" });
  const start = JSON.stringify({
    session_id: "other",
    cwd: watched,
    hook_event_name: "SessionStart",
    source: "startup",
  });
  run(join(watched, ".git/signalbox/bin/hook"), ["claude", "session-start"], {
    input: start,
    env: benchEnv({ CLAUDE_CODE_SESSION_ID: "other", CLAUDE_PID: String(other.pid) }),
  });
  try {
    let n = 0;
    const commit = (repo: string) => ({
      before: () => {
        writeFileSync(join(repo, "f1.txt"), `change ${(n += 1)}\n`);
        run("git", ["-C", repo, "add", "f1.txt"]);
      },
      run: () => void run("git", ["-C", repo, "commit", "-qm", "x"]),
    });
    const commits = race(rounds, [
      { name: "bare", ...commit(bare) },
      { name: "nobody live", ...commit(hooked) },
      { name: "another session live", ...commit(watched) },
    ]);
    for (const repo of [bare, hooked, watched]) prepareRebase(repo);
    const rebase = (repo: string) => ({
      before: () => void run("git", ["-C", repo, "checkout", "-q", "-B", "topic", "topic-base"]),
      run: () => void run("git", ["-C", repo, "rebase", "-q", "upstream"]),
    });
    const rebases = race(Math.max(3, rounds >> 1), [
      { name: "bare", ...rebase(bare) },
      { name: "nobody live", ...rebase(hooked) },
      { name: "another session live", ...rebase(watched) },
    ]);
    return [...rowsOf("git commit", commits), ...rowsOf("git rebase, 5 commits", rebases)];
  } finally {
    other.kill("SIGKILL");
  }
}

/** `topic-base`: five commits; `upstream`: one that they do not have. */
function prepareRebase(repo: string): void {
  const git = (...args: string[]) => run("git", ["-C", repo, ...args]);
  git("checkout", "-q", "-b", "topic-base");
  for (let i = 0; i < 5; i += 1) {
    writeFileSync(join(repo, `topic${i}.txt`), "t\n");
    git("add", ".");
    git("commit", "-qm", `topic ${i}`);
  }
  git("checkout", "-q", "-b", "upstream", "main");
  writeFileSync(join(repo, "upstream.txt"), "u\n");
  git("add", ".");
  git("commit", "-qm", "upstream");
}
