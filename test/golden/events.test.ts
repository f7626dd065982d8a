/**
 * What is in a log must be readable for ever. `events/<type>.v<N>.jsonl` holds one stored line of every event
 * version that was shipped, and `events.sha256` (as `sha256sum` writes it) refuses an edit of any of them.
 *
 * A new version or event is a new file and its line in the table:
 *
 *     cd test/golden && sha256sum events/claim.taken.v2.jsonl >> events.sha256
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { CATALOGUE, parseEvent, schemaOf } from "../../events/mod.ts";
import * as v from "valibot";

const HERE = new URL("./", import.meta.url);
const read = (name: string): string => readFileSync(new URL(name, HERE), "utf8");
const files = readdirSync(new URL("events/", HERE)).sort();
const versions = [...CATALOGUE.values()].flatMap((definition) =>
  Array.from({ length: definition.version }, (_, i) => ({ definition, version: i + 1 })),
);
const fileOf = (type: string, version: number) => `${type}.v${version}.jsonl`;

/** What is wrong with the golden lines, given the table of their checksums. */
function edits(table: string, lines: ReadonlyMap<string, string>): string[] {
  const sums = new Map(
    table
      .trimEnd()
      .split("\n")
      .map((line) => line.split("  events/").reverse() as [string, string]),
  );
  const problems: string[] = [];
  for (const [name, line] of lines) {
    const sum = sums.get(name);
    if (sum === undefined) problems.push(`${name} is not in events.sha256: add its line`);
    else if (sum !== createHash("sha256").update(line).digest("hex"))
      problems.push(`${name} was edited: the stored format is frozen: add a version instead`);
  }
  for (const name of sums.keys())
    if (!lines.has(name)) problems.push(`${name} is gone: logs that hold such a line are not`);
  return problems;
}

const table = read("events.sha256");
const golden = new Map(files.map((name) => [name, read(`events/${name}`)]));

describe("golden events", () => {
  test("every version of the catalogue has one golden line, and nothing else has", () => {
    assert.deepEqual(files, versions.map(({ definition, version }) => fileOf(definition.type, version)).sort());
    for (const [name, text] of golden) assert.match(text, /^\{.*\}\n$/, `${name} is not one line`);
  });

  for (const { definition, version } of versions) {
    const name = fileOf(definition.type, version);
    test(`${name} is known, and is brought to version ${definition.version}`, () => {
      const stored: unknown = JSON.parse(golden.get(name) ?? "null");
      const parsed = parseEvent(stored);
      assert.ok(
        parsed.kind === "known",
        `${name} is ${parsed.kind}${parsed.kind === "invalid" ? ` (${parsed.why})` : ""}: the stored format is frozen: add a version instead`,
      );
      assert.equal(parsed.stored.v, version);
      assert.equal(parsed.event.v, definition.version);
      v.assert(schemaOf(definition, definition.version), parsed.event);
      assert.equal(`${JSON.stringify(parsed.stored)}\n`, golden.get(name), "what is read is what is stored");
    });
  }
});

describe("the stored format is frozen", () => {
  test("no golden line has been edited", () => assert.deepEqual(edits(table, golden), []));

  test("one changed character is caught", () => {
    for (const [name, line] of golden) {
      const changed = new Map(golden).set(name, line.replace("{", "{ "));
      assert.deepEqual(edits(table, changed), [
        `${name} was edited: the stored format is frozen: add a version instead`,
      ]);
    }
  });

  test("a line that is taken away is caught, and one that is not in the table", () => {
    const [name, line] = [...golden][0]!;
    const fewer = new Map(golden);
    fewer.delete(name);
    assert.equal(edits(table, fewer).length, 1);
    assert.equal(edits(table, new Map(golden).set("more.made.v1.jsonl", line)).length, 1);
  });
});
