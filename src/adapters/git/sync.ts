/**
 * Where a branch stands to the one it is based on, whether it could come up to it without a conflict, and bringing
 * it there. Nothing is stashed, nothing is begun that is not known to end; the tree moves in one step (move.ts).
 */
import { closeSync, existsSync, openSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Branches, Obstacle, Prediction, Standing, SyncOutcome, TreeAt } from "../../app/ports.ts";
import { gitdirsOf } from "./gitdirs.ts";
import { readBase } from "./index-file.ts";
import { childProcess } from "../child-process.ts";
import { isMoving, moveTree } from "./move.ts";
import { cleanGitEnv, git, type GitAt, splitNul, toText, tryGit } from "./run.ts";
import { branchOf, commitOf, configOf, dirtyPaths, operationIn } from "./work-tree.ts";
import { textOf } from "./worktree-facts.ts";

/** A branch with more commits of its own is git's to rebase. */
const REPLAYED_AT_MOST = 200;
/** Pauses until another sync of the same tree is through; about two seconds. */
const WAITS = 60;

/** @param shim a session's git, which is judged and waits its turn; without it git is called as a person does */
export function branchesOf(at: TreeAt, shim?: string): Branches {
  const here: GitAt = { cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top };
  return {
    standing: (base) => standing(here, base),
    fetch: () => tryGit(here, ["fetch", "--quiet"], { env: { GIT_TERMINAL_PROMPT: "0" } }).status === 0,
    obstacle: () => obstacle(at, here),
    predict: (standing) => predict(here, standing),
    bringUp: (standing, prediction) => bringUp(at, here, standing, prediction, shim),
  };
}

