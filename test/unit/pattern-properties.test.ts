/** The matcher against picomatch, against counting all paths out, and against its own bounds. */

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
// @ts-expect-error -- it brings no types
import untyped from "picomatch";
import { accepts, compile, MAX_STATES, meet } from "../../src/domain/pattern-automaton.ts";
import { parseGlob, sequencesOf } from "../../src/domain/pattern-glob.ts";
import { commonPath, covers, overlaps, parseTarget, type Target } from "../../src/domain/pattern.ts";

const picomatch = untyped as (globs: string[], options: object) => (path: string) => boolean;

const glob = (text: string): Target => ({ kind: "glob", glob: text });

const atom = fc.constantFrom("a", "b", ".", "*", "?", "[ab]", "[!a]", "[a-b]", "[^.]", String.raw`\*`);
const simple = fc.array(atom, { minLength: 1, maxLength: 3 }).map((atoms) => atoms.join(""));
const braces = fc
  .tuple(simple, fc.array(simple, { minLength: 1, maxLength: 2 }), fc.constantFrom("", "a", "b"))
  .map(([first, more, after]) => `{${[first, ...more].join(",")}}${after}`);
const segment = fc.oneof(
  { weight: 4, arbitrary: simple },
  { weight: 2, arbitrary: fc.constant("**") },
  { weight: 1, arbitrary: braces },
);
/** As `parseTarget` keeps it, for those that it takes. */
const anyGlob = fc
  .array(segment, { minLength: 1, maxLength: 4 })
  .map((segments) => parseTarget(segments.join("/"), "glob"))
  .map((target) => ("glob" in target ? target.glob : ""))
  .filter((text) => text !== "");

/** Every path over a small alphabet, up to a length. */
const PATHS = everyPath(["a", "b", ".", "/"], 5);

function everyPath(alphabet: readonly string[], length: number): string[] {
  let texts = [""];
  const all: string[] = [];
  for (let i = 0; i < length; i += 1) {
    texts = texts.flatMap((text) => alphabet.map((char) => text + char));
    all.push(...texts);
  }
  return all.filter((text) => text.split("/").every((name) => name !== "" && name !== "." && name !== ".."));
}

describe("covers", () => {
  test("agrees with picomatch", () => {
    fc.assert(
      fc.property(anyGlob.filter(inCommon), (text) => {
        const theirs = picomatch(expandBraces(text).map(asPicomatch), { dot: true, noext: true });
        for (const path of PATHS) assert.equal(covers(glob(text), path), theirs(path), `${text} on ${path}`);
      }),
      { numRuns: 1500 },
    );
  });
});

/**
 * Picomatch lets `**.a` cross a slash and `*.*` not match `a.`; pattern-git.test.ts has those, and `***`.
 */
function inCommon(text: string): boolean {
  return expandBraces(text).every((one) => !one.includes(".*") && !/[^/]\*\*|\*\*[^/]/.test(one));
}

/** As a shell expands them. Picomatch by itself knows no `**` in braces, and takes `{a,b..c}` for a range. */
function expandBraces(text: string): string[] {
  const [, head = "", parts, tail = ""] = /^(.*?)\{(.*?)\}(.*)$/s.exec(text) ?? [];
  if (parts === undefined) return [text];
  return parts.split(",").flatMap((part) => expandBraces(head + part + tail));
}

/**
 * Where ours is git's and theirs is not: `a/**` is what is below `a`, without `a`; a set never takes a slash; `!`
 * negates one.
 */
function asPicomatch(text: string): string {
  return text.replace(/\/\*\*$/, "/**/*").replaceAll(/\[[!^](.)\]/g, "[^$1/]");
}

describe("overlaps", () => {
  const name = fc.constantFrom("a", "b", "a/b", "b/a", "a/b/a", ".a");
  const anyTarget: fc.Arbitrary<Target> = fc.oneof(
    { weight: 4, arbitrary: anyGlob.map(glob) },
    { weight: 1, arbitrary: name.map((path): Target => ({ kind: "path", path })) },
    { weight: 1, arbitrary: name.map((path): Target => ({ kind: "dir", path })) },
    { weight: 1, arbitrary: fc.constant<Target>({ kind: "dir", path: "" }) },
  );

  test("never no where some path is covered by both; yes only with one to show; the same both ways", () => {
    const answers = { yes: 0, no: 0 };
    fc.assert(
      fc.property(anyTarget, anyTarget, (a, b) => {
        const found = PATHS.find((path) => covers(a, path) && covers(b, path));
        const shown = commonPath(a, b);
        if (found !== undefined) assert.notEqual(shown, undefined, `both cover ${found}`);
        if (shown !== undefined) {
          assert.ok(covers(a, shown) && covers(b, shown), `${shown} is shown`);
          if (shown !== "") assert.ok(isPath(shown), `${shown} is a path`);
        }
        assert.equal(overlaps(b, a), overlaps(a, b));
        answers[shown === undefined ? "no" : "yes"] += 1;
      }),
      { numRuns: 3000 },
    );
    assert.ok(answers.yes > 300 && answers.no > 300, JSON.stringify(answers));
  });
});

function isPath(text: string): boolean {
  return text.split("/").every((part) => part !== "" && part !== "." && part !== "..");
}

describe("bounds", () => {
  const automaton = (text: string) => compile(sequencesOf(parseGlob(text)));
  const WORST = [
    `**/${"*a".repeat(240)}`,
    `**/${"*b".repeat(240)}`,
    `${"**/".repeat(120)}*x`,
    `${"**/*a/".repeat(60)}**`,
    `${"?".repeat(500)}`,
    `{${Array.from({ length: 60 }, (_, i) => `**/*${i}*`).join(",")}}`,
    `*{${"a".repeat(200)},${"b".repeat(200)}}*`,
  ];

  test("whatever the two globs, their product has few places, each seen once", (t) => {
    let most = 0;
    for (const left of WORST) {
      for (const right of WORST) {
        const [a, b] = [automaton(left), automaton(right)];
        assert.ok(a.length <= MAX_STATES && b.length <= MAX_STATES);
        const { places } = meet(a, [0], b);
        assert.ok(places <= 4 * a.length * b.length);
        most = Math.max(most, places);
      }
    }
    assert.ok(most <= 4 * MAX_STATES ** 2);
    t.diagnostic(`most places: ${most}`);
  });

  test("a pattern that would grow past the bounds is refused before it does", () => {
    for (const text of ["{a,b}".repeat(200), `${"{a,".repeat(300)}b${"}".repeat(300)}`, "*a".repeat(511)])
      assert.ok("error" in parseTarget(text), text.slice(0, 40));
  });

  test("alternatives share how they begin", () => {
    const one = automaton("packages/core/src/**/*.ts").length;
    const twelve = automaton(
      "packages/core/src/**/*.{ts,tsx,mts,cts,js,jsx,mjs,cjs,json,md,css,html}",
    ).length;
    assert.ok(twelve < one + 40, `${one} and ${twelve}`);
  });

  test("a long path is read once", () => {
    assert.equal(accepts(automaton("*a".repeat(200)), "a".repeat(4096)), true);
  });
});
