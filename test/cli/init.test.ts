/** What `init` and `uninstall` say, and end with. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { renderChange } from "../../src/app/install/diff.ts";
import { file, utf8 } from "../../src/app/install/model.ts";
import { hooksInConfig, snapshot } from "../contract/install-snapshot.ts";
import { builtCommand, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

type Context = Parameters<typeof makeScratch>[0];
const scratch = (t: Context) => makeScratch(t, { install: false });
/** The hook files that init writes. */
const hookFiles = (...names: string[]) => (hooksInConfig() ? [] : names.map((name) => `.git/hooks/${name}`));
const isRoot = process.getuid?.() === 0;
const NOBODY = 65_534;

test("--check prints the changes, makes none, and ends with 1; with 0 once they are made", async (t) => {
  const repo = await scratch(t);
  mkdirSync(repo.path(".claude"));
  repo.write(".claude/settings.local.json", '{\n  "model": "x"\n}\n');
  repo.write(".git/hooks/pre-commit", "#!/bin/sh\necho mine\n");
  chmodSync(repo.path(".git/hooks/pre-commit"), 0o755);
  const before = snapshot(repo.dir);
  const { code, stdout, stderr } = await repo.signalbox("init", "--check");
  assert.equal(code, 1);
  assert.match(stderr, /^\d+ changes to make; nothing was changed\n$/m);
  assert.deepEqual(snapshot(repo.dir), before);
  assert.match(stdout, /^create .*\/runtime\/hook\.cjs \d+ bytes$/m);
  assert.match(stdout, /^create .*\/runtime\/install\.json \d+ bytes$/m);
  for (const name of [
    ".git/config",
    ".git/info/exclude",
    ...hookFiles("pre-commit"),
    ".claude/settings.local.json",
  ])
    assert.ok(stdout.includes(`--- ${repo.path(name)}\n+++ ${repo.path(name)}\n@@ `), name);
  for (const name of [...hookFiles("post-commit"), ".git/signalbox/bin/hook"])
    assert.ok(stdout.includes(`new file mode 100755\n--- /dev/null\n+++ ${repo.path(name)}\n`), name);

  // The diff is what init does: applied to a copy by git it gives the same files.
  const copy = join(repo.dir, "copy");
  execFileSync("cp", ["-a", repo.top, copy]);
  const relative = stdout
    .replaceAll(/^(?:create|replace) .*\n/gm, "")
    .replaceAll(`--- ${repo.top}/`, "--- ")
    .replaceAll(`+++ ${repo.top}/`, "+++ ");
  const patch = spawnSync("patch", ["-p0", "-s"], {
    cwd: copy,
    input: relative,
    env: repo.env,
    encoding: "utf8",
  });
  await repo.mustSignalbox("init");
  if (patch.error === undefined) {
    assert.equal(patch.status, 0, patch.stdout);
    for (const name of [
      ".git/config",
      ".git/info/exclude",
      ...hookFiles("pre-commit", "pre-push"),
      ".claude/settings.local.json",
      ".git/signalbox/bin/hook",
    ])
      assert.equal(readFileSync(join(copy, name), "utf8"), repo.read(name), name);
  }
  const after = await repo.signalbox("init", "--check");
  assert.deepEqual([after.code, after.stdout], [0, ""]);
});

test(
  "any two texts: the diff is one that patch takes",
  { skip: spawnSync("patch", ["--version"]).error !== undefined },
  async (t) => {
    const { dir } = await scratch(t);
    const text = fc
      .tuple(fc.array(fc.constantFrom("a", "b", "", "é", "-- x", "++ y"), { maxLength: 30 }), fc.boolean())
      .map(([lines, end]) => utf8(lines.join("\n") + (end && lines.length > 0 ? "\n" : "")));
    fc.assert(
      fc.property(text, text, (before, after) => {
        fc.pre(before !== after && before !== "" && after !== "");
        writeFileSync(join(dir, "f"), Buffer.from(before, "latin1"));
        const input = renderChange({ path: "f", role: "own", before: file(before), after: file(after) });
        const { status, stdout } = spawnSync("patch", ["-p0", "-s", "f"], {
          cwd: dir,
          input,
          encoding: "utf8",
        });
        assert.equal(status, 0, `${stdout}\n${input}`);
        assert.equal(readFileSync(join(dir, "f")).toString("latin1"), after, input);
      }),
      { numRuns: 100 },
    );
  },
);

