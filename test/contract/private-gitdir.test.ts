/** A session's own gitdir: real git has to take it for one of its own, in every kind of repository. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Created,
  ensureGitdir,
  followHead,
  followSettings,
  GitdirError,
  listGitdirs,
  removeGitdir,
  startedOn,
  type TreeAt,
} from "../../src/adapters/git/private-gitdir.ts";
import {
  cleanEnv,
  makeScratch,
  must,
  run,
  type ScratchOptions,
  type ScratchRepo,
} from "../support/repo/mod.ts";

// What is tested runs git in this process's environment.
for (const name of Object.keys(process.env)) if (/^(?:GIT_|SIGNALBOX)/.test(name)) delete process.env[name];
Object.assign(process.env, { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", LC_ALL: "C.UTF-8" });
for (const [name, value] of Object.entries(cleanEnv("/nonexistent")))
  if (/^GIT_(?:AUTHOR|COMMITTER)/.test(name)) process.env[name] = value;

const SESSION = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";

type Made = Extract<Created, { kind: "created" | "there" }>;

/** A plain repository: nothing is installed, so that nothing else does what is tested. */
async function plain(t: TestContext, options: ScratchOptions = {}): Promise<ScratchRepo & { at: TreeAt }> {
  const repo = await makeScratch(t, { install: false, ...options });
  return Object.assign(repo, { at: await treeAt(repo, repo.top) });
}

async function treeAt(repo: ScratchRepo, top: string): Promise<TreeAt> {
  const asked = (name: string) =>
    must("git", ["rev-parse", "--path-format=absolute", name], { cwd: top, env: repo.env }).then((out) =>
      out.replace(/\n$/, ""),
    );
  return { commonDir: await asked("--git-common-dir"), nativeGitDir: await asked("--absolute-git-dir"), top };
}

function made(at: TreeAt, session = SESSION): Made {
  const created = ensureGitdir(at, session);
  assert.notEqual(created.kind, "none", JSON.stringify(created));
  return created as Made;
}

/** Git as the session runs it. */
function as(repo: ScratchRepo, at: TreeAt, gitDir: string) {
  const env = { ...repo.env, GIT_DIR: gitDir, GIT_WORK_TREE: at.top };
  const git = (...args: string[]) => run("git", args, { cwd: at.top, env });
  const mustGit = (...args: string[]) => must("git", args, { cwd: at.top, env });
  return { git, mustGit };
}

/** Git finds nothing wrong, loses nothing, and there is nothing half made. */
async function sound(repo: ScratchRepo, { commonDir }: TreeAt, isSparseIndex = false): Promise<void> {
  const inCommon = (...args: string[]) => run("git", args, { cwd: commonDir, env: repo.env });
  const before = listGitdirs(commonDir);
  for (const args of [
    ["fsck", "--strict"],
    ["worktree", "prune", "-v", "--expire=now"],
    ["gc", "-q", "--prune=now"],
  ]) {
    // Git 2.55 finds "missing trees" in a sparse index with something staged, in any repository.
    if (isSparseIndex && args[0] === "fsck") continue;
    const { code, stderr, stdout } = await inCommon(...args);
    assert.equal(code, 0, `${args.join(" ")}: ${stderr}`);
    assert.doesNotMatch(stderr + stdout, /missing|corrupt|Removing|error|fatal/i, args.join(" "));
  }
  assert.deepEqual(listGitdirs(commonDir), before);
  const { stdout } = await inCommon("worktree", "list", "--porcelain", "-z");
  for (const { id, session } of before) {
    const entry = stdout.split("\0\0").find((text) => text.split("\0")[0]?.endsWith(`/signalbox/wt/${id}`));
    assert.ok(entry?.includes(`\0locked signalbox ${session}`) === true, `${id} in ${stdout}`);
    assert.doesNotMatch(entry, /prunable/);
  }
  const left = readdirSync(join(commonDir, "signalbox")).filter((name) => name.startsWith("gitdir-"));
  assert.deepEqual(left, []);
}

/** The session stages and commits one file; people's index has nothing of it, and gc in between takes nothing. */
async function usable(
  repo: ScratchRepo,
  at: TreeAt,
  gitDir: string,
  { file = "a.txt", isSparseIndex = false } = {},
): Promise<void> {
  const session = as(repo, at, gitDir);
  const people = (...args: string[]) => must("git", args, { cwd: at.top, env: repo.env });
  assert.equal(await session.mustGit("status", "--porcelain", "--untracked-files=no"), "");
  const branch = await people("symbolic-ref", "HEAD");
  assert.equal(await session.mustGit("symbolic-ref", "HEAD"), branch);
  writeFileSync(join(at.top, file), `new ${Math.random()}\n`);
  await session.mustGit("add", file);
  assert.equal(await people("diff", "--cached", "--name-only"), "");
  await sound(repo, at, isSparseIndex);
  await session.mustGit("commit", "-qm", "by the session");
  assert.equal(await people("rev-parse", "HEAD"), await session.mustGit("rev-parse", "HEAD"));
  assert.equal((await people("show", "--format=", "--name-only", "HEAD")).trim(), file);
  assert.equal((await people("ls-tree", "-r", "--name-only", "HEAD")).includes(file), true);
}

