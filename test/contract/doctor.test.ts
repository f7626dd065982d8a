/** Every check of doctor, made red for real; and green again by --fix, where it says that it can. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

interface Check {
  readonly name: string;
  readonly ok: boolean;
  readonly detail: string;
  readonly fixed?: string;
}

async function doctor(repo: ScratchRepo, ...args: string[]): Promise<Map<string, Check>> {
  const { code, stdout, stderr } = await repo.signalbox("doctor", "--json", ...args);
  assert.equal(stderr, "");
  const { kind, version, ok, checks } = JSON.parse(stdout) as {
    kind: string;
    version: number;
    ok: boolean;
    checks: Check[];
  };
  assert.deepEqual([kind, version], ["signalbox.doctor", 1]);
  assert.equal(code, ok ? 0 : 1);
  return new Map(checks.map((check) => [check.name, check]));
}

const red = (checks: Map<string, Check>): string[] =>
  [...checks.values()].filter((check) => !check.ok).map((check) => check.name);

test("a fresh install is in working order, and firing the hooks leaves no trace", async (t) => {
  const repo = await makeScratch(t);
  const before = await repo.mustGit("status", "--porcelain");
  const checks = await doctor(repo);
  assert.deepEqual(red(checks), []);
  assert.equal(await repo.mustGit("status", "--porcelain"), before);
  assert.deepEqual([repo.events(), repo.errors(), readdirSync(join(repo.dir, "tmp"))], [[], [], []]);
  const text = (await repo.signalbox("doctor")).stdout;
  for (const name of checks.keys()) assert.match(text, new RegExp(`^ok {3}${name} `, "m"));
});

/** What breaks, the check that has to see it, and whether --fix mends it. */
const ILLS: Readonly<
  Record<
    string,
    { break: (repo: ScratchRepo) => Promise<void> | void; check: string; says: RegExp; fixes?: true }
  >
