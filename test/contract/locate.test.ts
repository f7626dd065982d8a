/** `locate` against git itself: the same repository, gitdir and top, wherever a file may be. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { after, before, describe, test } from "node:test";
import { findRepo, locate, type Location } from "../../src/adapters/locate.ts";

let base: string;
const at = (...parts: string[]) => join(base, ...parts);

function git(cwd: string, ...args: string[]): { status: number | null; lines: string[]; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    "git",
    ["-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", ...args],
    {
      cwd,
      encoding: "utf8",
      env: {
        PATH: process.env["PATH"],
        HOME: base,
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_CEILING_DIRECTORIES: base,
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@example.com",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@example.com",
      },
    },
  );
  return { status, lines: stdout.trimEnd().split("\n"), stderr };
}

function ok(cwd: string, ...args: string[]): void {
  const { status, stderr } = git(cwd, ...args);
  assert.equal(status, 0, `git ${args.join(" ")}: ${stderr}`);
}

function repository(dir: string, ...init: string[]): void {
  mkdirSync(dir, { recursive: true });
  ok(dir, "init", "-q", ...init);
  ok(dir, "commit", "-q", "--allow-empty", "-m", "first");
}

/** What git says about a directory that is there. */
function gitSays(dir: string): object {
  const dirs = git(dir, "rev-parse", "--path-format=absolute", "--git-common-dir", "--git-dir");
  if (dirs.status !== 0) return { kind: "outside" };
  const [commonDir, gitDir] = dirs.lines.map((line) => realpathSync(line));
  // A submodule's gitdir knows its tree's top, but is not in it.
  if (git(dir, "rev-parse", "--is-inside-work-tree").lines[0] !== "true")
    return { kind: "git-dir", commonDir, gitDir, top: undefined };
  const [top] = git(dir, "rev-parse", "--path-format=absolute", "--show-toplevel").lines;
  return { kind: "tracked-tree", commonDir, gitDir, top };
}

function short(where: Location): object {
  if (!("repo" in where)) return where;
  const { commonDir, gitDir, top } = where.repo;
  return { kind: where.kind, commonDir, gitDir, top };
}

/** Asserts that git agrees about that directory, and answers where a new file in it would be. */
function agreed(...parts: string[]): Location {
  const dir = at(...parts);
  const where = locate(join(dir, "new file.txt"));
  const said = gitSays(dir);
  assert.deepEqual(short(where), said, `a file in ${dir}`);
  assert.deepEqual(short(locate(dir)), said, `${dir} itself`);
  assert.deepEqual(findRepo(dir), "repo" in where ? where.repo : undefined);
  if (where.kind === "tracked-tree")
    assert.equal(where.path, join(relative(where.repo.top, realpathSync(dir)), "new file.txt"));
  return where;
}

function tree(where: Location): string {
  assert.ok("repo" in where, JSON.stringify(where));
  return where.repo.tree;
}

function pathOf(where: Location): string {
  assert.equal(where.kind, "tracked-tree", JSON.stringify(where));
  return where.kind === "tracked-tree" ? `${basename(where.repo.top)}: ${where.path}` : "";
}

before(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-locate-")));
  repository(at("main"));
  mkdirSync(at("main/src/deep"), { recursive: true });
  writeFileSync(at("main/src/file.ts"), "");
  ok(at("main"), "worktree", "add", "-q", at("linked"));
});
after(() => rmSync(base, { recursive: true, force: true }));

