/** The command line itself: help, words and options, exit codes, screens and pipes. */
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { before, after, suite, test } from "node:test";
import { COMMANDS } from "../../src/cli/commands.ts";
import { builtCommand, makeScratch, run, type ScratchRepo } from "../support/repo/mod.ts";

const ESC = "\u001B";

suite("words", () => {
  let repo: ScratchRepo;
  const cleaners: (() => Promise<void> | void)[] = [];
  before(async () => {
    repo = await makeScratch({ after: (fn) => cleaners.push(fn) });
  });
  after(async () => {
    for (const clean of cleaners) await clean();
  });

  test("help: exit 0, names every command, plain text in a pipe", async () => {
    for (const args of [["--help"], ["-h"], ["help"]]) {
      const { code, stdout, stderr } = await repo.signalbox(...args);
      assert.deepEqual([code, stderr], [0, ""]);
      for (const name of Object.keys(COMMANDS).filter((n) => n !== "demo"))
        assert.match(stdout, new RegExp(`\\b${name}\\b`));
      assert.ok(!stdout.includes(ESC), "no colours in a pipe");
    }
    assert.equal((await repo.signalbox()).code, 2, "no command at all is a usage error");
  });

  test("every command has help, and refuses options and words that it does not know", async () => {
    for (const name of Object.keys(COMMANDS)) {
      const help = await repo.signalbox(name, "--help");
      assert.equal(help.code, 0, name);
      assert.match(help.stdout, new RegExp(`signalbox ${name}`));
      assert.ok(!help.stdout.includes(ESC), name);
      const option = await repo.signalbox(name, "--no-such-option");
      assert.deepEqual([option.code, option.stdout], [2, ""], `${name}: ${option.stderr}`);
      assert.match(option.stderr, /^signalbox: /);
    }
    for (const name of ["status", "log", "replay", "doctor", "version", "demo"]) {
      const { code, stderr } = await repo.signalbox(name, "surplus");
      assert.equal(code, 2, name);
      assert.match(
        stderr,
        new RegExp(`signalbox: ${name} does not take "surplus"; see signalbox ${name} --help`),
      );
    }
  });

  test("an unknown command is a usage error that says where to look", async () => {
    for (const name of ["bogus", "toString", "__proto__", "--bogus"]) {
      const { code, stdout, stderr } = await repo.signalbox(name);
      assert.deepEqual([code, stdout], [2, ""], name);
      assert.match(stderr, /^signalbox: there is no command ".*"; see: signalbox --help\n$/);
    }
  });

  test("options that need a value say so", async () => {
    for (const args of [
      ["replay", "--at"],
      ["log", "--number", "many"],
      ["log", "-n", "-1"],
      ["replay", "--at", "yesterday"],
      ["completion", "csh"],
      ["completion"],
      ["who"],
    ]) {
      const { code, stderr } = await repo.signalbox(...args);
      assert.equal(code, 2, args.join(" "));
      assert.match(stderr, /^signalbox: /, args.join(" "));
    }
  });

  test("outside a repository: exit 2; in one without signalbox: exit 1; both say what to do", async () => {
    const plain = join(repo.dir, "plain");
    mkdirSync(plain);
    for (const args of [
      ["status"],
      ["who", "x"],
      ["log"],
      ["replay"],
      ["doctor"],
      ["config"],
      ["release", "--all"],
    ]) {
      const { code, stdout, stderr } = await repo.signalboxAs({ cwd: plain }, ...args);
      assert.deepEqual([code, stdout], [2, ""], args.join(" "));
      assert.match(stderr, /is not in a git repository; go to one/);
    }
    await repo.mustGit("init", "-q", plain);
    for (const args of [
      ["status"],
      ["who", "x"],
      ["log"],
      ["replay"],
      ["doctor"],
      ["release", "--all"],
      ["run", "--", "true"],
    ]) {
      const { code, stderr } = await repo.signalboxAs({ cwd: plain }, ...args);
      assert.equal(code, 1, args.join(" "));
      assert.match(stderr, /not installed .*; run: signalbox init/);
    }
  });

  test("the version, by word and by option", async () => {
    const { stdout } = await repo.signalbox("version");
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.equal((await repo.signalbox("--version")).stdout, stdout);
  });

  test("completion scripts: bash accepts its own and completes from it; zsh and fish name every command", async (t) => {
    const { stdout } = await repo.signalbox("completion", "bash");
    const bash = (script: string) => run("bash", ["-c", script], { cwd: repo.top, env: repo.env });
    const there = await bash("true").catch(() => undefined);
    if (there === undefined) return t.skip("no bash");
    const parsed = await run("bash", ["-n"], { cwd: repo.top, env: repo.env, input: stdout });
    assert.deepEqual([parsed.code, parsed.stderr], [0, ""]);
    const complete = async (...words: string[]) => {
      const list = words.map((w) => `'${w}'`).join(" ");
      const done = await bash(
        `${stdout}\nCOMP_WORDS=(${list}); COMP_CWORD=${words.length - 1}; _signalbox; echo "\${COMPREPLY[@]}"`,
      );
      return done.stdout.trim().split(" ");
    };
    assert.deepEqual(await complete("signalbox", "re"), ["replay", "reserve", "release", "rescue"]);
    assert.deepEqual(await complete("signalbox", "replay", "--v"), ["--verify"]);
    for (const shell of ["zsh", "fish"]) {
      const script = (await repo.signalbox("completion", shell)).stdout;
      for (const name of Object.keys(COMMANDS)) assert.ok(script.includes(name), `${shell}: ${name}`);
    }
  });

  test("colour where it is asked for, none with NO_COLOR or TERM=dumb", async () => {
    const colours = async (env: Record<string, string>) =>
      (await repo.signalboxAs({ env: { ...repo.env, ...env } }, "status")).stdout.includes(ESC);
    assert.equal(await colours({}), false);
    assert.equal(await colours({ FORCE_COLOR: "1" }), true);
    assert.equal(await colours({ FORCE_COLOR: "1", NO_COLOR: "1" }), false);
    assert.equal(await colours({ FORCE_COLOR: "1", TERM: "dumb" }), false);
  });

  test("a reader that goes away ends the command quietly", async () => {
    const ada = await repo.startSession("ada");
    for (let i = 0; i < 3; i++) await ada.edit(`f${i}.txt`);
    const command = `'${process.execPath}' '${builtCommand()}'`;
    for (const args of ["replay", "config", "completion bash", "--help"]) {
      const { stderr, stdout } = await ada.sh(`{ ${command} ${args}; echo "rc=$?" >&2; } | head -1`);
      assert.match(stderr, /^rc=0\n$/, args);
      assert.equal(stdout.split("\n").length, 2);
    }
  });
});
