/** Where HEAD is: a session's gitdir and its tree's own agree, whoever moves it. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { type Done, type FakeSession, makeScratch, run, type ScratchRepo } from "../support/repo/mod.ts";

interface Lab {
  readonly repo: ScratchRepo;
  readonly ada: FakeSession;
  readonly sh: (script: string) => Promise<Done>;
  readonly must: (script: string) => Promise<string>;
}

async function lab(t: TestContext): Promise<Lab> {
  const repo = await makeScratch(t, { files: { "a.txt": "1\n", "b.txt": "1\n", "c.txt": "1\n" } });
  const ada = await repo.startSession("ada");
  const env = { ...ada.env, PATH: `${join(repo.boxDir, "shim")}:${ada.env["PATH"]}` };
  const sh = (script: string) => run("sh", ["-c", script], { cwd: repo.top, env });
  const must = async (script: string) => {
    const done = await sh(script);
    assert.equal(done.code, 0, `${script}: ${done.stderr}${done.stdout}`);
    return done.stdout.trimEnd();
  };
  return { repo, ada, sh, must };
}

const person = async (repo: ScratchRepo, ...args: string[]) => (await repo.mustGit(...args)).trimEnd();

describe("a session alone", () => {
  test("switches: the tree is on the branch for everybody, and back", async (t) => {
    const { repo, must } = await lab(t);
    await must("git switch -q -c topic && echo 2 >a.txt && git commit -qam topic");
    assert.equal(await person(repo, "symbolic-ref", "HEAD"), "refs/heads/topic");
    assert.equal(await person(repo, "status", "--porcelain"), "");
    await must("git switch -q main");
    assert.equal(repo.read("a.txt"), "1\n");
    assert.equal(await person(repo, "symbolic-ref", "HEAD"), "refs/heads/main");
    assert.equal(await person(repo, "status", "--porcelain"), "");
    assert.equal(await must("git status --porcelain -b"), "## main");
    await must("git checkout -q - && git checkout -q main");
    assert.equal(await must("git symbolic-ref HEAD"), "refs/heads/main");
  });

  test("keeps what it staged when it switches", async (t) => {
    const { repo, must } = await lab(t);
    await must("git branch topic && echo 2 >b.txt && git add b.txt && git switch -q topic");
    assert.equal(await must("git status --porcelain"), "M  b.txt");
    assert.equal(await person(repo, "status", "--porcelain"), " M b.txt");
    await must("git commit -qm b");
    assert.equal(await person(repo, "log", "-1", "--format=%s", "topic"), "b");
  });

  test("goes off the branch and comes back; so can a person", async (t) => {
    const { repo, must } = await lab(t);
    await must("echo 2 >a.txt && git commit -qam two && git checkout -q HEAD~1");
    assert.equal(repo.read("a.txt"), "1\n");
    assert.equal((await repo.git("symbolic-ref", "-q", "HEAD")).code, 1);
    await must("git switch -q main");
    assert.equal(repo.read("a.txt"), "2\n");
    await must("git switch -q --detach HEAD~1");
    await person(repo, "switch", "-q", "main");
    assert.equal(await must("git status --porcelain -b"), "## main");
  });

  test("rebases: in the tree's own gitdir, with a stop in between", async (t) => {
    const { repo, must, sh } = await lab(t);
    await must(
      "git switch -q -c topic && echo t >a.txt && git commit -qam t && echo t >b.txt && git commit -qam tb",
    );
    await must("git switch -q main && echo m >a.txt && git commit -qam m && git switch -q topic");
    assert.notEqual((await sh("git rebase -q main")).code, 0, "a.txt conflicts");
    assert.match(await person(repo, "status"), /rebas/);
    await must("echo both >a.txt && git add a.txt && GIT_EDITOR=true git rebase --continue");
    assert.equal(await must("git log --format=%s main..topic"), "tb\nt");
    assert.equal(await must("git status --porcelain -b"), "## topic");
    assert.equal(await person(repo, "status", "--porcelain"), "");
    await must("git rebase -q -f HEAD~1 && git switch -q main && git rebase -q topic");
    assert.equal(await person(repo, "rev-parse", "main"), await person(repo, "rev-parse", "topic"));
  });

  test("resets: hard, mixed, soft; a person's index follows each", async (t) => {
    const { repo, must } = await lab(t);
    await must("echo 2 >a.txt && git commit -qam two && echo 3 >b.txt && git commit -qam three");
    await must("git reset -q --soft HEAD~1");
    assert.equal(await must("git status --porcelain"), "M  b.txt");
    assert.equal(await person(repo, "status", "--porcelain"), " M b.txt");
    await must("git commit -qm three-again && git reset -q HEAD~1");
    assert.equal(await must("git status --porcelain"), " M b.txt");
    assert.equal(await person(repo, "status", "--porcelain"), " M b.txt");
    await must("git reset -q --hard HEAD~1");
    assert.equal(await must("git status --porcelain"), "");
    assert.equal(await person(repo, "status", "--porcelain"), "");
    assert.equal(repo.read("a.txt"), "1\n");
  });

  test("amends, cherry-picks, reverts, merges", async (t) => {
    const { repo, must } = await lab(t);
    await must("git switch -q -c side && echo s >c.txt && git commit -qam side && git switch -q main");
    await must(
      "echo 2 >a.txt && git commit -qam two && echo 22 >a.txt && git commit -q --amend -am 'two amended'",
    );
    await must("git cherry-pick side >/dev/null && git revert --no-edit HEAD >/dev/null");
    await must(
      "git switch -q side && echo s >b.txt && git commit -qam side2 && git switch -q main && git merge -q --no-edit side",
    );
    assert.equal(await must("git status --porcelain"), "");
    assert.equal(await person(repo, "status", "--porcelain"), "");
    assert.equal(repo.read("b.txt"), "s\n");
  });

  test("a conflicted merge is its own: a person's commit meanwhile has one parent", async (t) => {
    const { repo, must, sh } = await lab(t);
    await must(
      "git switch -q -c side && echo s >a.txt && git commit -qam side && git switch -q main && echo m >a.txt && git commit -qam m",
    );
    assert.notEqual((await sh("git merge -q side")).code, 0);
    repo.write("c.txt", "a person's\n");
    await person(repo, "commit", "-qm", "c", "--", "c.txt");
    assert.equal((await person(repo, "log", "-1", "--format=%p")).split(" ").length, 1);
    await must("echo both >a.txt && git add a.txt && git commit -qm merged");
    assert.equal((await person(repo, "log", "-1", "--format=%p")).split(" ").length, 2);
    assert.equal(await person(repo, "show", "HEAD:c.txt"), "a person's");
    assert.equal(await person(repo, "show", "HEAD:a.txt"), "both");
  });

  test("stashes and pops", async (t) => {
    const { repo, must } = await lab(t);
    await must("echo 2 >a.txt && git stash -q && git stash list");
    assert.equal(repo.read("a.txt"), "1\n");
    await must("git stash pop -q");
    assert.equal(repo.read("a.txt"), "2\n");
    assert.deepEqual(await must("git stash list"), "");
  });
});

describe("a person", () => {
  test("switches away and back while a session is there: its git follows", async (t) => {
    const { repo, must } = await lab(t);
    await person(repo, "switch", "-q", "-c", "topic");
    assert.equal(await must("git symbolic-ref HEAD"), "refs/heads/topic");
    await person(repo, "switch", "-q", "main");
    assert.equal(await must("git symbolic-ref HEAD"), "refs/heads/main");
    await must("echo 2 >a.txt && git commit -qam two");
    await person(repo, "branch", "-d", "topic");
  });

  test("resets, amends, rebases: what the session staged stays staged", async (t) => {
    const { repo, must } = await lab(t);
    await must("echo ada >c.txt && git add c.txt");
    repo.write("a.txt", "2\n");
    await person(repo, "commit", "-qm", "two", "--", "a.txt");
    await person(repo, "commit", "-q", "--amend", "-m", "two amended");
    assert.equal(await must("git status --porcelain"), "M  c.txt");
    await person(repo, "reset", "-q", "--soft", "HEAD~1");
    assert.equal(await must("git status --porcelain"), " M a.txt\nM  c.txt");
    await must("git commit -qm ada");
    assert.deepEqual(await repo.pathsOf(), ["c.txt"]);
  });
});

describe("a person's reset, for which git has no hook", () => {
  test("--soft: what was committed is staged, and is committed again", async (t) => {
    const { repo, must } = await lab(t);
    repo.write("a.txt", "2\n");
    await person(repo, "commit", "-qam", "two");
    await person(repo, "reset", "-q", "--soft", "HEAD~1");
    assert.equal(await person(repo, "status", "--porcelain"), "M  a.txt");
    await person(repo, "commit", "-qm", "again");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
    assert.equal(await person(repo, "status", "--porcelain"), "");
    // Sessions commit in between.
    await person(repo, "reset", "-q", "--soft", "HEAD~1");
    await must("echo ada >b.txt && git add b.txt && git commit -qm ada");
    assert.equal(await person(repo, "status", "--porcelain"), "M  a.txt");
    await must("echo more >b.txt && git commit -qm more b.txt");
    await person(repo, "commit", "-qm", "once more");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
  });

  test("--hard, --mixed: then an amend, a commit, a session's commit", async (t) => {
    const { repo, must } = await lab(t);
    await must("echo 2 >b.txt && git commit -qam one && echo 3 >b.txt && git commit -qam two");
    await person(repo, "reset", "-q", "--hard", "HEAD~1");
    await person(repo, "commit", "-q", "--amend", "-m", "amended");
    assert.equal(await person(repo, "log", "-1", "--format=%s"), "amended");
    await must("echo 4 >c.txt && git commit -qam three && git status --porcelain");
    await person(repo, "reset", "-q", "HEAD~1");
    assert.equal(await person(repo, "status", "--porcelain"), " M c.txt");
    await person(repo, "commit", "-qam", "theirs");
    assert.deepEqual(await repo.pathsOf(), ["c.txt"]);
    assert.equal(await must("git status --porcelain"), "");
  });
});

test("where git runs no hook of ours, a person's index follows all the same", async (t) => {
  const { repo, must } = await lab(t);
  await repo.mustGit("config", "core.hooksPath", "/dev/null");
  await must("echo 2 >a.txt && git commit -qam two");
  assert.equal(await person(repo, "status", "--porcelain"), "");
  await must(
    "git switch -q -c side && echo s >b.txt && git commit -qam side && git switch -q main && git merge -q side",
  );
  assert.equal(await person(repo, "status", "--porcelain"), "");
  repo.write("c.txt", "a person's\n");
  await person(repo, "commit", "-qam", "c");
  assert.deepEqual(await repo.pathsOf(), ["c.txt"]);
  assert.equal(await must("git status --porcelain"), "");
  await person(repo, "switch", "-q", "side");
  assert.equal(await must("git log -1 --format=%s"), "side");
  assert.equal(await must("git status --porcelain -b"), "## side");
});

/** A person commits while a commit of the session's is on its way: once, each time the result is called. */
function personCommits(repo: ScratchRepo, hook: string): () => void {
  const flag = join(repo.dir, "between");
  const file = repo.path(`.git/hooks/${hook}`);
  const [first = "#!/bin/sh", ...rest] = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const between = `[ ! -e "${flag}" ] || [ -z "$CLAUDE_CODE_SESSION_ID" ] || (
  rm "${flag}"
  unset GIT_DIR GIT_WORK_TREE GIT_INDEX_FILE CLAUDE_CODE_SESSION_ID CLAUDE_PID
  cd "${repo.top}" && "$(PATH=/usr/bin:/bin:$PATH command -v git)" -c core.hooksPath=/dev/null commit -q --allow-empty -m between
)`;
  writeFileSync(file, [first, between, ...rest, ""].join("\n"));
  chmodSync(file, 0o755);
  return () => writeFileSync(flag, "");
}

