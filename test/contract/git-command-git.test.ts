/** The reader of git's command line and the guard's policy, held against real git. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import * as fc from "fast-check";
import { guardGit } from "../../src/adapters/git/guard-git.ts";
import { type GitCommand, parseGitCommand } from "../../src/domain/git-command.ts";
import { classify, isKnownVerb } from "../../src/domain/git-command-classify.ts";
import type { Operation } from "../../src/domain/git-command-operation.ts";
import { TABLED, tableOf } from "../../src/domain/git-command-tables.ts";
import type { Facts, Owner, Verdict } from "../../src/policy/guard-facts.ts";
import { judge, needsOf } from "../../src/policy/guard.ts";
import { MINE, SINCE, THEIRS } from "../support/domain/guarded.ts";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

let scratch: ScratchRepo;
/** A copy of the repository for one command. */
let top: string;
const cleaners: (() => Promise<void> | void)[] = [];

const FILES = {
  a: "1\n",
  b: "1\n",
  "lib/c": "1\n",
  "lib/d": "1\n",
  gone: "1\n",
  staged: "1\n",
  "on-topic": "1\n",
};
const GIVEN = [
  "tag v0",
  "checkout -q -b topic",
  "rm -q on-topic",
  "commit -qm topic",
  "checkout -q main",
  "commit -q --allow-empty -m second",
  "tag v1",
  "config alias.ci commit",
  "config alias.undo 'reset --hard'",
];
/** Uncommitted work, of every kind; `gone` is deleted besides. */
const WORK = {
  a: "work\n",
  "lib/d": "work\n",
  staged: "work\n",
  untracked: "work\n",
  "lib/untracked": "work\n",
  "x.ignored": "work\n",
  ".gitignore": "*.ignored\n.gitignore\np.patch\n",
  "p.patch": "--- a/a\n+++ b/a\n@@ -1 +1 @@\n-work\n+patched\n",
};
const WORKED_ON = ["a", "lib/d", "staged", "untracked", "lib/untracked", "x.ignored", "gone"];

before(async () => {
  scratch = await makeScratch({ after: (fn) => cleaners.push(fn) }, { install: false, files: FILES });
  top = join(scratch.dir, "copy");
  for (const line of GIVEN) await scratch.mustGit(...split(line));
  for (const [name, text] of Object.entries(WORK)) scratch.write(name, text);
  rmSync(join(scratch.top, "gone"));
  await scratch.mustGit("add", "staged");
});
after(async () => {
  for (const clean of cleaners) await clean();
});

const split = (line: string): string[] =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));

function git(
  argv: readonly string[],
  cwd: string,
  input = "",
): { code: number | null; out: string; err: string } {
  const env = { ...scratch.env, GIT_EDITOR: "true", GIT_PAGER: "cat" };
  const { status, stdout, stderr } = spawnSync("git", argv, { cwd, env, input, encoding: "utf8" });
  return { code: status, out: stdout, err: stderr };
}

function fresh(): void {
  rmSync(top, { recursive: true, force: true });
  cpSync(scratch.top, top, { recursive: true, preserveTimestamps: true });
  git(["update-index", "-q", "--refresh"], top);
}

function operationOf(argv: readonly string[], cwd = top): Operation {
  const there = guardGit({ cwd, gitDir: join(top, ".git"), workTree: top }, join(top, ".git"));
  return classify(parseGitCommand(argv, there.aliasOf, isKnownVerb), there);
}

/** The guard's answer on the real repository, whoever's the work in it is. */
function answer(argv: readonly string[], ownerOf: (path: string) => Owner): Verdict {
  const at = { cwd: top, gitDir: join(top, ".git"), workTree: top };
  const there = guardGit(at, at.gitDir);
  const operation = operationOf(argv);
  const needs = needsOf(operation);
  const facts: { -readonly [K in keyof Facts]: Facts[K] } = { now: SINCE, others: ["b"], top, prefix: "" };
  if (needs.branch) facts.branch = there.branch();
  if (needs.branches) facts.branches = there.branches();
  if (needs.dirty)
    facts.dirty = there.dirty(needs.dirty).map((path) => ({ ...path, owner: ownerOf(path.path) }));
  if (needs.touched) facts.touched = there.touched(needs.touched);
  if (needs.head) facts.head = THEIRS;
  if (needs.moved && "target" in needs.moved) {
    const target = there.commitOf(needs.moved.target);
    const [dropped, gained] =
      target === undefined ? [[], []] : [there.onlyIn("HEAD", target), there.onlyIn(target, "HEAD")];
    facts.moved = { dropped: dropped.map((commit) => ({ commit, owner: THEIRS })), gained: gained.length };
  }
  if (needs.stash) facts.stash = [];
  if (needs.inProgress) facts.inProgress = null;
  if (needs.settings) facts.settings = {};
  return judge(operation, facts);
}

