/** Work under rescue refs comes back byte for byte, whatever its names, modes and contents; real git throughout. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test, type TestContext } from "node:test";
import * as fc from "fast-check";
import { dropRescue, keepTip, listRescues, saveRescue, showRescue } from "../../src/adapters/git/rescue.ts";
import { restoreRescue } from "../../src/adapters/git/rescue-restore.ts";
import { type Contents, readMessage, writeMessage } from "../../src/adapters/git/rescue-message.ts";
import { git, toBytes } from "../../src/adapters/git/run.ts";
import { makeScratch, must, type ScratchOptions, type ScratchRepo } from "../support/repo/mod.ts";

// What is tested runs git in this process's environment: nobody's name, no configuration.
for (const name of Object.keys(process.env)) if (/^(?:GIT_|SIGNALBOX)/.test(name)) delete process.env[name];
Object.assign(process.env, { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" });

const SESSION = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed";
const BASE = {
  "a.txt": "1\n2\n3\n",
  "b.txt": "b\n",
  "dir/c.txt": "c\n",
  "g.txt": "g\n",
  "run.sh": "#!/bin/sh\n",
};

type Plain = ScratchRepo & { readonly at: { readonly cwd: string } };

async function plain(t: TestContext, options: ScratchOptions = {}): Promise<Plain> {
  const repo = await makeScratch(t, { install: false, files: BASE, ...options });
  return Object.assign(repo, { at: { cwd: repo.top } });
}

/** Everything in a working tree: kind, permissions, content. */
function snapshot(top: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (folder: Buffer, name: string) => {
    for (const child of readdirSync(folder, { encoding: "buffer" })) {
      const path = Buffer.concat([folder, Buffer.from("/"), child]);
      const key = name + child.toString("latin1");
      if (key === ".git") continue;
      const stat = lstatSync(path);
      if (stat.isDirectory()) walk(path, `${key}/`);
      else
        found[key] = stat.isSymbolicLink()
          ? `-> ${readlinkSync(path, { encoding: "latin1" as BufferEncoding })}`
          : `${(stat.mode & 0o7777).toString(8)} ${readFileSync(path, "latin1")}`;
    }
  };
  walk(Buffer.from(top), "");
  return found;
}

const stagedIn = (repo: ScratchRepo) => repo.mustGit("ls-files", "-s", "-z");

/** All kinds of uncommitted work at once; answers with its paths. */
async function muchWork(repo: ScratchRepo): Promise<string[]> {
  repo.write(".gitignore", "*.log\n");
  await repo.mustGit("add", ".gitignore");
  await repo.mustGit("commit", "-qm", "ignore");
  repo.write("a.txt", "1\r\nzwei\r\n\0\xff");
  rmSync(repo.path("g.txt"));
  chmodSync(repo.path("run.sh"), 0o755);
  repo.write("new/deep/u.txt", "untracked");
  chmodSync(repo.path("new/deep/u.txt"), 0o600);
  repo.write("build.log", "ignored\n");
  repo.write("new/empty", "");
  repo.write("tool", "#!/bin/sh\n");
  chmodSync(repo.path("tool"), 0o750);
  symlinkSync("nowhere/at all", repo.path("link"));
  rmSync(repo.path("b.txt"));
  symlinkSync("a.txt", repo.path("b.txt"));
  return ["a.txt", "g.txt", "run.sh", "new/deep/u.txt", "build.log", "new/empty", "tool", "link", "b.txt"];
}

