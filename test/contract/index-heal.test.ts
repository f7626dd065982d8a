/** What is staged in an index, when somebody else has committed: carried forward, merged, or a conflict git knows. */
import assert from "node:assert/strict";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import { processes } from "../../src/adapters/process.ts";
import {
  hasStaged,
  type Heal,
  healIndex,
  readBase,
  seedIndex,
  stagedPaths,
  writeBase,
} from "../../src/adapters/git/index-file.ts";
import { type Lab, makeLab, nine, NINE } from "../support/heal-lab.ts";

function mustHeal(lab: Lab): Extract<Heal, { kind: "healed" }> {
  const healed = lab.heal();
  assert.equal(healed.kind, "healed", JSON.stringify(healed));
  assert.equal(readBase(lab.gitDir), lab.head());
  assert.deepEqual(leavings(lab), []);
  return healed as Extract<Heal, { kind: "healed" }>;
}

const leavings = (lab: Lab) =>
  readdirSync(lab.gitDir).filter((name) => /signalbox\.|\.lock|-base\./.test(name));
const staged = (lab: Lab) =>
  lab.b("diff", "--cached", "--name-status", "--no-renames").split("\n").filter(Boolean);
const changed = (lab: Lab) =>
  lab.b("show", "--format=", "--name-status", "--no-renames", "HEAD").split("\n").filter(Boolean);
const stageOf = (lab: Lab, stage: number, path: string) => lab.b("show", `:${stage}:${path}`);

