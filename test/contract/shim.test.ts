/** The session's `git`: its own index here, the real git everywhere else. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import {
  type Done,
  type FakeSession,
  makeScratch,
  run,
  type ScratchOptions,
  type ScratchRepo,
} from "../support/repo/mod.ts";

interface Lab {
  readonly repo: ScratchRepo;
  readonly ada: FakeSession;
  /** Runs a script as a command of the session: the shim is first on its PATH. */
  readonly sh: (script: string, env?: Record<string, string>) => Promise<Done>;
  readonly must: (script: string, env?: Record<string, string>) => Promise<string>;
  readonly gitDir: string;
}

async function lab(t: TestContext, options: ScratchOptions = {}): Promise<Lab> {
  const repo = await makeScratch(t, options);
  const ada = await repo.startSession("ada");
  const sh = (script: string, env: Record<string, string> = {}) =>
    run("sh", ["-c", script], {
      cwd: repo.top,
      env: { ...ada.env, PATH: `${join(repo.boxDir, "shim")}:${ada.env["PATH"]}`, ...env },
    });
  const must = async (script: string, env: Record<string, string> = {}) => {
    const done = await sh(script, env);
    assert.equal(done.code, 0, `${script}: ${done.stderr}${done.stdout}`);
    return done.stdout.trim();
  };
  const gitDir = await must("git rev-parse --absolute-git-dir");
  return { repo, ada, sh, must, gitDir };
}

const staged = (repo: ScratchRepo) => repo.mustGit("diff", "--cached", "--name-only");

describe("in its own working tree", () => {
  test("a session has a gitdir of its own, on the same branch, with nothing staged", async (t) => {
    const { repo, must, gitDir } = await lab(t);
    assert.match(gitDir, /\.git\/worktrees\/sb-/);
    assert.equal(await must("git symbolic-ref HEAD"), "refs/heads/main");
    assert.equal(await must("git status --porcelain"), "");
    assert.equal(await must("git rev-parse --show-toplevel"), repo.top);
  });

  test("what it stages is staged for it alone, from wherever in the tree", async (t) => {
    const { repo, must } = await lab(t, { files: { "a.txt": "1\n", "sub/b.txt": "1\n" } });
    repo.write("a.txt", "2\n");
    repo.write("sub/b.txt", "2\n");
    symlinkSync(join(repo.top, "sub"), join(repo.dir, "link"));
    await must("git add a.txt");
    await must("cd sub && git add b.txt");
    assert.equal(await must("git diff --cached --name-only"), "a.txt\nsub/b.txt");
    assert.equal(await staged(repo), "");
    await must("git reset -q; cd ../link && git add b.txt; git -C .. status -s >/dev/null");
    assert.equal(await must("git diff --cached --name-only"), "sub/b.txt");
    await must("cd / && git -C repo/../repo/sub status >/dev/null || :");
  });

  test("scripts, make, xargs and find use it too", async (t) => {
    const { repo, must } = await lab(t);
    for (const name of ["a.txt", "b.txt", "c.txt"]) repo.write(name, "2\n");
    repo.write("Makefile", "stage:\n\tgit add a.txt\n");
    await must("make -s stage 2>/dev/null || git add a.txt");
    await must("echo b.txt | xargs git add; find . -name c.txt -exec git add {} +");
    assert.equal(await must("git diff --cached --name-only"), "a.txt\nb.txt\nc.txt");
    assert.equal(await staged(repo), "");
  });

  test("a commit of its own leaves a person's index as it was, and clean of what was committed", async (t) => {
    const { repo, must } = await lab(t);
    repo.write("h.txt", "a person's\n");
    await repo.mustGit("add", "h.txt");
    repo.write("a.txt", "ada's\n");
    await must("git commit -qam ada");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
    assert.equal(await repo.mustGit("status", "--porcelain"), "A  h.txt\n");
    await repo.mustGit("commit", "-qm", "a person");
    assert.deepEqual(await repo.pathsOf(), ["h.txt"]);
  });

  test("a person's commit is carried into its index by its next command", async (t) => {
    const { repo, must } = await lab(t);
    repo.write("b.txt", "ada's\n");
    await must("git add b.txt");
    repo.write("a.txt", "a person's\n");
    await repo.mustGit("commit", "-qm", "a person", "--", "a.txt");
    assert.equal(await must("git status --porcelain"), "M  b.txt");
    await must("git commit -qm ada");
    assert.deepEqual(await repo.pathsOf(), ["b.txt"]);
    assert.equal(repo.read("a.txt"), "a person's\n");
  });

  test("a hook of the repository's own that adds a file in a folder adds that file", async (t) => {
    const { repo, must } = await lab(t, { files: { "a.txt": "1\n", "sub/x.txt": "1\n" } });
    const hook = repo.path(".git/hooks/pre-commit");
    const before = existsSync(hook) ? readFileSync(hook, "utf8") : "#!/bin/sh\n";
    writeFileSync(hook, `${before}echo made >sub/gen.txt\ncd sub && git add gen.txt\n`);
    chmodSync(hook, 0o755);
    // Where git runs our hooks from its config, theirs was not there when they were written.
    await repo.mustSignalbox("init");
    for (const commit of [
      "git commit -qam one",
      "git commit -qm two -- a.txt",
      "git commit -qm three -i a.txt",
    ]) {
      repo.write("a.txt", `${commit}\n`);
      await must(commit);
      assert.equal(await must("git ls-files | grep gen.txt"), "sub/gen.txt", commit);
      await must("git rm -q --cached sub/gen.txt; git commit -qnm back");
    }
  });
});

