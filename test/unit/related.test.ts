import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { NO_RELATIONS, related, type Relations } from "../../src/policy/mod.ts";
import { anyTarget, HOSTILE, target } from "../support/domain/mod.ts";

const known =
  ({ packages = [], partners = {} }: { packages?: string[]; partners?: object }) =>
  (): Relations => ({
    packages: new Set(packages),
    partners: partners as Relations["partners"],
  });
const are = (a: string, b: string, relations = () => NO_RELATIONS) =>
  related(target(a), target(b), relations);

describe("related by name", () => {
  const cases: [string, string, boolean, string][] = [
    ["src/a.ts", "src/b.ts", true, "one folder"],
    ["a.ts", "b.ts", true, "both at the top"],
    ["src/a.ts", "src/deep/b.ts", true, "directly below"],
    ["src/a.ts", "src/deep/er/b.ts", false, "two below"],
    ["src/x/a.ts", "src/y/b.ts", false, "side by side"],
    ["a.ts", "src/b.ts", false, "the top has all below it"],
    ["src/", "src/a.ts", true, "a directory and a file in it"],
    ["src/*.ts", "src/a.md", true, "a glob counts by its folder"],
    ["**/*.ts", "src/a.ts", false, "a glob over everything says nothing"],
  ];
  for (const [a, b, expected, why] of cases)
    test(`${a} and ${b}: ${expected ? "yes" : "no"}, ${why}`, () => assert.equal(are(a, b), expected));

  test("then nothing else is asked for", () => {
    const never = () => {
      throw new Error("asked");
    };
    assert.equal(are("src/a.ts", "src/b.ts", never), true);
    assert.throws(() => are("src/a.ts", "lib/b.ts", never));
  });
});

describe("related by what is known of the repository", () => {
  test("the innermost package counts", () => {
    const relations = known({ packages: ["pkg", "pkg/inner"] });
    assert.equal(are("pkg/src/x/a.ts", "pkg/test/y/b.ts", relations), true);
    assert.equal(are("pkg/inner/src/a.ts", "pkg/test/y/b.ts", relations), false);
    assert.equal(are("other/src/a.ts", "elsewhere/b.ts", relations), false, "no package is not one");
  });

  test("what was mostly committed together, from either side", () => {
    const relations = known({ partners: { "src/x/a.ts": ["test/unit/a.test.ts"] } });
    assert.equal(are("src/x/a.ts", "test/unit/a.test.ts", relations), true);
    assert.equal(are("test/unit/a.test.ts", "src/x/a.ts", relations), true);
    assert.equal(are("src/x/a.ts", "test/unit/b.test.ts", relations), false);
  });

  test("names that objects have by themselves are files like any other", () => {
    for (const name of HOSTILE) assert.equal(are(name, "lib/x"), false, name);
  });
});

test("whatever the targets, it is symmetric", () => {
  const relations = known({ packages: ["d"], partners: { f: ["d/e/f"] } });
  fc.assert(
    fc.property(anyTarget, anyTarget, (a, b) => {
      assert.equal(related(a, b, relations), related(b, a, relations));
    }),
  );
});