const version = await must("git", ["version"], { cwd: "/", env: cleanEnv("/nonexistent") });
const atLeast = (minor: number): boolean => Number(/ 2\.(\d+)/.exec(version)?.[1] ?? 99) >= minor;

describe("making one", () => {
  test("it is on the tree's branch, with nothing staged, and git takes it for one of its own", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "unstaged\n");
    repo.write("b.txt", "staged by a person\n");
    await repo.mustGit("add", "b.txt");
    const { kind, id, gitDir, base } = made(repo.at);
    assert.equal(kind, "created");
    assert.equal(id, "sb-1b9d6bcd");
    assert.equal(gitDir, join(repo.at.commonDir, "worktrees", id));
    assert.equal(base, await repo.head());
    const { mustGit } = as(repo, repo.at, gitDir);
    assert.equal(await mustGit("status", "--porcelain"), " M a.txt\n M b.txt\n");
    assert.equal(await mustGit("rev-parse", "--git-common-dir"), `${repo.at.commonDir}\n`);
    assert.equal(await repo.mustGit("status", "--porcelain"), " M a.txt\nM  b.txt\n");
    await sound(repo, repo.at);
  });

  test("it is usable, and was made in vain a second time", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    assert.deepEqual({ ...made(repo.at), kind: "created" }, { ...made(repo.at), kind: "created" });
    assert.equal(made(repo.at).kind, "there");
    await usable(repo, repo.at, gitDir);
    assert.equal(listGitdirs(repo.at.commonDir).length, 1);
  });

  test("git removes it like any other", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    await repo.mustGit("worktree", "unlock", join(repo.boxDir, "wt", id));
    await repo.mustGit("worktree", "remove", "--force", join(repo.boxDir, "wt", id));
    assert.equal(existsSync(gitDir), false);
    assert.equal(made(repo.at).kind, "created");
    await sound(repo, repo.at);
  });

  test("no hook of the repository runs", async (t) => {
    const repo = await plain(t);
    for (const name of ["post-checkout", "post-index-change", "reference-transaction"]) {
      repo.write(
        `.git/hooks/${name}`,
        `#!/bin/sh\n[ -n "$SIGNALBOX" ] || echo ${name} >>'${repo.dir}/ran'\n`,
      );
      chmodSync(repo.path(`.git/hooks/${name}`), 0o755);
    }
    made(repo.at);
    assert.equal(existsSync(join(repo.dir, "ran")), false);
  });

  test("sessions whose ids begin alike, or are no file names, have one each", async (t) => {
    const repo = await plain(t);
    const sessions = [
      "abcdefgh-1",
      "abcdefgh-2",
      "abcdefgh",
      "ABCDEFGH-1",
      "../../x",
      "a/../b",
      "é",
      "-",
      "x".repeat(300),
    ];
    const ids = sessions.map((session) => made(repo.at, session).id);
    assert.equal(new Set(ids).size, sessions.length, ids.join(" "));
    assert.deepEqual(
      sessions.map((session) => made(repo.at, session).id),
      ids,
    );
    const listed = listGitdirs(repo.at.commonDir);
    assert.deepEqual(listed.map(({ session }) => session).sort(), [...sessions].sort());
    assert.ok(listed.every(({ tree, top }) => tree === "" && top === repo.top));
    await sound(repo, repo.at);
  });

  test("a person's working tree of that name is not touched", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("worktree", "add", "-q", "-b", "theirs", join(repo.dir, "sb-1b9d6bcd"));
    const { id } = made(repo.at);
    assert.notEqual(id, "sb-1b9d6bcd");
    assert.deepEqual(
      listGitdirs(repo.at.commonDir).map((one) => one.id),
      [id],
    );
    assert.deepEqual(removeGitdir(repo.at, "sb-1b9d6bcd", SESSION), { paths: [] });
    assert.equal(
      await must("git", ["branch", "--show-current"], { cwd: join(repo.dir, "sb-1b9d6bcd"), env: repo.env }),
      "theirs\n",
    );
  });

  test("a file changed in the second in which the index was written shows as changed", async (t) => {
    const repo = await plain(t);
    const past = Math.floor(Date.now() / 1000) - 60;
    repo.write("a.txt", "aaaa\n");
    utimesSync(repo.path("a.txt"), past, past);
    await repo.mustGit("commit", "-qam", "aaaa");
    repo.write("a.txt", "bbbb\n");
    utimesSync(repo.path("a.txt"), past, past);
    utimesSync(repo.path(".git/index"), past + 0.5, past + 0.5);
    const { gitDir } = made(repo.at);
    assert.equal(await as(repo, repo.at, gitDir).mustGit("status", "--porcelain"), " M a.txt\n");
  });
});

