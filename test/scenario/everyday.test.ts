/** What people and sessions do all day; each was found to go wrong once by somebody who tried it. */
import assert from "node:assert/strict";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeScratch, run } from "../support/repo/mod.ts";
import { scenario } from "../support/scenario/mod.ts";

scenario("a folder is renamed: its files go along, though none of them has changed", {
  setup: "mkdir sub; seq 9 >sub/s.txt; git add .; git commit -qm sub",
  given: `B edits b.txt`,
  when: `
    A$ sleep 0.1; mv sub lib
    A$ git add -A; git commit -qm A
  `,
  today: async (w) => assert.deepEqual(await w.log("HEAD~1.."), ["A: b.txt lib/s.txt sub/s.txt"]),
  must: async (w) => {
    assert.deepEqual(await w.log("HEAD~1.."), ["A: lib/s.txt sub/s.txt"]);
    await w.unharmed("B");
  },
});

scenario("git refuses -a with paths, also where something would be left out", {
  given: `
    A edits a.txt
    A edits c.txt
    B edits b.txt
  `,
  when: `A$ git commit -qam A c.txt`,
  must: async (w) => {
    assert.match(w.last.stderr, /does not make sense/);
    assert.deepEqual(await w.log(), []);
  },
});

scenario("one's own merge is undone", {
  setup: "git switch -q -c topic; echo t >t.txt; git add .; git commit -qm topic; git switch -q main",
  given: `
    B edits b.txt
    A edits a.txt
    A$ git add a.txt; git commit -qm A; git merge -q --no-edit topic
  `,
  when: `A$ git reset -q --keep ORIG_HEAD`,
  must: async (w) => {
    w.fine();
    assert.deepEqual(await w.log(), ["A: a.txt"]);
    await w.unharmed("B");
  },
});

scenario("an amend of a commit's message alone takes nothing of what another has changed since", {
  given: `
    A edits b.txt
    A$ git add b.txt; git commit -qm A
    B edits b.txt
  `,
  when: `
    A$ git commit -q --amend -m A2
    A$ git add -A; git checkout -- b.txt
  `,
  must: async (w) => {
    assert.equal(w.steps.at(-2)?.done.stderr, "");
    assert.match(w.last.stderr, /b\.txt \(session bob/);
    assert.deepEqual(await w.log(), ["A2: b.txt"]);
    await w.unharmed("B");
  },
});

scenario("a merge with conflicts that one began alone is one's own when another comes", {
  sessions: "A",
  setup:
    "git switch -q -c topic; sed -i s/1/topic/ a.txt; git commit -qam topic; git switch -q main; sed -i s/1/main/ a.txt; git commit -qam main",
  given: `A$ git merge -q topic || :`,
  when: `
    B comes
    A$ git checkout --theirs a.txt && git add a.txt && git commit -qm merged
  `,
  must: async (w) => {
    w.fine();
    assert.match(w.read("a.txt"), /topic/);
  },
});

test("three sessions stash and pop at once: nobody gets or loses another's lines", async (t) => {
  const repo = await makeScratch(t, { files: { "ada.txt": "", "bob.txt": "", "cyd.txt": "" } });
  const names = ["ada", "bob", "cyd"];
  const rounds = 4;
  await Promise.all(
    names.map(async (name) => {
      const session = await repo.startSession(name);
      for (let i = 0; i < rounds; i++) {
        await session.command(
          `echo ${name}-${i} >>${name}.txt; git stash -q && git stash pop -q; git commit -qam ${name}-${i}`,
        );
        assert.match(repo.read(`${name}.txt`), new RegExp(`${name}-${i}$`, "m"));
      }
    }),
  );
  const lines = Array.from({ length: rounds }, (_, i) => i);
  for (const name of names)
    assert.equal(repo.read(`${name}.txt`), lines.map((i) => `${name}-${i}\n`).join(""));
  assert.equal(await repo.mustGit("stash", "list"), "");
  assert.doesNotMatch(await repo.mustGit("log", "-p", "--format="), /^-[a-z]/m, "nothing was taken back");
});

test("a person commits just before a session's stash: popped, it takes nothing back", async (t) => {
  const repo = await makeScratch(t, { files: { "a.txt": "1\n", "b.txt": "1\n", "c.txt": "1\n" } });
  const ada = await repo.startSession("ada");
  const bob = await repo.startSession("bob");
  await bob.command("echo bob >>b.txt");
  const bin = join(repo.dir, "bin");
  mkdirSync(bin);
  const real = (await run("sh", ["-c", "command -v git"], { cwd: repo.dir, env: repo.env })).stdout.trim();
  writeFileSync(
    join(bin, "git"),
    `#!/bin/sh
case " $* " in *" stash push "*)
  [ -e "${bin}/once" ] || {
    : >"${bin}/once"
    (unset GIT_DIR GIT_WORK_TREE CLAUDE_CODE_SESSION_ID; cd "${repo.top}"; echo person >>c.txt; "${real}" commit -qm person c.txt)
  } ;;
esac
exec "${real}" "$@"
`,
    { mode: 0o755 },
  );
  await ada.command("echo ada >>a.txt");
  const done = await ada.command(
    `export SIGNALBOX_GIT=${bin}/git; git stash -q && git stash pop -q; git commit -qam ada`,
  );
  assert.ok(existsSync(join(bin, "once")), done.stderr);
  assert.deepEqual(await repo.pathsOf(), ["a.txt"]);
  assert.equal(repo.read("c.txt"), "1\nperson\n");
  assert.equal(await repo.mustGit("show", "HEAD:c.txt"), "1\nperson\n");
});

for (const how of ["empty", "gone"])
  test(`the base of people's index is ${how}: their next commit takes nothing back`, async (t) => {
    const repo = await makeScratch(t, { files: { "a.txt": "1\n", "b.txt": "1\n", "c.txt": "1\n" } });
    const ada = await repo.startSession("ada");
    await ada.command("echo ada >>a.txt; git add a.txt");
    repo.write("b.txt", "person\n");
    await repo.mustGit("add", "b.txt");
    const base = repo.path(".git/signalbox-base");
    if (how === "empty") writeFileSync(base, "");
    else rmSync(base);
    await ada.command("git commit -qm ada; echo more >>a.txt; git commit -qm more a.txt");
    assert.equal(await repo.mustGit("status", "--porcelain"), "M  b.txt\n");
    await repo.mustGit("commit", "-qm", "person");
    assert.deepEqual(await repo.pathsOf(), ["b.txt"]);
  });
