/** What install asks of git, in an environment that is about no repository. */
import { childProcess } from "../child-process.ts";

/** Git, or the repository, is not as install needs it. */
export class GitTrouble extends Error {
  override readonly name = "GitTrouble";
  /** There is no repository here at all. */
  readonly notRepository: boolean;
  constructor(message: string, notRepository = false) {
    super(message);
    this.notRepository = notRepository;
  }
}

export interface Answer {
  readonly status: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** Set by git for its children, or by people for one repository: this call is about the one at `cwd`. */
const ABOUT_A_REPOSITORY = [
  "GIT_DIR",
  "GIT_WORK_TREE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_OBJECT_DIRECTORY",
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_PREFIX",
  "GIT_NAMESPACE",
];

export function askGit(cwd: string, args: readonly string[], more: NodeJS.ProcessEnv = {}): Answer {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: "C", GIT_OPTIONAL_LOCKS: "0", ...more };
  for (const name of ABOUT_A_REPOSITORY) delete env[name];
  const { status, stdout, stderr, error } = childProcess().spawnSync("git", args, {
    cwd,
    env,
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) {
    const { code } = error as NodeJS.ErrnoException;
    // A missing directory reads as a missing program.
    if (code === "ENOENT" && !isFolder(cwd)) throw new GitTrouble(`there is no folder ${cwd}`, true);
    throw new GitTrouble(code === "ENOENT" ? "git is not installed, or not on PATH" : error.message);
  }
  return { status, stdout, stderr: stderr.toString("utf8").trim() };
}

function isFolder(path: string): boolean {
  const { statSync } = process.getBuiltinModule("node:fs");
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** A path that git printed, without the newline at its end. @throws GitTrouble if Node could not name it */
export function pathIn(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (!Buffer.from(text, "utf8").equals(bytes))
    throw new GitTrouble(`${JSON.stringify(text)}: paths that are not UTF-8 are not supported; rename it`);
  return text.replace(/\n$/, "");
}

/** @throws GitTrouble with git's own words */
export function mustGit(cwd: string, args: readonly string[]): Buffer {
  const { status, stdout, stderr } = askGit(cwd, args);
  if (status !== 0) throw new GitTrouble(`git ${args[0]}: ${stderr || `exit ${status}`}`);
  return stdout;
}

/** The repository's common dir. @throws GitTrouble */
export function commonDirAt(cwd: string): string {
  const { status, stdout, stderr } = askGit(cwd, ["rev-parse", "--path-format=absolute", "--git-common-dir"]);
  if (status === 0) return pathIn(stdout);
  if (/not a git repository/i.test(stderr))
    throw new GitTrouble(`${cwd} is not in a git repository; go to one, or make one: git init`, true);
  throw new GitTrouble(`git cannot use the repository at ${cwd}: ${stderr}`);
}

export interface GitVersion {
  readonly text: string;
  readonly major: number;
  readonly minor: number;
}

export function gitVersion(): GitVersion {
  const text = mustGit("/", ["--version"]).toString("utf8").trim();
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  return { text, major, minor };
}