test("--json lists the changes", async (t) => {
  const repo = await scratch(t);
  const read = (text: string) =>
    JSON.parse(text) as {
      kind: string;
      version: number;
      changes: { path: string; action: string; diff?: string }[];
    };
  const plan = read((await repo.signalbox("init", "--check", "--json")).stdout);
  const done = read((await repo.signalbox("init", "--json")).stdout);
  assert.deepEqual([done.kind, done.version], ["signalbox.init", 1]);
  assert.deepEqual(
    done.changes.map(({ path }) => path),
    plan.changes.map(({ path }) => path),
  );
  assert.ok(plan.changes.every(({ diff }) => diff !== undefined));
  assert.deepEqual(read((await repo.signalbox("init", "--json")).stdout).changes, []);
  const gone = JSON.parse((await repo.signalbox("uninstall", "--json")).stdout) as {
    wasInstalled: boolean;
    left: unknown[];
  };
  assert.equal(gone.wasInstalled, true);
  assert.equal(gone.left.length, 1);
});

test("no repository: 2, and what to do", async (t) => {
  const repo = await scratch(t);
  for (const command of ["init", "uninstall"]) {
    const { code, stderr } = await repo.signalboxAs({ cwd: repo.dir }, command);
    assert.equal(code, 2);
    assert.match(stderr, /is not in a git repository; go to one, or make one: git init/);
    const missing = await repo.signalbox(command, "nowhere");
    assert.equal(missing.code, 2);
    assert.match(missing.stderr, /there is no folder .*nowhere/);
  }
});

test("REPO may be any folder in it", async (t) => {
  const repo = await scratch(t);
  mkdirSync(repo.path("deep/er"), { recursive: true });
  assert.equal((await repo.signalboxAs({ cwd: "/" }, "init", repo.path("deep/er"))).code, 0);
  assert.ok(existsSync(repo.entry));
});

for (const words of [["--shared", "--plugin"], ["--runtime", "perl"], ["--nonsense"], ["a", "b"]]) {
  test(`init ${words.join(" ")} is a usage error`, async (t) => {
    const repo = await scratch(t);
    assert.equal((await repo.signalbox("init", ...words)).code, 2);
    assert.ok(!existsSync(repo.boxDir));
  });
}

test("settings that are no JSON: file, line, column, and nothing is changed anywhere", async (t) => {
  const repo = await scratch(t);
  repo.write(".claude/settings.local.json", '{\n  "hooks": {\n    oops\n  }\n}\n');
  const before = snapshot(repo.dir);
  const { code, stderr, stdout } = await repo.signalbox("init");
  assert.deepEqual([code, stdout], [1, ""]);
  assert.match(stderr, /settings\.local\.json:3:5: not valid JSON \(\w+\); mend it/);
  assert.deepEqual(snapshot(repo.dir), before);
});

/** Runs the command as somebody who may only do what modes allow. */
function asNobody(repo: ScratchRepo, ...args: string[]) {
  const who = isRoot ? { uid: NOBODY, gid: NOBODY } : {};
  return spawnSync(process.execPath, [builtCommand(), ...args], {
    cwd: repo.top,
    env: repo.env,
    encoding: "utf8",
    ...who,
  });
}

test("a repository that cannot be written to: said, and nothing is changed", async (t) => {
  const repo = await scratch(t);
  chmodSync(repo.dir, 0o755);
  if (isRoot) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, repo.dir]);
  for (const locked of [".git", ".claude", ...(hooksInConfig() ? [] : [".git/hooks"])]) {
    mkdirSync(repo.path(locked), { recursive: true });
    if (isRoot) execFileSync("chown", ["-R", `${NOBODY}:${NOBODY}`, repo.dir]);
    execFileSync("chmod", ["a-w", repo.path(locked)]);
    const before = snapshot(repo.dir);
    const { status, stderr } = asNobody(repo, "init");
    assert.equal(status, 1, locked);
    assert.match(stderr, /cannot be written to \(no permission\); nothing was changed/, locked);
    assert.deepEqual(snapshot(repo.dir), before, locked);
    execFileSync("chmod", ["u+w", repo.path(locked)]);
    rmSync(repo.path(".claude"), { recursive: true, force: true });
  }
});

