import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CommitFacts, Git } from "../app/ports.ts";
import { canonicalPath, type KeyOptions } from "../domain/path-key.ts";
import { childProcess } from "./child-process.ts";
import { GitError } from "./git/run.ts";

/**
 * What git leaves in the gitdir while an operation waits to be concluded. A revert without a conflict has
 * nothing but its message there when it commits.
 */
const IN_PROGRESS = [
  "MERGE_HEAD",
  "CHERRY_PICK_HEAD",
  "REVERT_HEAD",
  "rebase-merge",
  "rebase-apply",
  "MERGE_MSG",
];

/**
 * Git in the working tree of `cwd`, for hooks: one process a call, no locks taken, the environment that git gave
 * the hook kept as it is (GIT_INDEX_FILE names the index that is being committed).
 */
export function gitIn(cwd: string, options: KeyOptions = {}): Git {
  const run = (...args: string[]) => runGit(cwd, args);

  const inProgress = () => {
    const files = run("rev-parse", ...IN_PROGRESS.flatMap((name) => ["--git-path", name])).split("\n");
    return IN_PROGRESS.filter((_, i) => existsSync(resolve(cwd, files[i] ?? "")));
  };

  return {
    stagedPaths() {
      return paths(run("diff", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=none"));
    },

    broughtPaths() {
      const names = (...args: string[]) =>
        paths(tryGit(cwd, [...args, "--name-only", "-z", "--no-renames"]) ?? "");
      const [operation] = inProgress();
      if (operation === "MERGE_HEAD") return names("diff", "HEAD...MERGE_HEAD");
      if (operation !== "CHERRY_PICK_HEAD" && operation !== "REVERT_HEAD") return [];
      return names("log", "-1", "--format=", "--diff-merges=first-parent", operation);
    },

    headCommit() {
      const format = "%H%n%P%n%D%n%s";
      const args = [
        "-c",
        "log.showSignature=false",
        "log",
        "-1",
        "-z",
        `--format=${format}`,
        "--decorate=full",
        "--name-only",
        "--no-renames",
        "--diff-merges=first-parent",
        "HEAD",
        "--",
      ];
      const out = tryGit(cwd, args);
      if (out === undefined) return undefined;
      return parseHead(out);
    },

    inOperation: () => inProgress().length > 0,

    keyOf: (path) => canonicalPath(path, options),

    dirty(wanted) {
      if (wanted.length === 0) return new Set();
      const out = run(
        "--literal-pathspecs",
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--untracked-files=all",
        "--",
        ...wanted,
      );
      return new Set(paths(out).map((line) => line.slice(3)));
    },
  };
}

/** `<hash>\n<parents>\n<decorations>\n<subject>\0\n<path>\0<path>\0…`, as `git log -1 -z --name-only` prints it. */
function parseHead(out: string): CommitFacts {
  const end = out.indexOf("\0");
  const head = end < 0 ? out : out.slice(0, end);
  const [commit = "", parents = "", decorations = "", ...subject] = head.split("\n");
  const branch = /^HEAD -> (?<name>[^,]+)/.exec(decorations)?.groups?.["name"];
  const changed = end < 0 ? [] : paths(out.slice(end + 1).replace(/^\n/, ""));
  return {
    commit,
    parents: parents.split(" ").filter(Boolean),
    branch,
    subject: subject.join(" "),
    paths: changed,
  };
}

function paths(nulSeparated: string): string[] {
  return nulSeparated.split("\0").filter((path) => path !== "");
}

/** @throws GitError if git fails or is not there */
export function runGit(cwd: string, args: readonly string[]): string {
  const { status, stdout, stderr, error } = childProcess().spawnSync("git", args, {
    cwd,
    encoding: "utf8",
    env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C" },
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) throw new GitError(args, null, error.message);
  if (status !== 0) throw new GitError(args, status, stderr);
  return stdout;
}

function tryGit(cwd: string, args: readonly string[]): string | undefined {
  try {
    return runGit(cwd, args);
  } catch (error) {
    if (error instanceof GitError && error.status !== null) return undefined;
    throw error;
  }
}