describe("elsewhere it is the real git", () => {
  test("another repository, a clone, a nested one, one that is named", async (t) => {
    const { repo, must, gitDir } = await lab(t);
    repo.write("a.txt", "2\n");
    await must("git add a.txt");
    await must("git init -q -b main ../O; echo x >../O/x; git -C ../O add x; git -C ../O commit -qm x");
    assert.equal(await must("git -C ../O show --name-only --format="), "x");
    assert.equal(await must("cd ../O && git rev-parse --git-dir"), ".git");
    await must("git clone -q . ../clone; cd ../clone; echo y >y; git add y; git commit -qm y");
    assert.equal(await must("cd ../clone && git show --name-only --format="), "y");
    await must("git init -q -b main nested; cd nested; echo z >z; git add z; git commit -qm z");
    assert.equal(await must("cd nested && git ls-files"), "z");
    assert.equal(await must("git --git-dir=../O/.git --work-tree=../O ls-files"), "x");
    assert.equal(await must("GIT_DIR=../O/.git git ls-files"), "x");
    assert.equal(await must("git --git-dir=.git diff --cached --name-only"), "");
    assert.equal(await must("cd .git/hooks && git rev-parse --git-dir"), join(repo.top, ".git"));
    assert.equal(await must("git diff --cached --name-only"), "a.txt");
    assert.equal(await must("git rev-parse --absolute-git-dir"), gitDir);
  });

  test("a linked working tree is its own", async (t) => {
    const { repo, must } = await lab(t);
    await must("git worktree add -q -b side ../side");
    assert.equal(
      await must("cd ../side && git rev-parse --absolute-git-dir"),
      join(repo.top, ".git/worktrees/side"),
    );
    repo.write("../side/a.txt", "2\n");
    await must("cd ../side && git commit -qam side");
    assert.equal(await must("git status --porcelain"), "");
  });

  test("a submodule's gitdir is the repository's, and its entry the session's", async (t) => {
    const { repo, must } = await lab(t);
    await must("git init -q -b main ../O; echo x >../O/x; git -C ../O add x; git -C ../O commit -qm x");
    await must("git -c protocol.file.allow=always submodule --quiet add ../O sm");
    assert.ok(existsSync(repo.path(".git/modules/sm")));
    assert.equal(await must("git diff --cached --name-only"), ".gitmodules\nsm");
    assert.equal(await staged(repo), "");
    assert.equal(await must("cd sm && git ls-files"), "x");
  });

  test("without a session, with SIGNALBOX=0, and for what needs no repository", async (t) => {
    const { repo, must } = await lab(t);
    const plain = join(repo.top, ".git");
    assert.equal(await must("git rev-parse --absolute-git-dir", { SIGNALBOX: "0" }), plain);
    assert.equal(await must("unset CLAUDE_CODE_SESSION_ID; git rev-parse --absolute-git-dir"), plain);
    assert.match(await must("git --version"), /^git version/);
    assert.match(await must("cd / && git version"), /^git version/);
    assert.match(
      (await run("sh", ["-c", "cd / && git status"], { cwd: "/", env: repo.env })).stderr,
      /not a git repository/,
    );
  });
});

