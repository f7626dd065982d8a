/** Git hooks beside whatever is there: the user's part runs as before, ours runs too, and uninstall leaves no trace. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { planHook, stripHook } from "../../src/app/install/git-hook.ts";
import { ABSENT, type FileState, utf8 } from "../../src/app/install/model.ts";
import { makeScratch, must, run, type ScratchRepo } from "../support/repo/mod.ts";
import { snapshot } from "./install-snapshot.ts";

type Context = Parameters<typeof makeScratch>[0];

/** A user's hook notes that it ran, with what. */
const NOTE = `printf 'ran:%s\\n' "$*" >>"$NOTES"\n`;
const NOTE_STDIN = `printf 'ran:%s\\n' "$*" >>"$NOTES"\ncat >>"$NOTES"\n`;

interface Kind {
  readonly name: string;
  /** The hook's text, made of what it is to do. */
  readonly text: (body: string) => string | Buffer;
  /** How it refuses. */
  readonly refuses?: string;
  readonly mode?: number;
  /** Git does not run it, or not as a script. */
  readonly silent?: boolean;
  readonly chained?: boolean;
}

const KINDS: readonly Kind[] = [
  { name: "sh", text: (body) => `#!/bin/sh\n${body}` },
  { name: "sh with a trailing exit", text: (body) => `#!/bin/sh\n${body}exit 0\n` },
  { name: "sh with a trailing exec", text: (body) => `#!/bin/sh\n${body}exec true\n` },
  { name: "sh -e", text: (body) => `#!/bin/sh -e\n${body}` },
  { name: "sh -eu", text: (body) => `#! /bin/sh -eu\n${body}` },
  { name: "bash", text: (body) => `#!/bin/bash\nset -euo pipefail\n[[ 1 == 1 ]]\n${body}` },
  { name: "env bash", text: (body) => `#!/usr/bin/env bash\n[[ 1 == 1 ]]\n${body}` },
  { name: "env -S bash -e", text: (body) => `#!/usr/bin/env -S bash -e\n[[ 1 == 1 ]]\n${body}` },
  { name: "no shebang", text: (body) => body },
  { name: "no newline at its end", text: (body) => `#!/bin/sh\n${body}true` },
  { name: "a shebang alone, without a newline", text: () => "#!/bin/sh", silent: true },
  { name: "an empty file", text: () => "", silent: true },
  { name: "carriage returns below an sh line", text: (body) => `#!/bin/sh\n${body}# x\r\n` },
  {
    name: "carriage returns, no shebang",
    text: (body) => body.replaceAll("\n", "\r\n"),
    chained: true,
    silent: true,
  },
  {
    name: "carriage returns from the first line: git cannot run it, the commit fails",
    text: (body) => `#!/bin/sh\n${body}`.replaceAll("\n", "\r\n"),
    chained: true,
    silent: true,
  },
  {
    name: "another language",
    text: (body) =>
      `#!/usr/bin/perl\nopen F,'>>',$ENV{NOTES};print F "ran:@ARGV\\n";${body.includes("cat") ? "print F <STDIN>;" : ""}close F;${body.includes("exit 7") ? "exit 7;" : ""}\n`,
    chained: true,
  },
  {
    name: "an unreadable payload behind the script",
    text: (body) => Buffer.from(`#!/bin/sh\n${body}exit 0\n\0\u0001\u0002`),
    chained: true,
  },
  { name: "not executable", text: (body) => `#!/bin/sh\n${body}`, mode: 0o644, chained: true, silent: true },
  { name: "odd mode", text: (body) => `#!/bin/sh\n${body}`, mode: 0o700 },
];

function put(repo: ScratchRepo, hook: string, { text, mode = 0o755 }: Kind, body: string): string {
  const path = repo.path(`.git/hooks/${hook}`);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text(body));
  chmodSync(path, mode);
  return path;
}

async function scratch(t: Context): Promise<ScratchRepo & { notes: () => string }> {
  const repo = await makeScratch(t, { install: false });
  const file = join(repo.dir, "notes");
  (repo.env as Record<string, string>)["NOTES"] = file;
  return Object.assign(repo, {
    notes: () => {
      const text = existsSync(file) ? readFileSync(file, "utf8") : "";
      rmSync(file, { force: true });
      return text;
    },
  });
}

/** Ours, for some hooks, notes that it ran, with what, and ends with `code`. */
function stubEntry(repo: ScratchRepo, code: number, hooks = "pre-commit"): void {
  const stdin = hooks === "pre-commit" ? "" : "in=$(cat; echo .); in=${in%.}";
  const note = `printf 'ours:%s|%s|%s\\n' "$*" "\${in-}" "\${SIGNALBOX_GIT_PID:+pid}" >>"$NOTES"`;
  writeFileSync(
    repo.entry,
    `#!/bin/sh\ncase $2 in ${hooks}) ;; *) exit 0 ;; esac\n${stdin}\n${note}\nexit ${code}\n`,
  );
}

