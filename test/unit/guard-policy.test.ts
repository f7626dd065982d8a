import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Verdict } from "../../src/policy/guard-facts.ts";
import { dirtyPath, guarded, type Guarded, MINE, THEIRS, UNKNOWN } from "../support/domain/guarded.ts";

const split = (line: string): string[] =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));

/** Everybody's work in one tree. */
const CROWD: Guarded = {
  dirty: [
    dirtyPath("mine", "M", MINE),
    dirtyPath("mine-new", "?", MINE),
    dirtyPath("mine-gone", "D", MINE),
    dirtyPath("mine-ignored", "!", MINE),
    dirtyPath("mine-staged", "S", MINE),
    dirtyPath("lib/mine", "MS", MINE),
    dirtyPath("theirs", "M", THEIRS),
    dirtyPath("theirs-new", "?", THEIRS),
    dirtyPath("theirs-gone", "D", THEIRS),
    dirtyPath("theirs-ignored", "!", THEIRS),
    dirtyPath("theirs-reserved", "=", THEIRS),
    dirtyPath("lib/theirs", "M", THEIRS),
    dirtyPath("persons", "M", UNKNOWN),
    dirtyPath("persons-new", "?", UNKNOWN),
    dirtyPath("persons-ignored", "!", UNKNOWN),
    dirtyPath("lib/persons-by-name", "MS", UNKNOWN),
    dirtyPath("own/a", "M", MINE),
    dirtyPath("own/new", "?", MINE),
  ],
  touched: [],
};
/** Only this session has uncommitted work. */
const CALM: Guarded = { ...CROWD, dirty: CROWD.dirty!.filter(({ owner }) => owner.kind === "mine") };

type Expected =
  | "go"
  | { readonly scope: string; readonly paths?: string }
  | { readonly refuse: string; readonly offer?: string };

const scope = (argv: string): Expected => ({ scope: argv });
/** Paths that it is refused for, and what is offered first. */
const refuse = (paths: string, offer?: string): Expected =>
  offer === undefined ? { refuse: paths } : { refuse: paths, offer };

function brief(verdict: Verdict, expected: Expected): Expected {
  if (verdict.kind === "go") return "go";
  if (verdict.kind === "scope") return { scope: verdict.argv.join(" ") };
  const paths = verdict.paths.join(" ");
  const offered = typeof expected === "object" && "offer" in expected;
  return offered ? { refuse: paths, offer: verdict.offers[0] ?? "" } : { refuse: paths };
}

function given(
  title: string,
  world: Guarded,
  rows: readonly (readonly [line: string, expected: Expected])[],
) {
  describe(title, () => {
    for (const [line, expected] of rows)
      test(`git ${line}`, () => {
        const verdict = guarded(split(line), world);
        assert.deepEqual(brief(verdict, expected), expected, JSON.stringify(verdict));
      });
  });
}

const FREE = "`git signalbox who PATH` tells when it is free";
const ALL_MINE = "mine mine-new mine-gone lib/mine lib/persons-by-name own/a own/new";
const TRACKED = "mine mine-gone lib/mine lib/persons-by-name own/a";

given("staging takes what is the session's", CROWD, [
  ["add -A", scope(`--literal-pathspecs add -A -- ${ALL_MINE}`)],
  ["add .", scope(`--literal-pathspecs add -A -- ${ALL_MINE}`)],
  ["add -v --all", scope(`--literal-pathspecs add -A --verbose -- ${ALL_MINE}`)],
  ["add -u", scope(`--literal-pathspecs add -A -- ${TRACKED}`)],
  ["add --no-all .", scope(`--literal-pathspecs add -A -- ${ALL_MINE.replace("mine-gone ", "")}`)],
  [
    "-C x --icase-pathspecs add lib",
    scope("-C x --literal-pathspecs add -A -- lib/mine lib/persons-by-name"),
  ],
  ["add mine", "go"],
  ["add own", "go"],
  ["add mine mine-new", "go"],
  ["add persons persons-new", "go"],
  ["add theirs", refuse("theirs", FREE)],
  ["add ./theirs", refuse("theirs")],
  ["add :/theirs", refuse("theirs")],
  ["add mine theirs-new", refuse("theirs-new", "git add -- mine")],
  ["add theirs-gone", refuse("theirs-gone")],
  ["add --ignore-removal theirs-gone", "go"],
  ["add theirs-reserved", "go"],
  ["add -f own theirs-ignored", refuse("theirs-ignored", "git add -- own/a own/new")],
  ["add --pathspec-from-file=list", refuse("theirs theirs-new theirs-gone lib/theirs")],
  ["add -p", refuse("theirs theirs-gone lib/theirs persons", `git add -- ${TRACKED}`)],
  ["add -p own", "go"],
  ["add --renormalize", refuse("theirs theirs-gone lib/theirs persons")],
  ["add -n .", "go"],
  ["rm --cached theirs", refuse("theirs", FREE)],
  ["rm --cached theirs-reserved", refuse("theirs-reserved")],
  ["rm --cached mine", "go"],
  ["rm --cached persons", "go"],
  ["restore -S .", "go"],
  ["reset -- .", "go"],
  ["update-index --add theirs", "go"],
]);

