import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { type Done, type FakeSession, makeScratch, type ScratchRepo } from "../support/scenario/imports.ts";
import { judgeHistory, type Ledger, type Violations } from "../support/scenario/oracle.ts";
import { type Random, randomOf } from "../support/scenario/random.ts";
import { testGitEnv } from "../support/scenario/world.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly sessions: number;
  /** How long new commands are begun, milliseconds. */
  readonly forMs: number;
  readonly guarded: boolean;
  /** Share of the commands that are killed outright somewhere on their way, 0 to 1. */
  readonly kills: number;
  /** A person commits from the plain terminal meanwhile. */
  readonly person: boolean;
}

export interface FuzzResult {
  readonly violations: Violations;
  /** By kind: "commit", "commit killed", "amend refused". */
  readonly counts: Readonly<Record<string, number>>;
  /** What a session's command that ended with an error said of locks. A person may lose a race, as ever. */
  readonly lockErrors: readonly string[];
  /** Every command with its end, in the order of its beginning: "s1 refused: git add s1/f0.txt". */
  readonly trace: readonly string[];
}

interface Cleaner {
  readonly after: (fn: () => Promise<void> | void) => void;
}

const SIDES = 12;

/** Everybody at once, at random, each with paths of their own: a folder by their name. */
export async function fuzz(cleaner: Cleaner, options: FuzzOptions): Promise<FuzzResult> {
  const names = Array.from({ length: options.sessions }, (_, i) => `s${i}`);
  const everybody = [...names, "h"];
  const files = Object.fromEntries(
    everybody.flatMap((name) => Array.from({ length: 4 }, (_, n) => [`${name}/f${n}.txt`, `${name} ${n}\n`])),
  );
  const repo = await makeScratch(cleaner, { files, install: options.guarded, env: testGitEnv() });
  await makeSides(repo, names);
  const base = await repo.head();
  const until = Date.now() + options.forMs;
  const hands: Hand[] = [];
  for (const [i, name] of names.entries()) {
    const session = repo.session(name, { GIT_AUTHOR_NAME: name });
    if (options.guarded) {
      await session.start();
      await repo.signalboxAs({ env: session.env }, "reserve", `${name}/**`);
    }
    hands.push(new Hand(repo, name, session, randomOf(options.seed + i), options));
  }
  if (options.person) hands.push(new Hand(repo, "h", undefined, randomOf(options.seed - 1), options));
  await Promise.all(hands.map((hand) => hand.work(until)));
  const violations = await judgeHistory(
    repo,
    base,
    hands.map((hand) => hand.ledger),
  );
  const counts: Record<string, number> = {};
  for (const key of hands.flatMap((hand) => hand.done)) counts[key] = (counts[key] ?? 0) + 1;
  const trace = hands
    .flatMap((hand) => hand.trace)
    .sort((a, b) => a.at - b.at)
    .map(({ text }) => text);
  return { violations, counts, lockErrors: hands.flatMap((hand) => hand.lockErrors), trace };
}

/** Branches of one commit each, to be merged or picked, each by its own session. */
async function makeSides(repo: ScratchRepo, names: readonly string[]): Promise<void> {
  const at = await repo.worktree("sides");
  for (const name of names)
    for (let k = 0; k < SIDES; k++) {
      await repo.mustGit("-C", at, "switch", "-q", "-c", `side-${name}-${k}`, "main");
      repo.write(`../sides/${name}/side${k}.txt`, `${name} side ${k}\n`);
      await repo.mustGit("-C", at, "add", ".");
      await repo.mustGit(
        "-C",
        at,
        "commit",
        "-q",
        "--author",
        `${name} <${name}@example.com>`,
        "-m",
        `${name}:side${k}`,
      );
    }
  await repo.mustGit("worktree", "remove", at);
}

type Step = (hand: Hand) => Promise<void>;

