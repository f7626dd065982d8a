/** The matcher against git's own: `:(glob)` pathspecs over an index. */

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import * as fc from "fast-check";
import { covers, parseTarget } from "../../src/domain/pattern.ts";

const NAMES = ["a", "b", "ab", "ba", "a.", ".a", "a.b", "aab", "*", "a*b", "-", "]", "[a]", "\\", "!", "^"];
/** Git takes a pathspec that spells a directory for all below it, wildcard or not: so none is named like a glob. */
const DIRS = NAMES.slice(0, 8);
/** One index for each number of segments: `a` and `a/b` cannot be in one. */
const BY_DEPTH = [
  NAMES,
  DIRS.flatMap((a) => NAMES.map((b) => `${a}/${b}`)),
  DIRS.flatMap((a) => DIRS.flatMap((b) => NAMES.map((c) => `${a}/${b}/${c}`))),
];
const EMPTY_BLOB = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

let base: string;

function git(args: readonly string[], index = 0, input = ""): string {
  const { status, stdout, stderr } = spawnSync("git", args, {
    cwd: base,
    input,
    encoding: "utf8",
    env: {
      PATH: process.env["PATH"],
      HOME: base,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_INDEX_FILE: join(base, `index-${index}`),
    },
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

before(() => {
  base = mkdtempSync(join(tmpdir(), "signalbox-pattern-"));
  git(["-c", "init.defaultBranch=main", "init", "-q"]);
  for (const [i, paths] of BY_DEPTH.entries()) {
    const entries = paths.map((path) => `100644 ${EMPTY_BLOB} 0\t${path}\0`).join("");
    git(["update-index", "-z", "--index-info"], i, entries);
  }
});
after(() => rmSync(base, { recursive: true, force: true }));

const atom = fc.constantFrom(
  "a",
  "b",
  ".",
  "*",
  "**",
  "?",
  "[ab]",
  "[!a]",
  "[^.]",
  "[a-b]",
  "[]a]",
  "[!]]",
  "[a-]",
  String.raw`\*`,
  String.raw`\a`,
  String.raw`[\]]`,
  String.raw`[\\]`,
  "-",
  "!",
  "^",
);
const segment = fc.oneof(
  { weight: 3, arbitrary: fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join("")) },
  { weight: 1, arbitrary: fc.constant("**") },
);
/**
 * Left out: a pathspec without a wildcard, which means directories too, and one like `a**`: git cuts off what comes
 * before the first wildcard, and then takes the rest for a whole segment.
 */
const pathspec = fc
  .array(segment, { minLength: 1, maxLength: 3 })
  .map((segments) => segments.join("/"))
  .filter((text) => /[*?[\\]/.test(text) && !/^[^*?[\\]*[^*?[\\/]\*\*+(?:\/|$)/.test(text))
  .filter((text) => !("error" in parseTarget(text, "glob")));

test("covers what git's :(glob) matches", () => {
  fc.assert(
    fc.property(pathspec, (text) => {
      const parsed = parseTarget(text, "glob");
      assert.ok(!("error" in parsed));
      for (const [i, paths] of BY_DEPTH.entries()) {
        const theirs = git(["ls-files", "-z", "--", `:(glob)${text}`], i)
          .split("\0")
          .filter(Boolean);
        const ours: string[] = paths.filter((path) => covers(parsed, path));
        assert.deepEqual(ours.toSorted(), theirs.toSorted(), text);
      }
    }),
    { numRuns: 150 },
  );
});