given("a commit takes what is the session's", CROWD, [
  ["commit -m x", "go"],
  [
    "commit -am x",
    scope(
      "--literal-pathspecs commit -i --message=x -- mine mine-gone mine-staged lib/mine lib/persons-by-name own/a",
    ),
  ],
  ["commit -i -m x lib", scope("--literal-pathspecs commit -i --message=x -- lib/mine lib/persons-by-name")],
  ["commit -m x lib", scope("--literal-pathspecs commit --message=x -- lib/mine lib/persons-by-name")],
  ["commit -m x -o lib", scope("--literal-pathspecs commit --message=x -- lib/mine lib/persons-by-name")],
  ["commit -m x own", "go"],
  ["commit -m x mine", "go"],
  ["commit -m x persons", "go"],
  ["commit -m x theirs", refuse("theirs", FREE)],
  ["commit -m x mine theirs-gone", refuse("theirs-gone")],
  [
    "commit -p",
    refuse(
      "theirs theirs-gone lib/theirs persons",
      `git commit -p -- mine mine-gone mine-staged lib/mine lib/persons-by-name own/a`,
    ),
  ],
  ["commit -p own", "go"],
  ["commit --amend --no-edit", "go"],
  ["commit --dry-run -a", "go"],
  ["-c core.hooksPath=/dev/null commit -m x", refuse("")],
  ["-c core.hookspath commit -m x", refuse("")],
  ["--config-env=core.hooksPath=X commit -m x", refuse("")],
  ["-c core.hooksPath=x merge topic", refuse("")],
  ["-c core.hooksPath=x status", "go"],
]);

const OTHERS_ALONE: Guarded = {
  dirty: [
    dirtyPath("theirs", "M", THEIRS),
    dirtyPath("lib/theirs", "M", THEIRS),
    dirtyPath("persons-new", "?", UNKNOWN),
  ],
};

given("with nothing of the session's own", OTHERS_ALONE, [
  ["-C x add -A", scope("-C x update-index -q --refresh")],
  ["commit -am x", scope("commit --message=x")],
  ["commit -i -m x lib", scope("commit --message=x")],
  // What is staged is not what was named.
  ["commit -m x lib", refuse("lib/theirs", FREE)],
  ["stash", refuse("theirs lib/theirs", FREE)],
  ["stash -u", refuse("theirs lib/theirs persons-new")],
  ["reset --hard", refuse("theirs lib/theirs", FREE)],
]);