/** One of those at work, a command after the other, and what they know of it. */
class Hand {
  readonly ledger: Ledger;
  readonly done: string[] = [];
  readonly lockErrors: string[] = [];
  readonly trace: { readonly at: number; readonly text: string }[] = [];
  readonly #repo: ScratchRepo;
  readonly #name: string;
  readonly #session: FakeSession | undefined;
  readonly #random: Random;
  readonly #kills: number;
  #count = 0;
  #sides = 0;

  constructor(
    repo: ScratchRepo,
    name: string,
    session: FakeSession | undefined,
    random: Random,
    { kills }: FuzzOptions,
  ) {
    this.#repo = repo;
    this.#name = name;
    this.#session = session;
    this.#random = random;
    this.#kills = session === undefined ? 0 : kills;
    const git = async (...args: string[]) =>
      session === undefined ? await repo.mustGit(...args) : await session.mustGit(...args);
    this.ledger = { name, staged: new Map(), landed: new Set(), git };
  }

  async work(until: number): Promise<void> {
    const steps = this.#session === undefined ? PERSON : SESSION;
    while (Date.now() < until) await this.#random.weighted(steps)(this);
  }

  // Steps.

  async write(): Promise<void> {
    const file = this.#random.chance(0.2) ? `${this.#name}/n${this.#count++}.txt` : this.#file();
    const path = this.#repo.path(file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${this.#name} ${this.#count++}\n`);
  }