/** What is in the tree, the index and the branch. */
function state(): { files: Record<string, string>; index: string; head: string; log: string[] } {
  const files: Record<string, string> = {};
  for (const name of readdirSync(top, { recursive: true, encoding: "utf8" }))
    if (!/^\.git(\/|$)/.test(name))
      try {
        files[name] = readFileSync(join(top, name), "utf8");
      } catch {
        // A folder.
      }
  return {
    files,
    index: git(["ls-files", "-s"], top).out,
    head: git(["symbolic-ref", "HEAD"], top).out,
    log: git(["log", "--format=%H", "main"], top).out.split("\n"),
  };
}

type State = ReturnType<typeof state>;

/** What became of the work of others. */
function damage(was: State, is: State, operation: Operation, foreign: readonly string[]): string[] {
  const lost = foreign
    .filter((name) => was.files[name] !== is.files[name])
    .map((name) => `${name} is not as it was`);
  if (is.head !== was.head) lost.push("another branch");
  if (!is.log.includes(was.log[0]!)) lost.push("a commit has left the branch");
  if (operation.kind === "commit" && is.log[0] !== was.log[0]) {
    const taken = git(["diff", "--name-only", `${was.log[0]!}`, "main"], top).out.split("\n");
    lost.push(
      ...foreign
        .filter((name) => name !== "staged" && taken.includes(name))
        .map((name) => `${name} committed`),
    );
  }
  return lost;
}

describe("what git knows, the guard knows", () => {
  test("every command of git's is classified on purpose", () => {
    const verbs = git(["--list-cmds=main,builtins,nohelpers"], scratch.top).out.split("\n").filter(Boolean);
    assert.ok(verbs.length > 100);
    assert.deepEqual(
      verbs.filter((verb) => !isKnownVerb(verb)),
      [],
    );
  });

  // An abbreviation is read right only if every option is known that it may be one of.
  for (const verb of TABLED)
    test(`every option of ${verb} that git completes is in its table`, () => {
      const words =
        { stash: ["stash", "push"], worktree: ["worktree", "add"] }[verb as string] ?? verb.split(" ");
      const { code, out } = git([...words, "--git-completion-helper-all"], scratch.top);
      if (code !== 0 && code !== 129) return;
      const table = tableOf(verb);
      for (const word of out.split(/\s+/)) {
        const [, name, value] = /^--([^=]+)(=?)$/.exec(word) ?? [];
        if (name === undefined) continue;
        const found = table.find(
          ({ long }) => long === name || `no-${long}` === name || long === `no-${name}`,
        );
        assert.ok(found !== undefined, `${verb} ${word}`);
        // A few take a value that git does not tell of.
        if (found.long === name && value === "=") assert.equal(found.value, "required", `${verb} ${word}`);
      }
    });
});

