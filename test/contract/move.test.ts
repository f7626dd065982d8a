/** A branch and its tree go to another commit at once; killed on the way, nothing is half done for long. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { isMoving, moveTree } from "../../src/adapters/git/move.ts";
import { makeScratch } from "../support/repo/mod.ts";

const MOVE = new URL("../../src/adapters/git/move.ts", import.meta.url).href;

async function twoCommits(t: TestContext) {
  const repo = await makeScratch(t, {
    files: { "changed.txt": "old\n", "gone.txt": "old\n", "same.txt": "same\n", "ta b/ü.txt": "old\n" },
    install: false,
  });
  const from = await repo.head();
  await repo.mustGit("switch", "-qc", "target");
  for (const file of ["changed.txt", "new/one.txt", "ta b/ü.txt"]) repo.write(file, "new\n");
  await repo.mustGit("rm", "-q", "gone.txt");
  await repo.mustGit("add", ".");
  await repo.mustGit("commit", "-qm", "target");
  const to = await repo.head();
  await repo.mustGit("switch", "-q", "main");
  const gitDir = join(repo.top, ".git");
  const at = { commonDir: gitDir, nativeGitDir: gitDir, top: repo.top };
  const status = () => repo.mustGit("status", "--porcelain");
  return { repo, at, from, to, status, move: { branch: "refs/heads/main", from, to } };
}

test("branch, index and files go together", async (t) => {
  const { repo, at, to, move, status } = await twoCommits(t);
  assert.deepEqual(moveTree(at, move, "test: moved"), { kind: "moved" });
  assert.deepEqual([await repo.head(), await status()], [to, ""]);
  assert.deepEqual([repo.read("new/one.txt"), existsSync(repo.path("gone.txt"))], ["new\n", false]);
  assert.match(await repo.mustGit("reflog", "-1"), /test: moved/);
  assert.deepEqual(
    readdirSync(at.nativeGitDir).filter((name) => name.startsWith("signalbox")),
    [],
  );
});

for (const [what, file] of [
  ["a changed file", "changed.txt"],
  ["a new file", "new/one.txt"],
] as const)
  test(`${what} in the way: nothing is changed`, async (t) => {
    const { repo, at, from, move, status } = await twoCommits(t);
    repo.write(file, "mine\n");
    const before = await status();
    assert.equal(moveTree(at, move, "test").kind, "failed");
    assert.deepEqual([await repo.head(), await status(), repo.read(file)], [from, before, "mine\n"]);
  });

test("an ignored file in the way is somebody's too", async (t) => {
  const { repo, at, from, move } = await twoCommits(t);
  repo.write(".git/info/exclude", "new\n");
  repo.write("new/one.txt", "mine\n");
  const moved = moveTree(at, move, "test");
  assert.equal(moved.kind, "failed");
  assert.match(JSON.stringify(moved), /new\/one\.txt/);
  assert.deepEqual([await repo.head(), repo.read("new/one.txt")], [from, "mine\n"]);
});

test("somebody has committed meanwhile: overtaken, and nothing is changed", async (t) => {
  const { repo, at, move, status } = await twoCommits(t);
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "meanwhile");
  const head = await repo.head();
  assert.equal(moveTree(at, move, "test").kind, "overtaken");
  assert.deepEqual([await repo.head(), await status()], [head, ""]);
});

test("the tree is on another branch by now: nothing is changed", async (t) => {
  const { repo, at, from, move, status } = await twoCommits(t);
  await repo.mustGit("switch", "-qc", "other");
  assert.equal(moveTree(at, move, "test").kind, "failed");
  assert.deepEqual([(await repo.mustGit("rev-parse", "main")).trim(), await status()], [from, ""]);
});

test("the user's own reference-transaction hook has its say", async (t) => {
  const { repo, at, from, move, status } = await twoCommits(t);
  const hook = join(at.nativeGitDir, "hooks/reference-transaction");
  mkdirSync(join(at.nativeGitDir, "hooks"), { recursive: true });
  writeFileSync(hook, '#!/bin/sh\necho "$1 $(cat)" >>"$GIT_DIR/seen"\n[ "$1" != prepared ] || exit 1\n');
  chmodSync(hook, 0o755);
  assert.equal(moveTree(at, move, "test").kind, "failed");
  assert.deepEqual([await repo.head(), await status()], [from, ""]);
  assert.match(
    readFileSync(join(at.nativeGitDir, "seen"), "utf8"),
    new RegExp(`prepared ${from} .*refs/heads/main`),
  );
});

/** Where the process that moves is killed: by a filter that runs while files are written, or a hook. */
for (const [where, script] of [
  ["before any file is written", 'case "$1" in prepared) kill -9 $(cat "$KILL");; esac'],
  ["when the branch has moved", 'case "$1" in committed) kill -9 $(cat "$KILL");; esac'],
] as const)
  test(`killed ${where}: put back, or done`, async (t) => {
    const { repo, at, from, to, move, status } = await twoCommits(t);
    const hook = join(at.nativeGitDir, "hooks/reference-transaction");
    mkdirSync(join(at.nativeGitDir, "hooks"), { recursive: true });
    writeFileSync(hook, `#!/bin/sh\n${script}\n`);
    chmodSync(hook, 0o755);
    await moveAndDie(repo, at, move);
    assert.equal(isMoving(at), false);
    const head = await repo.head();
    assert.equal(head, where.startsWith("before") ? from : to);
    assert.equal(await status(), "");
  });