  async add(): Promise<void> {
    const file = this.#file();
    const blob = this.#blob(file);
    await this.#run("add", `git add ${file}`, {
      fine: () => this.ledger.staged.set(file, new Set([blob])),
      killed: () => this.ledger.staged.get(file)?.add(blob),
    });
  }

  async addAll(): Promise<void> {
    const flag = this.#random.pick(["-A", "-u", ""]);
    await this.#run("add", `git add ${flag} ${this.#name}`, {
      fine: () => this.#files().forEach((file) => this.ledger.staged.has(file) && this.#stagedNow(file)),
      killed: () => this.#files().forEach((file) => this.#perhaps(file)),
    });
  }

  async intend(): Promise<void> {
    const file = `${this.#name}/i${this.#count++}.txt`;
    writeFileSync(this.#repo.path(file), `${this.#name} ${this.#count++}\n`);
    await this.#run("add -N", `git add -N ${file}`, {});
  }

  async remove(): Promise<void> {
    const file = this.#file();
    const forget = () => void this.ledger.staged.delete(file);
    await this.#run("rm", `git rm -q -f ${file}`, { fine: forget, killed: forget });
  }

  async move(): Promise<void> {
    const file = this.#file();
    const to = `${this.#name}/m${this.#count++}.txt`;
    const forget = () => void this.ledger.staged.delete(file);
    await this.#run("mv", `git mv ${file} ${to}`, {
      fine: () => {
        const blobs = this.ledger.staged.get(file);
        forget();
        if (blobs !== undefined) this.ledger.staged.set(to, blobs);
      },
      killed: forget,
    });
  }

  async unstage(): Promise<void> {
    const file = this.#file();
    const forget = () => void this.ledger.staged.delete(file);
    const verb = this.#random.pick(["restore --staged", "reset -q"]);
    await this.#run("unstage", `git ${verb} -- ${file}`, { fine: forget, killed: forget });
  }

  async resetBare(): Promise<void> {
    const forget = () => this.ledger.staged.clear();
    await this.#run("reset", this.#random.pick(["git reset -q", "git reset -q --mixed HEAD"]), {
      fine: forget,
      killed: forget,
    });
  }

  async commit(): Promise<void> {
    if (this.#random.chance(0.6)) {
      await this.write();
      await this.add();
    }
    const message = this.#message();
    const file = this.#file();
    const mode = this.#random.pick(["", "", "-a", `-- ${file}`, `-i ${file}`, "--no-verify", "-F"]);
    const [options, paths] = mode.startsWith("-") && mode.includes(" ") ? ["", mode] : [mode, ""];
    const taken = mode === "-a" ? [...this.ledger.staged.keys()] : paths === "" ? [] : [file];
    const script =
      mode === "-F"
        ? `echo ${message} | git commit -q -F -`
        : `git commit -q ${options} -m ${message} ${paths}`;
    await this.#run("commit", script, {
      fine: () => {
        this.ledger.landed.add(message);
        // With -i git leaves out, without a word, what is not tracked.
        taken
          .filter((each) => !mode.startsWith("-i") || this.ledger.staged.has(each))
          .forEach((each) => this.#stagedNow(each));
      },
      killed: () => taken.forEach((each) => this.#perhaps(each)),
    });
  }

  async amend(): Promise<void> {
    const message = this.#message();
    // Half of them look whose commit it is; what came in between is for the guard to see.
    const look = this.#random.chance(0.5)
      ? `[ "$(git log -1 --format=%an)" = ${this.#name} ] || exit 0;`
      : "";
    const script = `${look} git log -1 --format=%s && git commit -q --amend -m ${message} && echo amended`;
    let before = "";
    await this.#run("amend", script, {
      fine: ({ stdout }) => {
        const [subject = "", amended] = stdout.split("\n");
        before = subject;
        if (amended !== "amended") return;
        this.ledger.landed.delete(before);
        this.ledger.landed.add(message);
      },
      killed: ({ stdout }) => this.ledger.landed.delete(stdout.split("\n")[0] ?? ""),
    });
  }

  async softReset(): Promise<void> {
    const look = `[ "$(git log -1 --format=%an)" = ${this.#name} ] || exit 0;`;
    await this.#run(
      "reset --soft",
      `${look} git log -1 --format=%s; git reset -q --soft HEAD~1 && echo reset`,
      {
        fine: ({ stdout }) => {
          const [subject = "", reset] = stdout.split("\n");
          if (reset === "reset") this.ledger.landed.delete(subject);
        },
        killed: ({ stdout }) => this.ledger.landed.delete(stdout.split("\n")[0] ?? ""),
      },
    );
  }

  async pick(): Promise<void> {
    const k = this.#sides++;
    if (k >= SIDES) return;
    const subject = `${this.#name}:side${k}`;
    await this.#run(
      "cherry-pick",
      `git cherry-pick side-${this.#name}-${k} || { git cherry-pick --abort; exit 1; }`,
      {
        fine: () => this.ledger.landed.add(subject),
      },
    );
  }

  async merge(): Promise<void> {
    const k = this.#sides++;
    if (k >= SIDES) return;
    const message = this.#message();
    await this.#run(
      "merge",
      `git merge -q --no-ff -m ${message} side-${this.#name}-${k} || { git merge --abort; exit 1; }`,
      {
        fine: () => this.ledger.landed.add(message),
      },
    );
  }

  /** From the terminal: what is staged, or one file. Their `-a` would take everybody's, and nobody stops a person. */
  async personCommits(): Promise<void> {
    const message = this.#message();
    const file = this.#file();
    const only = this.#random.chance(0.3);
    await this.#run("person's commit", `git commit -q -m ${message} ${only ? `-- ${file}` : ""}`, {
      fine: () => {
        this.ledger.landed.add(message);
        if (only) this.#stagedNow(file);
      },
    });
  }

  async look(): Promise<void> {
    await this.#run(
      "status",
      this.#random.pick(["git status -s >/dev/null", "git diff --cached --quiet; :"]),
      {},
    );
  }

  // What they know.

  #message(): string {
    return `${this.#name}:${this.#count++}`;
  }

  #files(): string[] {
    const folder = this.#repo.path(this.#name);
    return existsSync(folder)
      ? readdirSync(folder)
          .map((file) => `${this.#name}/${file}`)
          .sort()
      : [];
  }

  #file(): string {
    const files = this.#files();
    return files.length === 0 ? `${this.#name}/f0.txt` : this.#random.pick(files);
  }

  #blob(file: string): string {
    return blobOf(this.#repo.path(file));
  }

  #stagedNow(file: string): void {
    const blob = this.#blob(file);
    if (blob === "") this.ledger.staged.delete(file);
    else this.ledger.staged.set(file, new Set([blob]));
  }

  #perhaps(file: string): void {
    const blob = this.#blob(file);
    if (blob === "") this.ledger.staged.delete(file);
    else this.ledger.staged.get(file)?.add(blob);
  }

  async #run(
    kind: string,
    script: string,
    { fine, killed }: { readonly fine?: (done: Done) => unknown; readonly killed?: (done: Done) => unknown },
  ): Promise<void> {
    const kill = this.#random.chance(this.#kills)
      ? { afterMs: this.#random.below(250), group: this.#random.chance(0.5) }
      : undefined;
    const at = performance.now();
    const done = await shell(this.#repo, this.#session, script, kill);
    const died = done.signal !== null || done.code === 137;
    const how = died ? " killed" : done.code === 0 ? "" : " refused";
    this.done.push(kind + how);
    const told = `${done.stdout}${done.stderr}`.trim().split("\n")[0] ?? "";
    const text = `${Math.round(at)}-${Math.round(performance.now())} ${this.#name}${how}: ${script}${told === "" ? "" : ` | ${told}`}`;
    this.trace.push({ at, text });
    if (died) killed?.(done);
    else if (done.code === 0) fine?.(done);
    if (this.#session !== undefined && !died && done.code !== 0 && /\.lock'|cannot lock/.test(done.stderr))
      this.lockErrors.push(`${script}: ${done.stderr}`);
  }
}

const SESSION: readonly (readonly [number, Step])[] = [
  [30, (hand) => hand.write()],
  [14, (hand) => hand.add()],
  [4, (hand) => hand.addAll()],
  [2, (hand) => hand.intend()],
  [3, (hand) => hand.remove()],
  [3, (hand) => hand.move()],
  [4, (hand) => hand.unstage()],
  [2, (hand) => hand.resetBare()],
  [24, (hand) => hand.commit()],
  [4, (hand) => hand.amend()],
  [2, (hand) => hand.softReset()],
  [2, (hand) => hand.pick()],
  [2, (hand) => hand.merge()],
  [2, (hand) => hand.look()],
];

const PERSON: readonly (readonly [number, Step])[] = [
  [4, (hand) => hand.write()],
  [3, (hand) => hand.add()],
  [1, (hand) => hand.addAll()],
  [1, (hand) => hand.remove()],
  [1, (hand) => hand.move()],
  [1, (hand) => hand.unstage()],
  [1, (hand) => hand.look()],
  [1, () => new Promise<void>((done) => setTimeout(done, 100))],
  [1, (hand) => hand.personCommits()],
];

/** The name that git gives a file's content; "" if there is none. */
function blobOf(path: string): string {
  if (!existsSync(path)) return "";
  const bytes = readFileSync(path);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/** A script in somebody's shell; it, or it and all it has started, killed after a while. */
function shell(
  repo: ScratchRepo,
  session: FakeSession | undefined,
  script: string,
  kill: { readonly afterMs: number; readonly group: boolean } | undefined,
): Promise<Done> {
  const env = session === undefined ? { ...repo.env, GIT_AUTHOR_NAME: "h" } : session.env;
  const source = session === undefined || !existsSync(session.envFile) ? "" : `. '${session.envFile}'\n`;
  return new Promise((done, fail) => {
    const child = spawn("sh", ["-c", source + script], {
      cwd: repo.top,
      env,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    const timer = kill && setTimeout(() => end(child.pid ?? 0, kill.group), kill.afterMs);
    child.on("error", fail);
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done({ code, signal, stdout, stderr });
    });
  });
}

function end(pid: number, group: boolean): void {
  try {
    process.kill(group ? -pid : pid, "SIGKILL");
  } catch {
    // It was faster.
  }
}