test("a message that comes by stdin is there when the commit has to be made again", async (t) => {
  const { repo, must } = await lab(t);
  const once = personCommits(repo, "commit-msg");
  for (const form of ["-F -", "-F-", "--file=-", "-qF-"]) {
    once();
    await must(`echo x >>a.txt && printf 'by stdin: ${form}' | git commit -q -a ${form}`);
    assert.equal(await person(repo, "log", "-2", "--format=%s"), `by stdin: ${form}\nbetween`);
  }
  assert.deepEqual(
    readdirSync(join(repo.boxDir, "spool")).filter((name) => /^(stderr|message|paths)/.test(name)),
    [],
  );
});

describe("a person's commit comes first", () => {
  const subjects = (repo: ScratchRepo, range: string) =>
    person(repo, "log", "--first-parent", "--format=%s", range);

  test("a merge is concluded on top of it", async (t) => {
    const { repo, must } = await lab(t);
    await must("git switch -q -c side && echo s >b.txt && git commit -qam side && git switch -q main");
    await must("echo m >a.txt && git commit -qam m");
    personCommits(repo, "prepare-commit-msg")();
    await must("git merge -q -m '#1 joined' side");
    assert.equal(await subjects(repo, "HEAD~3..HEAD"), "#1 joined\nbetween\nm");
    assert.deepEqual(await repo.pathsOf("HEAD"), await repo.pathsOf("side"));
    assert.equal(await must("git status --porcelain"), "");
    assert.equal(await person(repo, "status", "--porcelain"), "");
  });

  test("so are the commits that are picked or reverted, each with its message and author", async (t) => {
    const { repo, must } = await lab(t);
    await must("git switch -q -c side && echo s >b.txt && git commit -qam one --author='Bob <bob@x>'");
    await must("echo s >c.txt && git commit -qam two && git switch -q main");
    const once = personCommits(repo, "prepare-commit-msg");
    once();
    await must("git cherry-pick side~1 side");
    assert.equal(await person(repo, "log", "-3", "--format=%s %an"), "two Test\none Bob\nbetween Test");
    once();
    await must("git revert --no-edit HEAD HEAD~1");
    assert.equal(await subjects(repo, "HEAD~3..HEAD"), 'Revert "one"\nRevert "two"\nbetween');
    assert.equal(await person(repo, "diff", "HEAD", "main~6", "--stat"), "");
    assert.equal(await must("git status --porcelain"), "");
  });

  test("what was to be a fast-forward is found out anew", async (t) => {
    const { repo, must, sh } = await lab(t);
    await must("git switch -q -c side && echo s >b.txt && git commit -qam side && git switch -q main");
    await must("echo mine >c.txt && git add c.txt");
    const once = personCommits(repo, "post-index-change");
    once();
    const refused = await sh("git merge -q --ff-only side");
    assert.match(refused.stderr, /Not possible to fast-forward/);
    assert.equal(repo.read("b.txt"), "1\n");
    assert.equal(await must("git status --porcelain"), "M  c.txt");
    await must(
      "git commit -qm mine && git switch -q side && git merge -q --no-edit main && git switch -q main",
    );
    once();
    await must("git merge -q -m joined side");
    assert.equal(await subjects(repo, "HEAD~2..HEAD"), "joined\nbetween");
    assert.equal(await must("git status --porcelain"), "");
  });

  test("an alias is as good as the command", async (t) => {
    const { repo, must } = await lab(t);
    await repo.mustGit("config", "alias.ci", "commit -q");
    const once = personCommits(repo, "prepare-commit-msg");
    await repo.startSession("bob");
    once();
    await must("echo x >a.txt && git add a.txt && git ci -m mine");
    assert.equal(await subjects(repo, "HEAD~2..HEAD"), "mine\nbetween");
  });
});