describe("files", () => {
  test("everything comes back after reset --hard and clean -fdx, and after gc", async (t) => {
    const repo = await plain(t);
    const files = await muchWork(repo);
    const before = snapshot(repo.top);
    const saved = saveRescue(repo.at, { session: SESSION, reason: "a test", files });
    assert.equal(saved?.ref, `refs/signalbox/rescue/${SESSION}/1`);
    assert.deepEqual(saved.paths, [...files].sort());
    assert.deepEqual(snapshot(repo.top), before, "saving touches nothing");
    await repo.mustGit("reset", "-q", "--hard");
    await repo.mustGit("clean", "-qfdx");
    await repo.mustGit("reflog", "expire", "--all", "--expire=now");
    await repo.mustGit("gc", "-q", "--prune=now");
    assert.notDeepEqual(snapshot(repo.top), before);
    const { restored, kept } = restoreRescue(repo.at, saved.ref);
    assert.deepEqual(kept, []);
    assert.deepEqual(restored, [...files].sort());
    assert.deepEqual(snapshot(repo.top), before);
    assert.deepEqual(restoreRescue(repo.at, saved.ref).kept, [], "once more is the same");
    assert.deepEqual(snapshot(repo.top), before);
  });

  test("neither line ends nor filters change a byte", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("config", "core.autocrlf", "true");
    await repo.mustGit("config", "filter.up.clean", "tr a-z A-Z");
    await repo.mustGit("config", "filter.up.smudge", "tr A-Z a-z");
    repo.write(".gitattributes", "*.up filter=up\n");
    repo.write("x.up", "mixed Case\n");
    repo.write("a.txt", "a\nb\r\nc\n");
    const before = snapshot(repo.top);
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: ["x.up", "a.txt"] })!;
    rmSync(repo.path("x.up"));
    await repo.mustGit("checkout", "-q", "--", "a.txt");
    assert.deepEqual(restoreRescue(repo.at, ref).kept, [], "a.txt is HEAD's, though with other line ends");
    assert.deepEqual(snapshot(repo.top), before);
  });

  test("a file where HEAD has a folder, and a folder where it has a file", async (t) => {
    const repo = await plain(t);
    rmSync(repo.path("a.txt"));
    repo.write("a.txt/x", "in a folder");
    rmSync(repo.path("dir"), { recursive: true });
    repo.write("dir", "a file");
    const before = snapshot(repo.top);
    const files = ["a.txt", "a.txt/x", "dir", "dir/c.txt"];
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files })!;
    await repo.mustGit("reset", "-q", "--hard");
    await repo.mustGit("clean", "-qfd");
    assert.ok(lstatSync(repo.path("a.txt")).isFile());
    assert.deepEqual(restoreRescue(repo.at, ref).kept, []);
    assert.deepEqual(snapshot(repo.top), before);
    rmSync(repo.path("dir"));
    repo.write("dir/c.txt", "theirs");
    repo.write("dir/d.txt", "theirs, too");
    const theirs = snapshot(repo.top);
    assert.deepEqual(
      restoreRescue(repo.at, ref)
        .kept.map(({ path }) => path)
        .sort(),
      ["dir", "dir/c.txt"],
    );
    assert.deepEqual(snapshot(repo.top), theirs);
  });

  test("names of any bytes, and names that look like something else", async (t) => {
    const repo = await plain(t);
    const names = [
      "new\nline",
      'tab\t"quote"\\',
      "-f",
      ":(top)x",
      "*",
      "ü ñ 日本",
      " blank ",
      "git~1",
      "a@stage2",
      "#x",
    ];
    for (const name of names) repo.write(name, `in ${name}`);
    const before = snapshot(repo.top);
    const { ref, paths } = saveRescue(repo.at, { session: "s", reason: "r", files: names })!;
    assert.deepEqual(paths, [...names].sort());
    for (const name of names) rmSync(repo.path(name));
    assert.deepEqual(restoreRescue(repo.at, ref).restored, [...names].sort());
    assert.deepEqual(snapshot(repo.top), before);
    assert.deepEqual(listRescues(repo.at)[0]!.paths, [...names].sort());
    assert.match(showRescue(repo.at, ref), /ü ñ 日本/);
  });

  test("a name that is no UTF-8, said as text", async (t) => {
    const repo = await plain(t);
    const name = Buffer.from("bad\xff.txt", "latin1");
    const file = Buffer.concat([Buffer.from(`${repo.top}/`), name]);
    writeFileSync(file, "here");
    const before = snapshot(repo.top);
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: [name.toString("utf8")] })!;
    rmSync(file);
    assert.deepEqual(restoreRescue(repo.at, ref).kept, []);
    assert.deepEqual(snapshot(repo.top), before);
  });

  test("of a folder everything, of another repository nothing", async (t) => {
    const repo = await plain(t);
    repo.write("new/a/b", "1");
    repo.write("new/c", "2");
    await must("git", ["init", "-q", repo.path("new/inner")], { cwd: repo.top, env: repo.env });
    repo.write("new/inner/x", "not ours");
    const { paths } = saveRescue(repo.at, { session: "s", reason: "r", files: ["new/"] })!;
    assert.deepEqual(paths, ["new/a/b", "new/c"]);
  });

  test("nothing to save is no rescue", async (t) => {
    const repo = await plain(t);
    assert.equal(saveRescue(repo.at, { session: "s", reason: "r", files: ["no such file"] }), undefined);
    assert.equal(saveRescue(repo.at, { session: "s", reason: "r", files: [] }), undefined);
    assert.equal(saveRescue(repo.at, { session: "s", reason: "r", index: repo.at }), undefined);
    assert.deepEqual(listRescues(repo.at), []);
  });

  test("paths out of the tree, by .. or by a symbolic link, are not read", async (t) => {
    const repo = await plain(t);
    writeFileSync(join(repo.dir, "secret"), "secret");
    symlinkSync(repo.dir, repo.path("out"));
    const files = ["../secret", "out/secret", join(repo.dir, "secret")];
    assert.equal(saveRescue(repo.at, { session: "s", reason: "r", files }), undefined);
  });

  test("a file that nobody can read is an error, not a loss", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "changed");
    mkdirSync(repo.path("u"));
    if (process.getuid?.() === 0) return t.skip("root reads everything");
    chmodSync(repo.path("a.txt"), 0);
    assert.throws(() => saveRescue(repo.at, { session: "s", reason: "r", files: ["a.txt"] }), /a\.txt/);
  });

  test("before the first commit, and with SHA-256", async (t) => {
    const repo = await plain(t, { commit: false, files: {} });
    rmSync(repo.path(".git"), { recursive: true });
    await repo.mustGit("init", "-q", "-b", "main", "--object-format=sha256");
    repo.write("s.txt", "staged\n");
    repo.write("u.txt", "new\n");
    await repo.mustGit("add", "s.txt");
    const gitDir = repo.path(".git");
    const index = { ...repo.at, gitDir, workTree: repo.top };
    const saved = saveRescue(repo.at, { session: "s", reason: "r", index, files: ["u.txt"] });
    assert.deepEqual(saved?.paths, ["s.txt", "u.txt"]);
    const staged = await stagedIn(repo);
    await repo.mustGit("rm", "-qf", "s.txt");
    rmSync(repo.path("u.txt"));
    assert.deepEqual(restoreRescue(repo.at, saved.ref, { index: true }).kept, []);
    assert.equal(repo.read("s.txt") + repo.read("u.txt"), "staged\nnew\n");
    assert.equal(await stagedIn(repo), staged);
    assert.match(showRescue(repo.at, saved.ref), /\+staged/);
  });

  test("thousands of files", async (t) => {
    const repo = await plain(t);
    const files = Array.from({ length: 1000 }, (_, i) => `many/a rather long folder name ${i % 40}/${i}.txt`);
    for (const file of files) repo.write(file, file);
    const before = snapshot(repo.top);
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files })!;
    rmSync(repo.path("many"), { recursive: true });
    assert.equal(restoreRescue(repo.at, ref).restored.length, 1000);
    assert.deepEqual(snapshot(repo.top), before);
  });

  test("a large file goes to the disk by itself", async (t) => {
    const repo = await plain(t);
    const content = Buffer.alloc((64 << 20) + 5, "large ");
    writeFileSync(repo.path("large"), content);
    await repo.mustGit("config", "core.looseCompression", "0");
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: ["large"] })!;
    rmSync(repo.path("large"));
    assert.deepEqual(restoreRescue(repo.at, ref).restored, ["large"]);
    assert.ok(readFileSync(repo.path("large")).equals(content));
  });
});

