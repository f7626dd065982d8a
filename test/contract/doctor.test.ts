/** Every check of doctor, made red for real; and green again by --fix, where it says that it can. */
import assert from "node:assert/strict";
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
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

for (const [what, { break: breakIt, check, says, fixes }] of Object.entries(ILLS)) {
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