for (const kind of KINDS) {
  test(`a pre-commit hook: ${kind.name}`, async (t) => {
    const repo = await scratch(t);
    const path = put(repo, "pre-commit", kind, NOTE);
    const before = snapshot(repo.top);
    const commit = () => repo.git("commit", "-q", "--allow-empty", "-m", "x");
    const plain = await commit();
    const plainNotes = repo.notes();
    await repo.mustSignalbox("init");
    assert.equal(existsSync(`${path}.signalbox-chained`), kind.chained === true);
    assert.equal((await repo.signalbox("init")).stdout, "");

    for (const code of [0, 2, 126]) {
      stubEntry(repo, code);
      const done = await commit();
      assert.equal(done.code, plain.code, `ours ends with ${code}: ${done.stderr}`);
      assert.equal(repo.notes(), `ours:git pre-commit||pid\n${kind.silent === true ? plainNotes : "ran:\n"}`);
    }
    stubEntry(repo, 1);
    assert.notEqual((await commit()).code, 0, "ours refuses");
    assert.equal(repo.notes(), "ours:git pre-commit||pid\n", "theirs is not run then");

    rmSync(repo.entry);
    assert.equal((await commit()).code, plain.code, "without our entry");
    assert.equal(repo.notes(), plainNotes);

    await repo.mustSignalbox("uninstall", "--purge");
    const after = snapshot(repo.top);
    for (const name of Object.keys(before).filter((one) => /hooks|config|info|claude/.test(one)))
      assert.equal(after[name], before[name], name);
    assert.deepEqual(
      Object.keys(after).filter((one) => /hooks|config|info|claude/.test(one)),
      Object.keys(before).filter((one) => /hooks|config|info|claude/.test(one)),
    );
  });
}

for (const kind of KINDS.filter(({ silent }) => silent !== true)) {
  test(`stdin and arguments of pre-push and post-rewrite reach both: ${kind.name}`, async (t) => {
    const repo = await scratch(t);
    await must("git", ["init", "-q", "--bare", join(repo.dir, "origin.git")], {
      cwd: repo.dir,
      env: repo.env,
    });
    await repo.mustGit("remote", "add", "origin", "../origin.git");
    put(repo, "pre-push", kind, NOTE_STDIN);
    put(repo, "post-rewrite", kind, NOTE_STDIN);
    await repo.mustSignalbox("init");
    stubEntry(repo, 0, "pre-push | post-rewrite");
    const line = `refs/heads/main ${await repo.head()} refs/heads/main ${"0".repeat(40)}\n`;
    assert.equal((await repo.git("push", "-q", "origin", "main")).code, 0);
    assert.equal(
      repo.notes(),
      `ours:git pre-push origin ../origin.git|${line}|pid\nran:origin ../origin.git\n${line}`,
    );
    // Nothing to push: git runs the hook with an empty stdin.
    await repo.git("push", "-q", "origin", "main");
    assert.match(
      repo.notes(),
      /^(ours:git pre-push origin ..\/origin.git\|\|pid\nran:origin ..\/origin.git\n)?$/,
    );
    const old = await repo.head();
    await repo.mustGit("commit", "-q", "--amend", "-m", "other");
    assert.match(repo.notes(), new RegExp(`\\|${old} \\w+\\n\\|pid\nran:amend\n${old} `));
  });

  test(`the user's own refusal counts: ${kind.name}`, async (t) => {
    const repo = await scratch(t);
    put(repo, "pre-commit", kind, `${NOTE}exit 7\n`);
    await repo.mustSignalbox("init");
    assert.notEqual((await repo.git("commit", "-q", "--allow-empty", "-m", "x")).code, 0);
  });
}

test("much on stdin: more than a pipe holds", async (t) => {
  const repo = await scratch(t);
  put(repo, "post-rewrite", KINDS[0]!, `cat >>"$NOTES"\n`);
  await repo.mustSignalbox("init");
  writeFileSync(repo.entry, `#!/bin/sh\n[ "$2" != post-rewrite ] || wc -c | tr -d ' ' >>"$NOTES"\n`);
  const input = `${"a".repeat(40)} ${"b".repeat(40)}\n`.repeat(5000);
  const done = await run(repo.path(".git/hooks/post-rewrite"), ["rebase"], {
    cwd: repo.top,
    env: repo.env,
    input,
  });
  assert.equal(done.code, 0, done.stderr);
  assert.equal(repo.notes(), `${input.length}\n${input}`);
});

test("a hook that reads none of its stdin", async (t) => {
  const repo = await scratch(t);
  put(repo, "post-rewrite", KINDS[0]!, "exit 0\n");
  await repo.mustSignalbox("init");
  const input = `${"a".repeat(40)} ${"b".repeat(40)}\n`.repeat(5000);
  const hook = repo.path(".git/hooks/post-rewrite");
  assert.equal((await run(hook, ["rebase"], { cwd: repo.top, env: repo.env, input })).code, 0);
});