describe("GIT.md, scenarios 1 to 17", () => {
  /** A commits `a.txt` and a new `d.txt`; B has not looked since. */
  function behind(t: TestContext): Lab {
    const lab = makeLab(t);
    lab.write("d.txt", "new\n");
    lab.a("add", "d.txt");
    lab.commitA("a.txt", nine({ 1: "ada" }));
    return lab;
  }
  const holdsBoth = (lab: Lab) => {
    assert.deepEqual(changed(lab), ["M\tb.txt"]);
    assert.equal(lab.b("show", "HEAD:a.txt"), nine({ 1: "ada" }).trimEnd());
    assert.equal(lab.b("show", "HEAD:d.txt"), "new");
  };

  test("without it, the next commit takes back what others committed", (t) => {
    const lab = behind(t);
    lab.write("b.txt", "bob\n");
    lab.b("add", "b.txt");
    lab.b("commit", "-qm", "B");
    assert.deepEqual(changed(lab), ["M\ta.txt", "M\tb.txt", "D\td.txt"]);
  });

  for (const [name, stage, commit] of [
    ["1: add, commit", ["add", "b.txt"], ["commit", "-qm", "B"]],
    ["2: commit -a", undefined, ["commit", "-qam", "B"]],
    ["3: commit -- path", undefined, ["commit", "-qm", "B", "--", "b.txt"]],
    ["4: commit -i", undefined, ["commit", "-qm", "B", "-i", "b.txt"]],
    ["5: commit --no-verify", ["add", "b.txt"], ["commit", "-qnm", "B"]],
  ] as const)
    test(name, (t) => {
      const lab = behind(t);
      lab.write("b.txt", "bob\n");
      if (stage) lab.b(...stage);
      mustHeal(lab);
      lab.b(...commit);
      holdsBoth(lab);
      lab.heal();
      assert.equal(lab.b("status", "--porcelain"), "");
    });

  test("4: commit -p", (t) => {
    const lab = behind(t);
    lab.write("b.txt", nine({ 1: "bob" }));
    mustHeal(lab);
    const env = { GIT_DIR: lab.gitDir, GIT_WORK_TREE: lab.top };
    assert.equal(lab.run(env, ["commit", "-qpm", "B"], "y\n").status, 0);
    holdsBoth(lab);
  });

  test("6: exactly what is staged was committed: nothing is staged any more", (t) => {
    const lab = makeLab(t);
    lab.write("b.txt", "same\n");
    lab.b("add", "b.txt");
    lab.commitA("b.txt", "same\n");
    assert.equal(hasStaged(lab.at, readBase(lab.gitDir)!), true);
    const { conflicted, merged } = mustHeal(lab);
    assert.deepEqual([conflicted, merged], [[], []]);
    assert.equal(hasStaged(lab.at, lab.head()), false);
    assert.deepEqual(stagedPaths(lab.at, lab.head()), []);
    assert.notEqual(lab.tryB("commit", "-qm", "B").status, 0, "no empty commit");
  });

  test("7: line 9 is staged, line 2 was committed: both", (t) => {
    const lab = makeLab(t);
    lab.write("c.txt", nine({ 9: "bob" }));
    lab.b("add", "c.txt");
    lab.commitA("c.txt", nine({ 2: "ada" }));
    assert.deepEqual(mustHeal(lab).merged, ["c.txt"]);
    lab.b("commit", "-qm", "B");
    assert.equal(lab.b("show", "HEAD:c.txt"), nine({ 2: "ada", 9: "bob" }).trimEnd());
  });

  test("8: the same line: a conflict that git knows, and both versions are there", (t) => {
    const lab = makeLab(t);
    lab.write("c.txt", nine({ 5: "bob" }));
    lab.b("add", "c.txt");
    lab.commitA("c.txt", nine({ 5: "ada" }));
    assert.deepEqual(mustHeal(lab).conflicted, ["c.txt"]);
    assert.match(lab.b("status", "--porcelain"), /^UU c\.txt$/m);
    assert.equal(stageOf(lab, 1, "c.txt"), NINE.trimEnd());
    assert.equal(stageOf(lab, 2, "c.txt"), nine({ 5: "bob" }).trimEnd());
    assert.equal(stageOf(lab, 3, "c.txt"), nine({ 5: "ada" }).trimEnd());
    for (const args of [
      ["commit", "-qm", "B"],
      ["commit", "-qnm", "B"],
    ])
      assert.match(lab.tryB(...args).stderr, /unmerged files/);
    lab.write("b.txt", "bob\n");
    lab.b("commit", "-qm", "other", "--", "b.txt");
    mustHeal(lab);
    assert.match(lab.b("status", "--porcelain"), /^UU c\.txt$/m, "the rest moves on");
    assert.equal(stageOf(lab, 2, "c.txt"), nine({ 5: "bob" }).trimEnd());
    lab.commitA("c.txt", nine({ 1: "again", 5: "ada" }));
    assert.deepEqual(lab.heal(), { kind: "deferred", why: "unmerged" });
    assert.equal(readBase(lab.gitDir), lab.b("rev-parse", "HEAD~1"), "it is still relative to that");
    lab.write("c.txt", nine({ 5: "both" }));
    lab.b("add", "c.txt");
    mustHeal(lab);
    lab.b("commit", "-qm", "resolved");
    assert.deepEqual(changed(lab), ["M\tc.txt"]);
  });

  for (const [name, path, text] of [
    ["a file changed by both", "c.txt", nine({ 5: "side" })],
    ["a file added by both", "ž/new.txt", "side\n"],
  ] as const)
    test(`in the middle of a merge, HEAD moves on elsewhere: ${name}`, (t) => {
      const lab = makeLab(t);
      lab.b("checkout", "-q", "-b", "side");
      lab.write(path, text);
      lab.b("add", path);
      lab.b("commit", "-qm", "side");
      lab.b("checkout", "-q", "--ignore-other-worktrees", "main");
      lab.write(path, text.replace("side", "main"));
      lab.b("add", path);
      lab.b("commit", "-qm", "main");
      mustHeal(lab);
      assert.notEqual(lab.tryB("merge", "-q", "side").status, 0);
      const before = lab.b("ls-files", "-u");
      lab.a("read-tree", "HEAD");
      lab.commitA("b.txt", "ada\n");
      mustHeal(lab);
      assert.equal(lab.b("ls-files", "-u"), before);
      assert.equal(lab.b("diff", "--cached", "--name-only", "--diff-filter=u"), "");
      lab.b("merge", "--abort");
      assert.equal(lab.b("status", "--porcelain"), "");
    });

  test("9: a file is staged where HEAD has a folder now", (t) => {
    const lab = makeLab(t);
    lab.write("dir", "bob's file\n");
    lab.b("add", "dir");
    rmSync(join(lab.top, "dir"));
    lab.commitA("dir/x", "ada's\n");
    assert.deepEqual(mustHeal(lab).conflicted, ["dir"]);
    assert.equal(stageOf(lab, 2, "dir"), "bob's file");
    assert.equal(lab.b("show", ":dir/x"), "ada's");
    assert.match(lab.tryB("commit", "-qm", "B").stderr, /unmerged files/);
  });

  for (const [name, resolve, status] of [
    ["is dropped", ["rm", "-q", "--cached", "dir"], []],
    ["is unstaged", ["reset", "-q", "--", "dir"], []],
    ["gives way to a path in the folder", ["add", "-A", "dir"], []],
    ["is reset", ["reset", "-q"], []],
  ] as const)
    test(`9: …and then ${name}`, (t) => {
      const lab = makeLab(t);
      lab.write("dir", "bob's file\n");
      lab.b("add", "dir");
      rmSync(join(lab.top, "dir"));
      lab.commitA("dir/x", "ada's\n");
      mustHeal(lab);
      lab.b(...resolve);
      assert.deepEqual(staged(lab), status);
      assert.equal(lab.b("status", "--porcelain"), "");
    });

  test("9: a path is staged where HEAD has no folder any more", (t) => {
    const lab = makeLab(t);
    lab.write("dir/x", "bob's\n");
    lab.b("add", "dir/x");
    rmSync(join(lab.top, "dir"), { recursive: true });
    lab.commitA("dir", "ada's file\n");
    assert.deepEqual(mustHeal(lab).conflicted, ["dir/x"]);
    assert.equal(stageOf(lab, 2, "dir/x"), "bob's");
    assert.equal(lab.b("show", ":dir"), "ada's file");
    assert.match(lab.tryB("commit", "-qm", "B").stderr, /unmerged files/);
    lab.b("rm", "-q", "--cached", "dir/x");
    assert.equal(lab.b("status", "--porcelain"), "");
  });

  test("10: a deletion is staged, an edit was committed; and the mirror", (t) => {
    const lab = makeLab(t);
    lab.b("rm", "-q", "--cached", "a.txt");
    lab.write("b.txt", "bob\n");
    lab.b("add", "b.txt");
    lab.commitA("a.txt", nine({ 5: "ada" }));
    lab.commitA("b.txt");
    assert.deepEqual(mustHeal(lab).conflicted, ["a.txt", "b.txt"]);
    assert.equal(lab.b("status", "--porcelain"), "DU a.txt\nUD b.txt");
    assert.equal(stageOf(lab, 3, "a.txt"), nine({ 5: "ada" }).trimEnd());
    assert.equal(stageOf(lab, 2, "b.txt"), "bob");
  });

  test("11: a rename is staged, the old name was edited: the new one is kept", (t) => {
    const lab = makeLab(t);
    lab.b("mv", "a.txt", "g.txt");
    lab.commitA("a.txt", nine({ 5: "ada" }));
    assert.deepEqual(mustHeal(lab).conflicted, ["a.txt"]);
    assert.equal(lab.b("show", ":g.txt"), NINE.trimEnd());
  });

  test("12: a mode is staged, an edit was committed: both", (t) => {
    const lab = makeLab(t);
    lab.b("update-index", "--chmod=+x", "a.txt");
    lab.commitA("a.txt", nine({ 5: "ada" }));
    assert.deepEqual(mustHeal(lab).merged, ["a.txt"]);
    const entry = lab.a("ls-tree", "HEAD", "a.txt").split(/\s/)[2];
    assert.equal(lab.b("ls-files", "-s", "a.txt"), `100755 ${entry} 0\ta.txt`);
  });

  test("13: what is to be added was committed: it is tracked", (t) => {
    const lab = makeLab(t);
    lab.write("n.txt", "new\n");
    lab.write("m.txt", "not yet\n");
    lab.b("add", "-N", "n.txt", "m.txt");
    lab.commitA("n.txt", "new\n");
    assert.deepEqual(mustHeal(lab).conflicted, []);
    assert.equal(lab.b("status", "--porcelain"), " A m.txt");
  });

  test("13: an empty file is staged: that is not nothing", (t) => {
    const lab = makeLab(t);
    lab.write("n.txt", "");
    lab.b("add", "n.txt");
    lab.commitA("n.txt", "new\n");
    assert.deepEqual(mustHeal(lab).conflicted, ["n.txt"]);
  });

  test("14: skip-worktree and assume-unchanged", (t) => {
    const lab = makeLab(t);
    lab.b("update-index", "--skip-worktree", "a.txt", "b.txt");
    lab.b("update-index", "--assume-unchanged", "c.txt");
    lab.commitA("a.txt", nine({ 5: "ada" }));
    mustHeal(lab);
    assert.equal(lab.b("ls-files", "-v"), "S a.txt\nS b.txt\nh c.txt");
  });

  test("14: skip-worktree outlives a merge", (t) => {
    const lab = makeLab(t);
    lab.write("a.txt", nine({ 9: "bob" }));
    lab.b("add", "a.txt");
    lab.b("update-index", "--skip-worktree", "a.txt");
    lab.commitA("a.txt", nine({ 2: "ada" }));
    assert.deepEqual(mustHeal(lab).merged, ["a.txt"]);
    assert.equal(lab.b("ls-files", "-t", "a.txt"), "S a.txt");
  });

  test("14: a sparse checkout, with and without a sparse index", (t) => {
    for (const sparseIndex of ["--no-sparse-index", "--sparse-index"]) {
      const files = { "a.txt": NINE, "in/x": "1\n", "far/f": "1\n", "far/deep/g": "1\n" };
      const lab = makeLab(t, { files });
      lab.b("config", "extensions.worktreeConfig", "true");
      lab.b("sparse-checkout", "set", "--cone", sparseIndex, "in");
      assert.equal(existsSync(join(lab.top, "far")), false);
      lab.write("in/x", "bob\n");
      lab.b("add", "in/x");
      const blob = lab.run({}, ["hash-object", "-w", "--stdin"], "ada\n").stdout.trim();
      lab.a("update-index", "--cacheinfo", `100644,${blob},far/deep/g`);
      lab.a("commit", "-qm", "A");
      mustHeal(lab);
      assert.equal(lab.b("status", "--porcelain"), "M  in/x");
      assert.equal(lab.b("show", ":far/deep/g"), "ada");
      assert.equal(existsSync(join(lab.top, "far")), false);
      rmSync(join(lab.gitDir, "index"));
      mustHeal(lab);
      assert.equal(lab.b("status", "--porcelain"), " M in/x", "rebuilt: what is not on disk is not deleted");
    }
  });

  test("14: a split index, as configured for everybody or of its own", (t) => {
    for (const configured of [true, false]) {
      const lab = makeLab(t);
      if (configured) lab.a("config", "core.splitIndex", "true");
      lab.b("update-index", "--split-index");
      lab.write("b.txt", "bob\n");
      lab.b("add", "b.txt");
      lab.commitA("a.txt", "ada\n");
      mustHeal(lab);
      assert.equal(lab.b("status", "--porcelain"), "M  b.txt");
    }
  });

  test("14: an untracked cache", (t) => {
    const lab = makeLab(t);
    lab.b("update-index", "--untracked-cache");
    lab.write("u.txt", "u\n");
    lab.b("status");
    lab.commitA("a.txt", "ada\n");
    mustHeal(lab);
    lab.write("v.txt", "v\n");
    rmSync(join(lab.top, "u.txt"));
    assert.equal(lab.b("status", "--porcelain"), "?? v.txt");
  });

  test("15: a change in the second the index was written stays one, after a heal and in a seed", (t) => {
    const lab = makeLab(t);
    const seconds = 1_700_000_000;
    lab.env["GIT_OPTIONAL_LOCKS"] = "0";
    lab.write("b.txt", "aaaa\n");
    utimesSync(join(lab.top, "b.txt"), seconds, seconds);
    lab.b("add", "b.txt");
    const index = join(lab.gitDir, "index");
    utimesSync(index, seconds + 0.7, seconds + 0.7);
    lab.write("b.txt", "bbbb\n");
    // The very same stat but for the content, as in one second.
    utimesSync(join(lab.top, "b.txt"), seconds, seconds);
    lab.a("config", "core.trustctime", "false");
    assert.match(lab.b("status", "--porcelain"), /^MM b\.txt$/m, "git tells");
    const young = join(lab.dir, "young");
    copyFileSync(index, young);
    const env = { GIT_DIR: lab.gitDir, GIT_WORK_TREE: lab.top, GIT_INDEX_FILE: young };
    assert.match(lab.run(env, ["status", "--porcelain"]).stdout, /^M {2}b\.txt$/m, "a plain copy hides it");
    utimesSync(index, seconds + 0.7, seconds + 0.7);

    lab.commitA("a.txt", "ada\n");
    utimesSync(index, seconds + 0.7, seconds + 0.7);
    mustHeal(lab);
    assert.match(lab.b("status", "--porcelain"), /^MM b\.txt$/m);
  });

  test("16: twenty commits, one heal", (t) => {
    const lab = makeLab(t);
    const from = lab.head();
    for (let i = 0; i < 20; i++) lab.commitA("a.txt", `${i}\n`);
    const { kind, from: was, to } = mustHeal(lab);
    assert.deepEqual([kind, was, to], ["healed", from, lab.head()]);
    assert.deepEqual(lab.heal(), { kind: "current" });
  });

  test("17: what is staged is the same after each of five commits", (t) => {
    const lab = makeLab(t);
    lab.write("b.txt", "bob\n");
    lab.write("new.txt", "bob\n");
    lab.b("add", "b.txt", "new.txt");
    lab.b("rm", "-q", "--cached", "c.txt");
    const before = lab.b("diff", "--cached");
    for (let i = 0; i < 5; i++) {
      lab.commitA("a.txt", `${i}\n`);
      mustHeal(lab);
      assert.equal(lab.b("diff", "--cached"), before);
    }
  });
});