/** Runs a script in a process of its own: `gitdirs` is what is tested, `at` the tree. */
function child(at: TreeAt, script: string) {
  const module = new URL("../../src/adapters/git/private-gitdir.ts", import.meta.url);
  const source = `import * as gitdirs from ${JSON.stringify(module.href)}; const at = ${JSON.stringify(at)}; ${script}`;
  const args = ["--import", "tsx", "--input-type=module", "-e", source];
  const started = spawn(process.execPath, args, {
    cwd: join(import.meta.dirname, "../.."),
    stdio: ["ignore", "pipe", "inherit"],
  });
  let out = "";
  started.stdout.on("data", (chunk: Buffer) => (out += chunk.toString()));
  const ended = new Promise<string>((done) => started.on("close", () => done(out)));
  const says = async (word: string) => {
    while (!out.includes(word) && started.exitCode === null) await sleep(5);
  };
  return { ended, says, kill: () => started.kill("SIGKILL") };
}

/** What is wrong with what stands in the list of gitdirs right now. */
function flaws(commonDir: string): string[] {
  const worktrees = join(commonDir, "worktrees");
  const ids = existsSync(worktrees) ? readdirSync(worktrees) : [];
  const names = ["HEAD", "commondir", "gitdir", "index", "locked", "signalbox-base", "signalbox-session"];
  return ids.flatMap((id) => {
    const missing = names.filter(
      (name) => (statSync(join(worktrees, id, name), { throwIfNoEntry: false })?.size ?? 0) === 0,
    );
    // It may have gone while it was looked at.
    return existsSync(join(worktrees, id)) ? missing.map((name) => `${id}/${name}`) : [];
  });
}

describe("several at once, and killed", () => {
  test("processes that make one for one session at once make one", async (t) => {
    const repo = await plain(t);
    const go = join(repo.dir, "go");
    const script = `
      import { existsSync } from "node:fs";
      console.log("ready");
      while (!existsSync(${JSON.stringify(go)}));
      for (let i = 0; i < 20; i++) console.log(JSON.stringify(gitdirs.ensureGitdir(at, "s" + i)));`;
    const children = Array.from({ length: 4 }, () => child(repo.at, script));
    await Promise.all(children.map((one) => one.says("ready")));
    writeFileSync(go, "");
    const answers = (await Promise.all(children.map((one) => one.ended))).map((out) =>
      out
        .split("\n")
        .filter((line) => line.startsWith("{"))
        .map((line) => JSON.parse(line) as Made),
    );
    for (let i = 0; i < 20; i++) {
      const ids = answers.map((list) => list[i]);
      assert.equal(new Set(ids.map((one) => one?.id)).size, 1);
      assert.equal(ids.filter((one) => one?.kind === "created").length, 1);
    }
    assert.equal(listGitdirs(repo.at.commonDir).length, 20);
    await sound(repo, repo.at);
  });

  test("at no moment is there half of one, not even after kill -9", async (t) => {
    const repo = await plain(t);
    const script = `
      console.log("ready");
      for (let i = 0; ; i++) {
        const { id } = gitdirs.ensureGitdir(at, "s" + (i % 3));
        if (i % 2 === 0) gitdirs.removeGitdir(at, id, "s" + (i % 3));
      }`;
    for (let round = 0; round < 8; round++) {
      const one = child(repo.at, script);
      await one.says("ready");
      const until = Date.now() + Math.random() * 80;
      while (Date.now() < until) {
        assert.deepEqual(flaws(repo.at.commonDir), []);
        await sleep(1);
      }
      one.kill();
      await one.ended;
      assert.deepEqual(flaws(repo.at.commonDir), []);
    }
    const { gitDir } = made(repo.at, "s0");
    for (const name of readdirSync(repo.boxDir).filter((name) => name.startsWith("gitdir-")))
      rmSync(join(repo.boxDir, name), { recursive: true });
    await usable(repo, repo.at, gitDir);
  });

  for (const name of ["gitdir", "commondir", "locked", "HEAD", "signalbox-session", "stub"])
    test(`without its ${name} it is mended, and what is staged stays`, async (t) => {
      const repo = await plain(t);
      const { id, gitDir } = made(repo.at);
      repo.write("s.txt", "staged\n");
      await as(repo, repo.at, gitDir).mustGit("add", "s.txt");
      rmSync(name === "stub" ? join(repo.boxDir, "wt", id) : join(gitDir, name), { recursive: true });
      assert.deepEqual(made(repo.at), { kind: "there", id, gitDir, base: await repo.head() });
      assert.equal(await as(repo, repo.at, gitDir).mustGit("diff", "--cached", "--name-only"), "s.txt\n");
      await sound(repo, repo.at);
    });

  test("without its base it is made anew, and what was staged is under a rescue ref", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    repo.write("s.txt", "staged\n");
    await as(repo, repo.at, gitDir).mustGit("add", "s.txt");
    rmSync(join(gitDir, "signalbox-base"));
    assert.equal(made(repo.at).kind, "created");
    assert.equal(await as(repo, repo.at, gitDir).mustGit("diff", "--cached", "--name-only"), "");
    assert.match(await repo.mustGit("for-each-ref", "--format=%(refname)"), /refs\/signalbox\/rescue\//);
  });
});

