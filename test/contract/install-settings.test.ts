/** Our entries in Claude Code settings: surgical in, surgical out. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { parse } from "jsonc-parser";
import { CLAUDE_HOOKS } from "../../hooks/manifest.ts";
import { type Form, pluginHooks, withHooks, withoutHooks } from "../../src/app/install/claude-settings.ts";
import { InstallProblem, utf8 } from "../../src/app/install/model.ts";

const EXEC: Form = { kind: "exec", entry: "/repo/.git/signalbox/bin/hook" };
const PORTABLE: Form = { kind: "portable" };
const BOM = "\u00EF\u00BB\u00BF";

interface Settings {
  hooks?: Record<
    string,
    { matcher?: string; hooks: { command: string; args?: string[]; timeout: number }[] }[]
  >;
  [key: string]: unknown;
}

const read = (bytes: string) => parse(bytes.replace(BOM, "")) as Settings;
/** Of text without comments. A key "__proto__" is a key like any other, which jsonc-parser's `parse` does not grant. */
const readPlain = (bytes: string) => JSON.parse(bytes.replace(BOM, "")) as Settings;
const ours = (settings: Settings) =>
  Object.entries(settings.hooks ?? {}).flatMap(([event, groups]) =>
    groups.flatMap((group) =>
      (group.hooks ?? [])
        .filter((hook) => hook.command?.includes("/signalbox/bin/hook"))
        .map((hook) => ({ event, matcher: group.matcher, ...hook })),
    ),
  );

/** Settings as people have them, written in every way. */
const handler = fc.record({
  type: fc.constant("command"),
  command: fc.constantFrom("lint", 'say "é"', "x && y"),
});
const group = fc.record(
  { matcher: fc.constantFrom("Bash", "Edit|Write", "*"), hooks: fc.array(handler, { maxLength: 2 }) },
  { requiredKeys: ["hooks"] },
);
const json = fc.jsonValue({ maxDepth: 2 });
const settings = fc
  .record(
    {
      hooks: fc.dictionary(
        fc.constantFrom("PreToolUse", "PostToolUse", "Stop", "Notification", "SessionStart"),
        fc.array(group, { maxLength: 3 }),
        { maxKeys: 4 },
      ),
      permissions: json,
      env: json,
      model: fc.string(),
      日本: json,
    },
    { requiredKeys: [] },
  )
  .map((value) => value as object);
const written = fc
  .tuple(
    settings,
    fc.constantFrom<string | number>(0, 1, 2, 3, 4, 8, "\t"),
    fc.boolean(),
    fc.boolean(),
    fc.constantFrom("", "\n", "\n\n", "  "),
  )
  .map(([value, indent, crlf, bom, end]) => {
    const text = JSON.stringify(value, undefined, indent) + end;
    return (bom ? BOM : "") + utf8(crlf ? text.replaceAll("\n", "\r\n") : text);
  });
const form = fc.constantFrom(EXEC, PORTABLE);

test("whatever the settings: all our entries are there once, nobody else's is changed, a second time changes nothing", () => {
  fc.assert(
    fc.property(written, form, (before, how) => {
      const after = withHooks(before, CLAUDE_HOOKS, how);
      assert.equal(withHooks(after, CLAUDE_HOOKS, how), after);
      const found = ours(read(after));
      assert.deepEqual(
        found.map(({ event, matcher, timeout }) => [event, matcher, timeout]).sort(),
        CLAUDE_HOOKS.map((hook) => [hook.event, hook.matcher, hook.timeoutS]).sort(),
      );
      assert.equal(after.startsWith(BOM), before.startsWith(BOM));
      if (before.includes("\r\n")) assert.doesNotMatch(after, /[^\r]\n/);
      const { hooks: _, ...rest } = readPlain(after);
      const { hooks: __, ...others } = readPlain(before);
      assert.deepEqual(rest, others);
      assert.deepEqual(Object.keys(rest), Object.keys(others));
    }),
    { numRuns: 300 },
  );
});