given("what would be lost is not thrown away", CROWD, [
  [
    "checkout -- .",
    refuse(
      "theirs theirs-gone lib/theirs persons lib/persons-by-name",
      "git checkout -- mine mine-gone lib/mine own/a",
    ),
  ],
  ["checkout .", refuse("theirs theirs-gone lib/theirs persons lib/persons-by-name")],
  ["checkout HEAD -- lib", refuse("lib/theirs lib/persons-by-name", "git checkout HEAD -- lib/mine")],
  ["checkout -f", refuse("theirs theirs-gone lib/theirs persons lib/persons-by-name", FREE)],
  ["checkout -- own mine", "go"],
  ["checkout -- theirs-new", "go"],
  ["restore .", refuse("theirs theirs-gone lib/theirs persons lib/persons-by-name")],
  [
    "restore -SW lib",
    refuse("lib/theirs lib/persons-by-name", "git restore --staged --worktree -- lib/mine"),
  ],
  ["restore mine", "go"],
  ["restore theirs", refuse("theirs")],
  ["restore persons", refuse("persons")],
  [
    "reset --hard",
    refuse(
      "theirs theirs-gone lib/theirs persons lib/persons-by-name",
      "git restore -SW -- mine mine-gone mine-staged lib/mine own/a",
    ),
  ],
  ["reset --hard HEAD~1", refuse("theirs theirs-gone lib/theirs persons lib/persons-by-name", FREE)],
  ["clean -fd", refuse("theirs-new persons-new", "git clean --force -d -- mine-new own/new")],
  ["clean -fdx", refuse("theirs-new theirs-ignored persons-new persons-ignored")],
  ["clean -fdX", refuse("theirs-ignored persons-ignored", "git clean --force -d -X -- mine-ignored")],
  ["clean -fd own", "go"],
  ["clean -fdn", "go"],
  [
    "checkout-index -af",
    refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name"),
  ],
  ["read-tree -u --reset HEAD", refuse("theirs theirs-gone lib/theirs persons lib/persons-by-name")],
  ["rm -f theirs", refuse("theirs")],
  ["rm theirs-reserved", refuse("theirs-reserved")],
  ["rm -rf own", "go"],
  ["mv theirs x", refuse("theirs")],
  ["mv mine x", "go"],
  ["mv -f mine theirs-new", refuse("theirs-new")],
  [
    "submodule update",
    refuse(
      "theirs theirs-new theirs-gone theirs-reserved lib/theirs persons persons-new lib/persons-by-name",
    ),
  ],
  ["merge-file theirs base other", refuse("theirs")],
  ["merge-file mine theirs other", "go"],
]);

const TOUCHES: Guarded = { ...CROWD, touched: ["mine", "clean", "theirs-new"] };

given("what a commit or a patch would change is looked at before", TOUCHES, [
  ["merge topic", refuse("theirs-new", FREE)],
  ["merge --ff-only topic", refuse("theirs-new")],
  ["cherry-pick v1", refuse("theirs-new")],
  ["revert v1", refuse("theirs-new")],
  ["apply x.patch", refuse("theirs-new")],
  ["checkout v1 -- .", refuse("theirs theirs-new theirs-gone lib/theirs persons lib/persons-by-name")],
  ["checkout v1 -- theirs-new", refuse("theirs-new")],
  ["restore -s v1 mine", "go"],
  ["reset --keep v1", refuse("theirs-new", FREE)],
  ["reset --merge v1", refuse("theirs-new")],
]);

given("and goes where it meets nobody's work", { ...CROWD, touched: ["mine", "clean"], forward: true }, [
  ["merge topic", "go"],
  ["merge --no-ff topic", refuse("mine-staged lib/mine lib/persons-by-name", "git commit")],
  ["cherry-pick v1", "go"],
  ["revert v1", "go"],
  ["apply x.patch", "go"],
  ["reset --keep v1", "go"],
  ["reset --merge", "go"],
]);

