import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import {
  type Change,
  clashes,
  indexInfo,
  isEmptyBlob,
  parseRaw,
  remedyOf,
} from "../../src/domain/staged-delta.ts";

const ZERO = "0".repeat(40);
const hash = (letter: string) => letter.repeat(40);

/** `change("p", "a", "b")`: content a becomes b; "" is not there; "x:100755" has a mode. */
function change(path: string, before: string, after: string): Change {
  const [oldLetter = "", oldMode = "100644"] = before.split(":");
  const [newLetter = "", newMode = "100644"] = after.split(":");
  return {
    path,
    oldMode: before === "" ? "000000" : oldMode,
    newMode: after === "" ? "000000" : newMode,
    oldHash: before === "" ? ZERO : hash(oldLetter),
    newHash: after === "" ? ZERO : hash(newLetter),
    status: before === "" ? "A" : after === "" ? "D" : "M",
  };
}

describe("a raw diff", () => {
  test("is read as git prints it, whatever the names", () => {
    const names = fc.uniqueArray(fc.string({ minLength: 1 }).filter((name) => !name.includes("\0")));
    fc.assert(
      fc.property(names, (paths) => {
        const changes = paths.map((path) => change(path, "a", "b:100755"));
        const raw = changes.map(
          ({ path, oldMode, newMode, oldHash, newHash, status }) =>
            `:${oldMode} ${newMode} ${oldHash} ${newHash} ${status}\0${path}\0`,
        );
        assert.deepEqual(parseRaw(raw.join("")), changes);
      }),
    );
  });

  for (const text of [
    "x",
    ":100644 100644 a b M\0p",
    ":100644 100644 a b M\0",
    "100644 100644 a b M\0p\0",
    ":a\0p\0",
  ])
    test(`is not ${JSON.stringify(text)}`, () => assert.throws(() => parseRaw(text), RangeError));
});

describe("what clashes", () => {
  for (const [what, mine, theirs, paths] of [
    ["nothing with nothing", [], [], []],
    ["other paths", [change("a", "1", "2")], [change("b", "1", "2")], []],
    ["the same change", [change("a", "1", "2")], [change("a", "1", "2")], []],
    ["both deleted", [change("a", "1", "")], [change("a", "1", "")], []],
    ["different contents", [change("a", "1", "2")], [change("a", "1", "3")], ["a"]],
    ["the mode only", [change("a", "1", "1:100755")], [change("a", "1", "2")], ["a"]],
    ["deleted and changed", [change("a", "1", "")], [change("a", "1", "2")], ["a"]],
    ["a file here, a folder there", [change("d", "", "2")], [change("d/x/y", "", "3")], ["d"]],
    ["a folder here, a file there", [change("d/x/y", "", "2")], [change("d", "", "3")], ["d/x/y"]],
    ["a folder that goes", [change("d", "", "2")], [change("d/x", "1", "")], []],
    ["a path that goes where a file comes", [change("d/x", "1", "")], [change("d", "", "3")], []],
    [
      "names that only begin alike",
      [change("d", "", "2")],
      [change("dd/x", "", "3"), change("d.x", "", "3")],
      [],
    ],
  ] as const)
    test(what, () =>
      assert.deepEqual(
        clashes(mine, theirs).map(({ path }) => path),
        paths,
      ),
    );
});

describe("the remedy", () => {
  const remedy = (mine: Change, theirs: Change) => remedyOf({ path: mine.path, mine, theirs });
  const stages = (mine: Change, theirs?: Change) => {
    const found = remedyOf({ path: mine.path, mine, ...(theirs && { theirs }) });
    assert.equal(found.kind, "conflict");
    return found.kind === "conflict" ? found.stages.map(({ stage, hash }) => `${stage}${hash[0]}`) : [];
  };

  test("of a mode here and a content there is both", () => {
    for (const [mine, theirs] of [
      [change("a", "1", "1:100755"), change("a", "1", "2")],
      [change("a", "1", "2"), change("a", "1", "1:100755")],
    ] as const)
      assert.deepEqual(remedy(mine, theirs), {
        kind: "take",
        path: "a",
        entry: { stage: 0, mode: "100755", hash: hash("2") },
      });
  });

  test("of two contents is a merge of three, with the mode that one of them changed", () => {
    const found = remedy(change("a", "1", "2"), change("a", "1", "3:100755"));
    assert.equal(found.kind, "merge");
    assert.deepEqual(found.kind === "merge" && [found.mode, found.base, found.mine, found.theirs], [
      "100755",
      hash("1"),
      hash("2"),
      hash("3"),
    ]);
  });

  test("of whatever else is a conflict of what there is", () => {
    assert.deepEqual(stages(change("a", "1", ""), change("a", "1", "3")), ["11", "33"]);
    assert.deepEqual(stages(change("a", "1", "2"), change("a", "1", "")), ["11", "22"]);
    assert.deepEqual(stages(change("a", "", "2"), change("a", "", "3")), ["22", "33"]);
    assert.deepEqual(stages(change("a", "1", "2:120000"), change("a", "1", "3")), ["11", "22", "33"]);
    assert.deepEqual(stages(change("a", "1:160000", "2:160000"), change("a", "1:160000", "3:160000")), [
      "11",
      "22",
      "33",
    ]);
    assert.deepEqual(stages(change("d", "", "2")), ["22"]);
  });
});

test("lines for the index take out what is there first", () => {
  assert.equal(indexInfo("a\nb", [], 40), `0 ${ZERO}\ta\nb\0`);
  assert.equal(
    indexInfo("a", [{ stage: 2, mode: "100644", hash: hash("1") }], 40),
    `0 ${ZERO}\ta\0${`100644 ${hash("1")} 2\ta\0`}`,
  );
});

test("the empty blob, in both hashes", () => {
  assert.ok(isEmptyBlob("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
  assert.ok(isEmptyBlob("473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"));
  assert.ok(!isEmptyBlob(ZERO));
});