test("whatever the settings: taking our entries out leaves what was there", () => {
  fc.assert(
    fc.property(written, form, (before, how) => {
      const back = readPlain(withoutHooks(withHooks(before, CLAUDE_HOOKS, how)));
      const wanted = readPlain(before);
      // Containers that were empty are the same as none.
      const full = (value: Settings) => ({
        ...value,
        hooks: Object.fromEntries(
          Object.entries(value.hooks ?? {}).filter(([, groups]) => groups.length > 0),
        ),
      });
      assert.deepEqual(full(back), full(wanted));
      assert.equal(withoutHooks(before), before);
    }),
    { numRuns: 300 },
  );
});

test("an older entry of ours gives way to the new one, in its place", () => {
  fc.assert(
    fc.property(written, (before) => {
      const moved = withHooks(
        withHooks(before, CLAUDE_HOOKS, { kind: "exec", entry: "/old/signalbox/bin/hook" }),
        CLAUDE_HOOKS,
        EXEC,
      );
      assert.equal(moved, withHooks(before, CLAUDE_HOOKS, EXEC));
      const shared = withHooks(withHooks(before, CLAUDE_HOOKS, PORTABLE), CLAUDE_HOOKS, EXEC);
      assert.equal(ours(read(shared)).length, CLAUDE_HOOKS.length);
    }),
  );
});

test("comments, trailing commas and the user's own layout keep their bytes", () => {
  const before = `{
    // my rules
    "permissions": {"allow": ["Bash(git:*)"],   "deny": []},
    "hooks": {
        "PreToolUse": [
            { "matcher": "Bash", "hooks": [ { "type": "command", "command": "audit" } ] }, // mine
        ],
    },
    "z": 1, "a": 2
}`;
  const after = withHooks(before, CLAUDE_HOOKS, EXEC);
  for (const line of [
    "    // my rules",
    '"allow": ["Bash(git:*)"],   "deny": []}',
    '"command": "audit" } ] }',
    '"z": 1, "a": 2\n}',
  ])
    assert.ok(after.includes(line), `${line}\n---\n${after}`);
  assert.ok(after.endsWith("}"));
  assert.equal(ours(read(after)).length, CLAUDE_HOOKS.length);
});

test("the entries are exec form, with the hook's name as an argument", () => {
  const [first] = ours(read(withHooks("", CLAUDE_HOOKS, EXEC)));
  assert.equal(first?.command, "/repo/.git/signalbox/bin/hook");
  assert.deepEqual(first?.args?.[0], "claude");
});

test("a path of any characters comes through JSON as itself", () => {
  const entry = "/tmp/a b'c\"d$e\\f/日本/.git/signalbox/bin/hook";
  const bytes = withHooks("{}", CLAUDE_HOOKS, { kind: "exec", entry });
  const [first] = ours(JSON.parse(Buffer.from(bytes, "latin1").toString("utf8")) as Settings);
  assert.equal(first?.command, entry);
});

for (const [what, bytes, message] of [
  [
    "invalid JSON",
    '{\n  "hooks": {,}\n}',
    /^settings:2:13: not valid JSON \(\w+\); mend it and run this again; nothing was changed$/,
  ],
  ["a list", "[]", /is not a JSON object/],
  ["hooks that are a list", '{"hooks": []}', /"hooks" that is not an object/],
  ["an event that is no list", '{"hooks": {"Stop": {}}}', /hooks for Stop that are not a list/],
  ["hooks twice", '{"hooks": {}, "hooks": {}}', /"hooks" twice/],
  ["an event twice", '{"hooks": {"Stop": [], "Stop": []}}', /hooks for Stop twice/],
] as const) {
  test(`${what}: refused with what to do`, () => {
    assert.throws(
      () => withHooks(bytes, CLAUDE_HOOKS, EXEC),
      (error: Error) => {
        assert.ok(error instanceof InstallProblem);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("hooks/hooks.json and plugin.json are those of the manifest and the package", () => {
  const root = join(import.meta.dirname, "../..");
  assert.equal(
    readFileSync(join(root, "hooks/hooks.json"), "utf8"),
    pluginHooks(CLAUDE_HOOKS),
    "out of date: npm run build",
  );
  const plugin = JSON.parse(readFileSync(join(root, ".claude-plugin/plugin.json"), "utf8")) as object;
  const pkg = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
    name: string;
    version: string;
  };
  assert.deepEqual({ ...plugin, name: pkg.name, version: pkg.version }, plugin);
});
