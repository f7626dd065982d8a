import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { type Actor, plainActor, sessionActor } from "./actor.ts";
import { type Done, type FakeSession, makeScratch, type ScratchRepo } from "./imports.ts";

/** Who is there, by the letter that a script calls them: A, B, C share the main tree, L is in a linked one, H is a person. */
const SESSIONS: Readonly<Record<string, string>> = { A: "ada", B: "bob", C: "cyd", D: "dee", L: "lin" };

export interface WorldOptions {
  /** False: the same people, and git alone. */
  readonly guarded: boolean;
  /** Letters of the sessions, such as "AB". */
  readonly sessions?: string;
  /** Runs as a person, before anybody is there. */
  readonly setup?: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

interface Cleaner {
  readonly after: (fn: () => Promise<void> | void) => void;
}

/** What of somebody's work must stay as it is. */
interface Kept {
  readonly paths: readonly string[];
  readonly bytes: ReadonlyMap<string, string | undefined>;
  readonly staged: string;
}

/** `SIGNALBOX_TEST_GIT`: path of the git to play with; by default the first on PATH. */
export function testGitEnv(): Record<string, string> {
  const git = process.env["SIGNALBOX_TEST_GIT"];
  return git === undefined ? {} : { PATH: `${dirname(git)}${delimiter}${process.env["PATH"] ?? ""}` };
}

/** One repository, the people in it, and what they did. */
export class World {
  readonly repo: ScratchRepo;
  readonly guarded: boolean;
  readonly actors = new Map<string, Actor>();
  readonly sessions = new Map<string, FakeSession>();
  /** What was done, and how it ended; the latest last. */
  readonly steps: { readonly line: string; readonly done: Done }[] = [];
  readonly #kept = new Map<string, Kept>();
  /** Paths that somebody has edited, by letter. */
  readonly #touched = new Map<string, Set<string>>();
  #base = "";

  private constructor(repo: ScratchRepo, guarded: boolean) {
    this.repo = repo;
    this.guarded = guarded;
  }

  static async make(cleaner: Cleaner, options: WorldOptions): Promise<World> {
    const { guarded, sessions = "AB", setup, files } = options;
    const env = { ...testGitEnv(), ...options.env };
    const repo = await makeScratch(cleaner, { env, install: guarded, ...(files ? { files } : {}) });
    const world = new World(repo, guarded);
    if (guarded)
      assert.ok(
        existsSync(join(repo.boxDir, "shim/git")),
        "signalbox init has installed no shim: sessions share git",
      );
    world.actors.set("H", plainActor("H", repo.top, repo.env));
    if (setup !== undefined) assertFine(setup, await world.who("H").sh(setup));
    if (sessions.includes("L")) await repo.worktree("W");
    for (const letter of sessions) await world.arrive(letter);
    world.#base = await repo.head();
    return world;
  }

  /** A session comes in. */
  async arrive(letter: string): Promise<void> {
    const id = SESSIONS[letter];
    if (id === undefined) throw new Error(`nobody is called ${letter}`);
    const cwd = letter === "L" ? join(this.repo.dir, "W") : this.repo.top;
    if (!this.guarded) {
      this.actors.set(letter, plainActor(letter, cwd, this.repo.env));
      return;
    }
    const session = this.repo.session(id).at({ cwd });
    await session.start();
    this.sessions.set(letter, session);
    this.actors.set(letter, sessionActor(letter, cwd, session));
  }

  who(letter: string): Actor {
    const actor = this.actors.get(letter);
    if (actor === undefined) throw new Error(`${letter} is not there`);
    return actor;
  }

  /** How the last thing ended. */
  get last(): Done {
    const step = this.steps.at(-1);
    if (step === undefined) throw new Error("nothing was done");
    return step.done;
  }

  /** All that was said on the way, for a message. */
  get transcript(): string {
    const text = ({ line, done }: { line: string; done: Done }) =>
      `${line}\n${done.stdout}${done.stderr}${done.code === 0 ? "" : `(exit ${done.code ?? done.signal})\n`}`;
    return this.steps.map(text).join("");
  }

