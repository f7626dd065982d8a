import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { parseGitCommand } from "../../src/domain/git-command.ts";
import { classify, isKnownVerb } from "../../src/domain/git-command-classify.ts";
import type { Hits, Operation, Resolve } from "../../src/domain/git-command-operation.ts";

const REVISIONS = new Set(["HEAD", "@", "HEAD~0", "HEAD~1", "main", "topic", "v1", "both", "A..B"]);
const PATHS = new Set(["a", "b", "src", "both"]);
const resolve: Resolve = { isRevision: (word) => REVISIONS.has(word), isPath: (word) => PATHS.has(word) };

const split = (line: string): string[] =>
  (line.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", ""));

function does(line: string | readonly string[], how = resolve): Operation {
  const argv = typeof line === "string" ? split(line) : line;
  return classify(
    parseGitCommand(argv, () => undefined, isKnownVerb),
    how,
  );
}

/** "us" for unstaged and staged, + untracked, i ignored, c clean. */
function hits(letters: string): Hits {
  return {
    unstaged: letters.includes("u"),
    staged: letters.includes("s"),
    untracked: letters.includes("+"),
    ignored: letters.includes("i"),
    clean: letters.includes("c"),
  };
}

const named = (...pathspecs: string[]) => ({ selection: { pathspecs, file: undefined } });
const whole = named();
const listed = (file: string, ...pathspecs: string[]) => ({ selection: { pathspecs, file } });
const READ = { kind: "read", index: false };
const LOOK = { kind: "read", index: true };
const INDEX = { kind: "index", removes: false };

type Rows = readonly (readonly [line: string, effect: object])[];

/** What is said of an effect is all so; what is not said may be anything. */
function given(title: string, rows: Rows): void {
  describe(title, () => {
    for (const [line, effect] of rows)
      test(`git ${line}`, () => {
        const { command: _, ...operation } = does(line);
        assert.deepEqual(operation, { ...operation, ...effect });
      });
  });
}

const words = (...given: string[]) => ({ scope: { words: given, listed: true } });
const byHand = (...given: string[]) => ({ scope: { words: given, listed: false } });

given("add", [
  ["add", LOOK],
  ["add -n .", LOOK],
  ["add --dry .", LOOK],
  ["add --refresh a", LOOK],
  ["add a", { kind: "stage", ...named("a"), untracked: true, ignored: false, deleted: true, ...words() }],
  ["stage a", { kind: "stage", ...named("a") }],
  ["add -A", { kind: "stage", ...whole, untracked: true, deleted: true, ...words() }],
  ["add --al", { kind: "stage", ...whole, untracked: true }],
  ["add -Av .", { ...named("."), ...words("--verbose") }],
  ["add -u", { ...whole, untracked: false, deleted: true, ...words() }],
  ["add -u --no-all", { kind: "stage", untracked: false, deleted: false }],
  ["add -f .", { ignored: true, ...words("--force") }],
  ["add -f --no-force .", { ignored: false, ...words("--force", "--no-force") }],
  ["add --ignore-removal .", { deleted: false, ...words() }],
  ["add --no-all .", { deleted: false, untracked: true, ...words() }],
  ["add -N .", { untracked: true, ...words("--intent-to-add") }],
  ["add -p", { kind: "stage", ...whole, untracked: false, ...byHand("--patch") }],
  ["add -i", { ...whole, untracked: true, ...byHand("--interactive") }],
  ["add -e", { untracked: false, ...byHand("--edit") }],
  ["add --renormalize", { untracked: false, ...whole, scope: undefined }],
  ["add --chmod=+x a", { ...named("a"), scope: undefined }],
  ["add --chmod +x a", { ...named("a"), scope: undefined }],
  ["add --pathspec-from-file=list --pathspec-file-nul", { ...listed("list"), ...words() }],
  ["add --pathspec-from-f -", { ...listed("-"), ...words() }],
  ["add -- -A", named("-A")],
  ["add --end-of-options -A", named("-A")],
  ["add a -v -- b", { ...named("a", "b"), ...words("--verbose") }],
]);

given("rm and mv", [
  ["rm", LOOK],
  ["rm -n a", LOOK],
  ["rm a", { kind: "discard", ...named("a"), hits: hits("usc"), from: undefined, exact: [] }],
  ["rm -rf src", { kind: "discard", ...named("src") }],
  ["rm --cached a", { kind: "index", removes: true, ...named("a") }],
  ["rm -r --cach src", { kind: "index", removes: true }],
  ["rm --pathspec-from-file=list", { kind: "discard", ...listed("list") }],
  ["mv a", LOOK],
  ["mv", LOOK],
  ["mv -n a b", LOOK],
  ["mv a b", { kind: "discard", ...named("a"), hits: hits("us+ic"), exact: [] }],
  ["mv a b src/", { ...named("a", "b"), exact: [] }],
  ["mv -f a lib/b src/", { ...named("a", "lib/b"), exact: ["src/", "src/a", "src/b"] }],
]);

given("checkout of paths", [
  ["checkout -- a", { kind: "discard", ...named("a"), hits: hits("u"), from: undefined, ...words() }],
  ["checkout -- main", named("main")],
  ["checkout a", { kind: "discard", ...named("a"), hits: hits("u") }],
  ["checkout a b", { kind: "discard", ...named("a", "b") }],
  ["checkout .", { kind: "discard", ...named("."), hits: hits("u") }],
  ["checkout '*.gone'", { kind: "discard", ...named("*.gone") }],
  ["checkout :/", { kind: "discard", ...named(":/") }],
  ["checkout gone also-gone", { kind: "discard", ...named("gone", "also-gone") }],
  ["checkout main a", { kind: "discard", ...named("a"), from: "main", hits: hits("us"), ...words("main") }],
  ["checkout main -- a", { ...named("a"), from: "main", hits: hits("us") }],
  ["checkout HEAD -- a", { ...named("a"), from: undefined, hits: hits("us"), ...words("HEAD") }],
  ["checkout @ .", { ...named("."), from: undefined, hits: hits("us") }],
  ["checkout - -- a", { ...named("a"), from: "-" }],
  ["checkout -f -- a", { ...named("a"), ...words("--force") }],
  ["checkout --ours a", { ...named("a"), ...words("--ours") }],
  ["checkout -p", { kind: "discard", ...whole, ...byHand("--patch") }],
  ["checkout -p main", { kind: "discard", ...whole, from: "main", ...byHand("--patch", "main") }],
  [
    "checkout main --pathspec-from-file=l",
    { kind: "discard", ...listed("l"), from: "main", ...words("main") },
  ],
  ["checkout -f", { kind: "discard", ...whole, hits: hits("us"), from: undefined }],
  ["checkout -qf HEAD", { kind: "discard", ...whole, hits: hits("us") }],
  ["checkout --forc", { kind: "discard", ...whole }],
]);

const to = (name: string | undefined, create?: string) => ({ kind: "switch", to: name, create });

given("checkout and switch of branches", [
  ["checkout", LOOK],
  ["checkout HEAD", LOOK],
  ["checkout @", to("@")],
  ["checkout -q HEAD~0", to("HEAD~0")],
  ["checkout --", LOOK],
  ["checkout topic", { ...to("topic"), detach: false, force: false, orphan: false }],
  ["checkout both", to("both")],
  ["checkout both --", to("both")],
  ["checkout only-at-a-remote", to("only-at-a-remote")],
  ["checkout -", to("-")],
  ["checkout -f topic", { ...to("topic"), force: true }],
  ["checkout -m topic", { ...to("topic"), force: true }],
  ["checkout -b new", { ...to(undefined, "new"), detach: false, force: false, orphan: false }],
  ["checkout -qbnew main", to("main", "new")],
  ["checkout -B new", { ...to(undefined, "new"), force: true }],
  ["checkout --orphan new", { ...to(undefined, "new"), orphan: true }],
  ["checkout --orphan=new main", { ...to("main", "new"), orphan: true }],
  ["checkout -d", { ...to(undefined), detach: true }],
  ["checkout --det topic", { ...to("topic"), detach: true }],
  ["checkout -t topic", to("topic")],
  ["checkout -tdirect topic", to("topic")],
  ["switch", LOOK],
  ["switch topic", { ...to("topic"), force: false, detach: false, orphan: false }],
  ["switch -c new", to(undefined, "new")],
  ["switch -c new topic", to("topic", "new")],
  ["switch --create=new", to(undefined, "new")],
  ["switch -Cnew topic", { ...to("topic", "new"), force: true }],
  ["switch --orphan new", { ...to(undefined, "new"), orphan: true }],
  ["switch -d", { ...to(undefined), detach: true }],
  ["switch -f topic", { ...to("topic"), force: true }],
  ["switch --discard topic", { ...to("topic"), force: true }],
  ["switch -f --no-merge topic", { ...to("topic"), force: true }],
  ["switch --no-force topic", { ...to("topic"), force: false }],
  ["switch -m topic", { ...to("topic"), force: true }],
]);

given("restore, reset", [
  ["restore", LOOK],
  ["restore a", { kind: "discard", ...named("a"), hits: hits("u"), from: undefined, ...words() }],
  ["restore .", { kind: "discard", ...named(".") }],
  ["restore -p", { kind: "discard", ...whole, ...byHand("--patch") }],
  ["restore -S a", { ...INDEX, ...named("a") }],
  ["restore --stag --source=main a", { ...INDEX, ...named("a") }],
  ["restore -SW a", { kind: "discard", hits: hits("us"), from: undefined }],
  ["restore -W a", { kind: "discard", hits: hits("u") }],
  ["restore -s main a", { kind: "discard", hits: hits("us"), from: "main", ...words("--source=main") }],
  ["restore -smain a", { from: "main" }],
  ["restore --source HEAD a", { from: undefined, hits: hits("us") }],
  ["restore --pathspec-from-file list", { kind: "discard", ...listed("list") }],
  ["reset", { kind: "reset", mode: "mixed", target: "HEAD", quiet: false, intentToAdd: false }],
  ["reset -q", { kind: "reset", mode: "mixed", quiet: true }],
  ["reset -N", { kind: "reset", mode: "mixed", intentToAdd: true }],
  ["reset @", { kind: "reset", target: "HEAD" }],
  ["reset HEAD~0", { kind: "reset", target: "HEAD" }],
  ["reset HEAD~1", { kind: "reset", mode: "mixed", target: "HEAD~1" }],
  ["reset --hard", { kind: "reset", mode: "hard", target: "HEAD" }],
  ["reset --har main", { kind: "reset", mode: "hard", target: "main" }],
  ["reset main --hard", { kind: "reset", mode: "hard", target: "main" }],
  ["reset --h", { kind: "reset", mode: "hard" }],
  ["reset --m", { kind: "reset", mode: "merge" }],
  ["reset --soft main", { kind: "reset", mode: "soft", target: "main" }],
  ["reset --keep main --", { kind: "reset", mode: "keep", target: "main" }],
  ["reset --merge", { kind: "reset", mode: "merge", target: "HEAD" }],
  ["reset --hard :/one", { kind: "reset", mode: "hard", target: ":/one" }],
  ["reset --hard -- a", { ...INDEX, ...named("a") }],
  ["reset a", { ...INDEX, ...named("a") }],
  ["reset -- a", { ...INDEX, ...named("a") }],
  ["reset -- main", { ...INDEX, ...named("main") }],
  ["reset main a", { ...INDEX, ...named("a") }],
  ["reset main -- a", { ...INDEX, ...named("a") }],
  ["reset -p", INDEX],
  ["reset --pathspec-from-file=list", { ...INDEX, ...listed("list") }],
]);

given("clean, and what writes trees and patches", [
  ["clean -n", LOOK],
  ["clean -fdn", LOOK],
  ["clean -f", { kind: "discard", ...whole, hits: hits("+"), ...byHand("--force") }],
  ["clean -fd src", { ...named("src"), hits: hits("+"), ...byHand("--force", "-d") }],
  ["clean -fdx", { hits: hits("+i") }],
  ["clean -fdX", { hits: hits("i") }],
  ["clean -f -e keep src", { ...named("src") }],
  ["clean -fekeep", { ...whole, ...byHand("--force", "--exclude=keep") }],
  ["checkout-index", LOOK],
  ["checkout-index --temp -a", LOOK],
  ["checkout-index --prefix=x/ -a", LOOK],
  ["checkout-index -a", { kind: "discard", ...whole, hits: hits("u") }],
  ["checkout-index -fa", { kind: "discard", ...whole, hits: hits("u+") }],
  ["checkout-index --stdin", { kind: "discard", ...whole }],
  ["checkout-index -f a", { kind: "discard", ...named("a") }],
  ["read-tree main", { ...INDEX, ...whole }],
  ["read-tree -m -u HEAD", { kind: "discard", ...whole, hits: hits("us"), from: undefined }],
  ["read-tree -mu HEAD main", { kind: "discard", from: "main" }],
  ["read-tree --reset -u main", { kind: "discard", from: "main" }],
  ["read-tree -u --reset -n main", LOOK],
  ["apply --stat x", LOOK],
  ["apply --check x", LOOK],
  ["apply --check --apply x", { kind: "write", patch: ["--", "x"] }],
  ["apply --cached x", INDEX],
  ["apply x y", { kind: "write", patch: ["--", "x", "y"] }],
  [
    "apply -R -p2 --directory=d x",
    { kind: "write", patch: ["--reverse", "-p2", "--directory=d", "--", "x"] },
  ],
  ["apply --3way x", { kind: "write", patch: ["--", "x"] }],
  ["apply", { kind: "write", patch: undefined }],
  ["apply -", { kind: "write", patch: undefined }],
  ["merge-file a b c", { kind: "discard", ...named("a"), hits: hits("us+ic") }],
  ["merge-file -L one -L two a b c", { kind: "discard", ...named("a") }],
  ["merge-file -p a b c", LOOK],
  ["merge-file --stdout a b c", LOOK],
  ["merge-file --object-id 1 2 3", LOOK],
  ["merge-file", LOOK],
  ["update-index --add a", INDEX],
]);

const rebase = (verb: string) => ({ kind: "rebase", verb });

given("submodules, sparse checkouts", [
  ["submodule", LOOK],
  ["submodule status", LOOK],
  ["submodule foreach 'git clean -fdx'", LOOK],
  ["submodule -q update --init", { kind: "discard", ...whole, hits: hits("us+c") }],
  ["submodule update -- a", { kind: "discard", ...named("a") }],
  ["submodule deinit -f -- a b", { kind: "discard", ...named("a", "b") }],
  ["submodule add x", INDEX],
  ["submodule sync", INDEX],
  ["sparse-checkout list", LOOK],
  ["sparse-checkout", LOOK],
  ["sparse-checkout set src", rebase("sparse-checkout")],
  ["sparse-checkout disable", rebase("sparse-checkout")],
]);

const commit = (what: object) => ({ kind: "commit", ...what });

given("commit", [
  [
    "commit",
    commit({ all: false, include: false, ...whole, amend: false, noVerify: false, message: "editor" }),
  ],
  [
    "commit -m x",
    commit({ message: "given", interactive: false, allowEmpty: false, ...words("--message=x") }),
  ],
  ["commit -am x", commit({ all: true, ...whole, message: "given", ...words("--message=x") })],
  ["commit -amx", commit({ all: true, message: "given", ...words("--message=x") })],
  ["commit -qamx --all", commit({ all: true, ...words("--quiet", "--message=x") })],
  // Ambiguous: git refuses it, and both are assumed.
  ["commit --al", commit({ all: true, allowEmpty: true })],
  ["commit -m -a", commit({ all: false, message: "given" })],
  ["commit -a --no-all", commit({ all: false })],
  ["commit -i a", commit({ include: true, ...named("a"), message: "editor", ...byHand() })],
  ["commit a b -m x", commit({ include: false, ...named("a", "b"), ...words("--message=x") })],
  ["commit -o -m x -- a", commit({ include: false, ...named("a"), ...words("--message=x") })],
  ["commit -m x -- -a", commit({ all: false, ...named("-a") })],
  ["commit --amend --no-edit", commit({ amend: true, message: "given", ...words("--amend", "--no-edit") })],
  ["commit --ame", commit({ amend: true, message: "editor" })],
  ["commit --amend -m x --edit", commit({ amend: true, message: "editor" })],
  ["commit -n", commit({ noVerify: true })],
  ["commit --no-verify", commit({ noVerify: true })],
  ["commit --no-veri", commit({ noVerify: true })],
  ["commit --no-verify --verify", commit({ noVerify: false })],
  ["commit -F file", commit({ message: "given" })],
  ["commit -F -", commit({ message: "stdin" })],
  ["commit -F- -e", commit({ message: "stdin" })],
  ["commit --file=-", commit({ message: "stdin" })],
  ["commit -C HEAD", commit({ message: "given" })],
  ["commit -c HEAD", commit({ message: "editor" })],
  ["commit --fixup=v1", commit({ message: "given" })],
  ["commit --fixup amend:v1", commit({ message: "editor" })],
  ["commit --fixup=reword:v1", commit({ message: "editor" })],
  ["commit --squash=v1", commit({ message: "given" })],
  ["commit --allow-empty -m x", commit({ allowEmpty: true })],
  ["commit -p", commit({ interactive: true, ...whole })],
  ["commit -p -m x", commit({ interactive: true, ...byHand("--patch", "--message=x") })],
  ["commit --interactive", commit({ interactive: true })],
  ["commit --pathspec-from-file=list -m x", commit({ ...listed("list"), ...words("--message=x") })],
  ["commit -S -m x", commit({ ...words("--gpg-sign", "--message=x") })],
  ["commit -Skey -m x", commit({ ...words("--gpg-sign=key", "--message=x") })],
  ["commit -u -m x", commit({ ...words("--untracked-files", "--message=x") })],
  ["commit -uno -m x", commit({ all: false, ...words("--untracked-files=no", "--message=x") })],
  ["commit --unheard-of -m x", commit({ ...words("--unheard-of", "--message=x") })],
  ["commit --dry-run -a", LOOK],
  ["commit --short", LOOK],
  ["commit --porcelain", LOOK],
  ["commit --long", LOOK],
  ["commit -z", LOOK],
  ["commit --dry-run --no-short", LOOK],
  ["commit -h", READ],
  ["commit --help", READ],
  ["commit -h -m x", commit({ message: "given" })],
]);

const merge = (verb: string, commits: readonly string[] | undefined, what: object = {}) => ({
  kind: "merge",
  verb,
  commits,
  ...what,
});
const step = (of: string, what: string) => ({ kind: "step", of, step: what });

given("merge, pull, picks and rebase", [
  ["merge topic", merge("merge", ["topic"], { autostash: undefined, rebase: false, commit: true })],
  ["merge", merge("merge", [])],
  ["merge --squash topic", merge("merge", ["topic"], { commit: false })],
  ["merge --ff-only topic", merge("merge", ["topic"], { commit: false })],
  ["merge --no-commit topic", merge("merge", ["topic"], { commit: false })],
  ["merge --no-ff -m x topic", merge("merge", ["topic"], { commit: true })],
  ["merge --autostash topic", merge("merge", ["topic"], { autostash: true })],
  ["merge --no-autostash topic", merge("merge", ["topic"], { autostash: false })],
  ["merge --abort", step("merge", "abort")],
  ["merge --contin", step("merge", "continue")],
  ["merge --quit", step("merge", "quit")],
  ["pull", merge("pull", undefined, { rebase: undefined, autostash: undefined, commit: true })],
  ["pull --dry-run", READ],
  ["pull --rebase", merge("pull", undefined, { rebase: true })],
  ["pull -r origin main", merge("pull", undefined, { rebase: true })],
  ["pull --rebase=merges", merge("pull", undefined, { rebase: true })],
  ["pull --rebase=false", merge("pull", undefined, { rebase: false })],
  ["pull --no-rebase", merge("pull", undefined, { rebase: false })],
  ["pull --ff-only", merge("pull", undefined, { rebase: undefined, commit: false })],
  ["pull --autostash", merge("pull", undefined, { autostash: true })],
  ["cherry-pick v1", merge("cherry-pick", ["v1"], { autostash: false, rebase: false, commit: true })],
  ["cherry-pick -n v1 topic", merge("cherry-pick", ["v1", "topic"], { commit: false })],
  ["cherry-pick -m 1 v1", merge("cherry-pick", ["v1"])],
  ["cherry-pick A..B", merge("cherry-pick", ["A..B"])],
  // Options of rev-list are taken too; which commits they mean is only known while it runs.
  ["cherry-pick --stdin", merge("cherry-pick", undefined)],
  ["cherry-pick --reverse A..B", merge("cherry-pick", undefined)],
  ["cherry-pick -3 main", merge("cherry-pick", undefined)],
  ["cherry-pick --abort", step("cherry-pick", "abort")],
  ["cherry-pick --skip", step("cherry-pick", "skip")],
  ["cherry-pick --quit", step("cherry-pick", "quit")],
  ["cherry-pick --cont", step("cherry-pick", "continue")],
  ["revert v1", merge("revert", ["v1"], { commit: true })],
  ["revert --no-edit v1", merge("revert", ["v1"])],
  ["revert --abort", step("revert", "abort")],
  ["am x", rebase("am")],
  ["am --show-current-patch", READ],
  ["am --show-current-patch=raw", READ],
  ["am --abort", step("am", "abort")],
  ["am -r", step("am", "continue")],
  ["am --retry", step("am", "continue")],
  ["rebase main", rebase("rebase")],
  ["rebase -i --onto main v1", rebase("rebase")],
  ["rebase --abort", step("rebase", "abort")],
  ["rebase --continue", step("rebase", "continue")],
  ["rebase --skip", step("rebase", "skip")],
  ["rebase --show-current-patch", READ],
  ["rebase --edit-todo", READ],
  ["bisect", READ],
  ["bisect log", READ],
  ["bisect start", rebase("bisect")],
  ["bisect good v1", rebase("bisect")],
  ["bisect reset", step("bisect", "abort")],
  ["filter-branch -f", rebase("filter-branch")],
  ["merge-recursive a -- b c", merge("merge-recursive", undefined, { autostash: false, rebase: false })],
  ["svn rebase", rebase("svn")],
  ["svn log", READ],
  ["svn", READ],
  ["p4 sync", rebase("p4")],
  ["p4", READ],
  ["subtree merge -P x v1", merge("subtree", undefined)],
  ["subtree split -P x", READ],
  ["subtree", merge("subtree", undefined)],
]);

const ref = (...refs: string[]) => ({ kind: "ref", refs });
const upkeep = (removesTree?: string) => ({ kind: "maintenance", removesTree });

given("refs and working trees", [
  ["branch", READ],
  ["branch new", READ],
  ["branch new v1", READ],
  ["branch -u origin/main", READ],
  ["branch --list main", READ],
  ["branch -d topic main", ref("refs/heads/topic", "refs/heads/main")],
  ["branch -D topic", ref("refs/heads/topic")],
  ["branch --del topic", ref("refs/heads/topic")],
  ["branch -rd origin/x", READ],
  ["branch -m new", ref("HEAD")],
  ["branch -M old new", ref("refs/heads/old", "refs/heads/new")],
  ["branch -c new", READ],
  ["branch -C new", ref("refs/heads/new")],
  ["branch -c --force old new", ref("refs/heads/new")],
  ["branch -f main v1", ref("refs/heads/main")],
  ["branch -f", READ],
  ["branch --forc main", ref("refs/heads/main")],
  ["update-ref", READ],
  ["update-ref refs/heads/main v1", ref("refs/heads/main")],
  ["update-ref -m why HEAD v1", ref("HEAD")],
  ["update-ref -d refs/heads/main", ref("refs/heads/main")],
  ["update-ref --stdin", { kind: "ref", refs: undefined }],
  ["fast-import", { kind: "ref", refs: undefined }],
  ["symbolic-ref HEAD", READ],
  ["symbolic-ref HEAD refs/heads/topic", ref("HEAD")],
  ["symbolic-ref -m why HEAD refs/heads/topic", ref("HEAD")],
  ["symbolic-ref -d HEAD", ref("HEAD")],
  ["symbolic-ref -d", READ],
  ["fetch", READ],
  ["fetch origin x:main", READ],
  ["fetch -u", READ],
  ["fetch -u origin x:main", ref("refs/heads/main")],
  ["fetch --update-head-ok origin +x:refs/heads/main x:refs/x/y", ref("refs/heads/main", "refs/x/y")],
  ["worktree", READ],
  ["worktree list", READ],
  ["worktree add ../x -b new", upkeep()],
  ["worktree add -B main ../x", ref("refs/heads/main")],
  ["worktree remove ../x", upkeep()],
  ["worktree remove -f ../x", upkeep("../x")],
  ["worktree remove --forc ../x", upkeep("../x")],
  ["worktree prune", upkeep()],
  ["gc --prune=now", upkeep()],
  ["reflog", upkeep()],
  ["reflog expire --all", upkeep()],
  ["reflog expire --expire=now main", upkeep()],
  ["reflog expire --expire=never --all", upkeep()],
  ["reflog expire --dry --expire=now --all", upkeep()],
  ["reflog expire --expire=now --all", { kind: "stash", action: "clear" }],
  ["reflog expire --expire-un now refs/stash", { kind: "stash", action: "clear" }],
  ["reflog drop --all", { kind: "stash", action: "clear" }],
  ["reflog drop main", upkeep()],
  ["reflog delete main@{1}", upkeep()],
  ["reflog delete --rewrite stash@{1}", { kind: "stash", action: "drop", entry: "stash@{1}" }],
  ["reflog delete stash@{1} stash@{2}", { kind: "stash", action: "clear" }],
  ["update-ref -d refs/stash", { kind: "stash", action: "clear" }],
  ["update-ref refs/stash v1", ref("refs/stash")],
  ["fetch --update-h origin x:main", ref("refs/heads/main")],
]);

const stash = (action: string, what: object = {}) => ({ kind: "stash", action, ...what });

given("stash", [
  ["stash", stash("push", { ...whole, hits: hits("us"), entry: undefined, ...words() })],
  ["stash push", stash("push", { ...whole, hits: hits("us") })],
  ["stash -u", stash("push", { hits: hits("us+"), ...words("--include-untracked") })],
  ["stash -a", stash("push", { hits: hits("us+i"), ...words("--all") })],
  ["stash --incl", stash("push", { hits: hits("us+") })],
  ["stash -S", stash("push", { hits: hits("s") })],
  ["stash -k", stash("push", { hits: hits("us"), ...words("--keep-index") })],
  ["stash -p", stash("push", byHand("--patch"))],
  ["stash -um x", stash("push", { hits: hits("us+"), ...words("--include-untracked", "--message=x") })],
  ["stash -- a", stash("push", named("a"))],
  ["stash push -m x a b", stash("push", { ...named("a", "b"), ...words("--message=x") })],
  ["stash push --pathspec-from-file=list", stash("push", listed("list"))],
  [
    "stash save -u two words",
    stash("push", { ...whole, ...words("--include-untracked", "--message=two words") }),
  ],
  ["stash save", stash("push", words())],
  ["stash pop", stash("pop", { entry: undefined, ...byHand() })],
  ["stash pop --index 2", stash("pop", { entry: "2", ...byHand("--index") })],
  ["stash apply stash@{1}", stash("apply", { entry: "stash@{1}" })],
  ["stash drop -q", stash("drop", { entry: undefined, ...byHand("--quiet") })],
  ["stash branch new stash@{1}", stash("branch", { entry: "stash@{1}" })],
  ["stash clear", stash("clear")],
  ["stash store v1", stash("store")],
  ["stash create", LOOK],
  ["stash list", READ],
  ["stash show -p", READ],
]);

given("what only looks, and what is not git's", [
  ["status", LOOK],
  ["diff", LOOK],
  ["log -p", READ],
  ["show :a", LOOK],
  ["show HEAD:a", READ],
  ["push --force", READ],
  ["tag -d v1", READ],
  ["config user.name x", READ],
  ["reset -h", READ],
  ["reset --help", READ],
  ["gui", { kind: "unknown" }],
  ["submodule--helper update", { kind: "unknown" }],
  ["lfs pull", { kind: "unknown", why: "not a command of git's" }],
  ["--version", READ],
  ["--from-tomorrow commit", { kind: "unknown", why: "unknown option" }],
]);

test("the repository is asked only where git itself would look", () => {
  const never: Resolve = { isRevision: () => assert.fail("asked"), isPath: () => assert.fail("asked") };
  for (const line of [
    "checkout -- a",
    "checkout main -- a",
    "checkout -b x",
    "checkout -",
    "checkout",
    "reset",
    "reset --hard",
    "reset -- a",
    "reset main --",
    "switch x",
    "restore x",
    "commit x",
  ])
    does(line, never);
});

test("an operation has the command that it was made of", () => {
  assert.deepEqual(does("-C x commit -m y").command?.globals, ["-C", "x"]);
});

test("whatever the words, classifying does not throw; an unknown verb is let through", () => {
  const verb = fc.oneof(
    fc.constantFrom(
      ...split(
        "add rm mv checkout switch restore reset clean checkout-index read-tree apply merge-file commit merge " +
          "pull cherry-pick revert rebase am bisect stash branch update-ref symbolic-ref fetch worktree submodule " +
          "sparse-checkout svn p4 subtree",
      ),
    ),
    fc.string(),
  );
  const word = fc.oneof(
    fc.string(),
    fc.constantFrom(
      ...split("-- --end-of-options - a main push pop --no --no- --a=b -amx -- --hard -fdx HEAD ."),
    ),
  );
  fc.assert(
    fc.property(verb, fc.array(word, { maxLength: 6 }), (first, args) => {
      const { kind } = does([first, ...args]);
      if (!isKnownVerb(first) && !first.startsWith("-")) assert.equal(kind, "unknown");
    }),
  );
});
