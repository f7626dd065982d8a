import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  commonPath,
  covers,
  foldCase,
  formatTarget,
  overlaps,
  parseTarget,
  type Target,
} from "../../src/domain/pattern.ts";

const path = (text: string): Target => ({ kind: "path", path: text });
const dir = (text: string): Target => ({ kind: "dir", path: text });
const glob = (text: string): Target => ({ kind: "glob", glob: text });

/** `a` path, `a/` directory, else a glob: as `parseTarget` has it. */
function target(word: string): Target {
  const parsed = parseTarget(word);
  assert.ok(!("error" in parsed), `${word}: ${JSON.stringify(parsed)}`);
  return parsed;
}

describe("parseTarget", () => {
  test("what a word means", () => {
    const table: [string, Target][] = [
      ["a.ts", path("a.ts")],
      ["./a.ts", path("a.ts")],
      ["a//b/./c.ts", path("a/b/c.ts")],
      ["src/", dir("src")],
      ["src//", dir("src")],
      [".", dir("")],
      ["./", dir("")],
      ["src/..", dir("src/..")],
      ["../b.ts", path("../b.ts")],
      ["/abs/b.ts", path("/abs/b.ts")],
      ["src/*.ts", glob("src/*.ts")],
      ["././src/*.ts", glob("src/*.ts")],
      ["src/*/", glob("src/*/")],
      [String.raw`\[id\].tsx`, path("[id].tsx")],
      [String.raw`\{a\}/`, dir("{a}")],
      [String.raw`a\b`, path(String.raw`a\b`)],
      ["-rf", path("-rf")],
      ["new\nline", path("new\nline")],
      ["cafe\u0301*", glob("caf\u00e9*")],
    ];
    for (const [word, expected] of table) assert.deepEqual(parseTarget(word), expected, word);
  });

  test("what the caller says it is, whatever it looks like", () => {
    assert.deepEqual(parseTarget("app/[id].tsx", "path"), path("app/[id].tsx"));
    assert.deepEqual(parseTarget("app/[id]/", "path"), path("app/[id]"));
    assert.deepEqual(parseTarget("app/[id]", "dir"), dir("app/[id]"));
    assert.deepEqual(parseTarget("plain", "glob"), glob("plain"));
  });

  test("what is wrong is said", () => {
    const table: [string, RegExp][] = [
      ["", /empty/],
      ["a\0b", /NUL/],
      ["[a", /a \[ needs a \]/],
      ["[]", /a \[ needs a \]/],
      ["[!]", /a \[ needs a \]/],
      ["[z-a]", /z-a runs backwards/],
      ["[[:alpha:]]", /classes/],
      ["{a,b", /a \{ needs a \}/],
      ["a}", /a \} needs a \{/],
      ["{a}", /need a comma/],
      ["{1..3}", /need a comma/],
      ["*\\", /backslash/],
      ["!src/**", /negated/],
      ["/abs/*", /no path/],
      ["../*.ts", /no path/],
      ["a/./*", /no path/],
      ["a//*", /no path/],
      ["{a,}", /no path/],
      ["{a,../b}", /no path/],
      [`${"a".repeat(1024)}*`, /at most 1024 characters, this has 1025/],
      ["{a,b}".repeat(9), /at most 256 alternatives/],
      ["{a,b,c,d,e,f,g,h,i,j}/x".repeat(100), /alternatives|characters/],
      ["{a,b}/**/".repeat(8), /too complex/],
    ];
    for (const [word, why] of table) {
      const parsed = parseTarget(word);
      assert.match("error" in parsed ? parsed.error : `accepted as ${formatTarget(parsed)}`, why, word);
    }
  });

  test("what formatTarget writes is read as it was, but for names that look like globs", () => {
    for (const word of ["a.ts", "src/", "./", "src/**/*.ts"]) assert.equal(formatTarget(target(word)), word);
    assert.equal(formatTarget(path("[id].tsx")), "[id].tsx");
  });
});