> = {
  "the bundle is missing": {
    break: (repo) => unlinkSync(join(repo.boxDir, "runtime/hook.cjs")),
    check: "bundle",
    says: /does not run.*signalbox init/,
  },
  "the bundle is corrupt": {
    break: (repo) => writeFileSync(join(repo.boxDir, "runtime/hook.cjs"), "let let let"),
    check: "bundle",
    says: /does not run.*signalbox init/,
  },
  "the bundle is another version's": {
    break: (repo) => {
      const file = join(repo.boxDir, "runtime/hook.cjs");
      writeFileSync(file, 'process.stdout.write("99.0.0\\n")');
    },
    check: "bundle",
    says: /the hooks are of version 99\.0\.0/,
  },
  "the runtime is gone": {
    break: ({ entry }) =>
      writeFileSync(
        entry,
        readFileSync(entry, "utf8").replace(/^runtime=.*$/m, "runtime='/nonexistent/node'"),
      ),
    check: "runtime",
    says: /\/nonexistent\/node does not run/,
  },
  "a hook was removed": {
    break: (repo) => unlinkSync(repo.path(".git/hooks/pre-commit")),
    check: "git hooks",
    says: /git does not run: pre-commit\b/,
  },
  "a hook is not executable": {
    break: (repo) => chmodSync(repo.path(".git/hooks/post-commit"), 0o644),
    check: "git hooks",
    says: /git does not run: post-commit\b/,
  },
  "another tool's hook ends before ours": {
    break: (repo) =>
      writeFileSync(
        repo.path(".git/hooks/pre-push"),
        "#!/bin/sh\nexit 0 # signalbox would come after this\n",
      ),
    check: "git hooks",
    says: /git does not run: pre-push\b/,
  },
  "core.hooksPath points elsewhere": {
    break: async (repo) => void (await repo.mustGit("config", "core.hooksPath", "/nonexistent")),
    check: "git hooks",
    says: /git does not run: pre-commit, prepare-commit-msg, .*core\.hooksPath/,
  },
  "Claude Code's settings lost a hook": {
    break: (repo) => {
      const file = repo.path(".claude/settings.local.json");
      writeFileSync(file, readFileSync(file, "utf8").replaceAll("pre-edit", "pre-nothing"));
    },
    check: "claude hooks",
    says: /missing in .*\(pre-edit\)/,
  },
  "a setting cannot be used": {
    break: (repo) => writeFileSync(repo.path(".signalbox.json"), '{"lease.ttlMinutes": "soon"}'),
    check: "settings",
    says: /\.signalbox\.json: lease\.ttlMinutes cannot be "soon"/,
  },
  "the guard has broken": {
    break: (repo) =>
      appendFileSync(join(repo.boxDir, "errors.log"), "signalbox: claude hook pre-edit could not run\n"),
    check: "failures",
    says: /1 time\(s\) .*pre-edit could not run/,
    fixes: true,
  },
  "the guard has broken, and the log says so": {
    break: async (repo) => {
      const ada = await repo.startSession("ada");
      await repo.startSession("bob");
      const views = join(repo.boxDir, "views/live");
      rmSync(views, { recursive: true });
      writeFileSync(views, "");
      await ada.ask("a.txt");
      rmSync(views);
      await ada.ask("a.txt");
      await repo.startSession("bob");
    },
    check: "failures",
    says: /1 time\(s\) .*claude pre-edit: /,
    fixes: true,
  },
  "a session's process is gone": {
    break: async (repo) => (await repo.startSession("ada")).kill(),
    check: "leftovers",
    says: /1 session\(s\) whose process is gone/,
    fixes: true,
  },
  "stray files lie in the views": {
    break: (repo) => {
      mkdirSync(join(repo.boxDir, "views/live"), { recursive: true });
      writeFileSync(join(repo.boxDir, "views/live/nobody"), "");
    },
    check: "leftovers",
    says: /1 stray file/,
    fixes: true,
  },
  "the log is damaged": {
    break: async (repo) => {
      const ada = await repo.startSession("ada");
      await repo.startSession("bob");
      for (let i = 0; i < 4; i++) await ada.ask(`f${i}.txt`);
      const dir = join(repo.boxDir, "log/seg");
      const file = join(dir, readdirSync(dir)[0]!);
      writeFileSync(file, readFileSync(file, "utf8").replace("f1.txt", "fX.txt"));
      rmSync(join(repo.boxDir, "log/snap"), { recursive: true, force: true });
    },
    check: "log",
    says: /damaged: .*seg\/.* at \d+ \(record \d+\)/,
    fixes: true,
  },
};

const rubbish = (file: string) => writeFileSync(file, "rubbish");

