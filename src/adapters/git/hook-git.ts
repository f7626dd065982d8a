import { existsSync, lstatSync } from "node:fs";
import { basename, resolve } from "node:path";
import type { CommitFacts, Git } from "../../app/ports.ts";
import { canonicalPath, type KeyOptions } from "../../domain/path-key.ts";
import { childProcess } from "../child-process.ts";
import { GitError } from "./run.ts";

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

const STAGED = ["diff", "--cached", "--name-only", "-z", "--no-renames", "--ignore-submodules=none"];

/**
 * Git in the working tree of `cwd`, for hooks: one process a call, no locks taken, the environment that git gave
 * the hook kept as it is (GIT_INDEX_FILE names the index that is being committed).
 *
 * @param gitEnv what git would give a hook, where it is not a hook that asks
 */
export function gitIn(
  cwd: string,
  options: KeyOptions = {},
  gitEnv: Readonly<Record<string, string>> = {},
): Git {
  const environment = { ...process.env, ...gitEnv };
  const runGit = (where: string, args: readonly string[], { input, env }: GitCallOptions = {}) =>
    runGitIn(where, args, { ...(input === undefined ? {} : { input }), env: { ...gitEnv, ...env } });
  const tryGit = (where: string, args: readonly string[]) => unlessItFails(() => runGit(where, args));
  const run = (...args: string[]) => runGit(cwd, args);

  const inProgress = () => {
    const files = run("rev-parse", ...IN_PROGRESS.flatMap((name) => ["--git-path", name])).split("\n");
    return IN_PROGRESS.filter((_, i) => existsSync(resolve(cwd, files[i] ?? "")));
  };

  /** The index that belongs to the gitdir, whatever file the commit works on. */
  const ownIndex = () => {
    const gitDir = environment["GIT_DIR"] ?? ".git";
    return resolve(cwd, gitDir, "index");
  };

  /** What HEAD has under these paths: `<mode> <type> <hash>\t<path>` a line (git-ls-tree(1)). */
  const headEntries = (wanted: readonly string[]) => {
    const args = ["--literal-pathspecs", "ls-tree", "-r", "-z", "--full-tree", "HEAD", "--", ...wanted];
    return new Map(
      paths(tryGit(cwd, args) ?? "").map((line) => {
        const [mode = "", , hash = ""] = line.slice(0, line.indexOf("\t")).split(" ");
        return [line.slice(line.indexOf("\t") + 1), { mode, hash }];
      }),
    );
  };

  const reset = (wanted: readonly string[], indexFile?: string) => {
    if (wanted.length === 0) return;
    const env = indexFile === undefined ? {} : { GIT_INDEX_FILE: indexFile };
    const inHead = headEntries(wanted);
    const lines = wanted.map((path) => {
      const { mode, hash } = inHead.get(path) ?? { mode: "0", hash: "0".repeat(40) };
      return `${mode} ${hash}\t${path}\0`;
    });
    runGit(cwd, ["update-index", "-z", "--index-info"], { input: lines.join(""), env });
  };

  return {
    commitMode() {
      const name = basename(environment["GIT_INDEX_FILE"] ?? "index");
      if (name.startsWith("next-index-")) return "only";
      return name.endsWith(".lock") ? "all" : "staged";
    },

    stagedBefore() {
      const env = { GIT_INDEX_FILE: ownIndex() };
      return paths(runGit(cwd, STAGED, { env }));
    },

    leaveOut(wanted) {
      reset(wanted);
    },

    unstage(wanted) {
      reset(wanted, ownIndex());
    },

    phantoms(wanted) {
      const inHead = headEntries(wanted);
      const gone = wanted.filter((path) => !inHead.has(path) && !isThere(resolve(cwd, path)));
      const there = wanted.filter(
        (path) => inHead.has(path) && !path.includes("\n") && isFile(resolve(cwd, path)),
      );
      if (there.length === 0) return new Set(gone);
      const hashes = runGit(cwd, ["hash-object", "--stdin-paths"], { input: `${there.join("\n")}\n` }).split(
        "\n",
      );
      return new Set([...gone, ...there.filter((path, i) => inHead.get(path)?.hash === hashes[i])]);
    },

    resolvedPaths() {
      return paths(tryGit(cwd, ["ls-files", "--resolve-undo", "-z"]) ?? "").map((line) =>
        line.slice(line.indexOf("\t") + 1),
      );
    },

    rewound(wanted) {
      const [last = "", before = ""] = (
        tryGit(cwd, ["log", "-g", "-2", "--format=%H %gs", "HEAD"]) ?? ""
      ).split("\n");
      const [head = "", how = ""] = last.split(" ");
      const [left = ""] = before.split(" ");
      if (wanted.length === 0 || !how.startsWith("reset:") || left === "") return [];
      const fork = tryGit(cwd, ["merge-base", left, head])?.trim();
      if (fork === undefined || fork === head) return [];
      const names = (...args: string[]) =>
        paths(tryGit(cwd, [...args, "--name-only", "-z", "--no-renames"]) ?? "");
      const own = new Set(names("diff", fork, left));
      const gained = new Set(names("diff", fork, head));
      // In the index as they were before the reset: nobody has brought them in since.
      const changed = new Set(names("diff-index", "--cached", left));
      return wanted.filter((path) => gained.has(path) && !own.has(path) && !changed.has(path));
    },

    stagedPaths() {
      return paths(run(...STAGED));
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

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
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

interface GitCallOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** @throws GitError if git fails or is not there */
export function runGit(cwd: string, args: readonly string[], options: GitCallOptions = {}): string {
  return runGitIn(cwd, args, options);
}

function runGitIn(cwd: string, args: readonly string[], { input, env }: GitCallOptions): string {
  const { status, stdout, stderr, error } = childProcess().spawnSync("git", args, {
    cwd,
    encoding: "utf8",
    input,
    env: { ...process.env, SIGNALBOX: "0", GIT_OPTIONAL_LOCKS: "0", LC_ALL: "C", ...env },
    maxBuffer: 1 << 30,
  });
  if (error !== undefined) throw new GitError(args, null, error.message);
  if (status !== 0) throw new GitError(args, status, stderr);
  return stdout;
}

function unlessItFails<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (error instanceof GitError && error.status !== null) return undefined;
    throw error;
  }
}