test("killed at any moment: put back, or done; and what somebody has changed since stays theirs", async (t) => {
  const { repo, at, from, to, move, status } = await twoCommits(t);
  // Every file that is written takes a while.
  await repo.mustGit("config", "filter.slow.smudge", "sleep 0.1; cat");
  await repo.mustGit("config", "filter.slow.clean", "cat");
  writeFileSync(join(at.nativeGitDir, "info/attributes"), "* filter=slow\n");
  const heads = new Set<string>();
  for (const ms of [150, 250, 300, 350, 400, 450, 500, 600]) {
    await moveAndDie(repo, at, move, ms);
    const late = existsSync(repo.path("changed.txt")) && repo.read("changed.txt") === "new\n" && ms === 350;
    if (late) repo.write("changed.txt", "theirs\n");
    assert.equal(isMoving(at), false);
    heads.add(await repo.head());
    if (late) {
      assert.equal(repo.read("changed.txt"), "theirs\n");
      await repo.mustGit("checkout", "-q", "--", "changed.txt");
    }
    assert.equal(await status(), "", `after ${ms} ms`);
    await repo.mustGit("reset", "-q", "--hard", from);
  }
  for (const head of heads) assert.ok(head === from || head === to);
});

/** In a process group of its own, all of which dies. */
async function moveAndDie(
  repo: Awaited<ReturnType<typeof twoCommits>>["repo"],
  at: Awaited<ReturnType<typeof twoCommits>>["at"],
  move: Awaited<ReturnType<typeof twoCommits>>["move"],
  afterMs?: number,
): Promise<void> {
  const pidFile = join(repo.dir, "pid");
  const code = `
    import { writeFileSync } from "node:fs";
    import { moveTree } from ${JSON.stringify(MOVE)};
    writeFileSync(${JSON.stringify(pidFile)}, "-" + process.pid);
    moveTree(${JSON.stringify(at)}, ${JSON.stringify(move)}, "test");
  `;
  await new Promise<void>((done, fail) => {
    const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
      detached: true,
      stdio: "ignore",
      cwd: new URL("../..", import.meta.url),
      env: { ...repo.env, KILL: pidFile, PATH: process.env["PATH"] },
    });
    const kill = () => {
      try {
        process.kill(-child.pid!, "SIGKILL");
      } catch {
        // It was through.
      }
    };
    if (afterMs !== undefined) {
      const started = setInterval(() => {
        if (!existsSync(pidFile)) return;
        clearInterval(started);
        setTimeout(kill, afterMs - 100);
      }, 5);
      child.on("exit", () => clearInterval(started));
    }
    child.on("error", fail);
    child.on("exit", () => done());
  });
}
