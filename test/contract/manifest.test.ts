import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { CLAUDE_HANDLERS } from "../../hooks/claude/mod.ts";
import { GIT_HANDLERS } from "../../hooks/git/mod.ts";
import { CLAUDE_HOOKS, GIT_HOOKS, HOOKS } from "../../hooks/manifest.ts";
import { HOOKS_DOC, withTable } from "../../scripts/hook-table.ts";

test("docs/hooks.md has the table that the manifest makes; npx tsx scripts/hook-table.ts writes it", () => {
  const doc = readFileSync(HOOKS_DOC, "utf8");
  assert.equal(doc, withTable(doc));
});

test("every hook that starts the runtime has a handler, and every handler a hook", () => {
  const needed = (hooks: readonly { name: string; mode: string }[]) =>
    hooks.filter(({ mode }) => mode !== "spool").map(({ name }) => name);
  assert.deepEqual(Object.keys(CLAUDE_HANDLERS).sort(), needed(CLAUDE_HOOKS).sort());
  assert.deepEqual(Object.keys(GIT_HANDLERS).sort(), needed(GIT_HOOKS).sort());
});

test("names are unique, and only hooks that decide may refuse", () => {
  assert.equal(new Set(HOOKS.map(({ kind, name }) => `${kind} ${name}`)).size, HOOKS.length);
  assert.deepEqual(
    HOOKS.filter(({ blocking, mode }) => blocking && mode !== "decide"),
    [],
  );
});