given("what cannot be known before may change anything", { ...CROWD, touched: undefined }, [
  [
    "pull",
    refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name", "git fetch"),
  ],
  [
    "pull --ff-only",
    refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name"),
  ],
  ["apply", refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name")],
  ["merge topic", refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name")],
  [
    "cherry-pick --stdin",
    refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name"),
  ],
]);

const NOTHING_STAGED = { dirty: CALM.dirty!.filter(({ staged }) => !staged) };
const STAGED = refuse("mine-staged lib/mine");

given("a merge that its strategy would refuse never gets there: git would reset the tree", CALM, [
  ["merge topic", STAGED],
  ["merge --ff topic", STAGED],
  ["merge --ff-only --no-ff topic", STAGED],
  ["merge --squash topic", STAGED],
  ["pull", refuse("mine-staged lib/mine", "git fetch")],
  ["merge --no-ff --ff-only topic", "go"],
  ["pull --ff-only", "go"],
  ["merge --abort", "go"],
  ["cherry-pick v1", "go"],
]);
given("what is brought forward is not merged", { ...CALM, forward: true }, [
  ["merge topic", "go"],
  ["merge --no-ff topic", STAGED],
]);
given("unless the settings say so", { ...CALM, forward: true, settings: { "merge.ff": "false" } }, [
  ["merge topic", STAGED],
  ["merge --ff topic", "go"],
]);
given("nor is it with merge.ff=only", { ...CALM, settings: { "merge.ff": "only" } }, [["merge topic", "go"]]);
given(
  "one's own changed file in the way of a merge",
  { ...NOTHING_STAGED, touched: ["mine", "clean", "mine-new"] },
  [
    ["merge topic", refuse("mine mine-new")],
    ["merge --ff-only topic", "go"],
  ],
);
given("one's own changed file beside it", { ...NOTHING_STAGED, touched: ["clean"] }, [["merge topic", "go"]]);

given("autostash takes all along", { ...CROWD, forward: true, settings: { "merge.autostash": "true" } }, [
  ["merge topic", refuse("theirs theirs-new theirs-gone lib/theirs persons persons-new lib/persons-by-name")],
  ["merge --no-autostash topic", "go"],
  ["cherry-pick v1", "go"],
]);

given("on the session's own work alone", CALM, [
  ["add -A", "go"],
  ["commit -am x", "go"],
  ["checkout -- .", "go"],
  ["restore -SW .", "go"],
  ["reset --hard", "go"],
  ["reset", "go"],
  ["clean -fdx", "go"],
  ["stash -u", "go"],
  ["merge --ff-only --autostash topic", "go"],
  ["pull --ff-only", "go"],
  ["apply", "go"],
  ["rm -f mine", "go"],
]);

given("the tree stays on its branch", CROWD, [
  ["switch topic", refuse("", "git worktree add ../topic topic   # a working tree of its own")],
  ["checkout topic", refuse("")],
  ["checkout @", refuse("", "git worktree add ../NEW-BRANCH -b NEW-BRANCH   # a working tree of its own")],
  ["checkout x/y", refuse("", "git worktree add ../x-y x/y   # a working tree of its own")],
  ["switch -c new", refuse("", "git worktree add ../new -b new   # a working tree of its own")],
  [
    "checkout -b x/new main",
    refuse("", "git worktree add ../x-new -b x/new main   # a working tree of its own"),
  ],
  ["switch -", refuse("", "git worktree add ../NEW-BRANCH -b NEW-BRANCH   # a working tree of its own")],
  ["switch --detach", refuse("")],
  ["checkout --detach main", refuse("")],
  ["switch main", "go"],
  ["checkout main", "go"],
  ["switch -f main", refuse("")],
  ["rebase main", refuse("", "git worktree add ../NEW-BRANCH -b NEW-BRANCH   # a working tree of its own")],
  ["am x", refuse("")],
  ["bisect start", refuse("")],
  ["filter-branch", refuse("")],
  ["sparse-checkout set lib", refuse("")],
  ["pull --rebase", refuse("", "git fetch")],
  ["branch -D main", refuse("", "git branch NEW COMMIT makes a branch of its own")],
  ["branch -f elsewhere v1", refuse("")],
  ["branch -m new", refuse("")],
  ["branch -D topic", "go"],
  ["branch new", "go"],
  ["update-ref refs/heads/main v1", refuse("")],
  ["update-ref refs/x v1", "go"],
  ["update-ref --stdin", "go"],
  ["symbolic-ref HEAD refs/heads/x", refuse("")],
  ["worktree add -B main ../x", refuse("")],
  ["worktree add ../x -b new", "go"],
  ["worktree remove -f ../x", "go"],
]);

given("a rebase that the settings ask for", { ...CALM, settings: { "pull.rebase": "merges" } }, [
  ["pull", refuse("", "git fetch")],
  ["pull --no-rebase --ff-only", "go"],
  ["pull --rebase=false --ff-only", "go"],
]);

given("a working tree with a session in it stays", { liveThere: ["cccccccc-3333"] }, [
  ["worktree remove -f ../x", refuse("", "Wait until it has ended")],
]);

given("what only looks, and upkeep", CROWD, [
  ["status", "go"],
  ["log -p", "go"],
  ["diff", "go"],
  ["fetch", "go"],
  ["push --force", "go"],
  ["tag v2", "go"],
  ["gc --prune=now", "go"],
  ["reflog expire --expire=now main", "go"],
  ["lfs pull", "go"],
]);

given("what is unchanged and nobody's is free", { dirty: [dirtyPath("free", "=", UNKNOWN)] }, [
  ["rm free", "go"],
  ["mv free elsewhere", "go"],
]);

const commits = (...owners: (typeof MINE)[]) =>
  owners.map((owner, i) => ({ commit: `${i}`.repeat(40), owner }));

describe("commits of others stay on the branch", () => {
  const foreign: Guarded = { ...CALM, head: THEIRS, dropped: commits(MINE, THEIRS, UNKNOWN) };
  given("when they would leave it", foreign, [
    ["commit --amend", refuse("", "git commit makes a commit of its own")],
    ["commit --amend -a -m x", refuse("")],
    ["reset HEAD~1", refuse("", "git revert 111111111111 takes a commit back without moving the branch")],
    ["reset --soft HEAD~1", refuse("")],
    ["reset --hard HEAD~1", refuse("")],
    ["reset --keep HEAD~1", refuse("")],
    ["reset", "go"],
    ["reset --soft", "go"],
  ]);
  given("one's own may leave", { ...CALM, dropped: commits(MINE) }, [
    ["reset HEAD~1", "go"],
    ["reset --soft HEAD~1", "go"],
    ["reset --hard HEAD~1", "go"],
    ["commit --amend", "go"],
  ]);
  given("a soft reset forward", { ...CALM, gained: 2 }, [
    ["reset --soft topic", refuse("", "git merge topic")],
    ["reset topic", "go"],
  ]);
  given("a person's commit is nobody's on record", { head: UNKNOWN }, [["commit --amend", refuse("")]]);

  test("who, when, how many", () => {
    const one = guarded(["reset", "HEAD~1"], { dropped: commits(THEIRS) });
    assert.equal(
      one.kind === "refuse" && one.reason,
      "a commit of others, 00000000 (session bbbbbbbb, there since 12:03), would leave the branch",
    );
    const more = guarded(["reset", "HEAD~1"], foreign);
    assert.equal(
      more.kind === "refuse" && more.reason,
      "2 commits of others, the newest 11111111 (session bbbbbbbb, there since 12:03), would leave the branch",
    );
  });
});

given(
  "reset --merge takes what is staged back",
  { dirty: [dirtyPath("both", "S", THEIRS), dirtyPath("x", "S", UNKNOWN)] },
  [
    ["reset --merge", refuse("both")],
    ["reset --keep", "go"],
  ],
);

describe("while the tree is taken through commits", () => {
  const moving = (owner: typeof MINE): Guarded => ({ ...CROWD, moving: { what: "rebase", owner } });
  for (const owner of [THEIRS, UNKNOWN])
    given(`by ${owner.kind}: nothing is put into its commits`, moving(owner), [
      [
        "add x",
        refuse("", "Files can be edited meanwhile; stage and commit when it has ended (`git status` tells)"),
      ],
      ["commit -m m", refuse("")],
      ["rm --cached x", refuse("")],
      ["cherry-pick topic", refuse("")],
      ["reset", refuse("")],
      ["status", "go"],
      ["log", "go"],
    ]);
  given("by oneself", moving(MINE), [["commit -m m", "go"]]);
});

describe("what is in progress", () => {
  const merging = (owner: typeof MINE): Guarded => ({ ...CROWD, inProgress: { what: "merge", owner } });
  given("is whoever's began it: another session's", merging(THEIRS), [
    ["merge --abort", refuse("", "Leave it to whoever began it")],
    ["merge --continue", refuse("")],
    ["cherry-pick --quit", refuse("")],
    ["rebase --skip", refuse("")],
    ["bisect reset", refuse("")],
  ]);
  given("nobody's on record", merging(UNKNOWN), [["merge --abort", refuse("")]]);
  given(
    "that of a session that is gone",
    { ...CROWD, inProgress: { what: "rebase", owner: UNKNOWN, left: true } },
    [["rebase --continue", "go"]],
  );
  given("one's own", merging(MINE), [
    ["merge --abort", "go"],
    ["merge --continue", "go"],
    ["cherry-pick --skip", "go"],
    ["rebase --continue", "go"],
    ["am --quit", "go"],
    // These go by `reset --hard`.
    ["rebase --abort", refuse("theirs theirs-gone lib/theirs")],
    ["am --skip", refuse("theirs theirs-gone lib/theirs")],
  ]);
  given("one's own, on one's own work", { ...merging(MINE), dirty: CALM.dirty! }, [
    ["rebase --abort", "go"],
    ["am --abort", "go"],
  ]);
  given(
    "but for the commits that others made meanwhile",
    { ...merging(MINE), dirty: [], dropped: commits(THEIRS, UNKNOWN) },
    [
      ["rebase --abort", refuse("", "git rebase --continue")],
      ["am --abort", "go"],
    ],
  );
  given("there is none", CROWD, [
    ["merge --abort", "go"],
    ["rebase --abort", "go"],
  ]);
});

given("a stash takes what is the session's", CROWD, [
  ["stash", scope("--literal-pathspecs stash push -- mine mine-gone mine-staged lib/mine own/a")],
  [
    "stash push -m wip",
    scope("--literal-pathspecs stash push --message=wip -- mine mine-gone mine-staged lib/mine own/a"),
  ],
  [
    "stash -u",
    scope(
      "--literal-pathspecs stash push --include-untracked -- mine mine-new mine-gone mine-staged lib/mine own/a own/new",
    ),
  ],
  ["stash push -k lib", scope("--literal-pathspecs stash push --keep-index -- lib/mine")],
  [
    "stash save 'two words'",
    scope("--literal-pathspecs stash push --message=two words -- mine mine-gone mine-staged lib/mine own/a"),
  ],
  ["stash push own", "go"],
  ["stash push theirs", refuse("theirs", FREE)],
  ["stash push mine persons", refuse("persons", "git stash push -- mine")],
  [
    "stash -p",
    refuse(
      "theirs theirs-gone lib/theirs persons lib/persons-by-name",
      "git stash push -- mine mine-gone mine-staged lib/mine own/a",
    ),
  ],
  ["stash store v1", "go"],
  ["stash create", "go"],
]);

const entries = (...owners: (typeof MINE)[]): Guarded => ({
  stash: owners.map((owner, n) => ({ n, commit: `${"abcdef"[n]}${n}`.repeat(20), owner })),
});

describe("an entry of the stash", () => {
  given("theirs, mine, nobody's on record", entries(THEIRS, MINE, UNKNOWN), [
    ["stash pop", scope("stash pop stash@{1}")],
    ["-C x stash apply --index", scope("-C x stash apply --index stash@{1}")],
    ["stash drop", scope("stash drop stash@{1}")],
    ["stash pop 0", refuse("", "git stash list")],
    ["stash pop stash@{0}", refuse("")],
    ["stash drop refs/stash@{0}", refuse("")],
    ["stash apply stash", refuse("")],
    ["stash apply refs/stash", refuse("")],
    ["stash apply a0a0a0a", refuse("")],
    ["stash apply A0a0a0a", refuse("")],
    ["stash pop 'stash@{yesterday}'", refuse("")],
    ["stash pop 1", "go"],
    ["stash pop 2", "go"],
    ["stash pop 9", "go"],
    ["stash apply b1b1b1", "go"],
    ["stash apply topic", "go"],
    ["stash clear", refuse("", "git stash drop drops your newest entry")],
    ["reflog expire --expire=now --all", refuse("", "git stash drop drops your newest entry")],
    ["update-ref -d refs/stash", refuse("")],
    ["stash branch new", refuse("", "git stash apply")],
  ]);
  given("mine is the newest", entries(MINE, THEIRS), [["stash pop", "go"]]);
  given("mine alone", entries(MINE, MINE), [
    ["reflog expire --expire=now --all", "go"],
    ["update-ref -d refs/stash", "go"],
    ["stash clear", "go"],
    ["stash pop 'stash@{yesterday}'", "go"],
  ]);
  given("none is mine", entries(THEIRS, UNKNOWN), [["stash pop", refuse("", "git stash list")]]);
  given("there is none", entries(), [
    ["stash pop", "go"],
    ["stash clear", "go"],
  ]);
});

describe("the words", () => {
  const reasonOf = (line: string, world: Guarded): string => {
    const verdict = guarded(split(line), world);
    assert.equal(verdict.kind, "refuse");
    return verdict.kind === "refuse" ? verdict.reason : "";
  };

  test("say whose it is, how and since when", () => {
    const dirty = [
      dirtyPath("a", "M", THEIRS),
      dirtyPath("b", "M", { ...THEIRS, how: "reservation" } as typeof THEIRS),
      dirtyPath("c", "M", { ...THEIRS, how: "attributed" } as typeof THEIRS),
      dirtyPath("d", "M", UNKNOWN),
    ];
    assert.equal(
      reasonOf("checkout -- .", { dirty }),
      "a (session bbbbbbbb, edited since 12:03), b (session bbbbbbbb, reserved since 12:03), " +
        "c (session bbbbbbbb, changed since 12:03), d (nobody's on record, maybe a person's) would be lost or overwritten",
    );
  });

  test("name five paths, and count the rest", () => {
    const dirty = ["a", "b", "c", "d", "e", "f", "g"].map((name) => dirtyPath(name, "?", THEIRS));
    const reason = reasonOf("clean -f", { dirty });
    assert.match(reason, / e \(session bbbbbbbb, edited since 12:03\) and 2 more would be lost/);
    assert.doesNotMatch(reason, /\bf \(/);
  });

  test("stay in their line, whatever a file is called", () => {
    const reason = reasonOf("clean -f", { dirty: [dirtyPath("a\n\u202eb", "?", THEIRS)] });
    assert.match(reason, /^a\\u\{a\}\\u\{202e\}b \(/);
  });

  test("say who is there", () => {
    const reason = (others: readonly string[]) => reasonOf("switch x", { others });
    assert.match(
      reason(["b1234567890"]),
      /^session b1234567 \(since 12:03\) works in this tree, and a switch/,
    );
    assert.match(
      reason(["b", "c"]),
      /^session b \(since 12:03\), session c \(since 12:03\) work in this tree/,
    );
    assert.match(reason(["b", "c", "d", "e", "f"]), /session d \(since 12:03\) and 2 more work in this tree/);
    assert.match(reason([]), /^others work in this tree/);
    assert.match(
      reasonOf("worktree remove -f ../x", { liveThere: ["cccccccc-3333"] }),
      /^session cccccccc works in that tree$/,
    );
    assert.equal(
      reasonOf("branch -M main topic", {}),
      "session bbbbbbbb (since 12:03) works in this repository, and main is checked out",
    );
  });

  test("say whose the commit is that is not to be amended", () => {
    assert.equal(
      reasonOf("commit --amend", { head: THEIRS }),
      "the commit to be amended is not this session's: session bbbbbbbb, there since 12:03",
    );
  });

  test("say whose an entry or an operation is, without a time that is none", () => {
    assert.equal(
      reasonOf("stash pop 0", entries(THEIRS)),
      "stash@{0} is not this session's: session bbbbbbbb",
    );
    assert.equal(
      reasonOf("stash pop", entries(UNKNOWN)),
      "no entry of the stash is yours; the newest is not this session's: nobody's on record, maybe a person's",
    );
    assert.equal(
      reasonOf("merge --abort", { inProgress: { what: "merge", owner: THEIRS } }),
      "the merge in progress is not this session's: session bbbbbbbb",
    );
  });

  test("of a note name what is left out, and how nobody's is taken", () => {
    const note = (line: string, world: Guarded) => {
      const verdict = guarded(split(line), world);
      return verdict.kind === "scope" ? verdict.note : "";
    };
    assert.equal(
      note("add -A", { dirty: [dirtyPath("a", "M", MINE), dirtyPath("b", "M", THEIRS)] }),
      "signalbox: left out: b (session bbbbbbbb, edited since 12:03)",
    );
    assert.equal(
      note("add -A", { dirty: [dirtyPath("a", "M", MINE), dirtyPath("b", "M", UNKNOWN)] }),
      "signalbox: left out: b (nobody's on record, maybe a person's); what is nobody's on record can be added by name",
    );
    assert.equal(note("stash pop", entries(THEIRS, MINE)), "signalbox: pop of your newest entry, stash@{1}");
  });

  test("can be pasted into a shell", () => {
    const own = ["a b", "it's", "stash@{1}", "~x", "{a,b}", "x{1..3}", "HEAD~1", "-q", "ü", ""];
    const dirty = [dirtyPath("theirs", "?", THEIRS), ...own.map((name) => dirtyPath(name, "?", MINE))];
    const verdict = guarded(["clean", "-f"], { dirty });
    assert.equal(
      verdict.kind === "refuse" && verdict.offers[0],
      String.raw`git clean --force -- 'a b' 'it'\''s' stash@{1} '~x' '{a,b}' 'x{1..3}' HEAD~1 -q 'ü' ''`,
    );
  });

  test("offer no command that is too long to read", () => {
    const mine = Array.from({ length: 21 }, (_, i) => dirtyPath(`m${i}`, "?", MINE));
    const verdict = guarded(["clean", "-f"], { dirty: [dirtyPath("theirs", "?", THEIRS), ...mine] });
    assert.deepEqual(verdict.kind === "refuse" && verdict.offers, [FREE]);
  });
});