describe("no gitdir", () => {
  const none = (at: TreeAt, why: string) => {
    assert.deepEqual(ensureGitdir(at, SESSION), { kind: "none", why });
    assert.deepEqual(listGitdirs(at.commonDir), []);
    assert.equal(existsSync(join(at.commonDir, "worktrees", "sb-1b9d6bcd")), false);
  };

  test("on a branch without a commit", async (t) => none((await plain(t, { commit: false })).at, "unborn"));

  test("on no branch", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("checkout", "-q", "--detach");
    none(repo.at, "detached");
  });

  test("in the middle of a rebase, an am, a bisect", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("commit", "-q", "--allow-empty", "-m", "more");
    await repo.git("rebase", "-q", "-x", "false", "HEAD~1");
    none(repo.at, "operation");
    await repo.mustGit("rebase", "--abort");
    await repo.mustGit("bisect", "start", "HEAD", "HEAD~1");
    none(repo.at, "operation");
    await repo.mustGit("bisect", "reset");
    repo.write("a.txt", "x\n");
    repo.write("../p.patch", `From: T <t@e.x>\nSubject: [PATCH] p\n\n---\n${await repo.mustGit("diff")}`);
    repo.write("a.txt", "y\n");
    await repo.git("am", "-q", join(repo.dir, "p.patch"));
    none(repo.at, "operation");
    await repo.mustGit("am", "--abort");
    assert.equal(made(repo.at).kind, "created");
  });

  test("of a bare repository itself", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("clone", "-q", "--bare", ".", join(repo.dir, "bare.git"));
    const bare = join(repo.dir, "bare.git");
    none({ commonDir: bare, nativeGitDir: bare, top: bare }, "bare");
  });

  test("where it cannot be written: it is said, and nothing is half made", async (t) => {
    const repo = await plain(t);
    writeFileSync(join(repo.at.commonDir, "worktrees"), "");
    assert.throws(() => ensureGitdir(repo.at, SESSION), GitdirError);
    rmSync(join(repo.at.commonDir, "worktrees"));
    assert.deepEqual(
      readdirSync(repo.boxDir).filter((name) => name.startsWith("gitdir-")),
      [],
    );
    rmSync(repo.boxDir, { recursive: true });
    writeFileSync(repo.boxDir, "");
    assert.throws(() => ensureGitdir(repo.at, SESSION), GitdirError);
    assert.deepEqual(listGitdirs(repo.at.commonDir), []);
  });
});

describe("removing one", () => {
  test("it is gone, as often as one likes", async (t) => {
    const repo = await plain(t);
    const before = readdirSync(repo.at.commonDir).sort();
    const { id, gitDir } = made(repo.at);
    for (let i = 0; i < 2; i++) assert.deepEqual(removeGitdir(repo.at, id, SESSION), { paths: [] });
    assert.equal(existsSync(gitDir), false);
    assert.deepEqual(readdirSync(join(repo.boxDir, "wt")), []);
    assert.deepEqual(
      readdirSync(repo.at.commonDir)
        .filter((name) => name !== "signalbox")
        .sort(),
      before,
    );
  });

  test("what is staged is under a rescue ref first", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    repo.write("s.txt", "staged\n");
    await as(repo, repo.at, gitDir).mustGit("add", "s.txt");
    rmSync(repo.path("s.txt"));
    const { rescue, paths } = removeGitdir(repo.at, id, SESSION);
    assert.deepEqual(paths, ["s.txt"]);
    assert.match(rescue!, new RegExp(`^refs/signalbox/rescue/${SESSION}/`));
    await repo.mustGit("reflog", "expire", "--all", "--expire=now");
    await repo.mustGit("gc", "-q", "--prune=now");
    const blob = (
      await must("git", ["hash-object", "--stdin"], { cwd: repo.top, env: repo.env, input: "staged\n" })
    ).trim();
    assert.equal(await repo.mustGit("cat-file", "blob", blob), "staged\n");
  });

  test("so are the sides of a conflict", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    const { git, mustGit } = as(repo, repo.at, gitDir);
    await repo.mustGit("branch", "topic");
    repo.write("a.txt", "ours\n");
    await mustGit("commit", "-qam", "ours");
    const ours = (await mustGit("rev-parse", "HEAD")).trim();
    const theirs = (
      await must("sh", ["-c", "echo theirs | git hash-object -w --stdin"], { cwd: repo.top, env: repo.env })
    ).trim();
    await must("git", ["update-index", "--index-info"], {
      cwd: repo.top,
      env: { ...repo.env, GIT_DIR: gitDir, GIT_WORK_TREE: repo.top },
      input: `0 ${"0".repeat(40)}\ta.txt\n100644 ${theirs} 3\ta.txt\n`,
    });
    writeFileSync(join(gitDir, "signalbox-base"), `${ours}\n`);
    assert.match((await git("status", "--porcelain")).stdout, /a\.txt/);
    const { rescue } = removeGitdir(repo.at, id, SESSION);
    assert.match(rescue ?? "", /^refs\/signalbox\/rescue\//);
    await repo.mustGit("gc", "-q", "--prune=now");
    assert.equal(await repo.mustGit("cat-file", "blob", theirs), "theirs\n");
  });

  test("commits that only its HEAD knows are kept, and what a rebase had put aside", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    const { git, mustGit } = as(repo, repo.at, gitDir);
    for (const text of ["1", "2"]) {
      repo.write("a.txt", `${text}\n`);
      await mustGit("commit", "-qam", text);
    }
    repo.write("b.txt", "put aside\n");
    await git("rebase", "-q", "--autostash", "-x", "false", "--force-rebase", "HEAD~1");
    assert.equal(existsSync(join(gitDir, "rebase-merge")), true);
    const lost = (await mustGit("rev-parse", "HEAD")).trim();
    const aside = readFileSync(join(gitDir, "rebase-merge/autostash"), "utf8").trim();
    removeGitdir(repo.at, id, SESSION);
    await repo.mustGit("reflog", "expire", "--all", "--expire=now");
    await repo.mustGit("gc", "-q", "--prune=now");
    assert.equal(await repo.mustGit("show", `${aside}:b.txt`), "put aside\n");
    assert.equal(await repo.mustGit("show", `${lost}:a.txt`), "2\n");
  });

  test("an index that is not there means nothing is staged", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    rmSync(join(gitDir, "index"));
    assert.deepEqual(removeGitdir(repo.at, id, SESSION), { paths: [] });
  });
});

