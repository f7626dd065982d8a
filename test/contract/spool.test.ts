/** What shell hooks leave for the next fold, read back. */
import assert from "node:assert/strict";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test, type TestContext } from "node:test";
import { spoolIn } from "../../src/adapters/spool.ts";
import { payload } from "../support/repo/mod.ts";

/** A gitdir good enough for `locate`, with an empty spool. */
function scratch(t: TestContext) {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-spool-")));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  const commonDir = join(dir, "repo/.git");
  for (const name of ["objects", "refs", "signalbox/spool/seen", "signalbox/spool/wrote"])
    mkdirSync(join(commonDir, name), { recursive: true });
  writeFileSync(join(commonDir, "HEAD"), "ref: refs/heads/main\n");
  const boxDir = join(commonDir, "signalbox");
  const spool = spoolIn(boxDir, { commonDir, ignoreCase: false });
  return {
    top: dirname(commonDir),
    boxDir,
    spool,
    wrote(entry: string, text: string, ageMs = 0): void {
      const file = join(boxDir, "spool/wrote", entry);
      writeFileSync(file, text);
      const at = new Date(Date.now() - ageMs);
      utimesSync(file, at, at);
    },
    left: () => readdirSync(join(boxDir, "spool/wrote")),
  };
}

const edit = (path: string, more: object = {}) =>
  JSON.stringify({ ...payload.editPayload({ session: "ada", cwd: "/" }, "PostToolUse", path), ...more });

test("entries come oldest first, and stay until they are done", (t) => {
  const { spool, wrote, top, left } = scratch(t);
  wrote("ada.1.0", edit(join(top, "late.txt")), 1000);
  wrote("ada.2.0", edit(join(top, "early.txt")), 5000);
  const drained = spool.drain();
  assert.deepEqual(
    drained.map((e) => (e.kind === "wrote" ? [e.session, e.path, e.tool] : [])),
    [
      ["ada", "early.txt", "Edit"],
      ["ada", "late.txt", "Edit"],
    ],
  );
  assert.equal(spool.drain().length, 2, "a crash before the append loses nothing");
  spool.done(drained.flatMap((e) => (e.kind === "wrote" ? [e.entry] : [])));
  assert.deepEqual([spool.drain(), left()], [[], []]);
});

test("a payload cut after its path is whole enough; one cut before it waits, and is dropped when old", (t) => {
  const { spool, wrote, top, left } = scratch(t);
  const text = edit(join(top, "a.txt"), { agent_id: "ae30" });
  const reordered = `{"agent_id":"ae30","tool_name":"Write","tool_input":{"file_path":${JSON.stringify(join(top, 'é"q.txt'))},"content":"cut of`;
  wrote("ada.1.0", reordered);
  wrote("ada.1.1", text.slice(0, text.indexOf("file_path") + 5));
  assert.deepEqual(
    spool.drain().map((e) => (e.kind === "wrote" ? [e.path, e.agent, e.tool] : [])),
    [['é"q.txt', "ae30", "Write"]],
  );
  assert.equal(left().length, 2, "the other may still be written");
  wrote("ada.1.1", "{", 120_000);
  spool.drain();
  assert.deepEqual(left(), ["ada.1.0"]);
});

test("a path in the file's content is not taken for the file's path", (t) => {
  const { spool, wrote, top } = scratch(t);
  wrote(
    "ada.1.0",
    JSON.stringify({
      session_id: "ada",
      prompt: '"file_path":"/x"',
      tool_name: "Write",
      tool_input: { file_path: join(top, "a.txt"), content: '"file_path":"/evil"' },
    }),
  );
  assert.deepEqual(
    spool.drain().map((e) => (e.kind === "wrote" ? e.path : "")),
    ["a.txt"],
  );
});

test("other repositories' files and names that are no sessions' are dropped, not reported", (t) => {
  const { spool, wrote, boxDir, left } = scratch(t);
  wrote("ada.1.0", edit("/nonexistent/elsewhere.txt"), 120_000);
  wrote("ada.1.1", edit(join(boxDir, "log/x")), 120_000);
  wrote("not a session.1.0", edit("/x"));
  wrote("no-number", edit("/x"));
  assert.deepEqual(spool.drain(), []);
  assert.ok(!left().includes("ada.1.0") && !left().includes("ada.1.1"));
});

test("signs of life are the marks' times; marks of nobody are ignored", (t) => {
  const { spool, boxDir } = scratch(t);
  for (const name of ["ada", ".hidden", "a b"]) writeFileSync(join(boxDir, "spool/seen", name), "");
  const at = new Date(1_700_000_000_000);
  utimesSync(join(boxDir, "spool/seen/ada"), at, at);
  assert.equal(spool.lastSeen("ada"), at.getTime());
  assert.deepEqual([".hidden", "a b", "../seen/ada", "bob"].map(spool.lastSeen), Array(4).fill(undefined));
});

test("one fold takes a bounded number, the next ones the rest", (t) => {
  const { spool, wrote, top } = scratch(t);
  for (let i = 0; i < 300; i++) wrote(`ada.7.${i}`, edit(join(top, `${i}.txt`)));
  const seen = new Set<string>();
  for (let round = 0; round < 2; round++) {
    const entries = spool.drain().flatMap((e) => (e.kind === "wrote" ? [e.entry] : []));
    for (const entry of entries) seen.add(entry);
    spool.done(entries);
  }
  assert.deepEqual([seen.size, spool.drain()], [300, []]);
});

test("what nobody comes back for is pruned: marks of dead sessions, of commits long gone", (t) => {
  const { spool, boxDir } = scratch(t);
  const old = new Date(Date.now() - 48 * 3_600_000);
  for (const name of ["ada", "dead", "young"]) writeFileSync(join(boxDir, "spool/seen", name), "");
  spool.markChecked("1");
  spool.markChecked("2");
  for (const name of ["seen/ada", "seen/dead", "checked/1"])
    utimesSync(join(boxDir, "spool", name), old, old);
  spool.prune(new Set(["ada"]));
  assert.deepEqual(readdirSync(join(boxDir, "spool/seen")).sort(), ["ada", "young"]);
  assert.deepEqual(readdirSync(join(boxDir, "spool/checked")), ["2"]);
});

test("an entry that another fold drains and removes at the same time is that one's", (t) => {
  const { spool, wrote, top } = scratch(t);
  for (const n of [0, 1]) wrote(`ada.1.${n}`, edit(join(top, `${n}.txt`)));
  const read = fs.readFileSync;
  // The moment between finding the entry and reading it.
  t.mock.method(fs, "readFileSync", (file: string, encoding: "utf8") => {
    if (file.endsWith("ada.1.0")) rmSync(file);
    return read(file, encoding);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
  assert.deepEqual(
    spool.drain().map((e) => (e.kind === "wrote" ? e.path : "")),
    ["1.txt"],
  );
});

test("no spool at all is an empty one", (t) => {
  const { spool, boxDir } = scratch(t);
  rmSync(join(boxDir, "spool"), { recursive: true });
  assert.deepEqual(spool.drain(), []);
  spool.done(["ada.1.0"]);
  spool.markChecked("123");
  assert.ok(existsSync(join(boxDir, "spool/checked/123")));
  spool.unmarkChecked("123");
  assert.ok(!existsSync(join(boxDir, "spool/checked/123")));
});
