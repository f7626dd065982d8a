import { childProcess } from "../child-process.ts";

/** Which repository, working tree and index a git process is to use; what is left out git finds from `cwd`. */
export interface GitAt {
  readonly cwd: string;
  readonly gitDir?: string | undefined;
  readonly workTree?: string | undefined;
  readonly indexFile?: string | undefined;
  /** The program; by default what the shim found behind itself, else `git` on PATH. */
  readonly git?: string | undefined;
}

export interface GitDone {
  /** `null` if a signal ended it. */
  readonly status: number | null;
  /** Bytes as a latin1 string: file names need not be UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
}

export interface GitInput {
  /** Bytes for stdin, as a latin1 string. */
  readonly input?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Git said no, or could not be started (`status` is then `null`). `message` has its words. */
export class GitError extends Error {
  override readonly name = "GitError";
  readonly status: number | null;
  constructor(args: readonly string[], status: number | null, stderr: string) {
    super(`git ${args.join(" ")}: ${stderr.trim() || `exit ${status}`}`);
    this.status = status;
  }
}

/**
 * Variables that tie a git process to one repository, index or operation (`git rev-parse --local-env-vars`, and
 * what git sets for its hooks). Inherited by a call for another repository or index, they corrupt it.
 */
const REPOSITORY_VARIABLES = [
  "GIT_ALTERNATE_OBJECT_DIRECTORIES",
  "GIT_CEILING_DIRECTORIES",
  "GIT_COMMON_DIR",
  "GIT_DIR",
  "GIT_EXTERNAL_DIFF",
  "GIT_GRAFT_FILE",
  "GIT_IMPLICIT_WORK_TREE",
  "GIT_INDEX_FILE",
  "GIT_INDEX_VERSION",
  "GIT_INTERNAL_SUPER_PREFIX",
  "GIT_LITERAL_PATHSPECS",
  "GIT_GLOB_PATHSPECS",
  "GIT_NOGLOB_PATHSPECS",
  "GIT_ICASE_PATHSPECS",
  "GIT_NAMESPACE",
  "GIT_NO_REPLACE_OBJECTS",
  "GIT_OBJECT_DIRECTORY",
  "GIT_PREFIX",
  "GIT_QUARANTINE_PATH",
  "GIT_REFLOG_ACTION",
  "GIT_REPLACE_REF_BASE",
  "GIT_SHALLOW_FILE",
  "GIT_WORK_TREE",
] as const;

/** An environment in which git finds its repository by itself. Configuration given by environment is kept. */
export function cleanGitEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const clean = { ...env };
  for (const name of REPOSITORY_VARIABLES) delete clean[name];
  return clean;
}

/**
 * Runs git for our own purposes: no hook of ours, no shim, no optional lock, no translated message.
 *
 * @throws GitError only if git cannot be started
 */
export function tryGit(at: GitAt, args: readonly string[], { input, env }: GitInput = {}): GitDone {
  const program = at.git ?? (process.env["SIGNALBOX_GIT"] || "git");
  const { status, stdout, stderr, error } = childProcess().spawnSync(program, args, {
    cwd: at.cwd,
    encoding: "latin1",
    input: input === undefined ? undefined : Buffer.from(input, "latin1"),
    stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    maxBuffer: 1 << 30,
    env: {
      ...cleanGitEnv(),
      SIGNALBOX: "0",
      GIT_OPTIONAL_LOCKS: "0",
      LC_ALL: "C",
      ...(at.gitDir === undefined ? {} : { GIT_DIR: at.gitDir }),
      ...(at.workTree === undefined ? {} : { GIT_WORK_TREE: at.workTree }),
      ...(at.indexFile === undefined ? {} : { GIT_INDEX_FILE: at.indexFile }),
      ...env,
    },
  });
  // A git that has no use for its input may end without reading it.
  const { code } = (error ?? {}) as NodeJS.ErrnoException;
  if (error !== undefined && code !== "EPIPE") throw new GitError(args, null, error.message);
  return { status, stdout, stderr };
}

/** The same, for what has to succeed. @throws GitError */
export function git(at: GitAt, args: readonly string[], input: GitInput = {}): string {
  const { status, stdout, stderr } = tryGit(at, args, input);
  if (status !== 0) throw new GitError(args, status, stderr);
  return stdout;
}

/** Fields of `-z` output. */
export function splitNul(text: string): string[] {
  const fields = text.split("\0");
  if (fields.at(-1) === "") fields.pop();
  return fields;
}

/** Bytes as git gives them, to the text that events and keys hold; a name that is not UTF-8 gets U+FFFD. */
export function toText(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString("utf8");
}

/** Text to bytes for git. */
export function toBytes(text: string): string {
  return Buffer.from(text, "utf8").toString("latin1");
}