function standing(here: GitAt, wanted: string): Standing {
  const branch = branchOf(here);
  const head = commitOf(here, "HEAD");
  if (branch === undefined)
    return { kind: "none", why: "HEAD is detached: it is on no branch that could follow another" };
  const name = branch.replace(/^refs\/heads\//, "");
  if (head === undefined) return { kind: "none", why: `${name} has no commit yet` };
  const base = wanted === "auto" ? defaultBase(here, branch) : wanted;
  if (base === undefined)
    return {
      kind: "none",
      why: `${name} has no upstream and is based on no other branch; sessions in one tree share it, and have nothing to rebase`,
    };
  const target = commitOf(here, base);
  if (target === undefined) return { kind: "none", why: `there is no ${base} (setting sync.base)` };
  if (tryGit(here, ["merge-base", head, target]).status !== 0)
    return { kind: "none", why: `${name} and ${base} have no history in common` };
  const [ahead = 0, behind = 0] = git(here, ["rev-list", "--left-right", "--count", `${head}...${target}`])
    .trim()
    .split("\t")
    .map(Number);
  const merges =
    ahead === 0 ? 0 : Number(git(here, ["rev-list", "--merges", "--count", `${target}..${head}`]));
  const unseen =
    ahead === 0 ? 0 : Number(git(here, ["rev-list", "--count", head, `^${target}`, "--not", "--remotes"]));
  return {
    kind: "branch",
    branch: name,
    head,
    base,
    target,
    ahead,
    behind,
    merges,
    published: ahead - unseen,
  };
}

/** The upstream; else the default branch, unless this is it. */
function defaultBase(here: GitAt, branch: string): string | undefined {
  const format = "--format=%(upstream:short)";
  const upstream = tryGit(here, ["for-each-ref", format, branch]).stdout.trim();
  if (upstream !== "") return toText(upstream);
  const remote = tryGit(here, ["symbolic-ref", "-q", "--short", "refs/remotes/origin/HEAD"]).stdout.trim();
  const candidates = [
    remote.replace(/^origin\//, ""),
    configOf(here, "init.defaultBranch") ?? "",
    "main",
    "master",
  ];
  return candidates.find(
    (name) =>
      name !== "" && `refs/heads/${name}` !== branch && commitOf(here, `refs/heads/${name}`) !== undefined,
  );
}

/** Why nothing may be moved now. */
function obstacle(at: TreeAt, here: GitAt): Obstacle | undefined {
  for (let waited = 0; isMoving(at); waited += 1) {
    if (waited === WAITS) return { kind: "operation", what: "sync" };
    pause();
  }
  const gitdirs = gitdirsOf(at).all();
  for (const gitDir of [at.nativeGitDir, ...gitdirs.map((each) => each.gitDir)]) {
    const what = operationIn(gitDir);
    if (what !== undefined) return { kind: "operation", what };
    if (existsSync(join(gitDir, "index.lock"))) return { kind: "operation", what: "git command" };
  }
  const dirty = dirtyPaths(here).filter(({ state }) => state !== "untracked" && state !== "ignored");
  if (dirty.length > 0) return { kind: "dirty", paths: dirty.map(({ path }) => path) };
  for (const { gitDir, session } of gitdirs) {
    // An index is what is staged on top of its base, which HEAD may have left behind.
    const base = readBase(gitDir) ?? "HEAD";
    const staged = tryGit({ ...here, gitDir }, ["diff", "--cached", "--name-only", "-z", base]);
    const paths = splitNul(staged.stdout).map(toText);
    if (paths.length > 0) return { kind: "staged", paths, session };
  }
  return undefined;
}

/**
 * Replays the branch's own commits onto the target, in objects alone: what comes of it is known before anything is
 * changed. As git-rebase(1) does it, commits that the target has already, or that have nothing left to say, are left out.
 */
function predict(
  here: GitAt,
  { head, target, ahead, behind, merges, published }: Extract<Standing, { kind: "branch" }>,
): Prediction {
  if (behind === 0) return { kind: "current" };
  if (ahead === 0) return { kind: "forward" };
  if (merges > 0) return { kind: "merges" };
  if (published > 0) return { kind: "published" };
  const range = ["--reverse", "--right-only", "--cherry-pick", "--no-merges", `${target}...${head}`];
  const own = git(here, ["rev-list", ...range])
    .split("\n")
    .filter(Boolean);
  const byGit: Prediction = { kind: "clean", commits: own.length };
  // Signing may ask for a passphrase, which is git's to do.
  const signs = configOf(here, "commit.gpgSign") === "true";
  if (own.length > REPLAYED_AT_MOST || signs || !hasMergeTree(here)) return byGit;
  const committer = tryGit(here, ["var", "GIT_COMMITTER_IDENT"]);
  if (committer.status !== 0) return byGit;
  let tip = { commit: target, tree: treeOf(here, target) };
  const rewritten: [string, string][] = [];
  for (const commit of own) {
    const parent = git(here, ["rev-parse", "-q", "--verify", `${commit}^`]).trim();
    const { status, stdout } = mergeTrees(here, tip.tree, parent, commit);
    const [tree = "", ...paths] = splitNul(stdout);
    if (status === 1) return { kind: "conflict", commit, paths: [...new Set(paths.map(toText))] };
    // Git cannot say; what happens is seen when it is done, and undone if it stops.
    if (status !== 0) return byGit;
    if (tree === tip.tree && treeOf(here, commit) !== treeOf(here, parent)) continue;
    tip = { commit: recommit(here, commit, tree, tip.commit, committer.stdout.trimEnd()), tree };
    rewritten.push([commit, tip.commit]);
  }
  return { ...byGit, replay: { tip: tip.commit, rewritten } };
}

function treeOf(here: GitAt, commit: string): string {
  return git(here, ["rev-parse", `${commit}^{tree}`]).trim();
}

/** What `commit` changed since `parent`, done to `tree`. `git merge-tree` finds the base: it is given to both as parent. */
function mergeTrees(here: GitAt, tree: string, parent: string, commit: string) {
  const ours = git(here, ["commit-tree", tree, "-p", parent, "-m", "signalbox: prediction"], {
    env: {
      GIT_AUTHOR_NAME: "signalbox",
      GIT_AUTHOR_EMAIL: "-",
      GIT_COMMITTER_NAME: "signalbox",
      GIT_COMMITTER_EMAIL: "-",
    },
  }).trim();
  const args = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, commit];
  return tryGit(here, args);
}

/** The same commit, byte for byte, but for its place and what becomes untrue with it. */
function recommit(here: GitAt, commit: string, tree: string, parent: string, committer: string): string {
  const raw = git(here, ["cat-file", "commit", commit]);
  const end = raw.indexOf("\n\n");
  // A header goes on where a line begins with a space.
  const headers = raw.slice(0, end).split(/\n(?! )/);
  const kept = headers.filter((line) => /^(?:author|encoding) /.test(line));
  const [author = "", ...encoding] = kept;
  const header = [`tree ${tree}`, `parent ${parent}`, author, `committer ${committer}`, ...encoding].join(
    "\n",
  );
  return git(here, ["hash-object", "-t", "commit", "-w", "--stdin"], {
    input: header + raw.slice(end),
  }).trim();
}

/** Git 2.38 has it. */
function hasMergeTree(here: GitAt): boolean {
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(git(here, ["--version"])) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 38);
}