describe("covers", () => {
  const table: [string, string[], string[]][] = [
    ["a.ts", ["a.ts"], ["a.tsx", "b/a.ts", "a.ts/b", "A.ts"]],
    ["src/", ["src", "src/a", "src/a/b"], ["srcs", "a/src", "sr"]],
    ["./", ["a", "a/b"], []],
    ["*", ["a", ".env"], ["a/b"]],
    ["*.ts", ["a.ts", ".ts"], ["a/b.ts", "a.tsx"]],
    ["a?c", ["abc", "a\u{1f600}c"], ["ac", "a/c", "abbc"]],
    ["src/*/x", ["src/a/x", "src/.a/x"], ["src/x", "src/a/b/x"]],
    ["**", ["a", "a/b", ".git"], []],
    ["**/*.ts", ["a.ts", "b/a.ts", "b/c/.ts"], ["a.tsx", "a.ts/b"]],
    ["a/**", ["a/b", "a/.b/c"], ["a", "ab/c"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb", "a/b/c"]],
    ["**/a/**", ["a/b", "x/a/b", "a/a"], ["a", "x/a"]],
    ["a**b", ["ab", "axb"], ["a/b", "a/x/b"]],
    ["***/a", ["a", "x/y/a"], []],
    ["src/*/", ["src/a/b", "src/a/b/c"], ["src/a", "src"]],
    ["**/", ["a", "a/b"], []],
    ["[abc]", ["a", "c"], ["d", "/"]],
    ["[a-c-]x", ["bx", "-x"], ["dx"]],
    ["[!a-c]x", ["dx"], ["bx"]],
    ["[^a]", ["b", "^"], ["a"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[!]a]", ["b"], ["]", "a"]],
    [String.raw`[\]\-\\]`, ["]", "-", "\\"], ["a"]],
    ["a[!x]b", ["ayb"], ["a/b"]],
    ["a[.-0]b", ["a.b", "a0b"], ["a/b"]],
    ["[\u{1f600}-\u{1f602}]", ["\u{1f601}"], ["\u{1f603}"]],
    ["*.{ts,tsx}", ["a.ts", "a.tsx"], ["a.t"]],
    ["{a,b/{c,d/*}}/x", ["a/x", "b/c/x", "b/d/e/x"], ["b/x"]],
    ["{a,**}/x", ["x", "a/x", "q/r/x"], ["xx"]],
    ["a{,b}", ["a", "ab"], ["b"]],
    ["a{/**,}", ["a", "a/b"], ["ab"]],
    ["[{]{a,[,]}", ["{a", "{,"], ["{b"]],
    ["{a,b}{1,2}", ["a1", "b2"], ["a", "ab"]],
    [String.raw`\*\{*`, ["*{", "*{x"], ["a{"]],
    ["(a|b)*", ["(a|b)c"], ["a"]],
    ["*\n*", ["a\nb"], ["a"]],
    ["-*", ["-rf"], ["rf"]],
    ["+(a)*", ["+(a)"], ["aa"]],
  ];
  for (const [word, inside, outside] of table) {
    test(JSON.stringify(word), () => {
      for (const name of inside) assert.equal(covers(target(word), name), true, name);
      for (const name of outside) assert.equal(covers(target(word), name), false, name);
    });
  }

  test("a glob that cannot be read covers all below the directory before its first special character", () => {
    const unread = glob("src/lib/<%{new}syntax");
    assert.equal(covers(unread, "src/lib/a/b"), true);
    assert.equal(covers(unread, "src/a"), false);
    assert.equal(covers(glob("{new}"), "anything"), true);
    assert.equal(overlaps(unread, dir("src")), true);
    assert.equal(overlaps(glob(`${"long/".repeat(900)}{x}`), dir("long")), true);
  });
});

describe("overlaps", () => {
  const table: [string, string, boolean][] = [
    ["a", "a", true],
    ["a", "b", false],
    // A file `a` and a file `a/b` cannot both be, but neither is the other (docs/paths.md).
    ["a", "a/b", false],
    ["a/", "a", true],
    ["a/", "a/b", true],
    ["a/", "ab", false],
    ["a/", "a/b/", true],
    ["a/", "b/", false],
    ["./", "a", true],
    ["./", "a/", true],
    ["./", "./", true],
    ["./", "*", true],
    ["*.ts", "a.ts", true],
    ["*.ts", "a.js", false],
    ["*.ts", "src/", false],
    ["*", "src/", true],
    ["**/*.ts", "src/", true],
    ["src/*", "src/a/", true],
    ["src/*", "src/a/b/", false],
    ["src/**", "src/", true],
    ["a/**", "a", false],
    ["a/**", "b/**", false],
    ["a/**", "**/b", true],
    ["a*", "*b", true],
    ["a*", "b*", false],
    ["*a*", "*b*", true],
    ["*.ts", "*.js", false],
    ["*.{ts,js}", "*.{js,css}", true],
    ["[a-m]*", "[n-z]*", false],
    ["[a-m]*", "[m-z]*", true],
    ["[!a]", "a", false],
    ["[!a]*", "[!b]*", true],
    ["?", "??", false],
    ["src/*/x", "src/y/*", true],
    ["**/test/**", "src/**", true],
    ["{a,b}/c", "b/{c,d}", true],
    ["{a,b}/c", "c/{a,b}", false],
    // Only the names "." and ".." would do, and they are none.
    ["?", "[.]", false],
    ["??", "[.][.]", false],
    ["???", "[.][.][.]", true],
    ["a/?", "a/[.]", false],
    ["[.]*", "?", false],
  ];
  for (const [a, b, expected] of table) {
    test(`${a} and ${b}`, () => {
      assert.equal(overlaps(target(a), target(b)), expected);
      assert.equal(overlaps(target(b), target(a)), expected);
    });
  }

  test("an example of what both cover", () => {
    assert.equal(commonPath(target("src/**"), target("**/*.ts")), "src/.ts");
    assert.equal(commonPath(target("src/"), target("**/[b-c].ts")), "src/b.ts");
    assert.equal(commonPath(target("*.ts"), target("*.js")), undefined);
  });
});

describe("foldCase", () => {
  test("covers names in any case, once they are folded", () => {
    const table: [string, string[], string[]][] = [
      ["README.md", ["readme.md"], []],
      ["SRC/", ["src/a"], ["srcs"]],
      ["SRC/*.TS", ["src/a.ts"], ["src/a.js"]],
      ["[A-Z]x", ["ax", "zx"], ["0x"]],
      ["[A-z]x", ["ax", "_x"], ["0x"]],
      ["[X-b]x", ["xx", "zx", "ax", "]x"], ["cx"]],
      ["[!A-Z]x", ["0x"], ["ax"]],
      ["[!Q]", ["a"], ["q"]],
      ["[Ж-Я]*", ["жук"], ["азы"]],
      [String.raw`\[Q\]*`, ["[q]a"], []],
      ["*Σ.txt", ["οσ.txt"], []],
      ["{A,B}", ["a", "b"], []],
    ];
    for (const [word, inside, outside] of table) {
      const folded = foldCase(target(word));
      for (const name of inside) assert.equal(covers(folded, name), true, `${word}: ${name}`);
      for (const name of outside) assert.equal(covers(folded, name), false, `${word}: ${name}`);
      assert.deepEqual(foldCase(folded), folded);
    }
  });
});
