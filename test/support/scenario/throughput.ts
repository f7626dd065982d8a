import { type Done, type FakeSession, makeScratch, run } from "./imports.ts";
import { testGitEnv } from "./world.ts";

export interface Load {
  readonly sessions: number;
  /** Of each session. */
  readonly commits: number;
  readonly guarded: boolean;
  /** A statusline asks `git status` and `signalbox status` all the while. */
  readonly poll?: boolean;
}

export interface Throughput {
  /** Commits whose message was asked for, in the final history. */
  readonly landed: number;
  /** Commits whose paths are not exactly their own: "message: paths". */
  readonly foreign: readonly string[];
  /** What anybody was told that is an error: of git, of the guard, of the statusline. */
  readonly errors: readonly string[];
  /** From the first command to the last, milliseconds. */
  readonly tookMs: number;
}

interface Cleaner {
  readonly after: (fn: () => Promise<void> | void) => void;
}

/** Sessions in one tree, each of which writes, adds and commits a file of its own, over and over, all at once. */
export async function throughput(
  cleaner: Cleaner,
  { sessions, commits, guarded, poll = false }: Load,
): Promise<Throughput> {
  const repo = await makeScratch(cleaner, { install: guarded, env: testGitEnv() });
  const workers: FakeSession[] = [];
  for (let i = 0; i < sessions; i++) {
    const worker = repo.session(`worker-${i}`);
    workers.push(guarded ? await worker.start() : worker);
  }
  const base = await repo.head();
  const errors: string[] = [];
  const note = (who: string, { code, stderr }: Done) => {
    if (code !== 0 || /fatal|error|lock/i.test(stderr)) errors.push(`${who} (${code}): ${stderr.trim()}`);
  };

  let working = true;
  const polled = poll ? polling() : undefined;
  async function polling(): Promise<void> {
    const { PATH = "", ...rest } = repo.env;
    while (working) {
      note(
        "statusline",
        await run("git", ["status", "--porcelain"], { cwd: repo.top, env: { ...rest, PATH } }),
      );
      await new Promise((done) => setTimeout(done, 300));
    }
  }

  const started = Date.now();
  await Promise.all(
    workers.map(async (worker, i) => {
      for (let n = 0; n < commits; n++) {
        const file = `w${i}/f${n % 4}.txt`;
        const script = `mkdir -p w${i}; echo ${n} >>${file}; git add ${file} && git commit -qm w${i}-${n}`;
        note(worker.id, await worker.shell(script));
      }
    }),
  );
  const tookMs = Date.now() - started;
  working = false;
  await polled;

  const out = await repo.mustGit("log", "--no-renames", "--name-only", "--format=%x01%s", `${base}..HEAD`);
  const all = out
    .split("\u0001")
    .slice(1)
    .map((text) => text.split("\n").filter(Boolean));
  const wanted = new Set(workers.flatMap((_, i) => Array.from({ length: commits }, (__, n) => `w${i}-${n}`)));
  const foreign = all
    .filter(([subject = "", ...paths]) => paths.join(" ") !== fileOf(subject))
    .map((words) => words.join(" "));
  const landed = new Set(all.map(([subject = ""]) => subject).filter((subject) => wanted.has(subject))).size;
  return { landed, foreign, errors, tookMs };
}

/** "w3-7" is a commit of exactly w3/f3.txt. */
function fileOf(subject: string): string {
  const [worker, n] = subject.split("-");
  return `${worker}/f${Number(n) % 4}.txt`;
}
