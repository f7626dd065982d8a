import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { event } from "../../events/mod.ts";
import { ALL_PROJECTIONS } from "../../src/app/box.ts";
import { type Json, openLog } from "../../src/log/mod.ts";
import { benchEnv, run } from "./measure.ts";

export const ROOT = join(import.meta.dirname, "../..");

/** A repository with signalbox, and sessions in it that live until `end`. */
export class Place {
  readonly #alive: ChildProcess[] = [];
  readonly dir: string;

  /** @param files made and committed in a new one; without, it is there already */
  constructor(dir: string, files?: number, install = true) {
    this.dir = dir;
    if (files === undefined) return;
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

/** A small repository. */
export function makeRepo(dir: string, install: boolean): string {
  mkdirSync(dir, { recursive: true });
  run("git", ["init", "-q", "-b", "main", dir]);
  for (const [key, value] of [
    ["user.name", "bench"],
    ["user.email", "bench@example.com"],
    ["gc.auto", "0"],
  ])
    run("git", ["-C", dir, "config", key!, value!]);
  for (let i = 0; i < 50; i += 1) writeFileSync(join(dir, `f${i}.txt`), `${i}\n`);
  run("git", ["-C", dir, "add", "."]);
  run("git", ["-C", dir, "commit", "-qm", "base"]);
  if (install) run(process.execPath, [join(ROOT, "dist/signalbox.cjs"), "init"], { cwd: dir });
  return dir;
}

/** A history as sessions make it: starts, edits, commits, ends. */
export function grow(repo: string, events: number): void {
  const log = openLog({
    dir: join(repo, ".git/signalbox/log"),
    projections: ALL_PROJECTIONS,
    sync: "never",
    snapshotEvery: 10_000,
  });
  const t = Date.now();
  for (let i = 0; i < events; i += 1) {
    const session = `s${Math.trunc(i / 200)}`;
    const target = { kind: "path" as const, path: `src/dir${i % 40}/file${i % 997}.ts` };
    const step = i % 200;
    const e =
      step === 0
        ? event("session.started", { session, kind: "bench", tree: "", cwd: repo })
        : step === 199
          ? event("session.ended", { session, reason: "exit" })
          : step % 2 === 1
            ? event("reservation.granted", {
                session,
                tree: "",
                targets: [target],
                mode: "exclusive",
                via: "edit",
                until: t + 900_000,
              })
            : event("file.written", { session, tree: "", path: target.path, tool: "Edit", at: t });
    log.append(() => ({ result: undefined, draft: { events: [e as unknown as Json], sync: false } }));
  }
  log.snapshot();
  log.close();
}
