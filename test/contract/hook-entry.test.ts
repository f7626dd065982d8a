/**
 * The installed entry, `signalbox/bin/hook`: what it costs, what it starts, what it says, what it ends with. Under
 * every shell that may be /bin/sh.
 */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { CLAUDE_HOOKS, GIT_HOOKS, HOOKS } from "../../hooks/manifest.ts";
import { renderEntry } from "../../src/app/install/entry.ts";

const TEMPLATE = readFileSync(join(import.meta.dirname, "../../hooks/hook.sh"), "utf8");

const SHELLS = (
  [
    ["dash", []],
    ["bash", ["--posix"]],
    ["bash", []],
    ["busybox", ["sh"]],
    ["ksh", []],
    ["zsh", ["--emulate", "sh"]],
  ] as const
).filter(([shell]) => spawnSync(shell, ["--help"]).error === undefined);

interface Box {
  readonly dir: string;
  readonly entry: string;
  /** What the runtime was started with: one line a start. */
  readonly starts: () => string[];
  readonly errors: () => string;
  readonly live: (...sessions: string[]) => void;
}

interface Made {
  /** The runtime's body, sh. */
  readonly runtime?: string | undefined;
  readonly name?: string;
}

/** A signal box with a runtime that leaves a mark. */
function makeBox(t: TestContext, { runtime = "exit 0", name = "repo" }: Made = {}): Box {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-entry-")));
  t.after(() => {
    spawnSync("chmod", ["-R", "u+rwx", root]);
    rmSync(root, { recursive: true, force: true });
  });
  const dir = join(root, name, ".git/signalbox");
  for (const folder of ["bin", "runtime", "spool/seen", "spool/wrote", "spool/checked", "views/live"])
    mkdirSync(join(dir, folder), { recursive: true });
  const marks = join(root, "marks");
  const program = join(root, "run'time $x");
  const mark = `printf '%s|%s|%s|%s\\n' "$*" "\${SIGNALBOX_PPID:+ppid}" "\${NODE_OPTIONS-}" "\${NODE_EXTRA_CA_CERTS-}" >>'${marks}'`;
  writeFileSync(program, `#!/bin/sh\n${mark}\n${runtime}\n`);
  chmodSync(program, 0o755);
  const table = { claude: CLAUDE_HOOKS, git: GIT_HOOKS };
  const entry = join(dir, "bin/hook");
  const text = renderEntry(TEMPLATE, table, { kind: "node", path: program, version: "" });
  assert.doesNotMatch(text.replaceAll(/^#.*/gm, ""), /@[A-Z]+@/, "every placeholder is filled in");
  writeFileSync(entry, Buffer.from(text, "latin1"));
  chmodSync(entry, 0o755);
  writeFileSync(join(dir, "runtime/hook.cjs"), "// the stand-in runtime reads nothing of it\n");
  return {
    dir,
    entry,
    starts: () => {
      const lines = existsSync(marks) ? readFileSync(marks, "utf8").trim().split("\n") : [];
      rmSync(marks, { force: true });
      return lines;
    },
    errors: () => (existsSync(join(dir, "errors.log")) ? readFileSync(join(dir, "errors.log"), "utf8") : ""),
    live: (...sessions) => {
      rmSync(join(dir, "views/live"), { recursive: true });
      mkdirSync(join(dir, "views/live"));
      for (const session of sessions) writeFileSync(join(dir, "views/live", session), "");
    },
  };
}

for (const [shell, flags] of SHELLS) {
  const name = [shell, ...flags].join(" ");
  const call = (
    box: Box,
    args: readonly string[],
    env: Record<string, string> = {},
    input = "{}",
    cwd = "/",
  ) => {
    const { status, stdout, stderr } = spawnSync(shell, [...flags, box.entry, ...args], {
      cwd,
      input,
      encoding: "utf8",
      env: { PATH: process.env["PATH"] ?? "", ...env },
    });
    return { code: status, stdout, stderr };
  };
  const SILENT = { code: 0, stdout: "", stderr: "" };
  const ME = { CLAUDE_CODE_SESSION_ID: "me" };

  test(`${name}: SIGNALBOX=0 ends everything at once`, (t) => {
    const box = makeBox(t);
    box.live("me", "other");
    for (const hook of HOOKS)
      assert.deepEqual(call(box, [hook.kind, hook.name], { ...ME, SIGNALBOX: "0" }), SILENT);
    assert.deepEqual(box.starts(), []);
    assert.deepEqual(readdirSync(join(box.dir, "spool/seen")), []);
  });

  test(`${name}: the runtime is started only when the manifest says so`, (t) => {
    const box = makeBox(t);
    for (const [live, who, others] of [
      [[], "me", false],
      [["me"], "me", false],
      [["me", "other"], "me", true],
      [["other"], "me", true],
      [["other"], "", true],
      [[], "", false],
    ] as const) {
      box.live(...live);
      for (const hook of HOOKS) {
        const env: Record<string, string> = who === "" ? {} : { CLAUDE_CODE_SESSION_ID: who };
        const done = call(box, [hook.kind, hook.name, "an arg", ""], env);
        assert.deepEqual(done, SILENT, `${hook.kind} ${hook.name}`);
        const wanted =
          hook.mode !== "spool" &&
          // A person's commit is looked at when it is done, unless their index is behind.
          !(who === "" && /^(?:pre-commit|prepare-commit-msg)$/.test(hook.name)) &&
          // What it was given is no edit that could be noted.
          (hook.name === "pre-edit" ||
            hook.when === "always" ||
            (hook.when === "live" ? live.length > 0 : hook.when === "others" && others));
        const started = box.starts();
        assert.deepEqual(
          started,
          wanted ? [`${box.dir}/bin/../runtime/hook.cjs ${hook.kind} ${hook.name} an arg |ppid||`] : [],
          `${hook.kind} ${hook.name} with ${live.join(" and ") || "nobody"} live, called by ${who || "a person"}`,
        );
      }
    }
  });

  test(`${name}: alone, an edit is noted and no runtime is started`, (t) => {
    const box = makeBox(t);
    const top = dirname(dirname(box.dir));
    mkdirSync(join(top, "src/nested/.git"), { recursive: true });
    mkdirSync(join(box.dir, "views/home"), { recursive: true });
    symlinkSync(tmpdir(), join(top, "link"));
    const noted = () => {
      const files = readdirSync(join(box.dir, "spool/wrote")).map((file) =>
        join(box.dir, "spool/wrote", file),
      );
      const texts = files.map((file) => readFileSync(file, "utf8"));
      for (const file of files) rmSync(file);
      return texts;
    };
    const edit = (path: string, more = "", before = "") =>
      `{"session_id":"me",${before}"hook_event_name":"PreToolUse","tool_name":"Write","tool_input":{"file_path":"${path}","content":"x${more}"}}`;
    const home = (line: string) => writeFileSync(join(box.dir, "views/home/me"), `main\nid\n${line}\n\n`);
    const plain = edit(join(top, "src/new file.ts"));
    const huge = edit(join(top, "a.ts"), "y".repeat(200_000));

    box.live("me");
    for (const line of ["", top]) {
      home(line);
      for (const input of [plain, huge]) {
        assert.deepEqual(call(box, ["claude", "pre-edit"], ME, input), SILENT);
        assert.deepEqual(noted(), [input.slice(0, 8192)], "what the next fold takes");
        assert.deepEqual(box.starts(), []);
      }
    }
    const started = (what: string, input = plain, env: Record<string, string> = ME) => {
      assert.deepEqual(call(box, ["claude", "pre-edit"], env, input), SILENT, what);
      assert.equal(box.starts().length, 1, what);
      noted();
    };
    started("a person, or nobody that is known", plain, {});
    started("a subagent", edit(join(top, "a.ts"), "", '"agent_id":"ae1",'));
    started("elsewhere", edit("/elsewhere/a.ts"));
    started("a repository within", edit(join(top, "src/nested/a.ts")));
    started("by a link", edit(join(top, "link/a.ts")));
    started("by dots", edit(`${top}/src/../a.ts`));
    started("in the gitdir", edit(join(top, ".git/config")));
    started("a path with an escape", edit(join(top, String.raw`a\"b.ts`)));
    started("garbage", "}{");
    started("nothing", "");
    home("/elsewhere");
    started("its tree is another one");
    rmSync(join(box.dir, "views/home/me"));
    started("no tree is known");
    home("");
    writeFileSync(join(box.dir, "views/together"), "");
    started("alone for a short time only");
    rmSync(join(box.dir, "views/together"));
    box.live("me", "other");
    started("another is here");
    box.live("other");
    started("it is not known itself");
  });

  test(`${name}: who waits for files and is idle is woken once they are there, with exit 2`, (t) => {
    const box = makeBox(t, {
      runtime: 'case $2 in wake) [ -e "${1%/*}/../served" ] && echo "it is yours" ;; esac; exit 0',
    });
    for (const folder of ["spool/wake", "views/news", "views/waits"])
      mkdirSync(join(box.dir, folder), { recursive: true });
    const wake = (env: Record<string, string> = {}) => call(box, ["claude", "wake"], { ...ME, ...env });
    assert.deepEqual(wake(), SILENT);
    assert.deepEqual(box.starts(), [], "it waits for nothing");
    writeFileSync(join(box.dir, "views/waits/me"), "");
    assert.deepEqual(wake({ CLAUDE_PID: "999999999" }), SILENT, "its client is gone");
    writeFileSync(join(box.dir, "served"), "");
    assert.deepEqual(wake(), { code: 2, stdout: "", stderr: "it is yours\n" });
  });

  test(`${name}: a read is noted; the runtime is started for news`, (t) => {
    const box = makeBox(t);
    for (const folder of ["spool/read", "views/news"]) mkdirSync(join(box.dir, folder), { recursive: true });
    const input = '{"session_id":"me","tool_input":{"file_path":"/r/a b.ts"}}';
    box.live("me");
    assert.deepEqual(call(box, ["claude", "pre-read"], ME, input), SILENT);
    assert.equal(existsSync(join(box.dir, "spool/read/me")), false, "alone nobody asks");
    box.live("me", "other");
    for (let i = 0; i < 2; i += 1) assert.deepEqual(call(box, ["claude", "pre-read"], ME, input), SILENT);
    for (const bad of ["", "}{", '{"tool_input":{"file_path":"cut'])
      assert.deepEqual(call(box, ["claude", "pre-read"], ME, bad), SILENT);
    assert.equal(readFileSync(join(box.dir, "spool/read/me"), "utf8"), "/r/a b.ts\n/r/a b.ts\n");
    assert.deepEqual(box.starts(), []);
    writeFileSync(join(box.dir, "views/news/me"), "");
    assert.deepEqual(call(box, ["claude", "pre-read"], ME, input), SILENT);
    assert.equal(box.starts().length, 1);
  });

  test(`${name}: the runtime gets neither NODE_OPTIONS nor NODE_EXTRA_CA_CERTS`, (t) => {
    const box = makeBox(t);
    call(box, ["claude", "pre-edit"], { NODE_OPTIONS: "--inspect", NODE_EXTRA_CA_CERTS: "/x" });
    assert.match(box.starts()[0]!, /\|ppid\|\|$/);
  });

  test(`${name}: what a Claude hook says goes to stdout, whatever the runtime says on stderr to nobody`, (t) => {
    const box = makeBox(t, { runtime: `echo '{"a":1}'; echo noise >&2` });
    assert.deepEqual(call(box, ["claude", "pre-edit"]), { code: 0, stdout: '{"a":1}\n', stderr: "" });
    assert.deepEqual(call(box, ["version"]), { code: 0, stdout: '{"a":1}\n', stderr: "" });
  });

  test(`${name}: what a git hook says goes to stderr; 3 refuses, 0 does not`, (t) => {
    const says = makeBox(t, { runtime: "echo told; echo noise >&2" });
    says.live("other");
    assert.deepEqual(call(says, ["git", "pre-commit"], ME), { code: 0, stdout: "", stderr: "told\n" });
    const refuses = makeBox(t, { runtime: "echo no; exit 3" });
    refuses.live("other");
    assert.deepEqual(call(refuses, ["git", "pre-commit"], ME), { code: 1, stdout: "", stderr: "no\n" });
  });

  for (const [what, runtime] of [
    ["exit 1", "exit 1"],
    ["exit 2", "exit 2"],
    ["exit 127", "exit 127"],
    ["a kill", "kill -9 $$"],
    ["a refusal where none is possible", "exit 3"],
  ] as const) {
    test(`${name}: a runtime that ends with ${what} lets everything through, says so and writes it down`, (t) => {
      const box = makeBox(t, { runtime: `echo half of an answer; ${runtime}` });
      const claude = call(box, ["claude", "pre-edit"], ME);
      assert.equal(claude.code, 0);
      assert.match(
        (JSON.parse(claude.stdout) as { systemMessage: string }).systemMessage,
        /pre-edit could not run \(exit \d+\).*doctor/,
      );
      assert.match(claude.stderr, /^signalbox: claude hook pre-edit could not run .*\n$/);
      assert.match(box.errors(), /^\d{4}-\d\d-\d\dT[\d:]+Z signalbox: claude hook pre-edit could not run/);
      if (what.startsWith("a refusal")) return;
      box.live("other");
      const git = call(box, ["git", "pre-commit"], ME);
      assert.equal(git.code, 0);
      assert.equal(git.stdout, "");
      assert.match(git.stderr, /^signalbox: git hook pre-commit could not run .*\n$/);
      assert.equal(box.errors().trim().split("\n").length, 2);
    });
  }

  test(`${name}: no bundle, no runtime, nothing at all`, (t) => {
    const box = makeBox(t, { name: 'a "quo\\ted" $repo' });
    rmSync(join(box.dir, "runtime/hook.cjs"));
    const noBundle = call(box, ["claude", "pre-edit"]);
    assert.equal(noBundle.code, 0);
    assert.match((JSON.parse(noBundle.stdout) as { systemMessage: string }).systemMessage, /no bundle/);
    writeFileSync(join(box.dir, "runtime/hook.cjs"), "");
    rmSync(join(box.dir, "../../../run'time $x"));
    const noRuntime = call(box, ["claude", "pre-edit"]);
    assert.equal(noRuntime.code, 0);
    assert.match((JSON.parse(noRuntime.stdout) as { systemMessage: string }).systemMessage, /no runtime/);
    for (const folder of ["runtime", "spool", "views"]) rmSync(join(box.dir, folder), { recursive: true });
    for (const hook of HOOKS) assert.equal(call(box, [hook.kind, hook.name], ME).code, 0, hook.name);
  });

  for (const id of [
    "..",
    ".",
    "../../../evil",
    "a/b",
    "a b",
    "$(touch evil)",
    "é",
    "*",
    "-n",
    "a\nb",
    "x".repeat(300),
    "'",
    "",
  ]) {
    test(`${name}: a session called ${JSON.stringify(id).slice(0, 30)}`, (t) => {
      const box = makeBox(t);
      box.live("other");
      const env = { CLAUDE_CODE_SESSION_ID: id };
      for (const hook of ["post-edit", "pre-bash", "stop", "prompt-submit"])
        assert.deepEqual(call(box, ["claude", hook], env), SILENT, hook);
      const plain = /^[A-Za-z0-9_-]+$/.test(id) && id.length < 250;
      assert.deepEqual(readdirSync(join(box.dir, "spool/seen")), plain ? [id] : []);
      assert.equal(readdirSync(join(box.dir, "spool/wrote")).length, plain ? 1 : 0);
      assert.deepEqual(readdirSync("/").includes("evil"), false);
    });
  }

  test(`${name}: an edit leaves the head of its payload; activity leaves a time`, (t) => {
    const box = makeBox(t);
    const payload = JSON.stringify({ tool_input: { file_path: "/x", content: "é".repeat(100_000) } });
    call(box, ["claude", "post-edit"], ME, payload);
    call(box, ["claude", "post-edit"], { SIGNALBOX_SESSION: "me" }, payload);
    const wrote = readdirSync(join(box.dir, "spool/wrote"));
    assert.equal(wrote.length, 2);
    for (const file of wrote) {
      assert.match(file, /^me\.\d+\.\d+$/);
      assert.deepEqual(
        readFileSync(join(box.dir, "spool/wrote", file)),
        Buffer.from(payload).subarray(0, 8192),
      );
    }
    assert.equal(readFileSync(join(box.dir, "spool/seen/me"), "utf8"), "");
  });

  test(`${name}: a spool that cannot be written to never refuses`, (t) => {
    const box = makeBox(t);
    mkdirSync(join(box.dir, "spool/seen/me"));
    for (const hook of ["post-edit", "pre-bash", "post-bash", "stop"])
      assert.deepEqual(call(box, ["claude", hook], ME), SILENT, hook);
    rmSync(join(box.dir, "spool"), { recursive: true });
    writeFileSync(join(box.dir, "spool"), "");
    for (const hook of ["post-edit", "pre-bash", "stop"])
      assert.deepEqual(call(box, ["claude", hook], ME), SILENT, hook);
    mkdirSync(join(box.dir, "errors.log"));
    rmSync(join(box.dir, "runtime/hook.cjs"));
    assert.equal(call(box, ["claude", "pre-edit"], ME).code, 0);
  });

  for (const repo of ["a b", "it's", "$HOME", "日本", "new\nline", "back\\slash", '"', "*"]) {
    test(`${name}: in a repository named ${JSON.stringify(repo)}`, (t) => {
      const box = makeBox(t, { name: repo });
      assert.deepEqual(call(box, ["claude", "pre-bash"], ME), SILENT);
      assert.deepEqual(readdirSync(join(box.dir, "spool/seen")), ["me"]);
      call(box, ["claude", "pre-edit"], ME);
      assert.equal(box.starts().length, repo.includes("\n") ? 2 : 1);
    });
  }

  test(`${name}: during a rebase the hooks of each commit end in the shell`, (t) => {
    const box = makeBox(t);
    box.live("other");
    const top = join(box.dir, "../..");
    for (const state of ["rebase-merge", "rebase-apply"]) {
      mkdirSync(join(top, ".git", state));
      for (const hook of ["post-commit", "post-checkout", "prepare-commit-msg"])
        assert.deepEqual(call(box, ["git", hook], ME, "", top), SILENT);
      assert.deepEqual(box.starts(), []);
      call(box, ["git", "pre-commit"], ME, "", top);
      assert.equal(box.starts().length, 1);
      rmSync(join(top, ".git", state), { recursive: true });
    }
  });

  test(`${name}: a commit that pre-commit has checked is not checked again`, (t) => {
    const box = makeBox(t);
    box.live("other");
    writeFileSync(join(box.dir, "spool/checked/4711"), "");
    assert.deepEqual(call(box, ["git", "prepare-commit-msg"], { ...ME, SIGNALBOX_GIT_PID: "4711" }), SILENT);
    assert.deepEqual(box.starts(), []);
    call(box, ["git", "prepare-commit-msg"], { ...ME, SIGNALBOX_GIT_PID: "4712" });
    call(box, ["git", "prepare-commit-msg"], ME);
    assert.equal(box.starts().length, 2);
  });

  test(`${name}: a client that passes no arguments is served by the payload`, (t) => {
    const box = makeBox(t);
    assert.deepEqual(call(box, []), SILENT);
    assert.match(box.starts()[0]!, /hook\.cjs claude auto\|/);
  });

  test(`${name}: doctor's probe is answered and goes no further`, (t) => {
    const box = makeBox(t);
    const probe = join(box.dir, "probe");
    assert.equal(call(box, ["git", "pre-push", "origin"], { SIGNALBOX_PROBE: probe }).code, 1);
    assert.equal(readFileSync(probe, "utf8"), "git pre-push origin\n");
    assert.deepEqual(box.starts(), []);
  });
}

test(
  "it is POSIX sh for checkers too",
  { skip: spawnSync("shellcheck", ["--version"]).error !== undefined },
  (t) => {
    execFileSync("shellcheck", ["-s", "sh", "-S", "warning", makeBox(t).entry], { stdio: "inherit" });
  },
);
