/** init and uninstall in every kind of repository: what is written, that nothing else is, that it all goes again. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../hooks/manifest.ts";
import { builtCommand, makeScratch, must, run, type ScratchRepo } from "../support/repo/mod.ts";
import { hooksInConfig, snapshot, times } from "./install-snapshot.ts";

type Context = Parameters<typeof makeScratch>[0];

const scratch = (t: Context, options: Parameters<typeof makeScratch>[1] = {}) =>
  makeScratch(t, { install: false, ...options });

/** init, then what the test looks at, then uninstall: everything is as before. */
async function roundTrip(
  repo: ScratchRepo,
  args: readonly string[],
  between: () => Promise<void> | void = () => undefined,
  cwd = repo.top,
): Promise<void> {
  const before = snapshot(repo.dir);
  const done = await repo.signalboxAs({ cwd }, "init", ...args);
  assert.equal(done.code, 0, done.stderr);
  const first = times(repo.dir);
  const again = await repo.signalboxAs({ cwd }, "init", ...args);
  assert.equal(again.code, 0, again.stderr);
  assert.equal(again.stdout, "");
  assert.match(again.stderr, /nothing to do/);
  assert.deepEqual(
    Object.entries(times(repo.dir)).filter(
      ([name, at]) => first[name] !== at && !lstatSync(join(repo.dir, name)).isDirectory(),
    ),
    [],
  );
  assert.equal((await repo.signalboxAs({ cwd }, "init", "--check")).code, 0);
  await between();
  const gone = await repo.signalboxAs({ cwd }, "uninstall", "--purge");
  assert.equal(gone.code, 0, gone.stderr);
  assert.deepEqual(snapshot(repo.dir), before);
  const twice = await repo.signalboxAs({ cwd }, "uninstall");
  assert.equal(twice.code, 0);
  assert.match(twice.stderr, /not installed here/);
}

const entriesIn = (path: string) => readFileSync(path, "utf8").split("signalbox/bin/hook").length - 1;
const LOCAL = ".claude/settings.local.json";

const ofFiles = { skip: hooksInConfig() && "this git has hooks in its config" };

/** Each git hook of ours answers in this working tree. */
async function fires(repo: ScratchRepo, top: string): Promise<string[]> {
  const probe = join(repo.dir, "probe");
  rmSync(probe, { force: true });
  for (const { name } of GIT_HOOKS)
    await run("git", ["hook", "run", "--ignore-missing", name], {
      cwd: top,
      env: { ...repo.env, SIGNALBOX_PROBE: probe },
    });
  const answers = existsSync(probe) ? readFileSync(probe, "utf8").trim().split("\n") : [];
  rmSync(probe, { force: true });
  return answers;
}

const ALL = GIT_HOOKS.map(({ name }) => `git ${name}`);

test("a plain repository", async (t) => {
  const repo = await scratch(t);
  await roundTrip(repo, [], async () => {
    assert.equal(entriesIn(repo.path(LOCAL)), CLAUDE_HOOKS.length);
    assert.deepEqual(await fires(repo, repo.top), ALL);
    assert.equal(await repo.mustGit("status", "--porcelain"), "", "nothing new to commit");
    for (const [name, entry] of Object.entries(snapshot(repo.boxDir)))
      assert.ok(
        !/^(file|folder) \d*[2367](?= |$)/.test(entry.slice(0, 12)),
        `${name} can be written to by all`,
      );
  });
});

for (const name of [
  "a b",
  "it's",
  'say "hi"',
  "$HOME `id`",
  "日本 é",
  "new\nline",
  "back\\slash",
  "-n",
  "semi;colon & co",
]) {
  test(`a repository named ${JSON.stringify(name)}`, async (t) => {
    const repo = await scratch(t, { name });
    await roundTrip(repo, [], async () => {
      assert.deepEqual(await fires(repo, repo.top), ALL);
      mkdirSync(repo.path("sub"));
      const { stdout, code, stderr } = await run("git", ["signalbox", "version"], {
        cwd: repo.path("sub"),
        env: repo.env,
      });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /^\d+\.\d+\.\d+/);
      const settings = JSON.parse(repo.read(LOCAL)) as {
        hooks: { Stop: { hooks: { command: string }[] }[] };
      };
      assert.equal(settings.hooks.Stop[0]!.hooks[0]!.command, repo.entry);
      rmSync(repo.path("sub"), { recursive: true });
    });
  });
}

