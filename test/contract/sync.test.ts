/** `signalbox sync` and the pull points of sessions, on real git: a branch comes up to its base, or nothing is changed. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { builtCommand, type FakeSession, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

const FILES = { "a.txt": "1\n2\n3\n", "b.txt": "1\n", "c.txt": "1\n" };

interface Linked {
  readonly repo: ScratchRepo;
  /** A session in a linked worktree, on branch `side`. */
  readonly ada: FakeSession;
  /** One in the main tree, on `main`. */
  readonly bob: FakeSession;
  readonly side: string;
  readonly git: (...args: string[]) => Promise<string>;
  readonly sync: (...args: string[]) => ReturnType<ScratchRepo["signalbox"]>;
}

async function linked(t: TestContext, env: Record<string, string> = {}): Promise<Linked> {
  const repo = await makeScratch(t, { files: FILES, env });
  const side = join(repo.dir, "side");
  await repo.mustGit("worktree", "add", "-q", "-b", "side", side);
  const bob = await repo.startSession("bob");
  const ada = await repo.session("ada").at({ cwd: side }).start();
  const git = (...args: string[]) => repo.mustGit("-C", side, ...args);
  return {
    repo,
    ada,
    bob,
    side,
    git,
    sync: (...args) => repo.signalboxAs({ cwd: side, env: ada.env }, "sync", ...args),
  };
}

const commitIn = async (repo: ScratchRepo, dir: string, file: string, text: string) => {
  writeFileSync(join(dir, file), text);
  await repo.mustGit("-C", dir, "add", file);
  await repo.mustGit("-C", dir, "commit", "-qm", `${file} in ${dir === repo.top ? "main" : "side"}`);
};
const subjects = async (git: Linked["git"]) => (await git("log", "--format=%s", "-5")).trim().split("\n");

/** All that could have been changed: HEAD, branches, index, files, git's own state. */
async function picture({ repo, side, git }: Linked): Promise<string> {
  return [
    await repo.mustGit("for-each-ref"),
    await git("ls-files", "-s"),
    await git("status", "--porcelain=v2", "--branch"),
    ...["a.txt", "b.txt", "c.txt"].map((file) => readFileSync(join(side, file), "utf8")),
  ].join("\n");
}

test("nothing of its own: it is brought forward", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  const { code, stdout } = await it.sync();
  assert.deepEqual(
    [code, stdout.startsWith("side was brought forward by 1 commit to main")],
    [0, true],
    stdout,
  );
  assert.equal(readFileSync(join(it.side, "b.txt"), "utf8"), "2\n");
  assert.match((await it.sync()).stdout, /^side has all of main\n$/);
});

test("commits of its own go on top; their session's index and everybody's stays right", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  await it.ada.edit("c.txt");
  await it.ada.mustGit("commit", "-qam", "mine");
  const { code, stdout } = await it.sync();
  assert.equal(code, 0, stdout);
  assert.match(stdout, /^1 commit of side rebased onto main \(now [0-9a-f]{8}, was [0-9a-f]{8}\)\n$/);
  assert.deepEqual((await subjects(it.git)).slice(0, 2), ["mine", "b.txt in main"]);
  assert.equal(await it.git("status", "--porcelain"), "");
  assert.equal(await it.ada.mustGit("status", "--porcelain"), "");
  assert.deepEqual(
    it.repo.eventsOf("rebase.succeeded").map((e) => e.session),
    ["ada"],
  );
});

test("a conflict is foreseen: nothing is changed, it is said where, and tried again later, or when the base moves", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "a.txt", "main\n2\n3\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  await commitIn(it.repo, it.side, "a.txt", "side\n2\n3\n");
  const before = await picture(it);
  const { code, stderr } = await it.sync();
  assert.equal(code, 1);
  assert.match(stderr, /side and main do not go together in a\.txt; nothing was changed/);
  assert.match(stderr, /by hand: git rebase main/);
  assert.equal(await picture(it), before);
  assert.deepEqual(
    it.repo.eventsOf("rebase.conflicted").map((e) => e.paths),
    [["a.txt"]],
  );
  assert.match(
    (await it.sync()).stderr,
    /not now: it would have conflicted, and its base has not moved since; after/,
  );
  assert.equal((await it.sync("--now")).code, 1);
  const [first, second] = it.repo.eventsOf("rebase.conflicted");
  assert.ok((second?.notBefore ?? 0) - (first?.notBefore ?? 0) >= 50_000, "twice as long");
});