describe("every kind of repository", () => {
  test("a linked working tree has its own, on its own branch", async (t) => {
    const repo = await plain(t);
    const top = await repo.worktree("linked");
    const at = await treeAt(repo, top);
    const main = made(repo.at);
    const linked = made(at);
    assert.notEqual(linked.id, main.id);
    await usable(repo, at, linked.gitDir);
    await usable(repo, repo.at, main.gitDir, { file: "b.txt" });
    assert.equal(await as(repo, at, linked.gitDir).mustGit("branch", "--show-current"), "linked\n");
    const moved = join(repo.dir, "moved");
    await repo.mustGit("worktree", "move", top, moved);
    assert.deepEqual(
      listGitdirs(repo.at.commonDir)
        .map(({ top }) => top)
        .sort(),
      [moved, repo.top].sort(),
    );
    assert.equal(made(await treeAt(repo, moved)).id, linked.id);
  });

  test("a working tree of a bare repository", async (t) => {
    const repo = await plain(t);
    const bare = join(repo.dir, "bare.git");
    const top = join(repo.dir, "work");
    await repo.mustGit("clone", "-q", "--bare", ".", bare);
    await must("git", ["worktree", "add", "-q", top, "main"], { cwd: bare, env: repo.env });
    const at = await treeAt(repo, top);
    await usable(repo, at, made(at).gitDir);
  });

  test("a branch that another working tree is on as well", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("worktree", "add", "-q", "--force", join(repo.dir, "twice"), "main");
    await usable(repo, repo.at, made(repo.at).gitDir);
  });

  for (const [what, set] of Object.entries({
    "with a cone": ["--cone", "in"],
    "with patterns": ["--no-cone", "/a.txt", "/in/"],
    "with a sparse index": ["--cone", "--sparse-index", "in"],
  }))
    test(`a sparse checkout ${what}: nothing left out looks deleted`, async (t) => {
      const repo = await plain(t, {
        files: { "a.txt": "1\n", "in/b.txt": "1\n", "out/c.txt": "1\n", "out/d/e.txt": "1\n" },
      });
      await repo.mustGit("sparse-checkout", "set", ...set);
      assert.equal(existsSync(repo.path("out/c.txt")), false);
      const { gitDir } = made(repo.at);
      const { mustGit } = as(repo, repo.at, gitDir);
      assert.equal(await mustGit("config", "core.sparseCheckout"), "true\n");
      await usable(repo, repo.at, gitDir, { isSparseIndex: set.includes("--sparse-index") });
      repo.write("in/b.txt", "2\n");
      await mustGit("commit", "-qam", "all");
      assert.deepEqual(await repo.pathsOf(), ["in/b.txt"]);
      assert.equal(existsSync(repo.path("out/c.txt")), false);
    });

  test("what part of the tree is checked out may change: nothing looks deleted, nothing is overlooked", async (t) => {
    const repo = await plain(t, { files: { "a.txt": "1\n", "in/b.txt": "1\n", "out/c.txt": "1\n" } });
    const { gitDir } = made(repo.at);
    const { mustGit } = as(repo, repo.at, gitDir);
    repo.write("in/b.txt", "staged\n");
    await mustGit("add", "in/b.txt");
    assert.equal(followSettings(repo.at, gitDir), "same");
    await repo.mustGit("sparse-checkout", "set", "in");
    assert.equal(await mustGit("status", "--porcelain"), "M  in/b.txt\n D out/c.txt\n");
    writeFileSync(join(gitDir, "index.lock"), "");
    assert.equal(followSettings(repo.at, gitDir), "busy");
    rmSync(join(gitDir, "index.lock"));
    assert.equal(followSettings(repo.at, gitDir), "followed");
    assert.equal(followSettings(repo.at, gitDir), "same");
    assert.equal(await mustGit("status", "--porcelain"), "M  in/b.txt\n");
    await repo.mustGit("sparse-checkout", "disable");
    repo.write("out/c.txt", "2\n");
    assert.equal(made(repo.at).kind, "there");
    assert.equal(await mustGit("status", "--porcelain"), "M  in/b.txt\n M out/c.txt\n");
  });

  test("skip-worktree and assume-unchanged are as in people's index", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("update-index", "--skip-worktree", "b.txt");
    await repo.mustGit("update-index", "--assume-unchanged", "c.txt");
    rmSync(repo.path("b.txt"));
    repo.write("c.txt", "unseen\n");
    const { gitDir } = made(repo.at);
    assert.match(await as(repo, repo.at, gitDir).mustGit("ls-files", "-v"), /S b\.txt\nh c\.txt/);
    await usable(repo, repo.at, gitDir);
  });

  test("a split index", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("config", "core.splitIndex", "true");
    await repo.mustGit("update-index", "--split-index");
    const { gitDir } = made(repo.at);
    await usable(repo, repo.at, gitDir);
  });

  test("untracked cache, fsmonitor settings, features for many files", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("config", "feature.manyFiles", "true");
    await repo.mustGit("config", "core.untrackedCache", "true");
    repo.write(".git/fsmonitor", `#!/bin/sh\nprintf 'x\\0/\\0'\n`);
    chmodSync(repo.path(".git/fsmonitor"), 0o755);
    await repo.mustGit("config", "core.fsmonitor", repo.path(".git/fsmonitor"));
    repo.write("u.txt", "1\n");
    await repo.mustGit("update-index", "--untracked-cache", "--force-untracked-cache");
    await repo.mustGit("status");
    await repo.mustGit("status");
    const { gitDir } = made(repo.at);
    const { mustGit } = as(repo, repo.at, gitDir);
    repo.write("v.txt", "1\n");
    rmSync(repo.path("u.txt"));
    assert.equal(await mustGit("status", "--porcelain"), "?? v.txt\n");
    await usable(repo, repo.at, gitDir);
  });

  test("a submodule is where it was", async (t) => {
    const repo = await plain(t);
    const other = await plain(t);
    const allow = ["-c", "protocol.file.allow=always"];
    await repo.mustGit(...allow, "submodule", "--quiet", "add", other.top, "sub");
    await repo.mustGit("commit", "-qm", "sub");
    const { gitDir } = made(repo.at);
    const { mustGit } = as(repo, repo.at, gitDir);
    assert.match(await mustGit("ls-files", "-s", "sub"), /^160000/);
    await usable(repo, repo.at, gitDir);
    assert.equal(await must("git", ["status", "--porcelain"], { cwd: repo.path("sub"), env: repo.env }), "");
  });

  test("a submodule that was cloned into it outlives it", async (t) => {
    const repo = await plain(t);
    const other = await plain(t);
    const { id, gitDir } = made(repo.at);
    const { mustGit } = as(repo, repo.at, gitDir);
    await mustGit(
      "-c",
      "protocol.file.allow=always",
      "submodule",
      "--quiet",
      "add",
      "--name",
      "a/b",
      other.top,
      "deep/sub",
    );
    assert.equal(existsSync(join(gitDir, "modules/a/b/HEAD")), true);
    await mustGit("commit", "-qm", "sub");
    repo.write("deep/sub/a.txt", "only here\n");
    const inSub = (...args: string[]) => must("git", args, { cwd: repo.path("deep/sub"), env: repo.env });
    await inSub("commit", "-qam", "only here");
    removeGitdir(repo.at, id, SESSION);
    assert.equal(await inSub("rev-parse", "--absolute-git-dir"), `${repo.path(".git/modules/a/b")}\n`);
    assert.equal(await inSub("status", "--porcelain"), "");
    assert.equal(await inSub("log", "-1", "--format=%s"), "only here\n");
  });

  test("settings of a working tree's own go with it, but not where it is", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("config", "extensions.worktreeConfig", "true");
    await repo.mustGit("config", "--worktree", "core.bare", "false");
    await repo.mustGit("config", "--worktree", "core.worktree", repo.top);
    await repo.mustGit("config", "--worktree", "user.name", "Wendy");
    const { gitDir } = made(repo.at);
    const { git, mustGit } = as(repo, repo.at, gitDir);
    assert.equal(await mustGit("config", "--worktree", "user.name"), "Wendy\n");
    assert.equal((await git("config", "--worktree", "core.worktree")).code, 1);
    assert.equal((await git("config", "--worktree", "core.bare")).code, 1);
    await usable(repo, repo.at, gitDir);
  });

  test("a reftable", { skip: atLeast(45) ? false : `${version.trim()} has none` }, async (t) => {
    const repo = await plain(t, { commit: false });
    rmSync(repo.path(".git"), { recursive: true });
    await repo.mustGit("init", "-q", "-b", "main", "--ref-format=reftable");
    await repo.mustGit("add", ".");
    await repo.mustGit("commit", "-qm", "base");
    const { gitDir } = made(repo.at);
    await usable(repo, repo.at, gitDir);
    assert.equal(followHead(repo.at, gitDir), "same");
    await repo.mustGit("switch", "-q", "-c", "other");
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal(await as(repo, repo.at, gitDir).mustGit("symbolic-ref", "HEAD"), "refs/heads/other\n");
    await repo.mustGit("switch", "-q", "main");
    rmSync(join(gitDir, "HEAD"));
    assert.equal(made(repo.at).kind, "there");
    await sound(repo, repo.at);
  });

  test("packed refs, sha256, an index that is not there, a HEAD that is a link", async (t) => {
    const packed = await plain(t);
    await packed.mustGit("pack-refs", "--all");
    await usable(packed, packed.at, made(packed.at).gitDir);

    const long = await plain(t, { commit: false });
    rmSync(long.path(".git"), { recursive: true });
    await long.mustGit("init", "-q", "-b", "main", "--object-format=sha256");
    await long.mustGit("add", ".");
    await long.mustGit("commit", "-qm", "base");
    await usable(long, long.at, made(long.at).gitDir);

    const without = await plain(t);
    rmSync(without.path(".git/index"));
    const { gitDir } = made(without.at);
    assert.equal(await as(without, without.at, gitDir).mustGit("status", "--porcelain"), "");
    await sound(without, without.at);

    const linked = await plain(t);
    await linked.mustGit("config", "core.preferSymlinkRefs", "true");
    await linked.mustGit("symbolic-ref", "HEAD", "refs/heads/main");
    await usable(linked, linked.at, made(linked.at).gitDir);
  });

  for (const name of ["a b", `it's "quoted"`, "two\nlines", "žluť", "-x", "$(x)`y`\\z"])
    test(`a path like ${JSON.stringify(name)}`, async (t) => {
      const repo = await plain(t, { name });
      const { id, gitDir } = made(repo.at);
      await usable(repo, repo.at, gitDir);
      assert.equal(listGitdirs(repo.at.commonDir)[0]!.top, repo.top);
      assert.equal(made(repo.at).id, id);
      removeGitdir(repo.at, id, SESSION);
      assert.deepEqual(listGitdirs(repo.at.commonDir), []);
    });

  test("a repository that is moved, or copied, takes what is staged with it", async (t) => {
    const repo = await plain(t);
    const { id, gitDir } = made(repo.at);
    repo.write("s.txt", "staged\n");
    await as(repo, repo.at, gitDir).mustGit("add", "s.txt");
    const elsewhere = join(repo.dir, "elsewhere");
    renameSync(repo.top, elsewhere);
    await must("git", ["gc", "-q", "--prune=now"], { cwd: elsewhere, env: repo.env });
    await must("git", ["worktree", "prune", "--expire=now"], { cwd: elsewhere, env: repo.env });
    const at = await treeAt(repo, elsewhere);
    assert.equal(listGitdirs(at.commonDir)[0]!.top, elsewhere);
    const there = made(at);
    assert.deepEqual([there.kind, there.id], ["there", id]);
    assert.equal(await as(repo, at, there.gitDir).mustGit("diff", "--cached", "--name-only"), "s.txt\n");
    await sound(repo, at);

    await must("cp", ["-R", elsewhere, repo.top], { cwd: repo.dir, env: repo.env });
    assert.equal(made(repo.at).kind, "there");
    removeGitdir(repo.at, id, SESSION);
    assert.equal(existsSync(there.gitDir), true);
    await sound(repo, at);
  });
});

