import { execa } from "execa";
import { spawn, type ChildProcess } from "node:child_process";
import { appendFileSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EXIT, type ExitCode } from "./exit.ts";
import { out, say, styled } from "./output.ts";

/** Ada and Bob are two sessions: real processes, whose edits go through the installed hooks. */
interface Actor {
  readonly name: string;
  readonly id: string;
  readonly process: ChildProcess;
}

/** Plays the main job on a scratch repository, tells what happens, and leaves nothing behind. */
export async function runDemo(): Promise<ExitCode> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-demo-")));
  const actors: Actor[] = [];
  try {
    return await play(dir, actors);
  } finally {
    for (const { process } of actors) process.kill("SIGKILL");
    rmSync(dir, { recursive: true, force: true });
  }
}

async function play(dir: string, actors: Actor[]): Promise<ExitCode> {
  const repo = join(dir, "repo");
  const personEnv = cleanEnv(dir);
  const signalbox = (...args: string[]) =>
    execa(process.execPath, [process.argv[1]!, ...args], { cwd: repo, env: personEnv, extendEnv: false });
  const git = (args: readonly string[], env = personEnv) =>
    execa("git", args, { cwd: repo, env, extendEnv: false, reject: false, all: true });

  step("A scratch repository with signalbox installed");
  await execa("git", ["init", "-q", "-b", "main", repo], { env: personEnv, extendEnv: false });
  for (const file of ["api.ts", "ui.ts"]) writeFileSync(join(repo, file), `export const name = "${file}";\n`);
  await git(["add", "."]);
  await git(["commit", "-qm", "base"]);
  await signalbox("init");

  const call = async (actor: Actor, name: string, event: string, more: object = {}) => {
    const input = JSON.stringify({ session_id: actor.id, hook_event_name: event, cwd: repo, ...more });
    const { stdout } = await execa(join(repo, ".git", "signalbox", "bin", "hook"), ["claude", name], {
      cwd: repo,
      input,
      env: sessionEnv(personEnv, actor),
      extendEnv: false,
    });
    return stdout === ""
      ? {}
      : ((JSON.parse(stdout) as { hookSpecificOutput?: Record<string, string> }).hookSpecificOutput ?? {});
  };
  /** What an edit tool does: ask the gate, write, report. */
  const edit = async (actor: Actor, file: string): Promise<boolean> => {
    const tool = { tool_name: "Edit", tool_input: { file_path: join(repo, file) } };
    const answer = await call(actor, "pre-edit", "PreToolUse", tool);
    if (answer["permissionDecision"] === "deny") {
      out(indented(styled("yellow", answer["permissionDecisionReason"] ?? "")));
      return false;
    }
    appendFileSync(join(repo, file), `// by ${actor.name}\n`);
    await call(actor, "post-edit", "PostToolUse", tool);
    out(indented(`${actor.name} edited ${file}`));
    return true;
  };
  const begin = async (name: string) => {
    const actor: Actor = {
      name,
      id: `demo-${name.toLowerCase()}`,
      process: spawn("sleep", ["60"], { stdio: "ignore" }),
    };
    actors.push(actor);
    const { additionalContext = "(silent: nobody else is here)" } = await call(
      actor,
      "session-start",
      "SessionStart",
      { source: "startup" },
    );
    out(indented(`${name} is told: ${additionalContext}`));
    return actor;
  };
  /** What a session's shell does; the client has put the session's own git first on its PATH. */
  const shell = async (actor: Actor, ...lines: string[]): Promise<boolean> => {
    let fine = true;
    for (const line of lines) {
      out(indented(`${actor.name}$ ${line}`));
      const env = sessionEnv(personEnv, actor);
      const PATH = `${join(repo, ".git", "signalbox", "shim")}:${env["PATH"]}`;
      const done = await execa("sh", ["-c", line], {
        cwd: repo,
        env: { ...env, PATH },
        extendEnv: false,
        reject: false,
        all: true,
      });
      fine = done.exitCode === 0;
      if (done.all) out(indented(fine ? done.all : styled("yellow", done.all)));
    }
    return fine;
  };
  const filesOf = async (commit: string) =>
    (await git(["show", "--format=", "--name-only", commit])).stdout.trim();

  step("Two sessions begin, in one working tree");
  const ada = await begin("Ada");
  const bob = await begin("Bob");
  step("Ada edits api.ts; Bob wants it too and is told before he writes");
  const adaEdited = await edit(ada, "api.ts");
  const bobEdited = await edit(bob, "api.ts");
  await shell(ada, "git add api.ts");
  step("Bob takes another file, and commits all there is: it is his own that he commits");
  await edit(bob, "ui.ts");
  const swept = await shell(bob, "git add -A", "git commit -qm 'Bob: ui'");
  const bobs = await filesOf("HEAD");
  step("Bob would throw everything away, and cannot: Ada's work is in it");
  const thrownAway = await shell(bob, "git reset --hard");
  step("Ada commits what she had staged; it was carried forward over Bob's commit");
  const both = (await shell(ada, "git commit -qm 'Ada: api'")) && swept;
  const adas = await filesOf("HEAD");
  step("signalbox status");
  out((await signalbox("status")).stdout);
  step("signalbox replay");
  out((await signalbox("replay")).stdout);
  const verified = await signalbox("replay", "--verify");
  out(verified.stdout);

  const right = adaEdited && !bobEdited && !thrownAway && both && bobs === "ui.ts" && adas === "api.ts";
  if (!right) say("signalbox: the demo did not go as it should; please report what stands above");
  return right ? EXIT.ok : EXIT.failed;
}

function cleanEnv(dir: string): Record<string, string> {
  const { PATH = "/usr/local/bin:/usr/bin:/bin", LANG, TERM, NO_COLOR, TZ } = process.env;
  const kept = Object.fromEntries(
    Object.entries({ LANG, TERM, NO_COLOR, TZ }).filter(([, value]) => value !== undefined),
  ) as Record<string, string>;
  const who = {
    GIT_AUTHOR_NAME: "Demo",
    GIT_AUTHOR_EMAIL: "demo@example.com",
    GIT_COMMITTER_NAME: "Demo",
    GIT_COMMITTER_EMAIL: "demo@example.com",
  };
  return { ...kept, ...who, PATH, HOME: dir, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
}

function sessionEnv(base: Record<string, string>, { id, process }: Actor): Record<string, string> {
  return { ...base, CLAUDE_CODE_SESSION_ID: id, CLAUDE_PID: String(process.pid) };
}

function step(text: string): void {
  out(`\n${styled("bold", `* ${text}`)}`);
}

function indented(text: string): string {
  return text.replaceAll(/^/gm, "    ");
}
