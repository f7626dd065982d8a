import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { pathOf } from "../../src/policy/guard-paths.ts";
import type { DirtyPath, Owner, Verdict } from "../../src/policy/guard-facts.ts";
import { dirtyPath, guarded, type Guarded, MINE, THEIRS, UNKNOWN } from "../support/domain/guarded.ts";

const owner: fc.Arbitrary<Owner> = fc.constantFrom(MINE, THEIRS, UNKNOWN);
const path = fc
  .array(fc.constantFrom("a", "b", "lib", "x y", "*", ":x", "-q", "é"), { minLength: 1, maxLength: 3 })
  .map((parts) => parts.join("/"));
const dirty: fc.Arbitrary<DirtyPath[]> = fc.uniqueArray(
  fc
    .tuple(path, fc.constantFrom("M", "S", "MS", "D", "DS", "?", "!", "=", "U"), owner)
    .map(([name, how, by]) => dirtyPath(name, how, by)),
  { selector: (each) => each.path, maxLength: 8 },
);
const world: fc.Arbitrary<Guarded> = fc.record({
  dirty,
  touched: fc.option(fc.array(path, { maxLength: 3 }), { nil: undefined }),
  head: owner,
  dropped: fc.array(fc.record({ commit: fc.constant("c".repeat(40)), owner }), { maxLength: 3 }),
  gained: fc.nat(2),
  stash: fc
    .array(owner, { maxLength: 3 })
    .map((all) => all.map((by, n) => ({ n, commit: `${n}`.repeat(40), owner: by, paths: [] }))),
  inProgress: fc.option(fc.record({ what: fc.constant("merge"), owner })),
  moving: fc.option(fc.record({ what: fc.constant("rebase"), owner })),
  settings: fc.dictionary(
    fc.constantFrom("merge.autostash", "pull.rebase"),
    fc.constantFrom("true", "false", "merges"),
  ),
  liveThere: fc.array(fc.constant("cccccccc"), { maxLength: 1 }),
  prefix: fc.constantFrom("", "lib/", "lib/a/"),
  ignoreCase: fc.boolean(),
});

const VERBS =
  "add stage rm mv checkout switch restore reset clean checkout-index read-tree apply merge-file update-index " +
  "commit merge pull cherry-pick revert rebase am bisect stash branch update-ref symbolic-ref fetch worktree " +
  "submodule sparse-checkout status log gc lfs";
const WORDS =
  "-A -u -a -am -i -f -fdx -p -n -S -SW --hard --soft --merge --keep --abort --skip --continue --amend --source=v1 " +
  "--pathspec-from-file=- --stdin -- . a b lib lib/a :/ :(top)a :!a /top/a HEAD main v1 HEAD~1 pop apply drop clear " +
  "push stash@{1} 0 remove update --force -m x -b new ../a";

const argv = fc
  .tuple(
    fc.array(fc.constantFrom("-C", "lib", "--literal-pathspecs", "-c", "core.hooksPath=x"), { maxLength: 2 }),
    fc.constantFrom(...VERBS.split(" ")),
    fc.array(fc.oneof(fc.constantFrom(...WORDS.split(" ")), fc.string()), { maxLength: 5 }),
  )
  .map(([globals, verb, args]) => [...globals, verb, ...args]);

/** The paths that a scoped command is given, as they are from the top. */
function given(verdict: Extract<Verdict, { kind: "scope" }>, { prefix = "" }: Guarded): string[] {
  const names = verdict.paths ?? verdict.argv.slice(verdict.argv.lastIndexOf("--") + 1);
  return names.map((name) => {
    const parts = `${prefix}${name}`.split("/");
    for (let i = parts.indexOf(".."); i > 0; i = parts.indexOf("..")) parts.splice(i - 1, 2);
    return parts.join("/");
  });
}

const isForeign = (each: DirtyPath): boolean => each.owner.kind === "session";
const onDisk = ({ state, unstaged, staged }: DirtyPath): boolean =>
  (unstaged || staged) && state !== "untracked" && state !== "ignored";
const isUntracked = ({ state }: DirtyPath): boolean => state === "untracked";

