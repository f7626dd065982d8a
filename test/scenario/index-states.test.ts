/** Whatever is staged, it is carried over a commit of somebody else: merged, or a conflict that git itself knows. */
import assert from "node:assert/strict";
import { scenario, type World } from "../support/scenario/mod.ts";

/** A person's commit of one path that touches no file on disk. */
const commits = (path: string, sed: string) =>
  `H$ b=$(git show HEAD:${path} 2>/dev/null | sed '${sed}' | git hash-object -w --stdin); git update-index --add --cacheinfo 100644,$b,${path}; git commit -qm H`;

const inHead = (w: World, path: string) => w.repo.mustGit("show", `HEAD:${path}`);

scenario("G6: what is staged is what another has committed meanwhile", {
  sessions: "B",
  given: `
    B edits b.txt: same
    B$ git add b.txt
  `,
  when: `
    H$ b=$(git hash-object -w b.txt); git update-index --cacheinfo 100644,$b,b.txt; git commit -qm H
    B$ git commit -qm B
  `,
  must: async (w) => {
    assert.notEqual(w.last.code, 0);
    assert.deepEqual(await w.log(), ["H: b.txt"], "no empty commit");
  },
});

scenario("G7: line 9 is staged, another commits line 2 of it", {
  sessions: "B",
  given: `
    B edits c.txt with 9=nine
    B$ git add c.txt
  `,
  when: `
    ${commits("c.txt", "s/^2$/two/")}
    B$ git commit -qm B
  `,
  today: async (w) => {
    assert.notEqual(w.last.code, 0);
    assert.deepEqual(await w.log(), ["H: c.txt"], "what B had staged is not staged any more");
  },
  must: async (w) => {
    w.fine();
    assert.equal(await inHead(w, "c.txt"), "1\ntwo\n3\n4\n5\n6\n7\n8\nnine\n");
  },
});

scenario("G8: both change line 5", {
  sessions: "B",
  given: `
    B edits c.txt with 5=bob
    B$ git add c.txt
    B edits b.txt
  `,
  when: `
    ${commits("c.txt", "s/^5$/person/")}
    B$ git commit -qm B
    B$ git commit -qnm B
    B$ git status --porcelain
    B$ git show :2:c.txt; git show :3:c.txt
    B$ git commit -qm other -- b.txt
    B$ git add c.txt; git commit -qm resolved
  `,
  today: async (w) => assert.doesNotMatch(await inHead(w, "c.txt"), /person/),
  must: async (w) => {
    const done = (i: number) => w.steps.at(i)?.done;
    assert.notEqual(done(-6)?.code, 0);
    assert.notEqual(done(-5)?.code, 0, "--no-verify does not help");
    assert.match(done(-4)?.stdout ?? "", /^UU c\.txt$/m);
    assert.match(done(-3)?.stdout ?? "", /^bob$/m, "its own version is kept");
    assert.match(done(-3)?.stdout ?? "", /^person$/m);
    w.fine();
    assert.deepEqual(await w.log(), ["H: c.txt", "other: b.txt", "resolved: c.txt"]);
  },
});

scenario("G9: a file is staged where another commits a folder", {
  sessions: "B",
  given: `
    B edits dir: a file
    B$ git add dir
  `,
  when: `
    ${commits("dir/x", "")}
    B$ git commit -qm B
    B$ git ls-files -s
  `,
  today: async (w) => assert.deepEqual(await w.log(), ["H: dir"]),
  must: async (w) => {
    assert.notEqual(w.steps.at(-2)?.done.code, 0);
    assert.match(w.last.stdout, /\tdir(~\S*)?$/m, "its own is there");
    assert.equal((await w.repo.git("cat-file", "-e", "HEAD:dir/x")).code, 0);
  },
});

scenario("G9: a folder is staged where another commits a file", {
  sessions: "B",
  given: `
    B edits dir/x: in it
    B$ git add dir/x
  `,
  when: `
    ${commits("dir", "")}
    B$ git commit -qm B
    B$ git ls-files -s
  `,
  today: async (w) => assert.deepEqual(await w.log(), ["H: dir/x"]),
  must: async (w) => {
    assert.notEqual(w.steps.at(-2)?.done.code, 0);
    assert.match(w.last.stdout, /\tdir\/x$/m);
    assert.equal((await w.repo.mustGit("cat-file", "-t", "HEAD:dir")).trim(), "blob");
  },
});

scenario("G10: a deletion is staged, another commits an edit of it", {
  sessions: "B",
  given: `B$ git rm -q c.txt`,
  when: `
    ${commits("c.txt", "s/^2$/two/")}
    B$ git commit -qm B
  `,
  today: async (w) => assert.equal(await w.repo.mustGit("diff", "--cached", "--name-only"), ""),
  must: async (w) => {
    assert.notEqual(w.last.code, 0);
    assert.match(await inHead(w, "c.txt"), /two/);
    assert.match(await w.git("B", "status", "--porcelain"), /^(DU|UD) c\.txt$/m);
  },
});