  /**
   * Plays a script, a line each:
   *
   *     A edits a.txt                  A's editor adds a line at its end
   *     A edits a.txt: text            that line
   *     A edits a.txt with 1=one       the line "1" becomes "one"
   *     A$ git add a.txt               a command in A's shell
   *     A comes                        a session starts
   *     & B$ git commit                at the same time as the line before
   *
   * @param fine every step has to succeed
   */
  async play(script: string, fine = false): Promise<void> {
    const groups: string[][] = [];
    for (const line of script.split("\n").map((each) => each.trim())) {
      if (line === "" || line.startsWith("#")) continue;
      if (line.startsWith("& ")) groups.at(-1)?.push(line.slice(2));
      else groups.push([line]);
    }
    for (const lines of groups) {
      const done = await Promise.all(lines.map((line) => this.#step(line)));
      for (const [i, line] of lines.entries()) this.steps.push({ line, done: done[i]! });
      if (fine) done.forEach((each) => assertFine(this.transcript, each));
    }
  }

  async #step(line: string): Promise<Done> {
    const letter = line.slice(0, 1);
    if (line === `${letter} comes`) {
      await this.arrive(letter);
      return { code: 0, signal: null, stdout: "", stderr: "" };
    }
    const command = /^\w\$ (.*)$/.exec(line)?.[1];
    if (command !== undefined) return this.who(letter).sh(command);
    const [, file, text, from, to] = /^\w edits (\S+)(?:: (.*)| with (.*)=(.*))?$/.exec(line) ?? [];
    if (file === undefined) throw new Error(`not a step: ${line}`);
    const touched = this.#touched.get(letter) ?? new Set();
    this.#touched.set(letter, touched.add(file));
    if (from !== undefined)
      return this.who(letter).edit(file, (old) => old.replace(new RegExp(`^${from}$`, "m"), to ?? ""));
    return this.who(letter).edit(file, (old) => `${old}${text ?? `${letter} was here`}\n`);
  }

  /** Notes the work of somebody as it is now: the paths that they edited, or those named. */
  async keep(
    letter: string,
    paths: readonly string[] = [...(this.#touched.get(letter) ?? [])],
  ): Promise<void> {
    this.#kept.set(letter, await this.#work(letter, paths));
  }

  async #work(letter: string, paths: readonly string[]): Promise<Kept> {
    const { cwd } = this.who(letter);
    const read = (file: string) =>
      existsSync(join(cwd, file)) ? readFileSync(join(cwd, file), "latin1") : undefined;
    const staged =
      paths.length === 0
        ? ""
        : await this.git(letter, "diff", "--cached", "--raw", "--no-renames", "--", ...paths);
    return { paths, bytes: new Map(paths.map((file) => [file, read(file)])), staged };
  }

  /** What has changed, of what was noted of somebody's work: "a.txt on disk", "what was staged". */
  async harm(letter: string): Promise<string[]> {
    const before = this.#kept.get(letter);
    if (before === undefined) throw new Error(`nothing of ${letter}'s was noted`);
    const now = await this.#work(letter, before.paths);
    const onDisk = before.paths.filter((file) => before.bytes.get(file) !== now.bytes.get(file));
    const staged = now.staged === before.staged ? [] : [`what was staged: ${before.staged} is ${now.staged}`];
    return [...onDisk.map((file) => `${file} on disk`), ...staged];
  }

  /** Every byte of it is there, on disk and staged. */
  async unharmed(letter = "A"): Promise<void> {
    assert.deepEqual(await this.harm(letter), [], `${letter}'s work is as it was\n${this.transcript}`);
  }

  /** Their own git, which has to succeed. Nobody is told that it ran. */
  async git(letter: string, ...args: string[]): Promise<string> {
    const session = this.sessions.get(letter);
    const { cwd } = this.who(letter);
    if (session !== undefined) return session.mustGit(...args);
    return this.repo.mustGit("-C", cwd, ...args);
  }

  /** Commits since the beginning, oldest first: "message: path path". */
  async log(range = `${this.#base}..HEAD`): Promise<string[]> {
    const out = await this.repo.mustGit(
      "log",
      "--reverse",
      "--first-parent",
      "-m",
      "--no-renames",
      "--name-only",
      "--format=%x01%s",
      range,
    );
    const [, ...commits] = out.split("\u0001");
    return commits.map((text) => {
      const [subject = "", ...paths] = text.split("\n").filter((line) => line !== "");
      return `${subject}: ${paths.join(" ")}`.trim();
    });
  }

  /** What somebody has staged: "M a.txt", "D c.txt". */
  async staged(letter: string): Promise<string[]> {
    const out = await this.git(letter, "diff", "--cached", "--name-status", "--no-renames");
    return out
      .split("\n")
      .filter(Boolean)
      .map((line) => line.replace("\t", " "));
  }

  read(file: string): string {
    return this.repo.read(file);
  }

  exists(file: string): boolean {
    return existsSync(this.repo.path(file));
  }

  get base(): string {
    return this.#base;
  }

  /** It went through, and said nothing of an error. */
  fine(done: Done = this.last): void {
    assertFine(this.transcript, done);
  }

  /**
   * It was refused in the words that all refusals have: who, since when and a command that goes on.
   *
   * @param by whose work it was refused for; "" if nobody's in particular
   */
  refused(by = "A", done: Done = this.last): void {
    const said = done.stderr + done.stdout;
    const about = `${this.transcript}\nlast: ${said}`;
    assert.notEqual(done.code, 0, `refused\n${about}`);
    const id = SESSIONS[by];
    if (id !== undefined) {
      assert.match(said, new RegExp(String.raw`\b${id}\b`), `says who\n${about}`);
      assert.match(said, /since \d\d:\d\d/, `says since when\n${about}`);
    }
    assert.match(said, /\b(git|signalbox) [a-z]+/, `says how to go on\n${about}`);
  }
}

function assertFine(about: string, done: Done): void {
  assert.equal(done.code, 0, `${about}${done.stdout}${done.stderr}`);
  assert.doesNotMatch(done.stderr, /\bfatal\b|cannot lock ref|index\.lock|was not guarded/, about);
}
