/** Locks that a killed git leaves are taken away, those of a live one never; real git, killed for real. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { healIndex } from "../../src/adapters/git/index-file.ts";
import { cleanLocks, type StaleLock } from "../../src/adapters/git/locks.ts";
import { ensureGitdir } from "../../src/adapters/git/private-gitdir.ts";
import { type Done, makeScratch, run, type ScratchRepo } from "../support/repo/mod.ts";

// What is tested runs git in this process's environment: no configuration.
for (const name of Object.keys(process.env)) if (/^(?:GIT_|SIGNALBOX)/.test(name)) delete process.env[name];
Object.assign(process.env, { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" });

const onLinux = { skip: process.platform === "linux" ? false : "processes are looked at in /proc" };

interface Place {
  readonly repo: ScratchRepo;
  readonly gitDir: string;
  readonly env: Record<string, string>;
  readonly at: { readonly commonDir: string; readonly gitDir: string; readonly workTree: string };
  readonly git: (...args: string[]) => Promise<Done>;
  readonly must: (...args: string[]) => Promise<string>;
}

/** A repository with `s.txt` staged and `a.txt` changed, in the tree's own gitdir or in a session's. */
async function place(t: TestContext, kind: "native" | "private"): Promise<Place> {
  const repo = await makeScratch(t, { install: false });
  const commonDir = repo.path(".git");
  const env: Record<string, string> = { ...repo.env };
  let gitDir = commonDir;
  if (kind === "private") {
    const made = ensureGitdir({ commonDir, nativeGitDir: commonDir, top: repo.top }, "session-of-locks");
    assert.ok(made.kind !== "none");
    ({ gitDir } = made);
    Object.assign(env, { GIT_DIR: gitDir, GIT_WORK_TREE: repo.top });
  }
  const git = (...args: string[]) => run("git", args, { cwd: repo.top, env });
  const must = async (...args: string[]) => {
    const { code, stdout, stderr } = await git(...args);
    assert.equal(code, 0, `git ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  repo.write("s.txt", "staged\n");
  await must("add", "s.txt");
  repo.write("a.txt", "changed\n");
  return { repo, gitDir, env, at: { commonDir, gitDir, workTree: repo.top }, git, must };
}

interface Blocked {
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  /** Kills git and its hook, as a machine would. */
  readonly kill: () => Promise<void>;
  /** Lets the hook go on; answers with git's exit code. */
  readonly go: () => Promise<unknown>;
}

/** Starts git and answers when its hook is there, where it stays. `state`: of reference-transaction. */
async function blockIn(
  t: TestContext,
  { repo, env }: Place,
  hook: string,
  args: readonly string[],
): Promise<Blocked> {
  const [name, state] = hook.split(" ");
  const folder = join(repo.path(".git"), "hooks");
  const here = join(repo.dir, "here");
  const pipe = join(repo.dir, "go");
  const file = join(folder, name!);
  mkdirSync(folder, { recursive: true });
  const condition = state === undefined ? "true" : `[ "$1" = ${state} ]`;
  writeFileSync(
    file,
    `#!/bin/sh\nif ${condition}; then : >'${here}'; while [ ! -e '${pipe}' ]; do sleep 0.05; done; fi\n`,
    { mode: 0o755 },
  );
  const child = spawn("git", args, { cwd: repo.top, env, detached: true, stdio: "ignore" });
  const ended = once(child, "exit");
  const killed = () => {
    try {
      process.kill(-child.pid!, "SIGKILL");
    } catch {
      // It has ended.
    }
  };
  t.after(killed);
  for (let waited = 0; !existsSync(here); waited += 10) {
    assert.ok(child.exitCode === null, `git ended before its ${hook}`);
    assert.ok(waited < 60_000, `git does not come to its ${hook}`);
    await sleep(10);
  }
  const tidy = () => [file, here, pipe].forEach((one) => rmSync(one, { force: true }));
  return {
    child,
    ended,
    async kill() {
      killed();
      await ended;
      tidy();
    },
    async go() {
      writeFileSync(pipe, "");
      const [code] = (await ended) as [number | null];
      tidy();
      return code;
    },
  };
}

function locksIn({ at: { commonDir, gitDir } }: Place): string[] {
  return [...new Set([gitDir, commonDir, join(commonDir, "refs/heads")])].flatMap((folder) =>
    readdirSync(folder).filter((name) => /lock|signalbox-ref/.test(name) && name !== "locked"),
  );
}

const brief = (locks: readonly StaleLock[]) => locks.map(({ kind, action }) => `${kind} ${action}`).sort();
const lines = (text: string) => text.split("\n").filter(Boolean).sort();

const COMMITS = { plain: [], "-a": ["-a"], "-- path": ["--", "a.txt"] } as const;
const MOMENTS = [
  "pre-commit",
  "prepare-commit-msg",
  "commit-msg",
  "reference-transaction prepared",
  "reference-transaction committed",
  "post-commit",
];

for (const kind of ["native", "private"] as const)
  describe(`killed, ${kind} gitdir`, onLinux, () => {
    for (const [mode, words] of Object.entries(COMMITS))
      for (const moment of MOMENTS)
        test(`commit ${mode} in ${moment}`, async (t) => {
          const one = await place(t, kind);
          const base = await one.repo.head();
          const args = ["commit", "-q", "-m", "x", ...words];
          await (await blockIn(t, one, moment, args)).kill();
          const left = locksIn(one);
          const isMoved = (await one.must("rev-parse", "HEAD")).trim() !== base;
          assert.equal(isMoved, moment === "reference-transaction committed" || moment === "post-commit");

          const done = cleanLocks(one.at);
          assert.equal(done.length, left.length, `${left.join()}: ${JSON.stringify(done)}`);
          assert.ok(
            done.every(({ action }) => action !== "kept"),
            JSON.stringify(done),
          );
          assert.deepEqual(locksIn(one), []);
          const isPromoted = done.some(({ action }) => action === "promoted");
          assert.equal(isPromoted, moment === "reference-transaction committed" && mode !== "plain");
          if (kind === "private") assert.notEqual(healIndex(one.at).kind, "deferred");

          const staged = lines(await one.must("diff", "--cached", "--name-only"));
          assert.deepEqual(staged, isMoved && mode !== "-- path" ? [] : ["s.txt"]);
          one.repo.write("b.txt", "next\n");
          await one.must("add", "b.txt");
          await one.must("commit", "-q", "-m", "next");
          assert.equal(await one.must("show", "HEAD:s.txt"), "staged\n");
          assert.equal(await one.must("show", "HEAD:b.txt"), "next\n");
          const hasA = isMoved && mode !== "plain";
          assert.equal(
            (await one.must("show", "HEAD:a.txt")) === "changed\n",
            hasA,
            "no commit is taken back",
          );
          assert.equal(one.repo.read("a.txt"), "changed\n");
          assert.equal((await one.repo.git("fsck", "--no-dangling")).code, 0);
        });
  });

describe("alive", onLinux, () => {
  for (const kind of ["native", "private"] as const)
    for (const mode of ["-a", "-- path"] as const)
      for (const moment of [
        "pre-commit",
        "reference-transaction prepared",
        "reference-transaction committed",
      ])
        test(`${kind} gitdir: commit ${mode} in ${moment} keeps its locks and succeeds`, async (t) => {
          const one = await place(t, kind);
          const blocked = await blockIn(t, one, moment, ["commit", "-q", "-m", "x", ...COMMITS[mode]]);
          const left = locksIn(one).sort();
          assert.notDeepEqual(left, []);
          for (let again = 0; again < 3; again++) {
            const done = cleanLocks(one.at);
            assert.ok(done.length > 0 && done.every(({ action }) => action === "kept"), JSON.stringify(done));
            assert.match(done[0]!.why, /git runs here/);
          }
          assert.deepEqual(locksIn(one).sort(), left);
          // From where another session looks, the branch's lock is held as well.
          const other = ensureGitdir(
            { ...one.at, nativeGitDir: one.at.commonDir, top: one.repo.top },
            "another-session",
          );
          assert.ok(other.kind !== "none");
          const seen = cleanLocks({ ...one.at, gitDir: other.gitDir });
          assert.ok(
            seen.every(({ action }) => action === "kept"),
            JSON.stringify(seen),
          );
          assert.equal(await blocked.go(), 0);
          assert.deepEqual(locksIn(one), []);
          assert.equal(await one.must("show", "HEAD:a.txt"), "changed\n");
        });

  test("a git that is stopped is alive", async (t) => {
    const one = await place(t, "native");
    const blocked = await blockIn(t, one, "pre-commit", ["commit", "-qam", "x"]);
    process.kill(-blocked.child.pid!, "SIGSTOP");
    assert.deepEqual(brief(cleanLocks(one.at)), ["index kept"]);
    process.kill(-blocked.child.pid!, "SIGCONT");
    assert.equal(await blocked.go(), 0);
  });

  test("a process that has the file open holds it, whatever it is", async (t) => {
    const one = await place(t, "native");
    const lock = join(one.gitDir, "index.lock");
    writeFileSync(lock, "");
    const child = spawn("sh", ["-c", `exec 3<>'${lock}'; echo; read x`], {
      cwd: "/",
      stdio: ["pipe", "pipe", "inherit"],
    });
    t.after(() => child.kill("SIGKILL"));
    await once(child.stdout, "data");
    const done = cleanLocks(one.at);
    assert.deepEqual(brief(done), ["index kept"]);
    assert.match(done[0]!.why, /has it open/);
    child.stdin.end();
    await once(child, "exit");
    assert.deepEqual(brief(cleanLocks(one.at)), ["index removed"]);
  });

  test("where git runs by GIT_DIR, by --git-dir, by -C, and by cwd", async (t) => {
    const one = await place(t, "native");
    const { repo, gitDir } = one;
    const { GIT_DIR: _, ...env } = one.env;
    const wait = (cwd: string, args: string[], more: Record<string, string> = {}) => {
      const child = spawn("git", args, {
        cwd,
        env: { ...env, ...more },
        stdio: ["pipe", "ignore", "ignore"],
      });
      t.after(() => child.kill("SIGKILL"));
      return child;
    };
    mkdirSync(join(repo.dir, "elsewhere"));
    const at = join(repo.dir, "elsewhere");
    const stays = ["update-index", "--index-info"];
    const kinds: [string, string[], Record<string, string>][] = [
      [repo.top, stays, {}],
      [at, ["-C", repo.top, ...stays], {}],
      [at, [`--git-dir=${gitDir}`, ...stays], {}],
      [at, ["--git-dir", "../repo/.git", ...stays], {}],
      [at, stays, { GIT_DIR: gitDir }],
      [at, stays, { GIT_DIR: "../repo/.git", GIT_WORK_TREE: "../repo" }],
    ];
    for (const [cwd, args, more] of kinds) {
      const child = wait(cwd, args, more);
      // It has its own lock when it has started; that it holds by the file.
      for (let waited = 0; !existsSync(join(gitDir, "index.lock")); waited += 10) {
        assert.ok(waited < 20_000 && child.exitCode === null, args.join(" "));
        await sleep(10);
      }
      writeFileSync(join(gitDir, "next-index-1.lock"), "");
      const done = cleanLocks(one.at);
      assert.deepEqual(brief(done), ["index kept", "next-index kept"], args.join(" "));
      child.stdin.end();
      await once(child, "exit");
      assert.deepEqual(brief(cleanLocks(one.at)), ["next-index removed"]);
    }
  });

  test("a git elsewhere, one that only reads, and another session's do not", async (t) => {
    const one = await place(t, "private");
    const lock = join(one.gitDir, "index.lock");
    const other = ensureGitdir(
      { ...one.at, nativeGitDir: one.at.commonDir, top: one.repo.top },
      "another-session",
    );
    assert.ok(other.kind !== "none");
    await run("git", ["init", "-q", join(one.repo.dir, "second")], { cwd: one.repo.dir, env: one.repo.env });
    const children = [
      spawn("git", ["update-index", "--index-info"], {
        cwd: join(one.repo.dir, "second"),
        env: one.repo.env,
      }),
      spawn("git", ["cat-file", "--batch"], { cwd: one.repo.top, env: one.env }),
      spawn("git", ["update-index", "--index-info"], { cwd: one.repo.top, env: one.repo.env }),
      spawn("git", ["update-index", "--index-info"], {
        cwd: one.repo.top,
        env: { ...one.env, GIT_DIR: other.gitDir },
      }),
    ];
    t.after(() => children.forEach((child) => child.kill("SIGKILL")));
    for (const index of [one.at.commonDir, other.gitDir])
      for (let waited = 0; !existsSync(join(index, "index.lock")); waited += 10) {
        assert.ok(waited < 20_000);
        await sleep(10);
      }
    writeFileSync(lock, "");
    assert.deepEqual(brief(cleanLocks(one.at)), ["index removed"]);
    assert.deepEqual(brief(cleanLocks({ ...one.at, gitDir: one.at.commonDir })), ["index kept"]);
  });

  test("a hook whose git is gone still works on the lock", async (t) => {
    const one = await place(t, "native");
    const here = join(one.repo.dir, "here");
    const hook = join(one.gitDir, "hooks/pre-commit");
    mkdirSync(join(one.gitDir, "hooks"), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\n: >'${here}'; sleep 1000\n`, { mode: 0o755 });
    // As in a shell that lives on: git alone is killed.
    const script = "git commit -qam x & echo $!; wait; sleep 1000";
    const shell = spawn("sh", ["-c", script], {
      cwd: one.repo.top,
      env: one.env,
      detached: true,
      stdio: ["ignore", "pipe", "ignore"],
    });
    t.after(() => process.kill(-shell.pid!, "SIGKILL"));
    const [pid] = (await once(shell.stdout, "data")) as [Buffer];
    while (!existsSync(here)) await sleep(10);
    process.kill(Number(String(pid)), "SIGKILL");
    while (existsSync(`/proc/${Number(String(pid))}/exe`)) await sleep(10);
    const done = cleanLocks(one.at);
    assert.deepEqual(brief(done), ["index kept"]);
    assert.match(done[0]!.why, /hook/);
  });

  test("our own lock says whose it is", async (t) => {
    const one = await place(t, "native");
    const lock = join(one.gitDir, "index.lock");
    const { processes } = await import("../../src/adapters/process.ts");
    const self = processes.identify(process.pid)!;
    writeFileSync(lock, `signalbox ${self.pid} ${self.start} ${self.boot}\n`);
    assert.deepEqual(brief(cleanLocks(one.at)), ["index kept"]);
    writeFileSync(lock, `signalbox ${self.pid} 1 ${self.boot}\n`);
    assert.deepEqual(brief(cleanLocks(one.at)), ["index removed"]);
  });
});

describe("what is left", onLinux, () => {
  test("age proves nothing: an index.lock that is half written goes, new or old", async (t) => {
    const one = await place(t, "native");
    const lock = join(one.gitDir, "index.lock");
    for (const ageMs of [0, 3_600_000]) {
      writeFileSync(lock, "DIRC\0\0");
      utimesSync(lock, (Date.now() - ageMs) / 1000, (Date.now() - ageMs) / 1000);
      assert.deepEqual(brief(cleanLocks(one.at)), ["index removed"]);
    }
    assert.deepEqual(lines(await one.must("diff", "--cached", "--name-only")), ["s.txt"]);
  });

  test("an unstaging that was killed does not lose what is staged", async (t) => {
    const one = await place(t, "native");
    const env = { ...one.env, GIT_INDEX_FILE: join(one.gitDir, "index.lock") };
    await run("git", ["read-tree", "HEAD"], { cwd: one.repo.top, env });
    assert.ok(statSync(join(one.gitDir, "index.lock")).size > 0);
    assert.deepEqual(brief(cleanLocks(one.at)), ["index removed"]);
    assert.deepEqual(lines(await one.must("diff", "--cached", "--name-only")), ["s.txt"]);
  });

  test("without a reflog a commit's index is still promoted", async (t) => {
    const one = await place(t, "native");
    await one.must("config", "core.logAllRefUpdates", "false");
    rmSync(join(one.gitDir, "logs"), { recursive: true, force: true });
    await (await blockIn(t, one, "reference-transaction committed", ["commit", "-qam", "x"])).kill();
    assert.deepEqual(brief(cleanLocks(one.at)), ["index promoted"]);
    assert.equal(await one.must("status", "--porcelain"), "");
  });

  test("another session's commit on the branch meanwhile is not taken back", async (t) => {
    const one = await place(t, "private");
    await (await blockIn(t, one, "reference-transaction committed", ["commit", "-qam", "x"])).kill();
    one.repo.write("c.txt", "theirs\n");
    await one.repo.mustGit("reset", "-q");
    await one.repo.mustGit("commit", "-qm", "theirs", "--", "c.txt");
    assert.deepEqual(brief(cleanLocks(one.at)), ["index promoted"]);
    assert.equal(healIndex(one.at).kind, "healed");
    assert.deepEqual(lines(await one.must("diff", "--cached", "--name-only")), []);
  });

  test("of many that clean at once nothing is lost", async (t) => {
    const one = await place(t, "native");
    const module = join(import.meta.dirname, "../../src/adapters/git/locks.ts");
    const code = `
      const { cleanLocks } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 12; i++) cleanLocks(${JSON.stringify(one.at)});
    `;
    const cleaners = Array.from({ length: 2 }, () =>
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], { stdio: "inherit" }),
    );
    const ended = Promise.all(cleaners.map((child) => once(child, "exit")));
    let isOver = false;
    void ended.then(() => (isOver = true));
    let commits = 0;
    for (let i = 0; !isOver; i++) {
      one.repo.write("b.txt", `${i}\n`);
      await one.must("commit", "-qm", String(i), "--", "b.txt");
      commits += 1;
      if (i % 3 === 0) writeFileSync(join(one.gitDir, "next-index-99.lock"), "");
    }
    assert.deepEqual(
      (await ended).map(([exit]: unknown[]) => exit),
      [0, 0],
    );
    cleanLocks(one.at);
    assert.equal((await one.must("rev-list", "--count", "HEAD")).trim(), String(commits + 1));
    assert.deepEqual(lines(await one.must("diff", "--cached", "--name-only")), ["s.txt"]);
    assert.deepEqual(locksIn(one), []);
  });

  test("nothing at all costs next to nothing", async (t) => {
    const one = await place(t, "native");
    assert.deepEqual(cleanLocks(one.at), []);
    assert.deepEqual(cleanLocks({ ...one.at, gitDir: join(one.repo.dir, "gone") }), []);
  });

  test("packed-refs.lock and config.lock are nobody's business", async (t) => {
    const one = await place(t, "native");
    for (const name of ["packed-refs.lock", "config.lock"]) writeFileSync(join(one.gitDir, name), "");
    assert.deepEqual(cleanLocks(one.at), []);
    assert.deepEqual(locksIn(one).sort(), ["config.lock", "packed-refs.lock"]);
  });
});
