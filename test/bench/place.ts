import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchEnv, run } from "./measure.ts";

export const ROOT = join(import.meta.dirname, "../..");

/** A repository with signalbox, and sessions in it that live until `end`. */
export class Place {
  readonly #alive: ChildProcess[] = [];
  readonly dir: string;

  constructor(dir: string, files: number, install = true) {
    this.dir = dir;
    mkdirSync(dir, { recursive: true });
    run("git", ["init", "-q", "-b", "main", dir]);
    for (const [key, value] of [
      ["user.name", "bench"],
      ["user.email", "bench@example.com"],
      ["gc.auto", "0"],
    ])
      run("git", ["-C", dir, "config", key!, value!]);
    for (let i = 0; i < files; i += 1) {
      const folder = join(dir, `d${Math.trunc(i / 1000)}`);
      if (i % 1000 === 0) mkdirSync(folder);
      writeFileSync(join(folder, `f${i}.txt`), `${i}\n`);
    }
    run("git", ["-C", dir, "add", "."]);
    run("git", ["-C", dir, "commit", "-qm", "base"]);
    if (install) run(process.execPath, [join(ROOT, "dist/signalbox.cjs"), "init"], { cwd: dir });
  }

  get hook(): string {
    return join(this.dir, ".git/signalbox/bin/hook");
  }

  /** Environment of a command of the session. */
  session(id: string): NodeJS.ProcessEnv {
    const process_ = spawn("sleep", ["3600"], { stdio: "ignore" });
    this.#alive.push(process_);
    const env = benchEnv({ CLAUDE_CODE_SESSION_ID: id, CLAUDE_PID: String(process_.pid) });
    this.tell(env, id, "SessionStart", "session-start");
    return { ...env, PATH: `${join(this.dir, ".git/signalbox/shim")}:${env["PATH"]}` };
  }

  tell(env: NodeJS.ProcessEnv, id: string, name: string, hook: string, more: object = {}): void {
    const input = JSON.stringify({
      session_id: id,
      cwd: this.dir,
      hook_event_name: name,
      source: "startup",
      reason: "exit",
      ...more,
    });
    run(this.hook, ["claude", hook], { cwd: this.dir, env, input });
  }

  git(env: NodeJS.ProcessEnv, ...args: string[]): void {
    run("git", args, { cwd: this.dir, env });
  }

  end(): void {
    for (const process_ of this.#alive) process_.kill("SIGKILL");
  }
}