const MORE_ILLS: typeof ILLS = {
  "a snapshot is damaged": {
    break: async (repo) => {
      await repo.startSession("ada");
      await repo.signalbox("compact");
      const dir = join(repo.boxDir, "log/snap");
      rubbish(join(dir, readdirSync(dir)[0]!));
    },
    check: "snapshots",
    says: /cannot be read: snap\/\d+-\w+\.base\.json/,
    fixes: true,
  },
  "a live session is not in the views": {
    break: async (repo) => {
      await repo.startSession("ada");
      unlinkSync(join(repo.boxDir, "views/live/ada"));
    },
    check: "views",
    says: /session ada is live and not in views\/live/,
    fixes: true,
  },
  "sessions are together, and the views do not say so": {
    break: async (repo) => {
      const ada = await repo.startSession("ada");
      const bob = await repo.startSession("bob");
      await ada.edit("a.txt");
      await bob.edit("b.txt");
      unlinkSync(join(repo.boxDir, "views/together"));
    },
    check: "views",
    says: /views\/together is missing/,
    fixes: true,
  },
  "a tool has set core.bare": {
    break: async (repo) => {
      await repo.mustGit("add", ".");
      await repo.mustGit("config", "core.bare", "true");
    },
    check: "shared config",
    says: /core\.bare is true, and this repository has a working tree/,
    fixes: true,
  },
  "a tool has set core.worktree": {
    break: async (repo) => void (await repo.mustGit("config", "core.worktree", "/nonexistent")),
    check: "shared config",
    says: /core\.worktree is \/nonexistent, not the folder that \.git is in/,
    fixes: true,
  },
  "the shared config cannot be parsed": {
    break: (repo) => appendFileSync(repo.path(".git/config"), "\n[core\nrubbish"),
    check: "shared config",
    says: /git cannot read it: .*bad config/,
  },
  "a killed git has left locks": {
    break: (repo) => {
      writeFileSync(repo.path(".git/index.lock"), "");
      writeFileSync(repo.path(".git/refs/heads/main.lock"), "");
    },
    check: "locks",
    says: /of a git that was killed: .*index\.lock, .*main\.lock/,
    fixes: true,
  },
  "a staged file's content is gone from the repository, and is in the working tree": {
    break: (repo) => loseStaged(repo),
    check: "staged",
    says: /staged, and their content is not in the repository: staged\.txt/,
    fixes: true,
  },
  "a staged file's content is gone for good": {
    break: async (repo) => {
      await loseStaged(repo);
      writeFileSync(repo.path("staged.txt"), "something else\n");
    },
    check: "staged",
    says: /staged\.txt/,
  },
  "a working tree is half moved": {
    break: (repo) => writeFileSync(repo.path(".git/signalbox-move"), ""),
    check: "indexes",
    says: /half moved/,
    fixes: true,
  },
};

async function loseStaged(repo: ScratchRepo): Promise<void> {
  writeFileSync(repo.path("staged.txt"), "work\n");
  await repo.mustGit("add", "staged.txt");
  const oid = (await repo.mustGit("rev-parse", ":staged.txt")).trim();
  rmSync(repo.path(`.git/objects/${oid.slice(0, 2)}/${oid.slice(2)}`));
}

for (const [what, { break: breakIt, check, says, fixes }] of Object.entries({ ...ILLS, ...MORE_ILLS })) {
  test(`${what}: "${check}" is red${fixes ? ", and --fix mends it" : ""}`, async (t) => {
    const repo = await makeScratch(t);
    await breakIt(repo);
    const sick = await doctor(repo);
    assert.ok(red(sick).includes(check), `red: ${red(sick).join(", ")}`);
    assert.match(sick.get(check)?.detail ?? "", says);
    const treated = await doctor(repo, "--fix");
    if (fixes) {
      assert.ok(treated.get(check)?.ok && treated.get(check)?.fixed !== undefined);
      assert.deepEqual(red(await doctor(repo)), [], "afterwards all is well");
    } else {
      assert.equal(treated.get(check)?.ok, false, "it does not claim what it cannot do");
      assert.equal(treated.get(check)?.fixed, undefined);
    }
  });
}

test("repair keeps a copy of what was damaged, and what still can be read", async (t) => {
  const repo = await makeScratch(t);
  await ILLS["the log is damaged"]!.break(repo);
  const { fixed = "" } = (await doctor(repo, "--fix")).get("log") ?? {};
  const copy = /damaged: (.*)$/.exec(fixed)?.[1]?.split(", ")[0] ?? "";
  assert.match(fixed, /copies of what was damaged: /);
  const kept = [copy, join(repo.boxDir, "log", copy), join(repo.boxDir, "log/broken", copy)];
  assert.ok(
    kept.some((file) => existsSync(file)),
    fixed,
  );
  const ids = JSON.parse((await repo.signalbox("status", "--json")).stdout) as { sessions: { id: string }[] };
  assert.deepEqual(
    ids.sessions.map((s) => s.id),
    ["ada", "bob"],
  );
});