function bringUp(
  at: TreeAt,
  here: GitAt,
  { branch, head, target, base }: Extract<Standing, { kind: "branch" }>,
  prediction: Extract<Prediction, { kind: "forward" | "clean" }>,
  shim: string | undefined,
): SyncOutcome {
  if (prediction.kind === "clean" && prediction.replay === undefined)
    return rebase(at, here, head, target, shim);
  const { tip, rewritten } =
    prediction.kind === "clean" ? prediction.replay! : { tip: target, rewritten: [] };
  const forbidden = prediction.kind === "clean" ? runHook(at, here, "pre-rebase", [target]) : undefined;
  if (forbidden !== undefined) return { kind: "failed", why: `the hook pre-rebase refused: ${forbidden}` };
  const what = prediction.kind === "forward" ? "brought forward to" : "rebased onto";
  const move = { branch: `refs/heads/${branch}`, from: head, to: tip };
  const moved = moveTree(at, move, `signalbox sync: ${what} ${base}`);
  if (moved.kind === "overtaken") pause();
  if (moved.kind !== "moved") return moved;
  tryGit(here, ["update-ref", "ORIG_HEAD", head]);
  if (prediction.kind === "forward") runHook(at, here, "post-merge", ["0"]);
  else {
    const lines = rewritten.map(([from, to]) => `${from} ${to}\n`).join("");
    tryGit(here, ["notes", "copy", "--for-rewrite=rebase", "--stdin"], { input: lines });
    runHook(at, here, "post-rewrite", ["rebase"], lines);
  }
  return { kind: "done", from: head, to: tip };
}

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10 + Math.random() * 40);
}

/**
 * githooks(5), as git would run it for its own merge or rebase.
 *
 * @returns what a hook that ended with an error has said
 */
function runHook(
  at: TreeAt,
  here: GitAt,
  name: string,
  args: readonly string[],
  input = "",
): string | undefined {
  const env = { SIGNALBOX: process.env["SIGNALBOX"] ?? "" };
  const file = join(at.nativeGitDir, `signalbox-hook-input.${process.pid}`);
  writeFileSync(file, input);
  try {
    const byGit = tryGit(
      here,
      ["hook", "run", "--ignore-missing", `--to-stdin=${file}`, name, "--", ...args],
      { env },
    );
    // Git before 2.40 gives a hook no input there; it knows no hooks but files either.
    const done = byGit.status === 129 ? runHookFile(here, name, args, file) : byGit;
    return done === undefined || done.status === 0
      ? undefined
      : firstLines(done.stderr) || `exit ${done.status}`;
  } finally {
    rmSync(file, { force: true });
  }
}

function runHookFile(here: GitAt, name: string, args: readonly string[], input: string) {
  const path = ["rev-parse", "--path-format=absolute", "--git-path", `hooks/${name}`];
  const hook = toText(git(here, path)).trimEnd();
  if (!existsSync(hook)) return undefined;
  const stdin = openSync(input, "r");
  try {
    const env = { ...cleanGitEnv(), ...(here.gitDir === undefined ? {} : { GIT_DIR: here.gitDir }) };
    return childProcess().spawnSync(hook, args, {
      cwd: here.cwd,
      encoding: "utf8",
      stdio: [stdin, "ignore", "pipe"],
      env,
    });
  } finally {
    closeSync(stdin);
  }
}

/** Git's own, where it could not be foretold; taken back whole if it stops. */
function rebase(
  at: TreeAt,
  here: GitAt,
  head: string,
  target: string,
  shim: string | undefined,
): SyncOutcome {
  const program = shim ?? (process.env["SIGNALBOX_GIT"] || "git");
  const env = { ...cleanGitEnv(), LC_ALL: "C", GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" };
  const run = (...args: string[]) =>
    childProcess().spawnSync(program, ["-c", "rebase.updateRefs=false", "rebase", ...args], {
      cwd: at.top,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env,
    });
  const { status, stderr, stdout } = run("--no-autostash", "--no-fork-point", "--quiet", target);
  if (status === 0) return { kind: "done", from: head, to: commitOf(here, "HEAD") ?? head };
  const why = firstLines(stderr || stdout) || `git exited with ${status}`;
  if (
    !isOwnRebase(at.nativeGitDir, head, target) ||
    /is already a rebase|\.lock': File exists|could not lock/.test(stderr)
  )
    return { kind: "failed", why };
  const paths = splitNul(tryGit(here, ["diff", "--name-only", "--diff-filter=U", "-z"]).stdout).map(toText);
  const aborted = run("--abort");
  return aborted.status === 0
    ? { kind: "conflict", paths }
    : { kind: "failed", why: `${why}; and git rebase --abort: ${firstLines(aborted.stderr)}` };
}

/** Somebody else's is not ours to abort. */
function isOwnRebase(gitDir: string, head: string, target: string): boolean {
  const dir = join(gitDir, "rebase-merge");
  const read = (name: string) => textOf(join(dir, name))?.trim();
  return read("orig-head") === head && read("onto") === target;
}

function firstLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 4)
    .join("; ");
}
