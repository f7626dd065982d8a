import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { canonicalPath, foldName, keyOf, keyText } from "../../src/domain/path-key.ts";

describe("canonicalPath", () => {
  test("one name for one file", () => {
    const table: [string, string][] = [
      ["a/b.ts", "a/b.ts"],
      ["./a//b/./c/", "a/b/c"],
      ["a/x/../b", "a/b"],
      ["", ""],
      [".", ""],
      ["a/..", ""],
      ["cafe\u0301", "caf\u00e9"],
      ["back\\slash", "back\\slash"],
      ["-rf", "-rf"],
      ["...", "..."],
      [" a ", " a "],
      ["new\nline", "new\nline"],
      ["x/".repeat(5000), "x/".repeat(5000).slice(0, -1)],
    ];
    for (const [path, expected] of table) assert.equal(canonicalPath(path), expected, JSON.stringify(path));
  });

  test("what is no path within a tree", () => {
    for (const path of ["..", "a/../..", "../a", "/a", "/", "a\0b"])
      assert.throws(() => canonicalPath(path), RangeError, JSON.stringify(path));
  });

  test("case is kept unless the volume ignores it", () => {
    assert.equal(canonicalPath("Src/A.ts"), "Src/A.ts");
    for (const [path, expected] of [
      ["Src/A.ts", "src/a.ts"],
      ["\u00c9", "\u00e9"],
      ["E\u0301", "\u00e9"],
      ["ΟΔΟΣ.txt", "οδοσ.txt"],
      ["οδος.txt", "οδοσ.txt"],
      ["J\u030c", "\u01f0"],
    ] as const)
      assert.equal(canonicalPath(path, { ignoreCase: true }), expected);
  });

  test("done twice is done once", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, ignoreCase) => {
        fc.pre(!text.startsWith("/") && !text.includes("\0") && !text.split("/").includes(".."));
        const once = canonicalPath(text, { ignoreCase });
        assert.equal(canonicalPath(once, { ignoreCase }), once);
      }),
      { numRuns: 2000 },
    );
  });

  test("a name and its capitals fold to the same", () => {
    for (let code = 0x20; code < 0x250; code += 1) {
      const char = String.fromCodePoint(code);
      const upper = char.toUpperCase();
      // ß, ŉ, ǰ have no capital of one character; ı and ſ share theirs with another letter; µ is a symbol.
      if (upper.length > 1 || upper.toLowerCase() !== char.toLowerCase()) continue;
      assert.equal(foldName(upper), foldName(char), char);
    }
  });
});

describe("keyText", () => {
  test("readable, on one line, for one file alone", () => {
    const table: [string, string, string][] = [
      ["", "src/a.ts", "src/a.ts"],
      ["agent", "src/a.ts", "agent:src/a.ts"],
      ["", "agent:src/a.ts", ":agent:src/a.ts"],
      ["", "a/b:c", ":a/b:c"],
      ["agent", "b:c", "agent:b:c"],
      ["", "", ""],
      ["agent", "", "agent:"],
      ["", ":", "::"],
      ["", "new\nline", "new\\u{a}line"],
      ["", "back\\slash", "back\\\\slash"],
      ["", "back\\u{a}", "back\\\\u{a}"],
      ["", 'quote"s', 'quote"s'],
      ["", "-rf", "-rf"],
      ["", "right\u202eto-left", "right\\u{202e}to-left"],
      ["", "\u{1f600}", "\u{1f600}"],
    ];
    for (const [tree, path, text] of table) {
      assert.equal(keyText({ tree, path }), text);
      assert.deepEqual(keyOf(text), { tree, path });
    }
  });

  test("any path comes back, and no two share a text", () => {
    // Git makes a worktree's id a ref component: it has no colon and no slash.
    const tree = fc.constantFrom("", "agent", "a", "linked1");
    const path = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom(":", "\\", "u", "{", "}", "a", "\n", "/") }),
    );
    fc.assert(
      fc.property(tree, path, (tree, path) => {
        const text = keyText({ tree, path });
        assert.deepEqual(keyOf(text), { tree, path });
        assert.doesNotMatch(text, /[\p{Cc}\u2028\u2029]/u);
      }),
      { numRuns: 5000 },
    );
  });
});