test("a merge waits while a person is on another branch, and keeps nobody from coming back", async (t) => {
  const { repo, must, sh } = await lab(t);
  await must("git switch -q -c side && echo s >b.txt && git commit -qam side && git switch -q main");
  await must("git merge -q --no-ff --no-commit side");
  await person(repo, "switch", "-q", "-c", "topic");
  const refused = await sh("git commit -qm joined");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /was started on main; since then the working tree was switched to topic/);
  assert.match(await must("git status"), /still merging/);
  await person(repo, "switch", "-q", "main");
  await must("git commit -qm joined");
  assert.equal((await person(repo, "log", "-1", "--format=%p", "main")).split(" ").length, 2);
  assert.equal(await must("git status --porcelain -b"), "## main");
});

describe("beside another session", () => {
  test("branches that no tree is on are renamed and deleted; the tip that nobody holds any more is kept", async (t) => {
    const { repo, must, sh } = await lab(t);
    await repo.startSession("bob");
    await must("git branch one && git branch -m one two && git branch -d two");
    assert.match((await sh("git branch -f main HEAD")).stderr, /main is checked out/);
    await must("git worktree add -q ../w && cd ../w && echo w >a.txt && git commit -qam 'only here'");
    const tip = await person(repo, "rev-parse", "w");
    assert.match((await sh("git branch -D w")).stderr, /w is checked out/);
    await must("git worktree remove ../w && git branch -q -D w");
    assert.match(await must("git signalbox rescue"), /on no branch any more: only here/);
    await must(`git branch again ${tip}`);
  });

  test("a commit of its own that it has undone is its work again", async (t) => {
    const { repo, must } = await lab(t);
    const bob = await repo.startSession("bob");
    await must("echo ada >a.txt && git add a.txt && git commit -qm ada && git reset -q HEAD~1");
    const taken = await bob.git("checkout", "--", "a.txt");
    assert.match(taken.stderr, /a\.txt \(session ada, changed since/);
    await must("git commit -qam again");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
  });

  test("a person's rebase takes nothing of theirs, and is nobody's to end", async (t) => {
    const { repo, must, sh } = await lab(t);
    await person(repo, "switch", "-q", "-c", "side");
    repo.write("c.txt", "side\n");
    await person(repo, "commit", "-qam", "side");
    await person(repo, "switch", "-q", "main");
    repo.write("c.txt", "main\n");
    await person(repo, "commit", "-qam", "main");
    await repo.startSession("bob");
    await must("git switch -q --detach 2>/dev/null || :; echo ada >a.txt && git add a.txt");
    await repo.git("rebase", "-q", "--autostash", "side");
    await must("echo ada >b.txt");
    assert.match((await sh("git add b.txt")).stderr, /a rebase that is not this session's .* is in progress/);
    assert.match((await sh("git commit -qam ada")).stderr, /would become part of it/);
    assert.match((await sh("git rebase --abort")).stderr, /not this session's/);
    repo.write("b.txt", "1\n");
    repo.write("c.txt", "both\n");
    await person(repo, "add", "c.txt");
    await person(repo, "-c", "core.editor=true", "rebase", "--continue");
    assert.deepEqual(await repo.pathsOf(), ["c.txt"]);
    assert.equal(await must("git status --porcelain"), "M  a.txt", "staged as before");
    await must("git commit -qm ada");
    assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
  });

  test("an earlier rebase of the session's does not make a person's its own", async (t) => {
    const { repo, must, sh } = await lab(t);
    await must("echo 2 >a.txt && git commit -qam two && git rebase -q -f HEAD~1 && git switch -q -c x");
    await must("git switch -q main");
    await repo.startSession("bob");
    await repo.git("rebase", "-q", "-x", "false", "HEAD~1");
    assert.match((await sh("git rebase --abort")).stderr, /not this session's: nobody's on record/);
  });

  test("what a killed one has not committed is saved before it is thrown away", async (t) => {
    const { repo, must, sh } = await lab(t);
    const bob = await repo.startSession("bob");
    await bob.command("echo bob >a.txt; echo new >new.txt; git add new.txt");
    await bob.kill();
    const reset = await sh("git reset -q --hard && git clean -fdq");
    assert.match(reset.stderr, /session bob is gone and had not committed a\.txt, new\.txt: saved first/);
    assert.equal(repo.read("a.txt"), "1\n");
    await must("git signalbox rescue restore bob/1");
    assert.equal(repo.read("a.txt"), "bob\n");
    assert.equal(repo.read("new.txt"), "new\n");
    await must("git checkout -q -- a.txt && rm new.txt && git reset -q --hard");
    assert.deepEqual(readdirSync(join(repo.boxDir, "views/in/main")), ["ada"]);
    assert.equal((await sh("git reset -q --hard")).stderr, "", "and alone is silent");
  });
});