test("a link to a program of its own name is kept beside; one for many hooks keeps its name", async (t) => {
  const repo = await scratch(t);
  mkdirSync(repo.path("tools"));
  const program = `#!/usr/bin/perl\nuse File::Basename;open F,'>>',$ENV{NOTES};print F basename($0)."\\n";\n`;
  for (const name of ["pre-commit", "runner"]) {
    writeFileSync(repo.path(`tools/${name}`), program);
    chmodSync(repo.path(`tools/${name}`), 0o755);
  }
  mkdirSync(repo.path(".git/hooks"), { recursive: true });
  symlinkSync("../../tools/pre-commit", repo.path(".git/hooks/pre-commit"));
  symlinkSync("../../tools/runner", repo.path(".git/hooks/post-commit"));
  symlinkSync(repo.path("tools/runner"), repo.path(".git/hooks/post-merge"));
  const before = snapshot(repo.path(".git/hooks"));
  await repo.mustSignalbox("init");
  await repo.mustGit("commit", "-q", "--allow-empty", "-m", "x");
  assert.equal(repo.notes(), "pre-commit.signalbox-chained\npost-commit\n");
  assert.equal((await repo.signalbox("init")).stdout, "");
  await repo.mustSignalbox("uninstall");
  assert.deepEqual(snapshot(repo.path(".git/hooks")), before);
});

test("a hook that is a folder, and a kept name that is taken, are left alone and said", async (t) => {
  const repo = await scratch(t);
  mkdirSync(repo.path(".git/hooks/pre-commit"), { recursive: true });
  put(
    repo,
    "post-merge",
    KINDS.find(({ name }) => name === "another language")!,
    NOTE,
  );
  writeFileSync(repo.path(".git/hooks/post-merge.signalbox-chained"), "mine");
  const before = snapshot(repo.path(".git/hooks"));
  const { stderr, code } = await repo.signalbox("init");
  assert.equal(code, 0);
  assert.match(stderr, /left alone: .*pre-commit: it is not a file/);
  assert.match(stderr, /left alone: .*post-merge: .*signalbox-chained is in the way/);
  await repo.mustSignalbox("uninstall");
  assert.deepEqual(snapshot(repo.path(".git/hooks")), before);
});

test("somebody changes a hook after init: only our part goes", async (t) => {
  const repo = await scratch(t);
  put(repo, "pre-commit", KINDS[0]!, NOTE);
  await repo.mustSignalbox("init");
  const path = repo.path(".git/hooks/pre-commit");
  writeFileSync(path, `${readFileSync(path, "utf8")}echo more\n`);
  const made = repo.path(".git/hooks/post-commit");
  writeFileSync(made, `${readFileSync(made, "utf8")}echo mine\n`);
  assert.equal((await repo.signalbox("init")).stdout, "", "and init has nothing to do");
  await repo.mustSignalbox("uninstall");
  assert.equal(readFileSync(path, "utf8"), `#!/bin/sh\n${NOTE}echo more\n`);
  assert.equal(readFileSync(made, "utf8"), "#!/bin/sh\necho mine\n");
  assert.equal(statSync(made).mode & 0o777, 0o755);
});

test("any hook file: our part in and out again leaves its bytes and its mode", () => {
  const line = fc.constantFrom("echo a", "exit 0", "# >>> x", "", "  cat", "exec foo", "\u00E9\u00FF", "x\r");
  const text = fc
    .tuple(
      fc.constantFrom(
        "",
        "#!/bin/sh\n",
        "#!/usr/bin/env bash\n",
        "#!/bin/sh -e\n",
        "#!/usr/bin/python3\n",
        "#!/bin/sh\r\n",
        "#!/bin/zsh",
      ),
      fc.array(line),
      fc.constantFrom("", "\n"),
    )
    .map(([first, lines, end]) => utf8(first + lines.join("\n") + end));
  const mode = fc.constantFrom(0o755, 0o644, 0o700, 0o775);
  const spec = fc.record({
    name: fc.constant("pre-push"),
    mode: fc.constant("record" as const),
    when: fc.constant("live" as const),
    stdin: fc.boolean(),
  });
  fc.assert(
    fc.property(
      text,
      mode,
      spec,
      fc.constantFrom("default" as const, "elsewhere" as const),
      fc.constantFrom("call" as const, "clean" as const),
      (bytes, bits, hook, place, part) => {
        const before: FileState = { kind: "file", bytes, mode: bits };
        const kept = new Map<string, FileState>();
        const read = (path: string) => kept.get(path) ?? ABSENT;
        const plan = planHook("/h/pre-push", hook, place, before, read, part);
        assert.equal(plan.skipped, undefined);
        if (plan.chained !== undefined) kept.set(plan.chained.path, plan.chained.state);
        assert.deepEqual(planHook("/h/pre-push", hook, place, plan.after, read, part).after, plan.after);
        if (part === "clean")
          assert.deepEqual(planHook("/h/pre-push", hook, place, ABSENT, read, part).after, ABSENT);
        // What is left of a bare `#!/bin/sh` cannot be told from a file that we made.
        if (bytes === "#!/bin/sh\n") return;
        const back = stripHook("/h/pre-push", plan.after, read)!.after;
        const expected =
          plan.chained === undefined && bytes.startsWith("#!") && !bytes.includes("\n")
            ? `${bytes}\n`
            : bytes;
        assert.deepEqual(back, { ...before, bytes: expected });
      },
    ),
    { numRuns: 500 },
  );
});
