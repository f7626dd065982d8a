/** init and uninstall stopped at each single operation on the disk, by a kill and by an error. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../hooks/manifest.ts";
import { disk, type Io } from "../../src/adapters/install/io.ts";
import { type Assets, install, uninstall } from "../../src/adapters/install/perform.ts";
import type { Processes } from "../../src/app/ports.ts";
import { cleanEnv } from "../support/repo/mod.ts";
import { snapshot } from "./install-snapshot.ts";

const root = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-crash-")));
after(() => rmSync(root, { recursive: true, force: true }));
for (const name of Object.keys(process.env))
  if (/^(GIT_|CLAUDE|SIGNALBOX)/.test(name)) delete process.env[name];
const env = cleanEnv(root);
Object.assign(process.env, env);
mkdirSync(env["TMPDIR"]!, { recursive: true });

const hooks = { claude: CLAUDE_HOOKS, git: GIT_HOOKS };
const assets = (version: string): Assets => ({
  version,
  home: root,
  template: `#!/bin/sh\n# ${version}\nexit 0\n`,
  shim: `#!/bin/sh\n# ${version}\nexec git "$@"\n`,
  hookBundle: `// ${version}\n`,
  commandBundle: `// command ${version}\n`,
});

/** The process of the one that is stopped is dead, that of all others alive. */
const dying: Processes = {
  identify: (pid) => ({ pid, start: "1", boot: "dead" }),
  isGone: ({ boot }) => boot === "dead",
  hasChildSince: () => undefined,
};
const living: Processes = {
  identify: (pid) => ({ pid, start: "1", boot: "alive" }),
  isGone: ({ boot }) => boot === "dead",
  hasChildSince: () => undefined,
};

class Stop extends Error {}

/** A disk that stops at operation `at`: `kill` does nothing from then on, `error` fails once. */
function stopping(at: number, how: "kill" | "error"): { io: Io; reached: () => boolean } {
  let n = 0;
  let stopped = false;
  const wrap =
    <A extends unknown[]>(run: (...args: A) => void, half?: (...args: A) => void) =>
    (...args: A) => {
      n += 1;
      if (n === at) {
        stopped = true;
        half?.(...args);
        throw Object.assign(new Stop("disk is full"), { code: "ENOSPC" });
      }
      if (stopped && how === "kill") throw new Stop("dead");
      run(...args);
    };
  const io: Io = {
    mkdir: wrap(disk.mkdir),
    rmdir: wrap(disk.rmdir),
    // Stopped in the middle of writing.
    create: wrap(disk.create, (path, bytes, mode) =>
      disk.create(path, bytes.subarray(0, bytes.length >> 1), mode),
    ),
    symlink: wrap(disk.symlink),
    link: wrap(disk.link),
    rename: wrap(disk.rename),
    remove: wrap(disk.remove),
    removeTree: wrap(disk.removeTree, (path) => {
      for (const name of readdirSync(path).slice(0, 1)) disk.removeTree(join(path, name));
    }),
    chownLike: disk.chownLike,
  };
  return { io, reached: () => stopped };
}

/** A repository with everything that install deals with. */
const template = join(root, "template");
{
  const git = (...args: string[]) => execFileSync("git", args, { cwd: template, env });
  mkdirSync(template);
  git("init", "-q", "-b", "main");
  // Nothing in the background that the copies could catch halfway.
  git("config", "maintenance.auto", "false");
  git("config", "gc.auto", "0");
  writeFileSync(join(template, "a.txt"), "a\n");
  git("add", ".");
  git("commit", "-qm", "base");
  const hook = (name: string, text: string) => {
    mkdirSync(join(template, ".git/hooks"), { recursive: true });
    writeFileSync(join(template, ".git/hooks", name), text);
    chmodSync(join(template, ".git/hooks", name), 0o755);
  };
  hook("pre-commit", '#!/bin/sh\necho theirs >>"$NOTES"\n');
  hook("post-commit", '#!/usr/bin/perl\nopen F,">>",$ENV{NOTES};print F "theirs\\n";\n');
  hook("runner", "#!/usr/bin/perl\n");
  symlinkSync("runner", join(template, ".git/hooks/post-merge"));
  mkdirSync(join(template, ".claude"));
  writeFileSync(join(template, ".claude/settings.local.json"), '{"model": "x",\r\n "hooks": {}}');
}
const before = snapshot(template);