describe("what is there meanwhile", () => {
  test("stays, unless forced; then it is under a ref of its own", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "mine\n");
    repo.write("u.txt", "mine\n");
    rmSync(repo.path("g.txt"));
    const files = ["a.txt", "u.txt", "g.txt"];
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files })!;
    for (const file of files) repo.write(file, `theirs, ${file}\n`);
    const theirs = snapshot(repo.top);
    const refused = restoreRescue(repo.at, ref);
    assert.deepEqual(refused.restored, []);
    assert.deepEqual(refused.kept.map(({ path }) => path).sort(), [...files].sort());
    assert.equal(refused.saved, undefined);
    assert.deepEqual(snapshot(repo.top), theirs);
    const forced = restoreRescue(repo.at, ref, { force: true });
    assert.deepEqual(forced.restored, [...files].sort());
    assert.equal(repo.read("a.txt") + repo.read("u.txt"), "mine\nmine\n");
    assert.ok(!existsSync(repo.path("g.txt")));
    assert.equal(forced.saved, "refs/signalbox/rescue/s/2");
    assert.deepEqual(restoreRescue(repo.at, forced.saved, { force: true }).kept, []);
    assert.deepEqual(snapshot(repo.top), theirs);
  });

  test("a folder or a symbolic link in the way stays, even by force", async (t) => {
    const repo = await plain(t);
    repo.write("x", "file");
    repo.write("y/z", "file");
    repo.write("w/z", "file");
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: ["x", "y/z", "w/z"] })!;
    for (const name of ["x", "y", "w"]) rmSync(repo.path(name), { recursive: true });
    repo.write("x/inner", "theirs");
    symlinkSync(repo.dir, repo.path("y"));
    repo.write("w", "theirs");
    const before = snapshot(repo.top);
    for (const force of [false, true]) {
      const { kept } = restoreRescue(repo.at, ref, { force });
      assert.deepEqual(kept.map(({ path }) => path).sort(), ["w/z", "x", "y/z"]);
      assert.deepEqual(snapshot(repo.top), before);
    }
    assert.ok(!existsSync(join(repo.dir, "z")));
  });

  test("what HEAD has moved to is HEAD's, too", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "mine\n");
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: ["a.txt"] })!;
    repo.write("a.txt", "committed\n");
    await repo.mustGit("commit", "-qam", "next");
    assert.deepEqual(restoreRescue(repo.at, ref).restored, ["a.txt"]);
    assert.equal(repo.read("a.txt"), "mine\n");
  });
});