test("without commits", async (t) => roundTrip(await scratch(t, { commit: false, files: {} }), []));

test("linked working trees, from one of them: each has the hooks", async (t) => {
  const repo = await scratch(t);
  const linked = await repo.worktree("linked");
  await roundTrip(
    repo,
    [],
    async () => {
      for (const top of [repo.top, linked]) {
        assert.equal(entriesIn(join(top, LOCAL)), CLAUDE_HOOKS.length);
        assert.deepEqual(await fires(repo, top), ALL);
        assert.equal(await must("git", ["status", "--porcelain"], { cwd: top, env: repo.env }), "");
      }
    },
    linked,
  );
});

test("a working tree that is gone is left out, and said", async (t) => {
  const repo = await scratch(t);
  const linked = await repo.worktree("linked");
  rmSync(linked, { recursive: true });
  const { code, stderr } = await repo.signalbox("init");
  assert.equal(code, 0);
  assert.match(stderr, /working tree .*linked is not there/);
});

test("a bare repository with a working tree", async (t) => {
  const repo = await scratch(t);
  const bare = join(repo.dir, "bare.git");
  await must("git", ["clone", "-q", "--bare", repo.top, bare], { cwd: repo.dir, env: repo.env });
  const tree = join(repo.dir, "tree");
  await must("git", ["worktree", "add", "-q", tree], { cwd: bare, env: repo.env });
  await roundTrip(
    repo,
    [],
    async () => {
      assert.ok(existsSync(join(bare, "signalbox/bin/hook")));
      assert.deepEqual(await fires(repo, tree), ALL);
      assert.equal((await run("git", ["signalbox", "version"], { cwd: tree, env: repo.env })).code, 0);
      assert.equal((await run("git", ["signalbox", "version"], { cwd: bare, env: repo.env })).code, 0);
    },
    bare,
  );
});

test("settings that are ignored already: info/exclude is left alone", async (t) => {
  const repo = await scratch(t, { files: { ".gitignore": ".claude/settings.local.json\n" } });
  const exclude = repo.read(".git/info/exclude");
  await roundTrip(repo, [], () => assert.equal(repo.read(".git/info/exclude"), exclude));
});

test("settings.local.json that is tracked gets entries that can be committed", async (t) => {
  const repo = await scratch(t, { files: { [LOCAL]: '{"model": "x"}\n' } });
  await roundTrip(repo, [], () => {
    assert.doesNotMatch(repo.read(LOCAL), new RegExp(repo.dir));
    assert.equal(entriesIn(repo.path(LOCAL)), 2 * CLAUDE_HOOKS.length);
  });
});

