import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { Event, EventNamed, EventType } from "../../../events/mod.ts";
import { builtCommand } from "./build.ts";
import { cleanEnv } from "./environment.ts";
import { type Done, must, run } from "./exec.ts";
import { ofType, readEvents } from "./log.ts";
import { FakeSession } from "./session.ts";

/** Whoever cleans up after a test: node:test's context, or a suite's. */
export interface Cleaner {
  readonly after: (fn: () => Promise<void> | void) => void;
}

export interface ScratchOptions {
  readonly files?: Readonly<Record<string, string>>;
  /** False: a plain git repository, to show what git does by itself. */
  readonly install?: boolean;
  /** False: an unborn branch. */
  readonly commit?: boolean;
  /** Name of the repository's folder. */
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const NINE = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";

/** Makes a scratch repository with signalbox installed in it by the built command, and removes it afterwards. */
export async function makeScratch(cleaner: Cleaner, options: ScratchOptions = {}): Promise<ScratchRepo> {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-test-")));
  const top = join(dir, options.name ?? "repo");
  const scratch = new ScratchRepo(dir, top, { ...cleanEnv(dir), ...options.env });
  cleaner.after(() => scratch.remove());
  for (const folder of [top, join(dir, "home"), join(dir, "tmp")]) mkdirSync(folder, { recursive: true });
  await scratch.mustGit("init", "-q", "-b", "main");
  const { files = { "a.txt": NINE, "b.txt": NINE, "c.txt": NINE }, commit = true, install = true } = options;
  for (const [name, text] of Object.entries(files)) scratch.write(name, text);
  if (commit) {
    await scratch.mustGit("add", ".");
    await scratch.mustGit("commit", "-qm", "base", "--allow-empty");
  }
  if (install) await scratch.mustSignalbox("init");
  return scratch;
}

/** One repository, the people and sessions in it. Without a session's own methods, a person acts. */
export class ScratchRepo {
  /** Removed afterwards, with everything in it. */
  readonly dir: string;
  /** Top of the main working tree. */
  readonly top: string;
  readonly env: Readonly<Record<string, string>>;
  readonly #sessions: FakeSession[] = [];

  constructor(dir: string, top: string, env: Readonly<Record<string, string>>) {
    this.dir = dir;
    this.top = top;
    this.env = env;
  }

  get boxDir(): string {
    return join(this.top, ".git", "signalbox");
  }

  get entry(): string {
    return join(this.boxDir, "bin", "hook");
  }

  /** A session whose process runs; its hooks have not been called yet. */
  session(id: string, env: Readonly<Record<string, string>> = {}): FakeSession {
    const session = new FakeSession(id, { entry: this.entry, cwd: this.top, env: { ...this.env, ...env } });
    this.#sessions.push(session);
    return session;
  }

  /** A session that has announced itself. */
  startSession(id: string, env: Readonly<Record<string, string>> = {}): Promise<FakeSession> {
    return this.session(id, env).start();
  }

  git(...args: string[]): Promise<Done> {
    return run("git", args, { cwd: this.top, env: this.env });
  }

  mustGit(...args: string[]): Promise<string> {
    return must("git", args, { cwd: this.top, env: this.env });
  }

  /** The `signalbox` command as a person runs it. */
  signalbox(...args: string[]): Promise<Done> {
    return this.signalboxAs({}, ...args);
  }

  /** The same with another environment or directory. */
  signalboxAs(
    { env = this.env, cwd = this.top }: { env?: Readonly<Record<string, string>>; cwd?: string },
    ...args: string[]
  ): Promise<Done> {
    return run(process.execPath, [builtCommand(), ...args], { cwd, env });
  }

  mustSignalbox(...args: string[]): Promise<string> {
    return must(process.execPath, [builtCommand(), ...args], { cwd: this.top, env: this.env });
  }

  path(name: string): string {
    return join(this.top, name);
  }

  write(name: string, text: string): void {
    mkdirSync(dirname(this.path(name)), { recursive: true });
    writeFileSync(this.path(name), text);
  }

  read(name: string): string {
    return readFileSync(this.path(name), "utf8");
  }

  /** A linked working tree beside the repository; answers with its top. */
  async worktree(name: string): Promise<string> {
    const top = join(this.dir, name);
    await this.mustGit("worktree", "add", "-q", "-b", name, top);
    return top;
  }

  /** Paths that a commit changed against its first parent. */
  async pathsOf(commit = "HEAD"): Promise<string[]> {
    const args = ["show", "-z", "--format=", "--name-only", "--no-renames", "--first-parent", commit];
    return (await this.mustGit(...args)).split("\0").filter((path) => path !== "");
  }

  head(cwd = this.top): Promise<string> {
    return must("git", ["rev-parse", "HEAD"], { cwd, env: this.env }).then((out) => out.trim());
  }

  events(): Event[] {
    return readEvents(this.boxDir);
  }

  eventsOf<T extends EventType>(type: T): EventNamed<T>[] {
    return ofType(this.events(), type);
  }

  /** Lines of errors.log: failures that could not go into the log itself. */
  errors(): string[] {
    const file = join(this.boxDir, "errors.log");
    return existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : [];
  }

  /**
   * From now on counts how often hooks start the runtime: the one that the entry names gives way to a script that
   * notes its arguments and goes on as it.
   */
  countStarts(): { readonly starts: () => string[]; readonly reset: () => void } {
    const file = join(this.dir, "starts");
    const wrapper = join(this.dir, "runtime");
    const text = readFileSync(this.entry, "utf8");
    const runtime = /^runtime=(.*)$/m.exec(text)?.[1];
    if (runtime === undefined) throw new Error(`${this.entry} names no runtime`);
    const note = `for a; do case $p in claude | git) printf '%s\\n' "$p $a" >>'${file}'; break ;; esac; p=$a; done`;
    writeFileSync(wrapper, `#!/bin/sh\np=\n${note}\nexec ${runtime} "$@"\n`);
    chmodSync(wrapper, 0o755);
    writeFileSync(
      this.entry,
      text.replace(/^runtime=.*$/m, () => `runtime='${wrapper}'`),
    );
    return {
      starts: () => (existsSync(file) ? readFileSync(file, "utf8").split("\n").filter(Boolean) : []),
      reset: () => rmSync(file, { force: true }),
    };
  }

  async remove(): Promise<void> {
    await Promise.all(this.#sessions.map((session) => session.kill()));
    rmSync(this.dir, { recursive: true, force: true, maxRetries: 5 });
  }
}