test("what is not committed stays: dirty files, what a session has staged, untracked files in the way", async (t) => {
  for (const [what, make, said] of [
    [
      "dirty",
      async (it: Linked) => writeFileSync(join(it.side, "c.txt"), "dirty\n"),
      /c\.txt has uncommitted changes/,
    ],
    [
      "staged",
      async (it: Linked) => {
        writeFileSync(join(it.side, "new.txt"), "new\n");
        await it.ada.mustGit("add", "new.txt");
      },
      /session ada has staged new\.txt/,
    ],
    [
      "untracked",
      async (it: Linked) => writeFileSync(join(it.side, "coming.txt"), "mine\n"),
      /would be overwritten/,
    ],
  ] as const) {
    const it = await linked(t);
    await commitIn(it.repo, it.repo.top, "coming.txt", "theirs\n");
    await make(it);
    const before = await picture(it);
    const { code, stderr } = await it.sync();
    assert.equal(code, 1, what);
    assert.match(stderr, said, what);
    assert.equal(await picture(it), before, what);
  }
});

test("nothing while something is in progress, on a detached HEAD, without a base, over merges of its own", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "a.txt", "main\n2\n3\n");
  await it.repo.mustGit("branch", "other", "main~");
  await commitIn(it.repo, it.side, "a.txt", "side\n2\n3\n");
  await it.repo.mustGit("-C", it.side, "merge", "-q", "main").catch(() => undefined);
  assert.match((await it.sync()).stderr, /a merge is in progress/);
  await it.git("merge", "--abort");
  await it.git("checkout", "-q", "--detach");
  assert.match((await it.sync()).stdout, /HEAD is detached/);
  await it.git("checkout", "-q", "other");
  await commitIn(it.repo, it.side, "c.txt", "other\n");
  await it.git("merge", "-q", "--no-edit", "side", "-X", "ours");
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  assert.match((await it.sync("--now")).stderr, /merge commits of its own/);
  const main = await it.repo.signalboxAs({ env: it.bob.env }, "sync");
  assert.deepEqual([main.code, /sessions in one tree share it/.test(main.stdout)], [0, true], main.stdout);
  assert.match((await it.sync("--onto", "nothing-such")).stdout, /there is no nothing-such/);
  await it.git("checkout", "-q", "--orphan", "strange");
  await it.git("commit", "-q", "-m", "strange");
  assert.match((await it.sync()).stdout, /strange and main have no history in common/);
  assert.equal((await it.sync("more")).code, 2);
});

test("others in the same tree: forward goes, a rebase does not, and says what does", async (t) => {
  const it = await linked(t);
  const eve = await it.repo.session("eve").at({ cwd: it.side }).start();
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  assert.equal((await it.sync()).code, 0);
  await commitIn(it.repo, it.repo.top, "b.txt", "3\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  const { code, stderr } = await it.sync("--now");
  assert.equal(code, 1);
  assert.match(stderr, /session eve works in this tree.*`git merge main` goes/);
  await eve.end();
  assert.equal((await it.sync("--now")).code, 0);
});

test("a person is held up by no queue, and leaves none", async (t) => {
  const it = await linked(t);
  for (const text of ["2\n", "3\n"]) {
    await commitIn(it.repo, it.repo.top, "b.txt", text);
    const { code, stdout } = await it.repo.signalboxAs({ cwd: it.side }, "sync");
    assert.equal(code, 0, stdout);
  }
  assert.deepEqual(it.repo.eventsOf("rebase.started"), []);
});

test("after a rebase the next one waits for the cooldown; --now does not; --dry-run changes nothing", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  const before = await picture(it);
  assert.match(
    (await it.sync("--dry-run")).stdout,
    /^1 commit of side would be rebased onto main, 1 commit on\n$/,
  );
  assert.equal(await picture(it), before);
  assert.equal((await it.sync()).code, 0);
  await commitIn(it.repo, it.repo.top, "b.txt", "3\n");
  assert.match((await it.sync()).stderr, /rebased a moment ago; after \d\d:\d\d, or at once with --now/);
  assert.equal((await it.sync("--now")).code, 0);
});