test("a linked working tree whose hooks git does not run is named (S44)", async (t) => {
  const repo = await makeScratch(t, { install: false });
  await repo.mustGit("config", "core.hooksPath", ".husky/_");
  mkdirSync(repo.path(".husky/_"), { recursive: true });
  await repo.mustSignalbox("init", "--tracked-hooks");
  assert.ok((await doctor(repo)).get("git hooks")?.ok, "in the main tree they run");
  const linked = await repo.worktree("linked");
  const { ok, detail = "" } = (await doctor(repo)).get("git hooks") ?? {};
  assert.equal(ok, false);
  assert.ok(detail.includes(`in ${linked} git does not run: pre-commit`), detail);
  assert.ok(!detail.includes(`in ${repo.top} git`), "and only there");
});

test("a working tree whose own config sends git's hooks elsewhere is named (config.worktree)", async (t) => {
  const repo = await makeScratch(t);
  const linked = await repo.worktree("linked");
  assert.ok((await doctor(repo)).get("git hooks")?.ok);
  await repo.mustGit("config", "extensions.worktreeConfig", "true");
  await repo.mustGit("-C", linked, "config", "--worktree", "core.hooksPath", "/nonexistent");
  const { ok, detail = "" } = (await doctor(repo)).get("git hooks") ?? {};
  assert.equal(ok, false);
  assert.ok(detail.includes(`in ${linked} git does not run: pre-commit`), detail);
  assert.ok(!detail.includes(`in ${repo.top} git`), "and only there");
});

test("what was changed in the shared config is kept as it was", async (t) => {
  const repo = await makeScratch(t);
  await repo.mustGit("config", "core.worktree", "/nonexistent");
  const before = readFileSync(repo.path(".git/config"), "utf8");
  const { fixed = "" } = (await doctor(repo, "--fix")).get("shared config") ?? {};
  assert.match(fixed, /the config as it was: .*config\.broken$/);
  assert.equal(readFileSync(repo.path(".git/config.broken"), "utf8"), before);
  assert.equal((await repo.git("status")).code, 0);
});

test("what a repair lost is on record: in doctor, in the story, and what came after is kept", async (t) => {
  const repo = await makeScratch(t);
  await ILLS["the log is damaged"]!.break(repo);
  await doctor(repo, "--fix");
  const { detail = "" } = (await doctor(repo)).get("log") ?? {};
  assert.match(detail, /lost before a repair: \d+/);
  assert.match(detail, /copies of what was damaged in log\/broken/);
  assert.match((await repo.signalbox("replay")).stdout, /the log was repaired at \d+: records \d+ to \d+/);
  assert.match(
    (await repo.signalbox("status")).stdout,
    /repaired: the log was damaged; lost: records \d+ to \d+/,
  );
  assert.match((await repo.signalbox("replay")).stdout, /f3\.txt/, "what came after the hole is still told");
});

test("a client that is too old is named, one that is not there is not missed", async (t) => {
  const bin = mkdtempSync(join(tmpdir(), "signalbox-client-"));
  t.after(() => rmSync(bin, { recursive: true }));
  const repo = await makeScratch(t, { env: { PATH: `${bin}:${process.env["PATH"]}` } });
  const says = async (text: string) => {
    writeFileSync(join(bin, "claude"), `#!/bin/sh\necho "${text}"\n`, { mode: 0o755 });
    return (await doctor(repo)).get("client");
  };
  assert.deepEqual([(await says("2.1.330 (Claude Code)"))?.ok, (await says("3.0.0"))?.ok], [true, true]);
  assert.match((await says("2.1.197 (Claude Code)"))?.detail ?? "", /2\.1\.214 or newer/);
  assert.match((await says("2.0.999"))?.detail ?? "", /2\.1\.214 or newer/);
  assert.equal((await says("nonsense"))?.ok, false);
});

test("every check is explained, and docs/doctor.md has a row for each", async (t) => {
  const repo = await makeScratch(t);
  const { stdout } = await repo.signalbox("doctor", "--explain", "--json");
  const { checks } = JSON.parse(stdout) as { checks: { name: string; means: string; fix: string }[] };
  const page = readFileSync(new URL("../../docs/doctor.md", import.meta.url), "utf8");
  for (const { name, means, fix } of checks)
    assert.ok(page.includes(`| ${name} | ${means} | ${fix} |`), name);
});