describe("the repository is the one git finds", () => {
  test("a plain repository, its top and below", () => {
    agreed("main");
    assert.equal(tree(agreed("main/src/deep")), "");
  });

  test("no repository", () => {
    mkdirSync(at("nowhere"));
    assert.deepEqual(agreed("nowhere"), { kind: "outside" });
    assert.deepEqual(locate(at("nowhere/not/yet/there.ts")), { kind: "outside" });
  });

  test("a linked worktree, beside the main tree and inside it", () => {
    ok(at("main"), "worktree", "add", "-q", ".claude/worktrees/agent");
    mkdirSync(at("linked/sub"));
    assert.equal(tree(agreed("linked/sub")), "linked");
    assert.equal(tree(agreed("main/.claude/worktrees/agent")), "agent");
    assert.equal(tree(agreed("main/.claude/worktrees")), "");
  });

  test("a second worktree of the same name has another id", () => {
    mkdirSync(at("other"));
    ok(at("main"), "worktree", "add", "-q", "--detach", at("other/linked"));
    assert.equal(tree(agreed("other/linked")), "linked1");
  });

  test("a worktree that was moved with mv is what its .git file says", () => {
    ok(at("main"), "worktree", "add", "-q", at("before-move"));
    assert.equal(spawnSync("mv", [at("before-move"), at("after-move")]).status, 0);
    assert.equal(tree(agreed("after-move")), "before-move");
  });

  test("a .git file with a relative gitdir", () => {
    ok(at("main"), "worktree", "add", "-q", at("relative"));
    writeFileSync(at("relative/.git"), "gitdir: ../main/.git/worktrees/relative\n");
    assert.equal(tree(agreed("relative")), "relative");
  });

  test("a submodule is a repository of its own, also in a linked worktree and with a worktree of its own", () => {
    repository(at("library"));
    repository(at("super"));
    ok(at("super"), "submodule", "add", "-q", at("library"), "vendor/library");
    ok(at("super"), "commit", "-q", "-m", "vendor");
    assert.equal(tree(agreed("super/vendor/library")), "");
    ok(at("super/vendor/library"), "worktree", "add", "-q", at("library-linked"));
    assert.equal(tree(agreed("library-linked")), "library-linked");
    ok(at("super"), "worktree", "add", "-q", at("super-linked"));
    ok(at("super-linked"), "submodule", "update", "-q", "--init");
    assert.equal(tree(agreed("super-linked/vendor/library")), "");
  });

  test("--separate-git-dir, and a .git that is a symbolic link", () => {
    repository(at("separate"), "--separate-git-dir", at("elsewhere.git"));
    agreed("separate");
    agreed("elsewhere.git");
    mkdirSync(at("by-link"));
    symlinkSync(at("elsewhere.git"), at("by-link/.git"));
    agreed("by-link");
  });

  test("a bare repository and its worktrees, beside it and inside", () => {
    ok(base, "clone", "-q", "--bare", at("main"), at("bare.git"));
    agreed("bare.git");
    agreed("bare.git/hooks");
    ok(at("bare.git"), "worktree", "add", "-q", at("of-bare"));
    assert.equal(tree(agreed("of-bare")), "of-bare");
    ok(at("bare.git"), "worktree", "add", "-q", "inside");
    assert.equal(tree(agreed("bare.git/inside")), "inside");
  });

  test("a repository inside the tree belongs to itself", () => {
    repository(at("main/nested"));
    agreed("main/nested");
    assert.equal(pathOf(locate(at("main/nested/a.ts"))), "nested: a.ts");
  });

  test("gitdirs: common, linked, a submodule's, and below them", () => {
    agreed("main/.git");
    agreed("main/.git/hooks");
    assert.equal(tree(agreed("main/.git/worktrees/linked")), "linked");
    agreed("super/.git/modules/vendor/library");
    assert.equal(locate(at("linked/.git")).kind, "git-dir", "the .git file of a worktree");
    assert.equal(locate(at("main/.git")).kind, "git-dir");
    assert.equal(locate(at("main/.git/not/yet")).kind, "git-dir");
    assert.notEqual(locate(at("main/.gitignore")).kind, "git-dir");
  });

  test("a repository without a commit, with a detached or linked HEAD, with sha256", () => {
    mkdirSync(at("unborn"));
    ok(at("unborn"), "init", "-q");
    agreed("unborn");
    repository(at("detached"));
    ok(at("detached"), "checkout", "-q", "--detach");
    agreed("detached");
    repository(at("link-head"));
    rmSync(at("link-head/.git/HEAD"));
    symlinkSync("refs/heads/not-yet", at("link-head/.git/HEAD"));
    agreed("link-head");
    repository(at("sha256"), "--object-format=sha256");
    ok(at("sha256"), "checkout", "-q", "--detach");
    agreed("sha256");
  });

  test("a .git directory that is no gitdir is passed over, at every stage of being none", () => {
    for (const [name, make] of Object.entries({
      empty: () => {},
      "no-head": () => ["objects", "refs"].forEach((dir) => mkdirSync(at("main/no-head/.git", dir))),
      "no-refs": () => writeFileSync(at("main/no-refs/.git/HEAD"), "ref: refs/heads/main\n"),
      "bad-head": () => {
        ["objects", "refs"].forEach((dir) => mkdirSync(at("main/bad-head/.git", dir)));
        writeFileSync(at("main/bad-head/.git/HEAD"), "nonsense\n");
      },
    })) {
      mkdirSync(at("main", name, ".git"), { recursive: true });
      make();
      assert.equal(pathOf(agreed("main", name)), `main: ${name}/new file.txt`);
    }
  });

  test("a .git file that leads nowhere: git stops, and it cannot be told", () => {
    for (const [name, text] of [
      ["garbage", "nonsense\n"],
      ["missing", "gitdir: /nowhere/at/all\n"],
      ["nothing", ""],
      ["no-target", "gitdir: \n"],
      ["no-gitdir", `gitdir: ${base}\n`],
    ] as const) {
      mkdirSync(at("main/broken", name), { recursive: true });
      writeFileSync(at("main/broken", name, ".git"), text);
      assert.notEqual(git(at("main/broken", name), "rev-parse", "--git-dir").status, 0, name);
      const where = locate(at("main/broken", name, "a.ts"));
      assert.equal(where.kind, "unreadable", name);
      assert.match(where.kind === "unreadable" ? where.why : "", /\.git/);
    }
  });

  test("extensions.worktreeConfig changes nothing", () => {
    ok(at("main"), "config", "extensions.worktreeConfig", "true");
    ok(at("linked"), "config", "--worktree", "core.hooksPath", "/tmp/hooks");
    agreed("main");
    agreed("linked");
  });

  test("limit: core.worktree moves the tree away from its .git, and we do not follow", () => {
    repository(at("moved"));
    mkdirSync(at("moved-tree"));
    ok(at("moved"), "config", "core.worktree", at("moved-tree"));
    // Git itself says two things: the tree is elsewhere, yet from there no repository is found.
    assert.equal(git(at("moved-tree"), "rev-parse", "--git-dir").status, 128);
    assert.deepEqual(locate(at("moved-tree/a.ts")), { kind: "outside" });
    assert.equal(pathOf(locate(at("moved/a.ts"))), "moved: a.ts");
  });
});