test("a repository of somebody else: git's own words", { skip: !isRoot }, async (t) => {
  const repo = await scratch(t);
  chmodSync(repo.dir, 0o755);
  const { status, stderr } = asNobody(repo, "init");
  assert.equal(status, 1);
  assert.match(stderr, /git cannot use the repository at .*dubious ownership/s);
});

test("a second uninstall, or one where nothing is: says so and ends with 0", async (t) => {
  const repo = await scratch(t);
  const before = snapshot(repo.dir);
  const { code, stdout, stderr } = await repo.signalbox("uninstall");
  assert.deepEqual([code, stdout, stderr], [0, "", "signalbox is not installed here; nothing to do\n"]);
  assert.deepEqual(snapshot(repo.dir), before);
});

test("another install is at work: waits for it; a dead one's lock is nobody's", async (t) => {
  const repo = await scratch(t);
  repo.write(
    ".git/signalbox-install.lock",
    JSON.stringify({ pid: 999_999_999, start: "1", boot: (await import("node:os")).hostname() + "/x/y" }),
  );
  assert.equal((await repo.signalbox("init")).code, 0);
  assert.ok(!existsSync(repo.path(".git/signalbox-install.lock")));
});

test("git signalbox works from everywhere, in git's own environment", async (t) => {
  const repo = await scratch(t);
  await repo.mustSignalbox("init");
  const linked = await repo.worktree("linked");
  mkdirSync(join(linked, "sub"));
  for (const cwd of [repo.top, linked, join(linked, "sub"), repo.path(".git")]) {
    const { status, stderr } = spawnSync("git", ["signalbox", "status"], {
      cwd,
      env: repo.env,
      encoding: "utf8",
    });
    assert.equal(status, 0, `${cwd}: ${stderr}`);
  }
  // Words stay words, and relative ones are relative to where the person is.
  const show = spawnSync("git", ["signalbox", "who", "a file", "--json"], {
    cwd: join(linked, "sub"),
    env: repo.env,
    encoding: "utf8",
  });
  assert.match(show.stdout + show.stderr, /sub\/a file/);
});

test(
  "install.sh from anywhere, through a link, with spaces",
  { skip: !existsSync(join(import.meta.dirname, "../../dist/signalbox.cjs")) },
  async (t) => {
    const repo = await makeScratch(t, { install: false, name: "my repo" });
    const script = join(import.meta.dirname, "../../install.sh");
    mkdirSync(join(repo.dir, "a b"));
    symlinkSync(script, join(repo.dir, "a b/link one"));
    symlinkSync("link one", join(repo.dir, "a b/link two"));
    const call = (cwd: string, ...args: string[]) =>
      spawnSync(join(repo.dir, "a b/link two"), args, { cwd, env: repo.env, encoding: "utf8" });
    const before = snapshot(repo.top);
    const plan = call(repo.dir, "my repo", "--check");
    assert.equal(plan.status, 1, plan.stderr);
    assert.deepEqual(snapshot(repo.top), before);
    const done = call(repo.top);
    assert.equal(done.status, 0, done.stderr);
    assert.match(done.stdout, /no sessions/);
    assert.match(done.stderr, /^install\.sh: installing in /m);
    assert.equal(call(repo.dir, "--uninstall", "--purge", "my repo").status, 0);
    assert.deepEqual(snapshot(repo.top), before);
    for (const [words, message] of [
      [["--nonsense"], /no option --nonsense/],
      [["--runtime"], /--runtime needs a value/],
      [["--runtime=perl"], /takes node or deno/],
      [["--purge"], /goes with --uninstall/],
      [["a", "b"], /one repository at a time/],
      [[repo.dir], /no usable git repository/],
      [["nowhere"], /there is no folder/],
    ] as const) {
      const { status, stderr } = call(repo.dir, ...words);
      assert.equal(status, 2, stderr);
      assert.match(stderr, message);
    }
    const bare = spawnSync("/bin/sh", [script], {
      cwd: repo.top,
      env: { ...repo.env, PATH: "/nonexistent" },
      encoding: "utf8",
    });
    assert.match(bare.stderr, /git is not installed|dirname|not found/);
  },
);