describe("what is staged", () => {
  test("is restored into files, and staged again by --index", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "staged\n");
    repo.write("s.txt", "new, staged\n");
    await repo.mustGit("add", "a.txt", "s.txt");
    await repo.mustGit("rm", "-q", "g.txt");
    await repo.mustGit("update-index", "--chmod=+x", "run.sh");
    const staged = await stagedIn(repo);
    const index = { ...repo.at, gitDir: repo.path(".git"), workTree: repo.top };
    const { ref, paths } = saveRescue(repo.at, { session: "s", reason: "r", index })!;
    assert.deepEqual(paths, ["a.txt", "g.txt", "run.sh", "s.txt"]);
    await repo.mustGit("reset", "-q", "--hard");
    const plainly = restoreRescue(repo.at, ref);
    assert.deepEqual(plainly.restored, ["a.txt", "run.sh", "s.txt"]);
    assert.deepEqual(
      plainly.kept.map(({ path }) => path),
      ["g.txt"],
    );
    assert.equal(repo.read("a.txt") + repo.read("s.txt"), "staged\nnew, staged\n");
    assert.notEqual(await stagedIn(repo), staged);
    assert.deepEqual(restoreRescue(repo.at, ref, { index: true }).kept, []);
    assert.equal(await stagedIn(repo), staged);
  });

  test("and changed again since: both come back", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "staged\n");
    await repo.mustGit("add", "a.txt");
    repo.write("a.txt", "on disk\n");
    const staged = await stagedIn(repo);
    const index = { ...repo.at, gitDir: repo.path(".git"), workTree: repo.top };
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", index, files: ["a.txt"] })!;
    await repo.mustGit("reset", "-q", "--hard");
    restoreRescue(repo.at, ref, { index: true });
    assert.equal(repo.read("a.txt"), "on disk\n");
    assert.equal(await stagedIn(repo), staged);
    const shown = showRescue(repo.at, ref);
    assert.match(shown, /\+on disk/);
    assert.match(shown, /\nstaged:\n[^]*\+staged/);
  });

  test("the sides of a conflict come back as such", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("checkout", "-qb", "topic");
    repo.write("a.txt", "theirs\n");
    await repo.mustGit("commit", "-qam", "theirs");
    await repo.mustGit("checkout", "-q", "main");
    repo.write("a.txt", "ours\n");
    await repo.mustGit("commit", "-qam", "ours");
    await repo.git("merge", "topic");
    const staged = await stagedIn(repo);
    assert.match(staged, / 3\ta\.txt/);
    const index = { ...repo.at, gitDir: repo.path(".git"), workTree: repo.top };
    const { ref, paths } = saveRescue(repo.at, { session: "s", reason: "r", index })!;
    assert.deepEqual(paths, ["a.txt"]);
    await repo.mustGit("reset", "-q", "--hard");
    await repo.mustGit("gc", "-q", "--prune=now");
    assert.match(restoreRescue(repo.at, ref).kept[0]!.why, /--index/);
    assert.deepEqual(restoreRescue(repo.at, ref, { index: true }).kept, []);
    assert.equal(await stagedIn(repo), staged);
  });

  test("where something else is staged, that stays, unless forced", async (t) => {
    const repo = await plain(t);
    repo.write("a.txt", "mine\n");
    await repo.mustGit("add", "a.txt");
    const mine = await stagedIn(repo);
    const index = { ...repo.at, gitDir: repo.path(".git"), workTree: repo.top };
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", index })!;
    repo.write("a.txt", "theirs\n");
    await repo.mustGit("add", "a.txt");
    const theirs = await stagedIn(repo);
    assert.notDeepEqual(restoreRescue(repo.at, ref, { index: true }).kept, []);
    assert.equal(await stagedIn(repo), theirs);
    const { saved, kept } = restoreRescue(repo.at, ref, { index: true, force: true });
    assert.deepEqual(kept, []);
    assert.equal(await stagedIn(repo), mine);
    restoreRescue(repo.at, saved!, { index: true, force: true });
    assert.equal(await stagedIn(repo), theirs);
    assert.equal(repo.read("a.txt"), "theirs\n");
  });

  test("relative to the index's own base, not to where HEAD is by now", async (t) => {
    const repo = await plain(t);
    const base = await repo.head();
    const gitDir = repo.path(".git");
    repo.write("s.txt", "mine\n");
    await repo.mustGit("add", "s.txt");
    const index = { ...repo.at, gitDir, workTree: repo.top };
    // Another commits b.txt; this index knows nothing of it.
    const blob = git({ ...repo.at }, ["hash-object", "-w", "--stdin"], { input: "theirs\n" }).trim();
    const other = join(repo.dir, "other-index");
    const env = { ...repo.env, GIT_INDEX_FILE: other };
    await must("git", ["read-tree", "HEAD"], { cwd: repo.top, env });
    await must("git", ["update-index", "--cacheinfo", `100644,${blob},b.txt`], { cwd: repo.top, env });
    await must("git", ["commit", "-qm", "theirs"], { cwd: repo.top, env });
    writeFileSync(join(gitDir, "signalbox-base"), `${base}\n`);
    assert.deepEqual(saveRescue(repo.at, { session: "s", reason: "r", index })?.paths, ["s.txt"]);
  });
});