test("an upstream is a base like any other, fetched only when asked", async (t) => {
  const it = await linked(t);
  const away = join(it.repo.dir, "away.git");
  await it.repo.mustGit("clone", "-q", "--bare", it.repo.top, away);
  await it.repo.mustGit("remote", "add", "origin", away);
  await it.repo.mustGit("fetch", "-q", "origin");
  await it.git("branch", "-q", "--set-upstream-to=origin/main");
  const clone = join(it.repo.dir, "clone");
  mkdirSync(clone);
  await it.repo.mustGit("clone", "-q", away, clone);
  await commitIn(it.repo, clone, "b.txt", "away\n");
  await it.repo.mustGit("-C", clone, "push", "-q", "origin", "HEAD:main");
  assert.match((await it.sync()).stdout, /has all of origin\/main/);
  assert.match((await it.sync("--fetch")).stdout, /brought forward by 1 commit to origin\/main/);
});

test("commits that a remote has are not rebased: others may build on them", async (t) => {
  const it = await linked(t);
  const away = join(it.repo.dir, "away.git");
  await it.repo.mustGit("init", "-q", "--bare", away);
  await it.repo.mustGit("remote", "add", "origin", away);
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  await it.git("push", "-q", "origin", "side");
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  const before = await picture(it);
  assert.match((await it.sync()).stderr, /a remote has commits of this branch.*`git merge main` goes/);
  assert.equal(await picture(it), before);
});