describe("gc", () => {
  test("what is staged only there stays, whoever collects", async (t) => {
    const repo = await plain(t);
    const other = await repo.worktree("linked");
    const ada = made(repo.at, "ada");
    const bob = made(repo.at, "bob");
    repo.write("s.txt", "staged\n");
    await as(repo, repo.at, ada.gitDir).mustGit("add", "s.txt");
    rmSync(repo.path("s.txt"));
    const old = Date.now() / 1000 - 30 * 86_400;
    for (const file of readdirSync(repo.path(".git/objects"), { recursive: true, withFileTypes: true }))
      if (file.isFile()) utimesSync(join(file.parentPath, file.name), old, old);
    await repo.mustGit("gc", "-q");
    await repo.mustGit("gc", "-q", "--prune=now");
    await as(repo, repo.at, bob.gitDir).mustGit("gc", "-q", "--prune=now");
    await as(repo, repo.at, ada.gitDir).mustGit("prune", "--expire=now");
    await must("git", ["gc", "-q", "--prune=now"], { cwd: other, env: repo.env });
    assert.equal(await as(repo, repo.at, ada.gitDir).mustGit("show", ":s.txt"), "staged\n");
    assert.equal(listGitdirs(repo.at.commonDir).length, 2);
  });
});

describe("people", () => {
  test("can switch away and back, once the gitdirs have followed", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    await repo.mustGit("switch", "-q", "-c", "other");
    // This is what following is for.
    assert.match((await repo.git("switch", "main")).stderr, /already (?:checked out|used by worktree)/);
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal(followHead(repo.at, gitDir), "same");
    await repo.mustGit("switch", "-q", "main");
    assert.equal(followHead(repo.at, gitDir), "moved");
    await repo.mustGit("branch", "-q", "-d", "other");
    assert.equal(await as(repo, repo.at, gitDir).mustGit("symbolic-ref", "HEAD"), "refs/heads/main\n");
  });

  test("can do with the branch they are on what they could before", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    await repo.mustGit("branch", "topic");
    await repo.mustGit("switch", "-q", "main");
    await repo.mustGit("commit", "-q", "--allow-empty", "-m", "more");
    await repo.mustGit("rebase", "-q", "topic");
    await repo.mustGit("reset", "-q", "--hard", "HEAD");
    await repo.mustGit("branch", "-m", "main", "renamed");
    assert.equal(followHead(repo.at, gitDir), "same");
    await repo.mustGit("worktree", "add", "-q", join(repo.dir, "w"), "topic");
    await repo.mustGit("worktree", "remove", join(repo.dir, "w"));
    await repo.mustGit("branch", "-q", "-d", "topic");
  });

  test("on a branch without a commit, on none, in a rebase: nobody follows", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    // And nobody is kept from going back: git lets nobody switch to a branch that another gitdir names.
    const away = async (expected: string, ...args: string[]) => {
      await repo.mustGit("switch", "-q", ...args);
      assert.equal(followHead(repo.at, gitDir), expected);
      await repo.mustGit("switch", "-q", "main");
      assert.equal(followHead(repo.at, gitDir), "moved");
    };
    await away("native-unborn", "--orphan", "new");
    await away("native-detached", "--detach");
    await repo.mustGit("commit", "-q", "--allow-empty", "-m", "more");
    await repo.git("rebase", "-q", "-x", "false", "HEAD~1");
    assert.equal(followHead(repo.at, gitDir), "native-operation");
    await repo.mustGit("rebase", "--quit");
    await repo.mustGit("switch", "-q", "main");
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal(await as(repo, repo.at, gitDir).mustGit("symbolic-ref", "HEAD"), "refs/heads/main\n");
  });

  test("what a session has to conclude waits for its branch; a commit on no branch is kept", async (t) => {
    const repo = await plain(t);
    const { gitDir } = made(repo.at);
    const { mustGit } = as(repo, repo.at, gitDir);
    await repo.mustGit("switch", "-q", "-c", "other");
    writeFileSync(join(gitDir, "MERGE_HEAD"), `${await repo.head()}\n`);
    assert.equal(followHead(repo.at, gitDir), "own-operation");
    assert.equal(startedOn(gitDir), "refs/heads/main");
    assert.equal(followHead(repo.at, gitDir), "own-operation");
    await repo.mustGit("switch", "-q", "main");
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal(startedOn(gitDir), undefined);
    assert.equal(followHead(repo.at, gitDir), "same");
    await repo.mustGit("switch", "-q", "other");
    assert.equal(followHead(repo.at, gitDir), "own-operation");
    rmSync(join(gitDir, "MERGE_HEAD"));
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal(startedOn(gitDir), undefined);
    await repo.mustGit("switch", "-q", "-c", "third");
    writeFileSync(join(gitDir, "HEAD.lock"), "");
    assert.equal(followHead(repo.at, gitDir), "busy");
    rmSync(join(gitDir, "HEAD.lock"));
    await mustGit("update-ref", "--no-deref", "HEAD", await repo.head());
    await mustGit("commit", "-q", "--allow-empty", "-m", "on no branch");
    const commit = (await mustGit("rev-parse", "HEAD")).trim();
    assert.equal(followHead(repo.at, gitDir), "moved");
    assert.equal((await repo.mustGit("rev-parse", `refs/signalbox/keep/${commit}`)).trim(), commit);
  });
});

test("the box names the folders as its entries do", async (t) => {
  const repo = await plain(t);
  const { id } = made(repo.at);
  assert.equal(basename(join(repo.boxDir, "wt", id)), id);
  assert.deepEqual(readdirSync(join(repo.boxDir, "wt", id)), [".git"]);
});