/** Of every verb the forms that matter. */
const LINES = `
  status
  add -n .
  add --dry .
  add .
  add -A
  add -u
  add --al
  add a
  ci -qm x
  ci -qam x
  commit -qm x
  commit -qam x
  commit -qamx
  commit --dry-run -a
  commit --short -a
  commit --porcelain -a
  commit --long -a
  commit -z -a
  commit -qm x a
  commit -qm x -o a
  commit -qm x -i a
  commit -qm x .
  commit -qm x -- lib
  commit -q --amend --no-edit
  commit -q --ame --no-ed
  commit -q -F p.patch -a
  commit -qam x --no-veri
  checkout
  checkout HEAD
  checkout @
  checkout HEAD~0
  checkout --
  checkout a
  checkout -- a
  checkout -q -- .
  checkout .
  checkout HEAD a
  checkout HEAD -- lib
  checkout topic -- on-topic
  checkout v0 -- .
  checkout 'l*'
  checkout :/
  checkout -f
  checkout --fo
  checkout topic
  checkout -f topic
  checkout -b new
  checkout -qbnew
  checkout --detach
  checkout v0
  checkout -m topic
  checkout main
  checkout -f main
  switch main
  switch topic
  switch -c new
  switch -f topic
  switch --disc topic
  switch --detach
  switch --orphan new
  restore a
  restore .
  restore --stag .
  restore -S staged
  restore -SW .
  restore -W a
  restore -sv0 a
  restore --source v0 -- staged
  restore -- untracked
  reset
  reset -q
  reset --har
  reset --hard
  reset --hard v0
  reset --h
  undo
  undo v0
  reset --merge
  reset --keep
  reset --soft v0
  reset v0
  reset --mixed v0
  reset --keep v0
  reset --merge v0
  reset a
  reset -- staged
  reset v0 -- a
  clean -n
  clean -f
  clean -fd
  clean -fdx
  clean -fX
  clean -dfX lib
  clean -f -e untracked
  clean -fe untracked
  clean -f --dry
  rm a
  rm -f a
  rm -rf lib
  rm --cached b
  rm -n b
  rm b
  mv b c
  mv a c
  mv -f b a
  mv -f b lib/untracked
  mv -n a c
  stash
  stash -u
  stash -a
  stash -k
  stash -um x
  stash push a
  stash -- lib
  stash save x
  stash create
  stash list
  merge topic
  merge --squash topic
  merge --no-ff -m x topic
  merge --autostash topic
  merge --ff-only topic
  cherry-pick topic
  cherry-pick -n topic
  revert --no-edit HEAD
  rebase topic
  rebase --autostash topic
  rebase -f v0
  pull . topic
  pull --no-rebase . topic
  pull --rebase . topic
  pull --rebase --autostash . topic
  apply p.patch
  apply --check p.patch
  apply --stat p.patch
  apply -R p.patch
  apply --cached p.patch
  checkout-index -a
  checkout-index -fa
  checkout-index -f a
  read-tree HEAD
  read-tree -u --reset HEAD
  read-tree -mu topic
  merge-file a b b
  merge-file -L x b a b
  branch -D topic
  branch -f topic v0
  branch -m new
  branch -M main new
  branch --del topic
  update-ref refs/heads/main v0
  update-ref HEAD v0
  symbolic-ref HEAD refs/heads/topic
  fetch -u . +topic:main
  bisect start HEAD v0
  sparse-checkout set lib
  -c core.pager=cat log
  --literal-pathspecs checkout -- a
  -C lib checkout -- .
  -C lib clean -f
`
  .split("\n")
  .map((line) => line.trim())
  .filter((line) => line !== "");

describe("what others have in the tree", () => {
  for (const line of LINES)
    test(`is safe from git ${line}, or it is refused`, () => {
      fresh();
      const argv = split(line);
      const was = state();
      const verdict = answer(argv, () => THEIRS);
      const operation = operationOf(argv);
      const done = git(argv, top);
      const is = state();
      const lost = damage(was, is, operation, WORKED_ON);
      if (verdict.kind === "go") assert.deepEqual(lost, [], `${done.err}${done.out}`);
      if (operation.kind === "read") assert.deepEqual(is, was, "looks only");
      if (operation.kind === "index" || operation.kind === "stage") assert.deepEqual(is.files, was.files);
      if (verdict.kind === "scope") {
        fresh();
        const { code, err } = git(verdict.argv, top, verdict.paths?.map((name) => `${name}\0`).join(""));
        assert.deepEqual(damage(was, state(), operation, WORKED_ON), [], err);
        // Nothing to commit.
        if (operation.kind !== "commit") assert.equal(code, 0, err);
      }
    });

  test("is safe from whatever goes", () => {
    const verbs =
      "add commit checkout switch restore reset clean rm mv stash merge cherry-pick revert apply checkout-index " +
      "read-tree branch update-ref symbolic-ref";
    const words =
      "-A -u -a -f -n -q -d -x -X -p0 -m -i -o -s -S -W -k --hard --soft --merge --keep --staged --worktree --cached " +
      "--amend --no-edit --abort --force --no-force --all --no-all --dry-run --no-dry-run --detach --discard-changes " +
      "--source=v0 --no-commit --squash -- . :/ a b lib lib/d gone untracked staged on-topic main topic HEAD v0 v1 " +
      "push HEAD~1 refs/heads/main p.patch --end-of-options --pathspec-from-file=p.patch --inc --ha --so";
    let went = 0;
    fc.assert(
      fc.property(
        fc.constantFrom(...verbs.split(" ")),
        fc.array(fc.constantFrom(...words.split(" ")), { maxLength: 4 }),
        (verb, args) => {
          fresh();
          const argv = [verb, ...args];
          const was = state();
          if (answer(argv, () => THEIRS).kind !== "go") return;
          went += 1;
          const done = git(argv, top);
          assert.deepEqual(damage(was, state(), operationOf(argv), WORKED_ON), [], `${done.err}${done.out}`);
        },
      ),
      { numRuns: Number(process.env["SIGNALBOX_RUNS"] ?? 80) },
    );
    assert.ok(went > 5);
  });
});