describe("refs", () => {
  test("many at once get a number each", async (t) => {
    const repo = await plain(t);
    const module = join(import.meta.dirname, "../../src/adapters/git/rescue.ts");
    const code = `
      const { saveRescue } = await import(${JSON.stringify(module)});
      for (let i = 0; i < 5; i++)
        console.log(saveRescue({ cwd: ${JSON.stringify(repo.top)} }, { session: "s", reason: String(i), files: ["a.txt"] }).ref);
    `;
    const refs = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const child = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", code], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        let out = "";
        for await (const chunk of child.stdout) out += String(chunk);
        return out.trim().split("\n");
      }),
    );
    const numbers = refs.flat().map((ref) => Number(ref.slice("refs/signalbox/rescue/s/".length)));
    assert.deepEqual(
      numbers.sort((a, b) => a - b),
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    assert.equal(listRescues(repo.at).length, 20);
  });

  test("are listed, oldest first, in full; dropped by name", async (t) => {
    const repo = await plain(t);
    const reason = 'before: sh -c "\n"\tü';
    const start = Date.now();
    const session = "über/session..lock";
    const { ref } = saveRescue(repo.at, { session, reason, files: ["a.txt"] })!;
    await repo.mustGit("check-ref-format", ref);
    saveRescue(repo.at, { session: "other", reason: "r", files: ["b.txt"] });
    const [first, second] = listRescues(repo.at);
    assert.ok(first!.at >= start && first!.at <= Date.now());
    assert.deepEqual(
      { ...first, at: 0, commit: "" },
      { ref, session, n: 1, reason, paths: ["a.txt"], at: 0, commit: "" },
    );
    assert.equal(second!.session, "other");
    dropRescue(repo.at, ref);
    assert.deepEqual(
      listRescues(repo.at).map(({ session }) => session),
      ["other"],
    );
    assert.throws(() => dropRescue(repo.at, ref));
    assert.throws(() => dropRescue(repo.at, "refs/heads/main"));
    assert.throws(() => showRescue(repo.at, ref));
  });

  test("the user's hooks and identity are left alone", async (t) => {
    const repo = await plain(t);
    mkdirSync(repo.path(".git/hooks"), { recursive: true });
    writeFileSync(repo.path(".git/hooks/reference-transaction"), "#!/bin/sh\nexit 1\n", { mode: 0o755 });
    await repo.mustGit("config", "user.useConfigOnly", "true");
    const { ref } = saveRescue(repo.at, { session: "s", reason: "r", files: ["a.txt"] })!;
    assert.equal(await repo.mustGit("log", "-1", "--format=%an %cn", ref), "signalbox signalbox\n");
  });

  test("a tip that no branch holds is kept", async (t) => {
    const repo = await plain(t);
    await repo.mustGit("commit", "-qm", "lost", "--allow-empty");
    const tip = await repo.head();
    assert.equal(keepTip(repo.at, tip), `refs/signalbox/keep/${tip}`);
    assert.equal(keepTip(repo.at, tip), `refs/signalbox/keep/${tip}`, "twice is once");
    await repo.mustGit("reset", "-q", "--hard", "HEAD~1");
    await repo.mustGit("reflog", "expire", "--all", "--expire=now");
    await repo.mustGit("gc", "-q", "--prune=now");
    assert.equal((await repo.mustGit("log", "-1", "--format=%s", tip)).trim(), "lost");
    assert.throws(() => keepTip(repo.at, "no such"));
  });
});

test("a message says again what was written", () => {
  const bytes = fc.string({ unit: "binary-ascii" }).map((text) => toBytes(text));
  const raw = fc
    .uint8Array({ minLength: 1, maxLength: 12 })
    .map((all) => Buffer.from(all).toString("latin1"));
  const permissions = fc.option(fc.integer({ min: 0, max: 0o7777 }), { nil: undefined });
  const file = fc.record({ path: raw, permissions }, { noNullPrototype: true });
  const hash = fc.option(fc.constantFrom("a".repeat(40), "b".repeat(64)), { nil: undefined });
  const contents: fc.Arbitrary<Contents> = fc.record(
    {
      session: raw,
      reason: bytes,
      at: fc.nat(),
      head: hash,
      index: hash,
      files: fc.array(file),
      added: fc.array(file),
      deleted: fc.array(raw),
      staged: fc.array(raw),
      unstaged: fc.array(raw),
      unmerged: fc.array(raw),
    },
    { noNullPrototype: true },
  );
  fc.assert(fc.property(contents, (one) => assert.deepEqual(readMessage(writeMessage(one)), one)));
});