describe("paths and contents", () => {
  test("any name: newline, quotes, a tab, bytes that are no UTF-8, a leading dash or colon", (t) => {
    const names = ["a\nb", 'q"q', "t\tt", "-dash", ":(top)x", "ä", "*", "d ir/ x "];
    const lab = makeLab(t, { files: Object.fromEntries(names.map((name) => [name, NINE])) });
    const odd = Buffer.from("odd\xff", "latin1");
    writeFileSync(Buffer.concat([Buffer.from(`${lab.top}/`), odd]), "bob\n");
    for (const name of names) lab.write(name, nine({ 9: "bob" }));
    lab.b("add", "-A");
    for (const name of names) lab.write(name, nine({ 2: "ada" }));
    writeFileSync(Buffer.concat([Buffer.from(`${lab.top}/`), odd]), "ada\n");
    lab.a("add", "-A");
    lab.a("commit", "-qm", "A");
    const { merged, conflicted } = mustHeal(lab);
    assert.deepEqual([...merged].sort(), [...names].sort());
    assert.deepEqual(conflicted, ["odd\uFFFD"]);
    const entries = lab.b("ls-files", "-s", "-z").split("\0").filter(Boolean);
    const both = lab.run({}, ["hash-object", "--stdin"], nine({ 2: "ada", 9: "bob" })).stdout.trim();
    for (const name of names)
      assert.ok(entries.includes(`100644 ${both} 0\t${Buffer.from(name).toString("latin1")}`), name);
    assert.equal(entries.filter((entry) => entry.endsWith("\todd\xff")).length, 2);
  });

  test("a rename in case only, where the volume takes both for one", (t) => {
    const lab = makeLab(t, { files: { README: NINE, "a.txt": NINE } });
    lab.a("config", "core.ignoreCase", "true");
    lab.b("mv", "-f", "README", "readme");
    lab.commitA("a.txt", "ada\n");
    mustHeal(lab);
    assert.deepEqual(staged(lab), ["D\tREADME", "A\treadme"]);
    const blob = lab.run({}, ["hash-object", "-w", "--stdin"], "ada\n").stdout.trim();
    lab.a("update-index", "--cacheinfo", `100644,${blob},README`);
    lab.a("commit", "-qm", "A");
    assert.deepEqual(mustHeal(lab).conflicted, ["README"]);
    assert.match(lab.b("ls-files", "-s", "readme"), / 0\treadme$/);
  });

  test("symlinks, executables and submodules are carried forward, or clash whole", (t) => {
    const lab = makeLab(t, { files: { "a.txt": NINE, f: "1\n", g: "1\n" } });
    const commit = lab.head();
    rmSync(join(lab.top, "f"));
    symlinkSync("a.txt", join(lab.top, "f"));
    lab.b("add", "f");
    lab.b("update-index", "--add", "--cacheinfo", `160000,${commit},sub`);
    lab.b("update-index", "--add", "--cacheinfo", `160000,${commit},other`);
    chmodSync(join(lab.top, "g"), 0o755);
    lab.b("add", "g");
    // Hidden from every diff that does not insist.
    lab.a("config", "diff.ignoreSubmodules", "all");
    const next = lab.commitA("a.txt", "ada\n");
    mustHeal(lab);
    lab.a("config", "--unset", "diff.ignoreSubmodules");
    assert.deepEqual(staged(lab), ["T\tf", "M\tg", "A\tother", "A\tsub"]);
    lab.a("config", "diff.ignoreSubmodules", "all");
    lab.a("update-index", "--add", "--cacheinfo", `160000,${next},sub`);
    lab.a("-c", "diff.ignoreSubmodules=none", "commit", "-qm", "A");
    assert.deepEqual(mustHeal(lab).conflicted, ["sub"]);
  });

  for (const [name, attributes, mine, theirs, merged] of [
    ["-merge", "c.txt -merge", { 9: "bob" }, { 2: "ada" }, undefined],
    ["binary", "c.txt binary", { 9: "bob" }, { 2: "ada" }, undefined],
    ["a driver of one's own", "c.txt merge=lock", { 9: "bob" }, { 2: "ada" }, undefined],
    ["merge=union", "c.txt merge=union", { 5: "bob" }, { 5: "ada" }, nine({ 5: "bob\nada" })],
    ["merge=text", "c.txt merge", { 9: "bob" }, { 2: "ada" }, nine({ 2: "ada", 9: "bob" })],
  ] as const)
    test(`.gitattributes: ${name}`, (t) => {
      const lab = makeLab(t, { files: { "c.txt": NINE, ".gitattributes": `${attributes}\n` } });
      lab.a("config", "merge.lock.driver", "touch was-run; false");
      lab.write("c.txt", nine(mine));
      lab.b("add", "c.txt");
      lab.commitA("c.txt", nine(theirs));
      const healed = mustHeal(lab);
      assert.equal(existsSync(join(lab.top, "was-run")), false);
      assert.deepEqual(healed.conflicted, merged === undefined ? ["c.txt"] : []);
      if (merged !== undefined) assert.equal(lab.b("show", ":c.txt"), merged.trimEnd());
      else assert.equal(stageOf(lab, 2, "c.txt"), nine(mine).trimEnd());
    });

  test("CRLF on disk is merged as it is in the repository", (t) => {
    const lab = makeLab(t, { files: { "c.txt": NINE, ".gitattributes": "*.txt text eol=crlf\n" } });
    const crlf = (text: string) => text.replaceAll("\n", "\r\n");
    lab.write("c.txt", crlf(nine({ 9: "bob" })));
    lab.b("add", "c.txt");
    lab.commitA("c.txt", crlf(nine({ 2: "ada" })));
    assert.deepEqual(mustHeal(lab).merged, ["c.txt"]);
    assert.equal(lab.b("show", ":c.txt"), nine({ 2: "ada", 9: "bob" }).trimEnd());
  });

  test("binary contents conflict", (t) => {
    const lab = makeLab(t, { files: { bin: `\0${NINE}` } });
    lab.write("bin", `\0${nine({ 9: "bob" })}`);
    lab.b("add", "bin");
    lab.commitA("bin", `\0${nine({ 2: "ada" })}`);
    assert.deepEqual(mustHeal(lab).conflicted, ["bin"]);
  });

  test("in a repository of SHA-256", (t) => {
    const lab = makeLab(t, { initArgs: ["--object-format=sha256"] });
    lab.write("c.txt", nine({ 9: "bob" }));
    lab.write("a.txt", "bob\n");
    lab.write("n.txt", "n\n");
    lab.b("add", "c.txt", "a.txt");
    lab.b("add", "-N", "n.txt");
    lab.commitA("c.txt", nine({ 2: "ada" }));
    lab.commitA("a.txt", "ada\n");
    lab.commitA("n.txt", "n\n");
    const { merged, conflicted } = mustHeal(lab);
    assert.deepEqual([merged, conflicted], [["c.txt"], ["a.txt"]]);
  });
});