test("a git that cannot foretell: the rebase is begun, and taken back whole where it stops", async (t) => {
  const it = await linked(t);
  const old = join(it.repo.dir, "old-git");
  const real = (await it.repo.mustGit("--exec-path")).trim();
  writeFileSync(
    old,
    `#!/bin/sh\ncase $1 in --version) echo git version 2.31.0; exit ;; merge-tree) exit 129 ;; esac\nPATH='${real}':$PATH exec git "$@"\n`,
    { mode: 0o755 },
  );
  const sync = () =>
    it.repo.signalboxAs({ cwd: it.side, env: { ...it.repo.env, SIGNALBOX_GIT: old } }, "sync");
  await commitIn(it.repo, it.repo.top, "a.txt", "main\n2\n3\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  const done = await sync();
  assert.match(done.stdout, /1 commit of side rebased onto main/, done.stderr);
  await commitIn(it.repo, it.repo.top, "b.txt", "main\n");
  await commitIn(it.repo, it.side, "own.txt", "mine\n");
  await commitIn(it.repo, it.side, "b.txt", "side\n");
  const before = await picture(it);
  const { code, stderr } = await sync();
  assert.equal(code, 1);
  assert.match(stderr, /do not go together in b\.txt; nothing was changed/);
  assert.equal(await picture(it), before);
});

test("what a hook of the user forbids changes nothing", async (t) => {
  const it = await linked(t);
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  writeFileSync(join(it.repo.top, ".git/hooks/pre-rebase"), "#!/bin/sh\necho not today >&2\nexit 1\n", {
    mode: 0o755,
  });
  const before = await picture(it);
  const { code, stderr } = await it.sync();
  assert.equal(code, 1);
  assert.match(stderr, /not now: .*nothing was changed/);
  assert.equal(await picture(it), before);
});

test("a session is told once a target that its base has moved, at its next prompt; silent when alone, or off", async (t) => {
  const it = await linked(t);
  assert.equal((await it.ada.prompt()).told, "");
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  assert.match(
    (await it.ada.prompt()).told,
    /^signalbox: main is 1 commit ahead of side; `git signalbox sync` brings it up/,
  );
  assert.equal((await it.ada.prompt()).told, "", "once");
  await commitIn(it.repo, it.repo.top, "b.txt", "3\n");
  assert.equal((await it.ada.prompt()).told, "", "not again within the cooldown");
  assert.deepEqual(
    it.repo.events().flatMap((e) => (e.type.startsWith("rebase.") ? [e.type] : [])),
    ["rebase.queued", "rebase.coalesced"],
  );
  await it.git("merge", "-q", "--ff-only", "main");
  await it.ada.prompt();
  assert.equal(it.repo.eventsOf("rebase.succeeded").length, 1, "it has come up by itself");
  assert.equal((await it.bob.prompt()).told, "", "in the main tree there is nothing to come up to");
  await commitIn(it.repo, it.repo.top, "b.txt", "4\n");
  const off = it.ada.at({ env: { ...it.repo.env, SIGNALBOX_SYNC_MODE: "off" } });
  assert.equal((await off.at({ cwd: it.side }).prompt()).told, "");
  await it.bob.end();
  assert.equal((await it.ada.prompt()).told, "", "alone");
});

test("auto: it is brought up at its next prompt, and told; not over a dirty tree", async (t) => {
  const it = await linked(t, { SIGNALBOX_SYNC_MODE: "auto", SIGNALBOX_SYNC_COOLDOWN_SECONDS: "0" });
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  assert.match((await it.ada.prompt()).told, /1 commit of side rebased onto main/);
  await commitIn(it.repo, it.repo.top, "b.txt", "3\n");
  writeFileSync(join(it.side, "c.txt"), "dirty\n");
  const before = await picture(it);
  assert.match((await it.ada.prompt()).told, /main is 1 commit ahead/);
  assert.equal(await picture(it), before);
});

test("killed while files are written: the next git of a session, or doctor, puts the tree back", async (t) => {
  const it = await linked(t, { SIGNALBOX_SYNC_COOLDOWN_SECONDS: "0" });
  await commitIn(it.repo, it.repo.top, "b.txt", "2\n");
  await commitIn(it.repo, it.side, "c.txt", "mine\n");
  const smudge = (command: string) => it.repo.mustGit("config", "filter.slow.smudge", command);
  await it.repo.mustGit("config", "filter.slow.clean", "cat");
  writeFileSync(join(it.repo.top, ".git/info/attributes"), "b.txt filter=slow\n");
  const before = await it.git("rev-parse", "side");
  const mends = [
    () => it.ada.git("status", "--porcelain"),
    () => it.repo.signalboxAs({ cwd: it.side }, "doctor", "--fix"),
  ];
  for (const mend of mends) {
    await smudge("echo >../writing; sleep 20; cat");
    const child = spawn(process.execPath, [builtCommand(), "sync", "--now"], {
      cwd: it.side,
      env: { ...it.repo.env, ...it.ada.env },
      detached: true,
      stdio: "ignore",
    });
    while (!existsSync(join(it.repo.dir, "writing"))) await new Promise((done) => setTimeout(done, 10));
    process.kill(-child.pid!, "SIGKILL");
    await new Promise((done) => child.on("exit", done));
    rmSync(join(it.repo.dir, "writing"));
    await smudge("cat");
    const person = await it.repo.git("-C", it.side, "commit", "-q", "--allow-empty", "-m", "x");
    assert.equal(person.code, 128, "nobody commits on top of half a move");
    await mend();
    assert.deepEqual(
      [await it.git("rev-parse", "side"), await it.git("status", "--porcelain")],
      [before, ""],
    );
  }
  assert.equal((await it.sync("--now")).code, 0);
});

test("two at once, and a commit in between: each ends, nothing is lost", async (t) => {
  const it = await linked(t, { SIGNALBOX_SYNC_COOLDOWN_SECONDS: "0" });
  for (let round = 0; round < 4; round += 1) {
    await commitIn(it.repo, it.repo.top, "b.txt", `${round}\n`);
    await it.ada.edit(`own${round}.txt`);
    await it.ada.mustGit("add", `own${round}.txt`);
    await it.ada.mustGit("commit", "-qm", `own ${round}`);
    const done = await Promise.all([
      it.sync("--now"),
      it.sync("--now"),
      it.ada.git("commit", "-q", "--allow-empty", "-m", `empty ${round}`),
    ]);
    // On a busy machine the other's git may be at it for longer than one waits: then nothing was changed.
    for (const { code, stderr } of done.slice(0, 2))
      assert.ok(code === 0 || /^signalbox: not now: .*nothing was changed/.test(stderr), stderr);
    assert.equal(done[2]?.code, 0, done[2]?.stderr);
    assert.equal(await it.git("status", "--porcelain"), "", `round ${round}`);
    const log = (await it.git("log", "--format=%s", "side")).split("\n");
    assert.ok(log.includes(`empty ${round}`));
    for (let done = 0; done <= round; done += 1)
      assert.ok(log.includes(`own ${done}`), `own ${done} in round ${round}`);
  }
  const last = await it.sync("--now");
  assert.equal(last.code, 0, last.stderr);
  assert.equal((await it.git("rev-list", "--count", "side..main")).trim(), "0");
});
