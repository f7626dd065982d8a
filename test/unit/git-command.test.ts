import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { type GitCommand, parseGitCommand } from "../../src/domain/git-command.ts";
import { isKnownVerb } from "../../src/domain/git-command-classify.ts";

const words = (line: string): string[] => line.split(" ").filter((word) => word !== "");

function parse(line: string | readonly string[], aliases: Record<string, string> = {}) {
  return parseGitCommand(typeof line === "string" ? words(line) : line, (word) => aliases[word], isKnownVerb);
}

function command(line: string | readonly string[], aliases: Record<string, string> = {}): GitCommand {
  const parsed = parse(line, aliases);
  assert.equal(parsed.kind, "command", `${String(line)}: ${JSON.stringify(parsed)}`);
  return parsed as GitCommand;
}

describe("a call of git is read up to its verb", () => {
  const rows: [line: string, verb: string, args: string, what: Partial<GitCommand>][] = [
    ["status", "status", "", { directory: "", bare: false, literal: false, config: [], globals: [] }],
    ["-C a status -s", "status", "-s", { directory: "a" }],
    ["-C a -C b status", "status", "", { directory: "a/b" }],
    ["-C a/ -C b status", "status", "", { directory: "a/b" }],
    ["-C a -C /b status", "status", "", { directory: "/b" }],
    ["-C a -C .. status", "status", "", { directory: "a/.." }],
    ["commit -C HEAD", "commit", "-C HEAD", { directory: "" }],
    ["--git-dir x status", "status", "", { gitDir: "x" }],
    ["--git-dir=x --work-tree=y status", "status", "", { gitDir: "x", workTree: "y" }],
    ["--work-tree y status", "status", "", { workTree: "y", gitDir: undefined }],
    ["--bare status", "status", "", { bare: true }],
    ["--literal-pathspecs add a", "add", "a", { literal: true }],
    ["--literal-pathspecs --no-literal-pathspecs add a", "add", "a", { literal: false }],
    ["-p --no-pager --no-optional-locks --icase-pathspecs log", "log", "", {}],
    ["--exec-path=/x --namespace n --attr-source HEAD log", "log", "", {}],
    ["--shallow-file x log", "log", "", {}],
    ["-c a.b=1 log", "log", "", { config: [{ key: "a.b", value: "1" }] }],
    ["-c Core.HooksPath= commit", "commit", "", { config: [{ key: "core.hookspath", value: "" }] }],
    ["-c a.b log", "log", "", { config: [{ key: "a.b", value: "true" }] }],
    ["-c nodot log", "log", "", { config: [{ key: "nodot", value: "true" }] }],
    ["-c Branch.Main.ReBase=x=y log", "log", "", { config: [{ key: "branch.Main.rebase", value: "x=y" }] }],
    ["--config-env=A.b=VAR log", "log", "", { config: [{ key: "a.b", value: "VAR" }] }],
    ["--config-env a.b=VAR log", "log", "", { config: [{ key: "a.b", value: "VAR" }] }],
    ["add -- -C x", "add", "-- -C x", {}],
  ];
  for (const [line, verb, args, what] of rows)
    test(line, () => {
      const parsed = command(line);
      assert.deepEqual([parsed.verb, parsed.args], [verb, words(args)]);
      assert.deepEqual([...parsed.globals, parsed.verb, ...parsed.args], words(line));
      assert.deepEqual({ ...parsed, ...what }, parsed);
    });

  test("-C with nothing stays where it is", () => {
    assert.equal(command(["-C", "a", "-C", "", "status"]).directory, "a");
  });
});

describe("a call without a verb is left to git", () => {
  for (const [line, why] of [
    ["", "information"],
    ["--version", "information"],
    ["-v", "information"],
    ["-h", "information"],
    ["--help commit", "information"],
    ["--exec-path", "information"],
    ["--list-cmds=builtins", "information"],
    ["-C", "information"],
    ["-c", "information"],
    ["--git-dir", "information"],
    ["-C a", "information"],
    ["--from-tomorrow commit", "unknown option"],
    ["-Z commit", "unknown option"],
    ["-- commit", "unknown option"],
  ] as const)
    test(line === "" ? "(nothing)" : line, () => assert.deepEqual(parse(line), { kind: "none", why }));
});

describe("an alias is what it stands for", () => {
  const aliases = {
    ci: "commit -q",
    cia: "ci -a",
    here: "-C sub add",
    quiet: "-c a.b=c ci",
    message: `commit -m "two words" -m 'a\\b "c"' -m d\\ e "" x`,
    tabs: "\tlog\t-1\n",
    danger: "!rm -rf x",
    open: "commit -m 'x",
    slash: "commit \\",
    a: "b",
    b: "c 1",
    c: "a 2",
    self: "self",
    empty: "",
    blank: "  ",
    status: "reset --hard",
    flag: "--version",
    strange: "--from-tomorrow",
  };
  for (const [line, expected, chain] of [
    ["ci -m x", ["commit", "-q", "-m", "x"], ["ci"]],
    ["cia", ["commit", "-q", "-a"], ["cia", "ci"]],
    ["tabs", ["log", "-1"], ["tabs"]],
    ["message", ["commit", "-m", "two words", "-m", `a\\b "c"`, "-m", "d e", "", "x"], ["message"]],
    // git has a command of that name
    ["status", ["status"], []],
    ["not-an-alias x", ["not-an-alias", "x"], []],
    ["empty", ["empty"], []],
    ["blank", ["blank"], []],
  ] as const)
    test(line, () => {
      const { verb, args, aliases: via } = command(line, aliases);
      assert.deepEqual([[verb, ...args], via], [expected, chain]);
    });

  test("with globals of its own, which follow those of the call", () => {
    const { verb, directory, globals } = command("-C top here x", aliases);
    assert.deepEqual([verb, directory, globals], ["add", "top/sub", ["-C", "top", "-C", "sub"]]);
    assert.deepEqual(command("quiet", aliases).config, [{ key: "a.b", value: "c" }]);
  });

  for (const [line, why] of [
    ["danger", "shell alias"],
    ["open", "broken alias"],
    ["slash", "broken alias"],
    ["a", "broken alias"],
    ["self", "broken alias"],
    ["flag", "information"],
    ["strange", "unknown option"],
  ] as const)
    test(`${line}: ${why}`, () => assert.deepEqual(parse(line, aliases), { kind: "none", why }));

  test("a chain of aliases has an end", () => {
    let asked = 0;
    const endless = parseGitCommand(["x0"], (word) => {
      asked += 1;
      return `x${Number(word.slice(1)) + 1}`;
    });
    assert.deepEqual(endless, { kind: "none", why: "broken alias" });
    assert.ok(asked < 50);
  });

  test("is looked up for no command of git's, and not without a look-up", () => {
    const never = () => assert.fail("asked");
    assert.equal(parseGitCommand(["commit"], never, () => true).kind, "command");
    assert.equal(parseGitCommand(["commit"]).kind, "command");
  });
});

test("whatever the words, reading them does not throw, and loses none", () => {
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom("-C", "-c", "--git-dir", "--config-env", "-p", "--", "commit", "ci", "x", "", "a.b=c"),
  );
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 8 }),
      fc.dictionary(fc.constantFrom("ci", "x"), fc.string()),
      (argv, aliases) => {
        const parsed = parseGitCommand(
          argv,
          (name) => (Object.hasOwn(aliases, name) ? aliases[name] : undefined),
          isKnownVerb,
        );
        if (parsed.kind === "command" && parsed.aliases.length === 0)
          assert.deepEqual([...parsed.globals, parsed.verb, ...parsed.args], argv);
      },
    ),
  );
});