describe("where it cannot, or need not", () => {
  test("HEAD without a commit, no base, a base that is gone", (t) => {
    const lab = makeLab(t);
    const base = lab.head();
    writeFileSync(join(lab.gitDir, "HEAD"), "ref: refs/heads/unborn\n");
    assert.deepEqual(lab.heal(), { kind: "deferred", why: "unborn" });
    writeFileSync(join(lab.gitDir, "HEAD"), "ref: refs/heads/main\n");
    writeBase(lab.gitDir, base.replaceAll(/./g, "1"));
    const before = readFileSync(join(lab.gitDir, "index"));
    const healed = lab.heal();
    assert.equal(healed.kind === "deferred" && healed.why, "missing-object");
    assert.deepEqual(readFileSync(join(lab.gitDir, "index")), before);
    assert.deepEqual(leavings(lab), []);
    for (const text of ["", "\n", "x".repeat(40), `${base} ${base}`]) {
      writeFileSync(join(lab.gitDir, "signalbox-base"), text);
      assert.equal(readBase(lab.gitDir), undefined);
      assert.deepEqual(lab.heal(), { kind: "deferred", why: "no-base" });
    }
  });

  test("HEAD: detached, in packed-refs, a symbolic ref to a symbolic ref", (t) => {
    const lab = makeLab(t);
    const first = lab.head();
    const next = lab.commitA("a.txt", "ada\n");
    lab.a("pack-refs", "--all");
    assert.equal(mustHeal(lab).to, next);
    writeFileSync(join(lab.gitDir, "HEAD"), `${first}\n`);
    assert.deepEqual(lab.heal(), { kind: "healed", from: next, to: first, merged: [], conflicted: [] });
    lab.a("symbolic-ref", "refs/heads/alias", "refs/heads/main");
    writeFileSync(join(lab.gitDir, "HEAD"), "ref: refs/heads/alias\n");
    assert.equal(mustHeal(lab).to, next);
    assert.equal(lab.b("status", "--porcelain"), "");
  });

  test("no index file is not everything deleted", (t) => {
    for (const moved of [true, false]) {
      const lab = makeLab(t);
      if (moved) lab.commitA("a.txt", "ada\n");
      rmSync(join(lab.gitDir, "index"));
      assert.equal(hasStaged(lab.at, readBase(lab.gitDir)!), false);
      assert.equal(mustHeal(lab).rebuilt, true);
      assert.equal(lab.b("status", "--porcelain"), "");
    }
  });

  test("a lock that git holds is waited for, and left", (t) => {
    const lab = makeLab(t);
    lab.commitA("a.txt", "ada\n");
    const lock = join(lab.gitDir, "index.lock");
    writeFileSync(lock, "");
    const base = readBase(lab.gitDir);
    assert.deepEqual(lab.heal({ waitMs: 30 }), { kind: "deferred", why: "locked", detail: lock });
    assert.equal(readBase(lab.gitDir), base);
    assert.equal(lab.heal({ waitMs: 0, isStaleLock: () => false }).kind, "deferred");
    assert.ok(existsSync(lock));
    assert.equal(lab.heal({ waitMs: 0, isStaleLock: (file) => file === lock }).kind, "healed");
    assert.deepEqual(leavings(lab), []);
  });

  test("a lock of ours whose process is gone goes by itself, also where nothing else is to be done", (t) => {
    const lab = makeLab(t);
    const lock = join(lab.gitDir, "index.lock");
    const gone = `signalbox 4194305 1 ${processes.identify(process.pid)!.boot}\n`;
    writeFileSync(lock, gone);
    assert.deepEqual(lab.heal(), { kind: "current" });
    assert.deepEqual(leavings(lab), []);
    lab.commitA("a.txt", "ada\n");
    writeFileSync(lock, gone);
    writeFileSync(join(lab.gitDir, "index.signalbox.4194305"), "left");
    mkdirSync(join(lab.gitDir, "index.signalbox.4194305.merge"));
    mustHeal(lab);
    writeFileSync(lock, `signalbox 4194305 1 another-host/x/y\n`);
    assert.deepEqual(lab.heal(), { kind: "current" });
    assert.ok(existsSync(lock), "of another machine nothing is known");
  });

  test("what a killed process left goes when it is old", (t) => {
    const lab = makeLab(t);
    const names = ["index.lock.signalbox-7", "index.lock.break-1-2", "index.lock.break-1-2.signalbox-7"];
    for (const name of [...names, "signalbox-base.7", "other.lock"]) {
      writeFileSync(join(lab.gitDir, name), "");
      utimesSync(join(lab.gitDir, name), 1, 1);
    }
    writeFileSync(join(lab.gitDir, "signalbox-base.8"), "");
    lab.commitA("a.txt", "ada\n");
    assert.equal(lab.heal().kind, "healed");
    assert.deepEqual(leavings(lab), ["other.lock", "signalbox-base.8"]);
  });

  test("an index that git is about to commit is healed in place; the base is of the real one", (t) => {
    const lab = makeLab(t);
    const base = readBase(lab.gitDir);
    lab.write("b.txt", "bob\n");
    lab.b("add", "b.txt");
    lab.commitA("a.txt", "ada\n");
    const indexFile = join(lab.gitDir, "index.lock");
    copyFileSync(join(lab.gitDir, "index"), indexFile);
    const before = readFileSync(join(lab.gitDir, "index"));
    assert.equal(healIndex({ ...lab.at, indexFile }).kind, "healed");
    assert.equal(readBase(lab.gitDir), base);
    assert.deepEqual(readFileSync(join(lab.gitDir, "index")), before);
    const env = { GIT_DIR: lab.gitDir, GIT_WORK_TREE: lab.top, GIT_INDEX_FILE: indexFile };
    assert.equal(lab.run(env, ["diff", "--cached", "--name-only"]).stdout, "b.txt\n");
    assert.deepEqual(leavings(lab), ["index.lock"]);
  });

  test("what git knows about untouched files it knows still", (t) => {
    const lab = makeLab(t);
    const stat = () => lab.b("ls-files", "--debug", "c.txt", "b.txt");
    const before = stat();
    assert.doesNotMatch(before, /mtime: 0:0/);
    lab.commitA("a.txt", "ada\n");
    mustHeal(lab);
    assert.equal(stat(), before);
  });

  test("a symbolic link for an index stays one", (t) => {
    const lab = makeLab(t);
    const index = join(lab.gitDir, "index");
    const elsewhere = join(lab.dir, "elsewhere");
    copyFileSync(index, elsewhere);
    rmSync(index);
    symlinkSync(elsewhere, index);
    lab.commitA("a.txt", "ada\n");
    mustHeal(lab);
    assert.ok(statSync(elsewhere).isFile());
    assert.equal(lab.b("status", "--porcelain"), "");
  });
});