describe("a command made anew", () => {
  const isMine = (path: string) => ["a", "lib/untracked", "untracked", "gone", "staged"].includes(path);
  const theirs = ["lib/d", "x.ignored"];
  const rows: [line: string, taken: string[]][] = [
    ["add -A", ["M\ta", "D\tgone", "A\tlib/untracked", "M\tstaged", "A\tuntracked"]],
    ["add .", ["M\ta", "D\tgone", "A\tlib/untracked", "M\tstaged", "A\tuntracked"]],
    ["add -u", ["M\ta", "D\tgone", "M\tstaged"]],
    ["add -N .", ["D\tgone", "M\tstaged"]],
    ["add --no-all .", ["M\ta", "A\tlib/untracked", "M\tstaged", "A\tuntracked"]],
    ["add -v -f .", ["M\ta", "D\tgone", "A\tlib/untracked", "M\tstaged", "A\tuntracked"]],
    ["commit -qam x", ["M\ta", "D\tgone", "M\tstaged"]],
    ["commit -q -m x -i .", ["M\ta", "D\tgone", "M\tstaged"]],
    ["commit -q -m x .", ["M\ta", "D\tgone", "M\tstaged"]],
    ["commit -q -m x -o lib a", ["M\ta"]],
    ["stash", []],
    ["stash -u", []],
    ["stash -k", []],
    ["stash push -q -m x", []],
    ["stash save -u x", []],
  ];
  for (const [line, taken] of rows)
    test(`git ${line}`, () => {
      fresh();
      const was = state();
      const argv = split(line);
      const verdict = answer(argv, (path) => (isMine(path) ? MINE : THEIRS));
      assert.ok(verdict.kind === "scope", JSON.stringify(verdict));
      const done = git(verdict.argv, top, verdict.paths?.map((name) => `${name}\0`).join(""));
      assert.equal(done.code, 0, done.err);
      assert.deepEqual(damage(was, state(), operationOf(argv), theirs), []);
      if (line.startsWith("stash")) return;
      const args = [
        "diff",
        "--name-status",
        ...(line.startsWith("commit") ? ["v1", "HEAD"] : ["--cached", "v1"]),
      ];
      assert.deepEqual(git(args, top).out.split("\n").filter(Boolean), taken);
    });
});

test("an alias is read as git reads it", () => {
  fresh();
  const rows = [
    `log -1 --format='tformat:a "b" c'`,
    `log -1 --format="tformat:a 'b' \\\\ c"`,
    `log -1 --format=tformat:a\\ b`,
    `log   -1\t--format=tformat:x`,
  ];
  for (const alias of rows) {
    git(["config", "alias.x", alias], top);
    const there = guardGit({ cwd: top, gitDir: join(top, ".git"), workTree: top }, join(top, ".git"));
    const command = parseGitCommand(["x"], there.aliasOf, isKnownVerb) as GitCommand;
    const direct = git([command.verb, ...command.args], top);
    assert.equal(direct.code, 0, direct.err);
    assert.deepEqual(direct, git(["x"], top), alias);
  }
  for (const alias of ["log 'open", "log \\"]) {
    git(["config", "alias.x", alias], top);
    assert.notEqual(git(["x"], top).code, 0, alias);
  }
});
