/**
 * Where a branch stands to the one it is based on, whether it could come up to it without a conflict, and bringing
 * it there. Nothing is stashed, nothing is begun that is not known to end.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Branches, Obstacle, Prediction, Standing, SyncOutcome, TreeAt } from "../../app/ports.ts";
import { gitdirsOf } from "./gitdirs.ts";
import { readBase } from "./index-file.ts";
import { childProcess } from "../child-process.ts";
import { cleanGitEnv, git, type GitAt, splitNul, toText, tryGit } from "./run.ts";
import { branchOf, commitOf, configOf, dirtyPaths, operationIn } from "./work-tree.ts";

/** Of a branch with more commits of its own the way is not predicted. */
const PREDICTED_AT_MOST = 100;

/** @param shim a session's git, which is judged and waits its turn; without it git is called as a person does */
export function branchesOf(at: TreeAt, shim?: string): Branches {
  const here: GitAt = { cwd: at.top, gitDir: at.nativeGitDir, workTree: at.top };
  return {
    standing: (base) => standing(here, base),
    fetch: () => tryGit(here, ["fetch", "--quiet"], { env: { GIT_TERMINAL_PROMPT: "0" } }).status === 0,
    obstacle: () => obstacle(at, here),
    predict: (standing) => predict(here, standing),
    bringUp: (standing, how) => bringUp(at, here, standing, how, shim),
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
 * Replays the branch's own commits onto the target, in objects alone. Each is a merge of what is there by then with
 * the commit, their base being its parent: `git merge-tree` finds that one, because both are given it as parent.
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
  if (own.length > PREDICTED_AT_MOST || !hasMergeTree(here)) return { kind: "clean", commits: own.length };
  let tree = git(here, ["rev-parse", `${target}^{tree}`]).trim();
  for (const commit of own) {
    const parent = git(here, ["rev-parse", "-q", "--verify", `${commit}^`]).trim();
    const ours = git(here, ["commit-tree", tree, "-p", parent, "-m", "signalbox: prediction"], {
      env: {
        GIT_AUTHOR_NAME: "signalbox",
        GIT_AUTHOR_EMAIL: "-",
        GIT_COMMITTER_NAME: "signalbox",
        GIT_COMMITTER_EMAIL: "-",
      },
    }).trim();
    const args = ["merge-tree", "--write-tree", "--no-messages", "--name-only", "-z", ours, commit];
    const { status, stdout } = tryGit(here, args);
    const [merged = "", ...paths] = splitNul(stdout);
    if (status === 1) return { kind: "conflict", commit, paths: [...new Set(paths.map(toText))] };
    // Git cannot say; what happens is seen when it is done, and undone if it stops.
    if (status !== 0) return { kind: "clean", commits: own.length };
    tree = merged;
  }
  return { kind: "clean", commits: own.length };
}

/** Git 2.38 has it. */
function hasMergeTree(here: GitAt): boolean {
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(git(here, ["--version"])) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 38);
}

function bringUp(
  at: TreeAt,
  here: GitAt,
  { head, target }: Extract<Standing, { kind: "branch" }>,
  how: "forward" | "rebase",
  shim: string | undefined,
): SyncOutcome {
  const quiet = ["-c", "advice.detachedHead=false", "-c", "core.editor=true", "-c", "sequence.editor=true"];
  const args =
    how === "forward"
      ? [...quiet, "merge", "--ff-only", "--no-autostash", "--quiet", target]
      : [
          ...quiet,
          "-c",
          "rebase.updateRefs=false",
          "rebase",
          "--no-autostash",
          "--no-fork-point",
          "--quiet",
          target,
        ];
  const program = shim ?? (process.env["SIGNALBOX_GIT"] || "git");
  const { status, stderr, stdout } = childProcess().spawnSync(program, args, {
    cwd: at.top,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...cleanGitEnv(), LC_ALL: "C", GIT_EDITOR: "true", GIT_SEQUENCE_EDITOR: "true" },
  });
  const now = commitOf(here, "HEAD") ?? head;
  if (status === 0) return { kind: "done", from: head, to: now };
  const stopped = operationIn(at.nativeGitDir) === "rebase";
  const paths = splitNul(tryGit(here, ["diff", "--name-only", "--diff-filter=U", "-z"]).stdout).map(toText);
  if (stopped) {
    // A conflict that was not foreseen: back to where it was.
    const aborted = childProcess().spawnSync(program, ["rebase", "--abort"], {
      cwd: at.top,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
      env: { ...cleanGitEnv(), LC_ALL: "C" },
    });
    if (aborted.status !== 0)
      return {
        kind: "failed",
        why: `${firstLines(stderr)}; and git rebase --abort: ${firstLines(aborted.stderr)}`,
      };
    return { kind: "conflict", paths };
  }
  return { kind: "failed", why: firstLines(stderr || stdout) || `git exited with ${status}` };
}

function firstLines(text: string): string {
  return text
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean)
    .slice(0, 4)
    .join("; ");
}