scenario("G10: an edit is staged, another commits a deletion of it", {
  sessions: "B",
  given: `
    B edits c.txt: bob
    B$ git add c.txt
  `,
  when: `
    H$ git update-index --force-remove c.txt; git commit -qm H
    B$ git commit -qm B
    B$ git ls-files -s c.txt
  `,
  today: async (w) => assert.equal(await w.repo.mustGit("diff", "--cached", "--name-only"), ""),
  must: async (w) => {
    assert.notEqual(w.steps.at(-2)?.done.code, 0);
    assert.match(w.last.stdout, /\tc\.txt$/m);
    assert.match(w.read("c.txt"), /bob/);
  },
});

scenario("G11: a rename is staged, another commits an edit of the old name", {
  sessions: "B",
  given: `B$ git mv c.txt g.txt`,
  when: `
    ${commits("c.txt", "s/^2$/two/")}
    B$ git commit -qm B
    B$ git ls-files g.txt
  `,
  today: async (w) => assert.match((await w.log())[0] ?? "", /g\.txt/),
  must: async (w) => {
    assert.notEqual(w.steps.at(-2)?.done.code, 0);
    assert.equal(w.last.stdout, "g.txt\n");
    assert.match(await inHead(w, "c.txt"), /two/);
  },
});

scenario("G12: a mode is staged, another commits an edit", {
  sessions: "B",
  given: `B$ chmod +x c.txt; git add c.txt`,
  when: `
    ${commits("c.txt", "s/^2$/two/")}
    B$ git commit -qm B
  `,
  today: async (w) => assert.match(await w.repo.mustGit("ls-tree", "HEAD", "c.txt"), /^100644/),
  must: async (w) => {
    w.fine();
    assert.match(await inHead(w, "c.txt"), /two/);
    assert.match(await w.repo.mustGit("ls-tree", "HEAD", "c.txt"), /^100755/);
  },
});

scenario("G13: a file is to be added, another commits it", {
  sessions: "B",
  given: `
    B edits n.txt
    B$ git add -N n.txt
  `,
  when: `
    H$ b=$(git hash-object -w n.txt); git update-index --add --cacheinfo 100644,$b,n.txt; git commit -qm H
    B$ git status --porcelain
  `,
  must: (w) => {
    w.fine();
    assert.equal(w.last.stdout, "");
  },
});

for (const [what, setup, files] of [
  [
    "sparse checkout",
    "git sparse-checkout set --no-cone '/*' '!/far/'",
    { "a.txt": "1\n", "b.txt": "1\n", "far/f.txt": "1\n" },
  ],
  ["split index", "git update-index --split-index", undefined],
  ["untracked cache", "git update-index --untracked-cache", undefined],
  ["skip-worktree", "git update-index --skip-worktree c.txt", undefined],
  ["reftable-like packed refs", "git pack-refs --all", undefined],
  ["a core.hooksPath of its own", "mkdir -p .husky; git config core.hooksPath .husky", undefined],
] as const)
  scenario(`G14, G41: ${what}`, {
    setup,
    ...(files ? { files } : {}),
    given: `
      A edits a.txt
      B edits b.txt
      B$ git add b.txt
      A$ git add a.txt; git commit -qm A
    `,
    when: `
      B$ git commit -qm B
      B$ git status --porcelain -uno
    `,
    today: async (w) => assert.deepEqual(await w.log(), ["A: a.txt b.txt"]),
    must: async (w) => {
      w.fine();
      assert.deepEqual(await w.log(), ["A: a.txt", "B: b.txt"]);
      assert.equal(w.last.stdout, "");
      if (files !== undefined) assert.ok(!w.exists("far/f.txt"), "nothing sparse is put on disk");
    },
  });

scenario("G15: changed in the second in which the index was written", {
  sessions: "",
  given: `H$ echo aaaa >f; git add f; git commit -qm f; echo aaab >f; git add f; echo bbbb >f`,
  when: `
    B comes
    B$ sleep 1.1; git status --porcelain f
  `,
  must: (w) => assert.match(w.last.stdout, /M f$/m),
});

for (const who of ["H", "A", "L"])
  scenario(`G39: gc by ${who} keeps what is staged`, {
    sessions: "ABL",
    given: `
      B edits s.txt
      B$ git add s.txt
    `,
    when: `
      ${who}$ git gc -q --prune=now
      B$ git commit -qm B
    `,
    must: async (w) => {
      w.fine();
      assert.deepEqual(await w.log(), ["B: s.txt"]);
    },
  });

scenario("G39: what a session staged that is gone is in a rescue ref", {
  given: `
    B edits s.txt
    B$ git add s.txt
  `,
  when: `A$ git status`,
  must: async (w) => {
    await w.sessions.get("B")?.end();
    const refs = (await w.repo.mustGit("for-each-ref", "--format=%(refname)", "refs/signalbox"))
      .split("\n")
      .filter(Boolean);
    const texts = await Promise.all(refs.map((ref) => w.repo.git("show", `${ref}:s.txt`)));
    assert.ok(
      texts.some(({ stdout }) => stdout === "B was here\n"),
      refs.join(),
    );
  },
});