describe("whatever the command and the repository", () => {
  test("the guard judges, from what it asked for alone", () => {
    fc.assert(
      fc.property(argv, world, (line, repo) => {
        const verdict = guarded(line, repo);
        if (verdict.kind === "refuse") {
          assert.ok(verdict.reason !== "" && !/undefined|\n/.test(verdict.reason), verdict.reason);
          assert.ok(verdict.offers.length > 0, "offers a way on");
        }
      }),
      { numRuns: 2000 },
    );
  });

  test("a command made anew names no path of another session, and says all that it leaves out", () => {
    let scoped = 0;
    const wide = fc.constantFrom(
      ...[
        "add -A",
        "add .",
        "add -u",
        "commit -am x",
        "commit -i -m x .",
        "commit -m x .",
        "stash",
        "stash -u",
      ],
    );
    fc.assert(
      fc.property(
        fc.oneof(
          wide.map((line) => line.split(" ")),
          argv,
        ),
        world,
        (line, repo) => {
          const verdict = guarded(line, repo);
          if (verdict.kind !== "scope") return;
          scoped += 1;
          const foreign = new Set(repo.dirty!.filter(isForeign).map((each) => each.path));
          if (verdict.argv.includes("--literal-pathspecs"))
            assert.deepEqual(
              given(verdict, repo).filter((name) => foreign.has(name)),
              [],
            );
          const own = new Set(
            repo.dirty!.filter((each) => each.owner.kind === "mine").map((each) => each.path),
          );
          assert.deepEqual(
            verdict.leftOut.filter((name) => own.has(name)),
            [],
          );
          assert.ok(verdict.note.startsWith("signalbox: "));
        },
      ),
      { numRuns: 2000 },
    );
    assert.ok(scoped > 100, `${scoped} were scoped`);
  });

  /** Commands that take everything of a kind, and which kind. */
  const takers: [line: string, takes: (each: DirtyPath) => boolean][] = [
    ["checkout -f", onDisk],
    ["checkout HEAD -- :/", onDisk],
    ["restore -SW :/", onDisk],
    ["reset --hard", onDisk],
    ["reset --hard v1", onDisk],
    ["reset --h", onDisk],
    ["stash", onDisk],
    ["stash -a", (each) => each.state !== "clean"],
    ["stash save -u x", (each) => onDisk(each) || isUntracked(each)],
    ["clean -fd", isUntracked],
    ["clean -xfd", (each) => isUntracked(each) || each.state === "ignored"],
    ["checkout -- :/", (each) => each.unstaged && onDisk(each)],
    ["restore :/", (each) => each.unstaged && onDisk(each)],
    ["rm -rf :/", (each) => onDisk(each) || each.state === "clean"],
    ["commit -am x", (each) => each.unstaged && onDisk(each)],
    ["add -A :/", (each) => each.unstaged && each.state !== "ignored"],
    ["pull", onDisk],
    ["apply", onDisk],
  ];
  for (const [line, takes] of takers)
    test(`git ${line} does not go as it is while it would take another's work`, () => {
      fc.assert(
        fc.property(world, dirty, (repo, paths) => {
          const there = { ...repo, dirty: [...paths, dirtyPath("their work", "M", THEIRS)] };
          const hit = [...there.dirty, dirtyPath("their new", "?", THEIRS)].filter(
            (each) => isForeign(each) && takes(each),
          );
          const verdict = guarded(line.split(" "), {
            ...there,
            dirty: [...there.dirty, dirtyPath("their new", "?", THEIRS)],
          });
          if (hit.length > 0) assert.notEqual(verdict.kind, "go");
        }),
      );
    });

  test("what would change a path of another's does not go", () => {
    const lines = [
      "merge topic",
      "cherry-pick v1",
      "revert v1",
      "apply x",
      "checkout v1 -- .",
      "reset --keep v1",
    ];
    fc.assert(
      fc.property(fc.constantFrom(...lines), world, (line, repo) => {
        const there = { ...repo, prefix: "", dirty: [...repo.dirty!, dirtyPath("their work", "M", THEIRS)] };
        const touched = [...(repo.touched ?? []), "their work"];
        assert.equal(guarded(line.split(" "), { ...there, touched }).kind, "refuse");
      }),
    );
  });

  test("alone with one's own work everything but a switch or a rewrite goes", () => {
    const lines = takers.map(([line]) => line);
    fc.assert(
      fc.property(fc.constantFrom(...lines), dirty, (line, paths) => {
        const own = paths.map((each) => ({ ...each, owner: MINE }));
        assert.deepEqual(guarded(line.split(" "), { dirty: own, settings: { "merge.ff": "only" } }), {
          kind: "go",
        });
      }),
    );
  });
});

test("many paths go to the command's stdin; a verb that takes none there is refused", () => {
  const many = Array.from({ length: 4000 }, (_, i) => dirtyPath(`lib/file-${i}`, "M", MINE));
  const repo = { dirty: [...many, dirtyPath("lib/theirs", "M", THEIRS)] };
  const verdict = guarded(["commit", "-am", "x"], repo);
  assert.ok(verdict.kind === "scope" && verdict.paths?.length === 4000);
  assert.deepEqual(verdict.argv.slice(-2), ["--pathspec-from-file=-", "--pathspec-file-nul"]);
  // The message comes by stdin.
  const refused = guarded(["commit", "-aF", "-"], repo);
  assert.ok(refused.kind === "refuse" && refused.paths.length === 1);
  assert.equal(guarded(["stash"], repo).kind, "scope");
});

describe("paths as they are typed", () => {
  const facts = { now: 0, others: [], top: "/top/", prefix: "lib/" };
  for (const [spec, expected, literal = false] of [
    ["a", "lib/a"],
    ["./a", "lib/a"],
    ["../a", "a"],
    ["../../a", undefined],
    ["x/../a", "lib/a"],
    [":/a", "a"],
    [":(top)a", "a"],
    [":(literal)a*", "lib/a*"],
    [":(top,literal)a", "a"],
    [":(glob)a", undefined],
    [":!a", undefined],
    [":(top)a", "lib/:(top)a", true],
    ["/top/a", "a"],
    ["/top/lib/a", "lib/a"],
    ["/elsewhere/a", undefined],
  ] as const)
    test(`${spec}${literal ? ", taken by the letter," : ""} is ${String(expected)}`, () => {
      assert.equal(pathOf(spec, literal, facts), expected);
    });

  test("without regard to case where the file system has none", () => {
    assert.equal(pathOf("A", false, { ...facts, ignoreCase: true }), pathOf("a", false, facts));
  });

  test("a command made anew names them from the caller's directory", () => {
    const repo = {
      dirty: [
        dirtyPath("lib/theirs", "M", THEIRS),
        dirtyPath("lib/mine", "M", MINE),
        dirtyPath("b/mine", "M", MINE),
        dirtyPath("lib", "M", MINE),
      ],
      prefix: "lib/",
    };
    const verdict = guarded(["add", "-A"], repo);
    assert.deepEqual(verdict.kind === "scope" && verdict.argv.slice(-3), ["mine", "../b/mine", "../lib"]);
  });
});