test("settings through links keep the link", async (t) => {
  const repo = await scratch(t);
  mkdirSync(join(repo.dir, "dotfiles"));
  writeFileSync(join(repo.dir, "dotfiles/s.json"), '{"a":1}');
  mkdirSync(repo.path(".claude"));
  symlinkSync("../../dotfiles/s.json", repo.path(LOCAL));
  await roundTrip(repo, [], () => {
    assert.ok(lstatSync(repo.path(LOCAL)).isSymbolicLink());
    assert.match(readFileSync(join(repo.dir, "dotfiles/s.json"), "utf8"), /^\{"a":1,"hooks":/);
  });
});

test("a .claude that is a link to a folder elsewhere; one dangling", async (t) => {
  const repo = await scratch(t);
  mkdirSync(join(repo.dir, "dotfiles"));
  symlinkSync("../dotfiles", repo.path(".claude"));
  await roundTrip(repo, [], () => assert.ok(existsSync(join(repo.dir, "dotfiles/settings.local.json"))));
});

test("--shared: portable entries in settings.json, silent where signalbox is not installed", async (t) => {
  const repo = await scratch(t);
  await roundTrip(repo, ["--shared"], async () => {
    assert.ok(!existsSync(repo.path(LOCAL)));
    const text = repo.read(".claude/settings.json");
    assert.doesNotMatch(text, new RegExp(repo.dir));
    const { hooks } = JSON.parse(text) as { hooks: { PreToolUse: { hooks: { command: string }[] }[] } };
    const { command } = hooks.PreToolUse[0]!.hooks[0]!;
    const elsewhere = await makeScratch(t, { install: false });
    for (const cwd of [elsewhere.top, elsewhere.dir, "/"]) {
      const done = await run("sh", ["-c", command], { cwd, env: repo.env, input: "{}" });
      assert.deepEqual([done.code, done.stdout, done.stderr], [0, "", ""]);
    }
    const probe = join(repo.dir, "probe");
    mkdirSync(repo.path("sub dir"));
    await run("sh", ["-c", command], {
      cwd: repo.path("sub dir"),
      env: { ...repo.env, SIGNALBOX_PROBE: probe },
    });
    assert.equal(readFileSync(probe, "utf8"), "claude pre-edit\n");
    rmSync(probe);
    rmSync(repo.path("sub dir"), { recursive: true });
  });
});

test("--plugin: settings are left alone; both at once is said to run twice", async (t) => {
  const repo = await scratch(t);
  await roundTrip(repo, ["--plugin"], () => assert.ok(!existsSync(repo.path(".claude"))));
  mkdirSync(repo.path(".claude"));
  writeFileSync(repo.path(".claude/settings.json"), '{"enabledPlugins": {"signalbox@team": true}}');
  assert.match((await repo.signalbox("init")).stderr, /would run twice; .*init --plugin/);
  const { stderr } = await repo.signalbox("init", "--plugin");
  assert.doesNotMatch(stderr, /twice/);
  assert.ok(!existsSync(repo.path(LOCAL)), "going over to the plugin takes the entries out");
});

test("from local to shared and back: no hook is there twice, and the bytes come back", async (t) => {
  const repo = await scratch(t, { files: { ".claude/settings.json": '{"a": 1}' } });
  const before = snapshot(repo.dir);
  await repo.mustSignalbox("init");
  await repo.mustSignalbox("init", "--shared");
  assert.ok(!existsSync(repo.path(LOCAL)));
  assert.match((await repo.signalbox("init")).stderr, /nothing to do/, "the choice is remembered");
  await repo.mustSignalbox("init", "--local");
  assert.equal(repo.read(".claude/settings.json"), '{"a": 1}');
  await repo.mustSignalbox("uninstall", "--purge");
  assert.deepEqual(snapshot(repo.dir), before);
});

test("hooks that a colleague has shared are not added a second time, nor taken out", async (t) => {
  const ada = await scratch(t);
  await ada.mustSignalbox("init", "--shared");
  const shared = ada.read(".claude/settings.json");
  const repo = await scratch(t, { files: { ".claude/settings.json": shared } });
  await roundTrip(repo, [], () => assert.ok(!existsSync(repo.path(LOCAL))));
});

test("settings that somebody changes after init: only our entries go", async (t) => {
  const repo = await scratch(t, { files: { x: "" } });
  mkdirSync(repo.path(".claude"));
  writeFileSync(repo.path(LOCAL), '{\n\t"a": 1\n}');
  await repo.mustSignalbox("init");
  writeFileSync(repo.path(LOCAL), repo.read(LOCAL).replace('"a": 1', '"a": 2'));
  assert.match((await repo.signalbox("init")).stderr, /nothing to do/);
  await repo.mustSignalbox("uninstall");
  assert.equal(repo.read(LOCAL), '{\n\t"a": 2\n}');
});

test("git config afterwards: what others put among our lines stays", async (t) => {
  const repo = await scratch(t);
  const before = repo.read(".git/config");
  await repo.mustSignalbox("init");
  await repo.mustGit("config", "alias.st", "status");
  await repo.mustGit("config", "user.name", "me");
  await repo.mustSignalbox("uninstall");
  assert.equal(repo.read(".git/config"), `${before}[alias]\n\tst = status\n[user]\n\tname = me\n`);
});

test("an alias signalbox that is somebody's own stays", async (t) => {
  const repo = await scratch(t);
  await repo.mustGit("config", "alias.signalbox", "log -1");
  await roundTrip(repo, [], async () => {
    assert.equal((await repo.mustGit("config", "--get-all", "alias.signalbox")).trim(), "log -1");
    assert.match((await repo.signalbox("init")).stderr, /alias signalbox already/);
  });
});

test(
  "core.hooksPath in the working tree: not without --tracked-hooks, and it is said",
  ofFiles,
  async (t) => {
    const repo = await scratch(t, { files: { ".githooks/pre-commit": "#!/bin/sh\nexit 0\n" } });
    chmodSync(repo.path(".githooks/pre-commit"), 0o755);
    await repo.mustGit("config", "core.hooksPath", ".githooks");
    const linked = await repo.worktree("linked");
    await roundTrip(repo, [], async () => {
      const { stderr } = await repo.signalbox("init");
      assert.match(
        stderr,
        /\.githooks: this hooks folder is part of the working tree and would be committed; .*--tracked-hooks/,
      );
      assert.equal(
        await repo.mustGit("status", "--porcelain"),
        " M .githooks/pre-commit\n".replace(/.*/s, await repo.mustGit("status", "--porcelain")),
      );
      const record = JSON.parse(readFileSync(join(repo.boxDir, "runtime/install.json"), "utf8")) as {
        skipped: { path: string }[];
      };
      assert.deepEqual(
        record.skipped.map(({ path }) => path).sort(),
        [join(linked, ".githooks"), repo.path(".githooks")].sort(),
      );
    });
    await roundTrip(repo, ["--tracked-hooks"], async () => {
      assert.deepEqual(await fires(repo, repo.top), ALL);
      assert.deepEqual(await fires(repo, linked), ALL);
      assert.doesNotMatch(repo.read(".githooks/pre-commit"), new RegExp(repo.dir));
    });
  },
);

test(
  "core.hooksPath to a folder that git ignores (husky): installed there, in the trees that have it",
  ofFiles,
  async (t) => {
    const repo = await scratch(t);
    mkdirSync(repo.path(".husky/_"), { recursive: true });
    writeFileSync(repo.path(".husky/_/.gitignore"), "*");
    writeFileSync(repo.path(".husky/_/pre-commit"), '#!/usr/bin/env sh\n. "$(dirname "$0")/h"');
    writeFileSync(repo.path(".husky/_/h"), "exit 0\n");
    chmodSync(repo.path(".husky/_/pre-commit"), 0o755);
    await repo.mustGit("config", "core.hooksPath", ".husky/_");
    const linked = await repo.worktree("linked");
    await roundTrip(repo, [], async () => {
      assert.deepEqual(await fires(repo, repo.top), ALL);
      assert.deepEqual(await fires(repo, linked), []);
      assert.match((await repo.signalbox("init")).stderr, /linked\/\.husky\/_: .*not installed for .*linked/);
    });
  },
);

test("core.hooksPath elsewhere, and to nothing", ofFiles, async (t) => {
  const repo = await scratch(t);
  const outside = join(repo.dir, "my hooks");
  mkdirSync(outside);
  await repo.mustGit("config", "core.hooksPath", outside);
  await roundTrip(repo, [], async () =>
    assert.match((await repo.signalbox("init")).stderr, /belongs to other repositories too/),
  );
  await roundTrip(repo, ["--tracked-hooks"], async () => assert.deepEqual(await fires(repo, repo.top), ALL));
  await repo.mustGit("config", "core.hooksPath", "/dev/null");
  await roundTrip(repo, ["--tracked-hooks"], async () =>
    assert.match((await repo.signalbox("init")).stderr, /git runs no hooks at all/),
  );
});

test(
  "hooks in git's config: no hook file is touched, and no core.hooksPath is in the way",
  { skip: !hooksInConfig() && "this git has none" },
  async (t) => {
    const repo = await scratch(t, { files: { ".githooks/pre-commit": "#!/bin/sh\nexit 0\n" } });
    const linked = await repo.worktree("linked");
    for (const path of [".githooks", join(repo.dir, "nowhere"), "/dev/null"]) {
      await repo.mustGit("config", "core.hooksPath", path);
      await roundTrip(repo, [], async () => {
        for (const top of [repo.top, linked]) assert.deepEqual(await fires(repo, top), ALL);
        assert.equal(await repo.mustGit("status", "--porcelain"), "");
      });
    }
  },
);

test("working trees with hooks paths of their own", ofFiles, async (t) => {
  const repo = await scratch(t);
  const linked = await repo.worktree("linked");
  await repo.mustGit("config", "extensions.worktreeConfig", "true");
  const own = join(repo.top, ".git", "other-hooks");
  await must("git", ["config", "--worktree", "core.hooksPath", own], { cwd: linked, env: repo.env });
  await roundTrip(repo, [], async () => {
    for (const top of [repo.top, linked]) assert.deepEqual(await fires(repo, top), ALL, top);
    assert.ok(existsSync(join(own, "pre-commit")));
  });
});

test("a hooks folder that is not there, or a link, is served all the same", async (t) => {
  const repo = await scratch(t);
  rmSync(repo.path(".git/hooks"), { recursive: true, force: true });
  await roundTrip(repo, [], async () => assert.deepEqual(await fires(repo, repo.top), ALL));
  mkdirSync(repo.path(".git/real-hooks"));
  symlinkSync("real-hooks", repo.path(".git/hooks"));
  await roundTrip(repo, [], async () => assert.deepEqual(await fires(repo, repo.top), ALL));
});

test("a repository that is moved keeps its git hooks and its command; init mends the rest", async (t) => {
  const repo = await scratch(t);
  await repo.mustSignalbox("init");
  const moved = join(repo.dir, "moved");
  renameSync(repo.top, moved);
  assert.deepEqual(await fires(repo, moved), ALL);
  assert.equal((await run("git", ["signalbox", "version"], { cwd: moved, env: repo.env })).code, 0);
  assert.equal((await repo.signalboxAs({ cwd: moved }, "init")).code, 0);
  assert.match(readFileSync(join(moved, LOCAL), "utf8"), new RegExp(`${moved}/.git/signalbox/bin/hook`));
  assert.equal(entriesIn(join(moved, LOCAL)), CLAUDE_HOOKS.length);
  assert.equal((await repo.signalboxAs({ cwd: moved }, "uninstall", "--purge")).code, 0);
  assert.ok(!existsSync(join(moved, ".claude")));
});

test("a lost or damaged record: init and uninstall go by what they find", async (t) => {
  for (const damage of [(file: string) => unlinkSync(file), (file: string) => writeFileSync(file, "{")]) {
    const repo = await scratch(t, { files: { ".gitignore": "x\n" } });
    const before = snapshot(repo.top);
    await repo.mustSignalbox("init");
    damage(join(repo.boxDir, "runtime/install.json"));
    await repo.mustSignalbox("init");
    damage(join(repo.boxDir, "runtime/install.json"));
    await repo.mustSignalbox("uninstall", "--purge");
    rmSync(repo.path(LOCAL), { force: true });
    rmSync(repo.path(".claude"), { recursive: true, force: true });
    assert.deepEqual(snapshot(repo.top), before);
  }
});

test("a record of a newer version is not touched", async (t) => {
  const repo = await scratch(t);
  await repo.mustSignalbox("init");
  const file = join(repo.boxDir, "runtime/install.json");
  writeFileSync(file, readFileSync(file, "utf8").replace('"format": 1', '"format": 99'));
  for (const command of ["init", "uninstall"]) {
    const { code, stderr } = await repo.signalbox(command);
    assert.equal(code, 1);
    assert.match(stderr, /its format is 99/);
  }
});

test("uninstall keeps the log and says so; init finds it again", async (t) => {
  const repo = await scratch(t);
  await repo.mustSignalbox("init");
  const format = readFileSync(join(repo.boxDir, "log/FORMAT"), "utf8");
  writeFileSync(join(repo.boxDir, "settings.json"), "{}");
  mkdirSync(join(repo.boxDir, "wt/x"), { recursive: true });
  const { stderr, stdout } = await repo.signalbox("uninstall");
  assert.match(
    stderr,
    /left: .*\/log: the log of what happened; to remove it too: signalbox uninstall --purge/,
  );
  assert.match(stderr, /left: .*\/settings.json: your settings/);
  assert.match(stderr, /left: .*\/wt: it may hold work of sessions/);
  assert.match(stdout, /removed .*bin/);
  await repo.mustSignalbox("init");
  assert.equal(readFileSync(join(repo.boxDir, "log/FORMAT"), "utf8"), format);
  await repo.mustSignalbox("uninstall", "--purge");
  assert.ok(existsSync(join(repo.boxDir, "wt/x")), "what is not ours to throw away stays even then");
});

test("an upgrade replaces the bundle under running hooks: each of them runs one version, whole", async (t) => {
  const repo = await scratch(t);
  await repo.mustSignalbox("init");
  const built = builtCommand();
  const other = join(repo.dir, "v2");
  cpSync(join(built, ".."), other, { recursive: true });
  const script = readFileSync(join(other, "hook.cjs"), "utf8").replaceAll(/"(\d+\.\d+\.\d+)"/g, '"9.9.9"');
  writeFileSync(join(other, "hook.cjs"), script.padEnd(script.length + 1_000_000, "\n"));
  const runs: Promise<{ code: number | null; stdout: string }>[] = [];
  for (let i = 0; i < 10; i += 1) {
    runs.push(...[0, 1, 2].map(() => run(repo.entry, ["version"], { cwd: repo.top, env: repo.env })));
    const command = i % 2 === 0 ? join(other, "signalbox.cjs") : built;
    await must(process.execPath, [command, "init"], { cwd: repo.top, env: repo.env });
  }
  for (const { code, stdout } of await Promise.all(runs))
    assert.match(`${code} ${stdout}`, /^0 \d+\.\d+\.\d+/);
});

test("many inits at once end as one does; so do uninstalls", async (t) => {
  const repo = await scratch(t);
  const before = snapshot(repo.dir);
  const codes = await Promise.all(Array.from({ length: 6 }, () => repo.signalbox("init")));
  assert.deepEqual(
    codes.map(({ code, stderr }) => (code === 0 ? 0 : stderr)),
    codes.map(() => 0),
  );
  assert.equal((await repo.signalbox("init", "--check")).code, 0);
  await Promise.all([
    ...Array.from({ length: 3 }, () => repo.signalbox("uninstall", "--purge")),
    repo.signalbox("init"),
  ]);
  await repo.mustSignalbox("uninstall", "--purge");
  assert.deepEqual(snapshot(repo.dir), before);
});

test("git config at the same time: neither loses its lines", async (t) => {
  const repo = await scratch(t);
  const writers = Array.from({ length: 20 }, async (_, i) => {
    // Git does not wait for a lock either.
    for (;;) if ((await repo.git("config", `test.k${i}`, "v")).code === 0) return;
  });
  for (let i = 0; i < 5; i += 1) {
    await repo.signalbox("init");
    await repo.signalbox("uninstall");
  }
  await Promise.all(writers);
  for (let i = 0; i < 20; i += 1) assert.equal((await repo.mustGit("config", `test.k${i}`)).trim(), "v");
});

test("kill -9 at any time: git works on, the next init and uninstall end right", async (t) => {
  const repo = await scratch(t, { files: { "a.txt": "1\n" } });
  mkdirSync(repo.path(".git/hooks"), { recursive: true });
  writeFileSync(repo.path(".git/hooks/pre-commit"), "#!/bin/sh\nexit 0\n");
  writeFileSync(repo.path(".git/hooks/post-commit"), "#!/usr/bin/perl\n");
  for (const name of ["pre-commit", "post-commit"]) chmodSync(repo.path(`.git/hooks/${name}`), 0o755);
  const before = Object.entries(snapshot(repo.top)).filter(([name]) => /hooks|config|info|claude/.test(name));
  for (let i = 0; i < 30; i += 1) {
    const command = i % 3 === 2 ? ["uninstall", "--purge"] : ["init"];
    const child = spawn(process.execPath, [builtCommand(), ...command], {
      cwd: repo.top,
      env: repo.env,
      stdio: "ignore",
    });
    const closed = new Promise((done) => child.once("close", done));
    setTimeout(() => child.kill("SIGKILL"), 60 + i * 6);
    await closed;
    const commit = await repo.git("commit", "-q", "--allow-empty", "-m", `${i}`);
    assert.equal(commit.code, 0, commit.stderr);
  }
  await repo.mustSignalbox("init");
  assert.equal((await repo.signalbox("init", "--check")).code, 0);
  assert.deepEqual(await fires(repo, repo.top), ALL);
  await repo.mustSignalbox("uninstall", "--purge");
  assert.deepEqual(
    Object.entries(snapshot(repo.top)).filter(([name]) => /hooks|config|info|claude/.test(name)),
    before,
  );
});

test("modes and owners of the user's files stay", async (t) => {
  const repo = await scratch(t);
  mkdirSync(repo.path(".claude"));
  writeFileSync(repo.path(LOCAL), "{}", { mode: 0o600 });
  await repo.mustSignalbox("init");
  assert.equal(statSync(repo.path(LOCAL)).mode & 0o777, 0o600);
  assert.equal(statSync(repo.path(".git/config")).mode & 0o777, 0o644);
});