let made = 0;
function copy(from: string): string {
  made += 1;
  const cwd = join(root, `r${made}`);
  cpSync(from, cwd, { recursive: true, verbatimSymlinks: true, preserveTimestamps: true });
  return cwd;
}

const init = (cwd: string, version: string, io: Io = disk, processes = living) =>
  install({ cwd, hooks, assets: assets(version), io, processes });
const remove = (cwd: string, io: Io = disk, processes = living) =>
  uninstall({ cwd, hooks, purge: true, io, processes });
const isClean = (cwd: string, version: string) =>
  install({ cwd, hooks, assets: assets(version), check: true, processes: living }).changes.length === 0;

/** Git commits, and the user's hooks take part in it. */
function commits(cwd: string): void {
  const notes = join(cwd, "..", "notes");
  rmSync(notes, { force: true });
  const { status, stderr } = spawnSync("git", ["commit", "-q", "--allow-empty", "-m", "x", "--no-gpg-sign"], {
    cwd,
    env: { ...env, NOTES: notes },
    encoding: "utf8",
  });
  assert.equal(status, 0, stderr);
  assert.equal(execFileSync("cat", [notes], { encoding: "utf8" }), "theirs\ntheirs\n");
}

/** All of the user's, without what committing changes. */
const users = (all: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(all).filter(
      ([name]) => !/^\.git\/(objects|logs|refs|index|COMMIT_EDITMSG|HEAD|ORIG_HEAD)/.test(name),
    ),
  );

const starts = [
  {
    name: "a first init",
    from: () => copy(template),
    run: (cwd: string, io: Io) => init(cwd, "1", io, dying),
  },
  { name: "an upgrade", from: () => installed("1"), run: (cwd: string, io: Io) => init(cwd, "2", io, dying) },
  { name: "an uninstall", from: () => installed("1"), run: (cwd: string, io: Io) => remove(cwd, io, dying) },
];

function installed(version: string): string {
  const cwd = copy(template);
  init(cwd, version);
  return cwd;
}

for (const { name, from, run } of starts) {
  test(`${name}, killed at each operation`, () => {
    let operations = 0;
    for (let at = 1; ; at += 1) {
      const cwd = from();
      const { io, reached } = stopping(at, "kill");
      try {
        run(cwd, io);
      } catch (error) {
        assert.ok(reached(), String(error));
      }
      if (!reached()) break;
      operations = at;
      commits(cwd);
      const other = copy(cwd);
      // Straight back,
      remove(cwd);
      assert.deepEqual(users(snapshot(cwd)), users(before), `uninstall after a kill at ${at}`);
      // or on, and then back.
      init(other, "2");
      assert.ok(isClean(other, "2"), `init after a kill at ${at}`);
      commits(other);
      remove(other);
      assert.deepEqual(users(snapshot(other)), users(before), `init and uninstall after a kill at ${at}`);
      rmSync(cwd, { recursive: true });
      rmSync(other, { recursive: true });
    }
    assert.ok(operations > 10, `${operations} operations`);
  });

  test(`${name}, with an error at each operation`, () => {
    for (let at = 1; ; at += 1) {
      const cwd = from();
      const asItWas = snapshot(cwd);
      const { io, reached } = stopping(at, "error");
      let failed = false;
      try {
        run(cwd, io);
      } catch (error) {
        failed = true;
        assert.ok(error instanceof Stop, String(error));
      }
      if (!reached()) break;
      commits(cwd);
      const isUsers = ([file]: [string, string]) =>
        !file.startsWith(".git/signalbox") && !file.includes("signalbox-tmp");
      if (failed && name !== "an uninstall")
        assert.deepEqual(
          Object.entries(users(snapshot(cwd)))
            .filter(isUsers)
            .filter(([file]) => !/^\.(git|claude)$/.test(file)),
          Object.entries(users(asItWas))
            .filter(isUsers)
            .filter(([file]) => !/^\.(git|claude)$/.test(file)),
          `after an error at ${at}`,
        );
      // The lock of the one that failed may be left; its process is gone.
      remove(cwd);
      assert.deepEqual(users(snapshot(cwd)), users(before), `uninstall after an error at ${at}`);
      rmSync(cwd, { recursive: true });
    }
  });
}