describe("when something of it is gone", () => {
  test("the session's PATH leads to the real git", async (t) => {
    const { repo, must } = await lab(t);
    renameSync(repo.boxDir, `${repo.boxDir}-gone`);
    assert.equal(await must("git rev-parse --git-dir"), ".git");
  });

  test("no view, no gitdir, no bundle, no runtime: git runs, and where nothing was guarded it says so", async (t) => {
    const { repo, ada, sh, gitDir } = await lab(t);
    const bob = await repo.startSession("bob");
    repo.write("a.txt", "2\n");
    rmSync(join(repo.boxDir, "runtime/hook.cjs"));
    const unguarded = await sh("git add a.txt");
    assert.equal(unguarded.code, 0);
    assert.match(unguarded.stderr, /^signalbox: git add was not guarded[^\n]*\n$/);
    assert.match(repo.read(".git/signalbox/errors.log"), /git add was not guarded/);
    // A commit by somebody else, and nobody to carry the index forward but the shell.
    repo.write("b.txt", "2\n");
    await repo.mustGit("commit", "-qm", "b", "--", "b.txt");
    const committed = await sh("git commit -qm ada");
    assert.equal(committed.code, 0, committed.stderr);
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
    rmSync(gitDir, { recursive: true });
    assert.equal((await sh("git status")).code, 0);
    rmSync(join(repo.boxDir, "views/home/ada"));
    assert.equal((await sh("git status")).code, 0);
    void [ada, bob];
  });

  for (const [name, how] of [
    ["worktrees/sb-ada/HEAD", "empty"],
    ["worktrees/sb-ada/HEAD", "garbage"],
    ["worktrees/sb-ada/HEAD", "gone"],
    ["worktrees/sb-ada/commondir", "empty"],
    ["worktrees/sb-ada/commondir", "garbage"],
    ["worktrees/sb-ada/commondir", "a folder"],
    ["worktrees/sb-ada/index", "empty"],
    ["worktrees/sb-ada/index", "garbage"],
    ["worktrees/sb-ada/signalbox-base", "empty"],
    ["worktrees/sb-ada/signalbox-base", "a folder"],
    ["signalbox/runtime/hook.cjs", "empty"],
    ["signalbox/runtime/hook.cjs", "garbage"],
    ["signalbox/views/home/ada", "gone"],
  ] as const)
    test(`${name}: ${how}, and nobody's work is taken back`, async (t) => {
      const { repo, must, sh } = await lab(t, { files: { "a.txt": "1\n", "b.txt": "1\n", "c.txt": "1\n" } });
      const bob = await repo.startSession("bob");
      repo.write("a.txt", "ada\n");
      await must("git add a.txt");
      repo.write("b.txt", "bob\n");
      await bob.mustGit("add", "b.txt");
      await bob.mustGit("commit", "-qm", "bob");
      const path = repo.path(`.git/${name}`);
      rmSync(path, { recursive: true });
      if (how === "a folder") mkdirSync(path);
      else if (how !== "gone") writeFileSync(path, how === "empty" ? "" : "\u0001garbage\n\u0000");
      await sh("git add a.txt");
      await must("git commit -qm ada");
      assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
      assert.equal(await repo.mustGit("show", "HEAD:b.txt"), "bob\n");
      repo.write("c.txt", "a person\n");
      await repo.mustGit("commit", "-qm", "a person", "c.txt");
      assert.deepEqual(await repo.pathsOf(), ["c.txt"]);
    });

  test("garbage in the views is no view", async (t) => {
    const { repo, sh } = await lab(t);
    for (const text of [
      "",
      "\n",
      "main\n",
      "main\n/nowhere\n/nowhere\n/nowhere\n/nowhere\n\n",
      "\u0000\u0001",
    ]) {
      writeFileSync(join(repo.boxDir, "views/home/ada"), text);
      const { code, stderr } = await sh("git status --porcelain");
      assert.equal(code, 0, JSON.stringify(text) + stderr);
    }
    mkdirSync(join(repo.boxDir, "views/in/main/x"), { recursive: true });
    assert.equal((await sh("git status --porcelain")).code, 0);
  });
});

for (const name of ["a b", "it's", 'say "x"', "$HOME", "a;b", "ž"]) {
  test(`a repository called ${name}`, async (t) => {
    const { repo, must } = await lab(t, { name });
    repo.write("a.txt", "2\n");
    await must("git add a.txt && git commit -qm ada");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
    assert.equal(await repo.mustGit("status", "--porcelain"), "");
  });
}
