/** What a session's own git costs: ratios to bare git in the same run. */
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { survey } from "../../src/adapters/git/survey.ts";
import { benchEnv, type Contestant, race, type Row, rowsOf, run } from "./measure.ts";
import { Place, ROOT } from "./place.ts";

export interface ShimSizes {
  readonly rounds: number;
  /** Files in the repository, for each measurement of a heal. */
  readonly files: readonly number[];
  /** Sessions that commit at once, for each measurement of throughput. */
  readonly sessions: readonly number[];
  /** Commits of each of them. */
  readonly commits: number;
}

export async function benchShim(
  dir: string,
  { rounds, files, sessions, commits }: ShimSizes,
): Promise<Row[]> {
  const rows = [...benchVerbs(join(dir, "verbs"), rounds), ...benchLife(join(dir, "life"), rounds)];
  for (const n of files) rows.push(...benchHeal(join(dir, `heal-${n}`), n, n > 50_000 ? 3 : rounds));
  return [...rows, ...(await benchThroughput(join(dir, "throughput"), sessions, commits))];
}

function benchVerbs(dir: string, rounds: number): Row[] {
  const bare = new Place(join(dir, "bare"), 1000, false);
  const alone = new Place(join(dir, "alone"), 1000);
  const shared = new Place(join(dir, "shared"), 1000);
  const plain = benchEnv();
  const one = alone.session("one");
  const first = shared.session("first");
  shared.session("second");
  // Its own: nobody else's is what the guard would refuse.
  run(process.execPath, [join(ROOT, "dist/signalbox.cjs"), "reserve", "d0/"], {
    cwd: shared.dir,
    env: first,
  });
  let n = 0;
  const dirty = (place: Place) => () => writeFileSync(join(place.dir, "d0/f1.txt"), `change ${(n += 1)}\n`);
  const staged = (place: Place, env: NodeJS.ProcessEnv) => () => {
    dirty(place)();
    place.git(env, "add", "d0/f1.txt");
  };
  const contest = (
    what: string,
    before: typeof staged | typeof dirty | undefined,
    ...args: string[]
  ): Row[] => {
    const of = (name: string, place: Place, env: NodeJS.ProcessEnv): Contestant => ({
      name,
      ...(before === undefined ? {} : { before: before(place, env) }),
      run: () => place.git(env, ...args),
    });
    const all = [
      of("bare git", bare, plain),
      of("a session alone", alone, one),
      of("one of two", shared, first),
    ];
    return rowsOf(what, race(rounds, all));
  };
  try {
    return [
      ...contest("log -1 (looks at no index)", undefined, "log", "-1", "--format=%h"),
      ...contest("status (looks at the index)", undefined, "status", "--porcelain"),
      ...contest("add (guarded)", dirty, "add", "d0/f1.txt"),
      ...contest("commit (guarded, locked)", staged, "commit", "-qm", "x"),
      ...contest("checkout -- path (guarded)", dirty, "checkout", "-q", "--", "d0/f1.txt"),
    ];
  } finally {
    for (const place of [bare, alone, shared]) place.end();
  }
}

function benchLife(dir: string, rounds: number): Row[] {
  const place = new Place(dir, 1000);
  const env = benchEnv({ CLAUDE_CODE_SESSION_ID: "brief", CLAUDE_PID: String(process.pid) });
  let n = 0;
  try {
    const medians = race(Math.max(3, rounds >> 1), [
      {
        name: "git worktree add + remove, bare",
        run: () => {
          place.git(benchEnv(), "worktree", "add", "-q", "--no-checkout", "--detach", `../wt${(n += 1)}`);
          place.git(benchEnv(), "worktree", "remove", "--force", `../wt${n}`);
        },
      },
      { name: "a session starts", run: () => place.tell(env, "brief", "SessionStart", "session-start") },
      { name: "a session ends", run: () => place.tell(env, "brief", "SessionEnd", "session-end") },
    ]);
    return rowsOf("a session's life", medians);
  } finally {
    place.end();
  }
}

/** The first command after somebody else's commit of five files, with one file staged. */
function benchHeal(dir: string, files: number, rounds: number): Row[] {
  const place = new Place(dir, files);
  const env = place.session("healed");
  writeFileSync(join(dir, "own.txt"), "own\n");
  place.git(env, "add", "own.txt");
  let n = 0;
  const commit = () => {
    n += 1;
    for (let i = 0; i < 5; i += 1) writeFileSync(join(dir, `d0/f${i}.txt`), `${n}\n`);
    run("git", ["-C", dir, "commit", "-q", "--no-verify", "-m", "x", "--", "d0"], {
      env: benchEnv({ SIGNALBOX: "0" }),
    });
  };
  try {
    const status = ["status", "--porcelain"];
    const medians = race(rounds, [
      { name: "status, bare", run: () => run("git", status, { cwd: dir }) },
      {
        name: "status, nothing to carry forward",
        before: () => place.git(env, ...status),
        run: () => place.git(env, ...status),
      },
      { name: "status that carries the index forward", before: commit, run: () => place.git(env, ...status) },
    ]);
    const at = { top: dir, gitDir: join(dir, ".git/worktrees/sb-healed") };
    const looked = race(rounds, [{ name: "survey", run: () => void survey(at) }]).get("survey")!;
    return [
      ...rowsOf(`${files} files`, medians),
      {
        what: `${files} files: what a command has changed, looked up`,
        value: `${looked.toFixed(1)} ms`,
        ratio: `x${(looked / medians.get("status, bare")!).toFixed(2)}`,
      },
    ];
  } finally {
    place.end();
  }
}

/** Everybody adds and commits files of their own as fast as they can. */
async function benchThroughput(dir: string, sessions: readonly number[], commits: number): Promise<Row[]> {
  const rows: Row[] = [];
  const bare = new Place(join(dir, "bare"), 50, false);
  const base = await committing(bare.dir, [benchEnv()], commits * 4);
  rows.push({ what: "commits per second: plain git, one process", value: base.toFixed(1) });
  for (const n of sessions) {
    const place = new Place(join(dir, String(n)), 50);
    try {
      const envs = Array.from({ length: n }, (_, i) => place.session(`s${i}`));
      const rate = await committing(place.dir, envs, commits);
      rows.push({
        what: `commits per second: ${n} session${n === 1 ? "" : "s"}`,
        value: rate.toFixed(1),
        ratio: `x${(rate / base).toFixed(2)}`,
      });
    } finally {
      place.end();
    }
  }
  return rows;
}

/** Commits per second; every one of them has to be there at the end. */
async function committing(dir: string, envs: readonly NodeJS.ProcessEnv[], commits: number): Promise<number> {
  const count = () => Number(run("git", ["-C", dir, "rev-list", "--count", "HEAD"]));
  const before = count();
  const start = process.hrtime.bigint();
  await Promise.all(
    envs.map(
      (env, i) =>
        new Promise<void>((resolve, reject) => {
          const script = `for n in $(seq ${commits}); do echo $n >own${i}.txt; git add own${i}.txt && git commit -qm "${i} $n" || exit 1; done`;
          const child = spawn("sh", ["-c", script], {
            cwd: dir,
            env,
            stdio: ["ignore", "ignore", "inherit"],
          });
          child.on("close", (code) =>
            code === 0 ? resolve() : reject(new Error(`session ${i}: exit ${code}`)),
          );
        }),
    ),
  );
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  const made = count() - before;
  if (made !== envs.length * commits) throw new Error(`${made} commits instead of ${envs.length * commits}`);
  return made / seconds;
}