describe("a seed", () => {
  const seeded = (lab: Lab) => {
    rmSync(join(lab.gitDir, "index"), { force: true });
    seedIndex({ gitDir: lab.common, workTree: lab.top }, lab.at, lab.head());
    return lab.b("status", "--porcelain");
  };

  test("has nothing staged, whatever the other one has, and knows the files on disk", (t) => {
    const lab = makeLab(t);
    lab.a("rm", "-q", "--cached", "a.txt");
    lab.write("b.txt", "ada\n");
    lab.write("n.txt", "ada\n");
    lab.a("add", "b.txt");
    lab.a("add", "-N", "n.txt");
    const before = lab.a("status", "--porcelain");
    assert.equal(seeded(lab), " M b.txt\n?? n.txt");
    assert.equal(lab.a("status", "--porcelain"), before);
    assert.doesNotMatch(lab.b("ls-files", "--debug", "c.txt"), /mtime: 0:0/);
  });

  test("of an index with a conflict", (t) => {
    const lab = makeLab(t);
    lab.commitA("a.txt", "ada\n");
    const blob = lab.a("rev-parse", "HEAD:a.txt");
    lab.run({}, ["update-index", "--index-info"], `0 ${"0".repeat(40)}\ta.txt\n100644 ${blob} 2\ta.txt\n`);
    assert.equal(seeded(lab), "");
  });

  test("of a split index, as configured or not; the other one stays split", (t) => {
    for (const configured of [true, false]) {
      const lab = makeLab(t);
      if (configured) lab.a("config", "core.splitIndex", "true");
      lab.a("update-index", "--split-index");
      assert.equal(seeded(lab), "");
      assert.ok(readdirSync(lab.common).some((name) => name.startsWith("sharedindex.")));
      assert.equal(lab.a("status", "--porcelain"), "");
    }
  });

  test("keeps skip-worktree", (t) => {
    const lab = makeLab(t);
    lab.a("update-index", "--skip-worktree", "a.txt");
    seeded(lab);
    assert.equal(lab.b("ls-files", "-t", "a.txt"), "S a.txt");
  });

  test("15: sees a change made in the second the other index was written", (t) => {
    const lab = makeLab(t);
    lab.a("config", "core.trustctime", "false");
    const seconds = 1_700_000_000;
    utimesSync(join(lab.top, "a.txt"), seconds, seconds);
    lab.a("update-index", "--refresh");
    utimesSync(join(lab.common, "index"), seconds + 0.7, seconds + 0.7);
    lab.write("a.txt", NINE.replace("5", "x"));
    utimesSync(join(lab.top, "a.txt"), seconds, seconds);
    assert.equal(seeded(lab), " M a.txt");
  });
});