describe("the path is that of the file that would change", () => {
  test("./, .. and doubled slashes", () => {
    assert.equal(pathOf(locate(`${base}/main//src/./deep/../file.ts`)), "main: src/file.ts");
  });

  test("not there yet, nor its directories", () => {
    assert.equal(pathOf(locate(at("main/new/dir/a.ts"))), "main: new/dir/a.ts");
    assert.equal(pathOf(locate(at("main/src/file.ts/below-a-file"))), "main: src/file.ts/below-a-file");
  });

  test("symbolic links: to a file, a directory, another repository, out of any, and dangling", () => {
    repository(at("peer"));
    for (const [link, target] of [
      ["file-link", "src/file.ts"],
      ["dir-link", "src"],
      ["chain", "dir-link"],
      ["dangling", "src/not/yet.ts"],
      ["dangling-chain", "dangling"],
      ["peer-link", at("peer")],
      ["out", at("nowhere")],
      ["into-git", ".git"],
    ] as const)
      symlinkSync(target, at("main", link));
    const seen = (path: string) => pathOf(locate(at("main", path)));
    assert.equal(seen("file-link"), "main: src/file.ts");
    assert.equal(seen("dir-link/new/a.ts"), "main: src/new/a.ts");
    assert.equal(seen("chain/a.ts"), "main: src/a.ts");
    assert.equal(seen("dangling"), "main: src/not/yet.ts");
    assert.equal(seen("dangling-chain"), "main: src/not/yet.ts");
    assert.equal(seen("peer-link/a.ts"), "peer: a.ts");
    assert.equal(locate(at("main/out/a.ts")).kind, "outside");
    assert.equal(locate(at("main/into-git/config")).kind, "git-dir");
    symlinkSync(at("main/src"), at("from-outside"));
    assert.equal(pathOf(locate(at("from-outside/a.ts"))), "main: src/a.ts");
  });

  test("a loop of links cannot be told", () => {
    symlinkSync("loop-b", at("main/loop-a"));
    symlinkSync("loop-a", at("main/loop-b"));
    for (const path of ["main/loop-a", "main/loop-a/x"]) assert.equal(locate(at(path)).kind, "unreadable");
  });

  test("names as odd as they come", () => {
    for (const name of [
      "new\nline",
      'quote"s',
      "-rf",
      "back\\slash",
      "a:b",
      " ",
      "[id].tsx",
      "x".repeat(255),
    ]) {
      assert.equal(pathOf(locate(at("main/odd", name))), `main: odd/${name}`);
    }
  });

  test("Unicode forms are one, and case too where the volume ignores it", () => {
    assert.equal(pathOf(locate(at("main/cafe\u0301.ts"))), "main: caf\u00e9.ts");
    const folded = locate(at("main/SRC/Caf\u00c9.ts"), { ignoreCase: true });
    assert.equal(pathOf(folded), "main: src/caf\u00e9.ts");
  });

  test("what may not be read is not outside", (t) => {
    mkdirSync(at("main/locked/in"), { recursive: true });
    chmodSync(at("main/locked"), 0);
    chmodSync(base, 0o755);
    // Root may read all: be nobody meanwhile.
    const isRoot = process.geteuid?.() === 0;
    try {
      if (isRoot) process.seteuid?.(65_534);
      const where = locate(at("main/locked/in/a.ts"));
      assert.equal(where.kind, "unreadable");
      assert.match(where.kind === "unreadable" ? where.why : "", /EACCES/);
      assert.equal(findRepo(at("main/locked/in")), undefined);
      t.diagnostic(`as ${isRoot ? "nobody" : "the user"}`);
    } finally {
      if (isRoot) process.seteuid?.(0);
      chmodSync(at("main/locked"), 0o755);
    }
  });

  test("a directory is told from a file", () => {
    const isDirectory = (path: string) => {
      const where = locate(at(path));
      return where.kind === "tracked-tree" && where.isDirectory;
    };
    assert.equal(isDirectory("main/src"), true);
    assert.equal(isDirectory("main/src/file.ts"), false);
    assert.equal(isDirectory("main/not-there"), false);
    assert.equal(pathOf(locate(at("main"))), "main: ");
  });
});
