/**
 * Whether somebody alive may hold a lock file of git's. An open file descriptor proves that somebody does. None does
 * not prove that nobody does: `commit -a` and every update of a ref close the file, run hooks, and rename it then. So
 * no git may live either that works in that gitdir (for a ref: in that repository) and ever writes.
 */
import { lstatSync, readdirSync, readFileSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { childProcess } from "../child-process.ts";
import { textOf } from "./worktree-facts.ts";

export interface Place {
  readonly commonDir: string;
  readonly gitDir: string;
  readonly workTree: string;
}

/** `index`: held by a git of this gitdir. `ref`: by any of this repository. */
export type Scope = "index" | "ref";

/** Why a lock must be left alone, in words; `undefined`: it is proven that nobody alive holds it. */
export function holderOf(lock: string, scope: Scope, at: Place): string | undefined {
  const unseen = outOfSight(lock, at);
  if (unseen !== undefined) return unseen;
  if (process.platform === "linux") return linuxHolder(lock, scope, at);
  if (process.platform === "darwin") return lsofHolder(lock, scope, at);
  return "this system does not tell who has a file open";
}

/** These never write an index or a ref; those that only may, as `status`, are not among them. */
const READERS = new Set([
  "blame",
  "cat-file",
  "check-attr",
  "check-ignore",
  "config",
  "credential",
  "credential-cache--daemon",
  "credential-store",
  "for-each-ref",
  "fsmonitor--daemon",
  "grep",
  "help",
  "log",
  "ls-files",
  "ls-tree",
  "merge-base",
  "name-rev",
  "rev-list",
  "rev-parse",
  "shortlog",
  "show",
  "show-ref",
  "signalbox",
  "version",
]);

/** Programs that no other of their user can look into, and that do not write repositories. */
const OPAQUE =
  /^(?:\(sd-pam\)|ssh-agent|gpg-agent|gnome-keyring|chrome|chromium|electron|fusermount|dbus-|systemd|bwrap)/;

/** Options of `git` itself that take the next word. */
const WITH_VALUE = new Set([
  "-C",
  "-c",
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--exec-path",
  "--config-env",
]);

const REMOTE = /^(?:nfs|cifs|smb|9p|virtiofs|fuse\.(?!ext2)|fuse$|vboxsf|vmhgfs|afs|ceph|glusterfs|drvfs)/;

/** Somebody whose processes cannot be seen from here may use the repository. */
function outOfSight(lock: string, at: Place): string | undefined {
  const own = process.getuid?.();
  const made = lstatSync(lock, { throwIfNoEntry: false })?.uid;
  if (own !== undefined && own !== 0 && made !== undefined && made !== own) return "another user made it";
  if (process.platform !== "linux") return undefined;
  // Whoever uses a session's gitdir runs where the session does.
  if (isPrivate(at) && dirname(lock) === at.gitDir) return undefined;
  const mount = mountOf(lock);
  if (mount === undefined) return undefined;
  if (REMOTE.test(mount.type)) return `another machine may hold it: ${mount.type}`;
  if (mount.point !== "/" && !isFirstNamespace()) return "it may be held outside of this container";
  return undefined;
}

function isPrivate({ gitDir }: Place): boolean {
  return textOf(join(gitDir, "signalbox-session")) !== undefined;
}

/** The number that Linux gives to the first pid namespace (PROC_PID_INIT_INO): from it every process is seen. */
function isFirstNamespace(): boolean {
  return linkOf("/proc/self/ns/pid") === "pid:[4026531836]";
}

function mountOf(file: string): { readonly point: string; readonly type: string } | undefined {
  let best: { point: string; type: string } | undefined;
  for (const line of (textOf("/proc/self/mountinfo") ?? "").split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    if (dash < 0) continue;
    const point = fields[4]!.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    );
    // A later mount at the same point is on top.
    if (isWithin(file, point) && point.length >= (best?.point.length ?? 0))
      best = { point, type: fields[dash + 1]! };
  }
  return best;
}

function isWithin(file: string, folder: string): boolean {
  const way = relative(folder, file);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !way.startsWith(sep));
}

/** A git process, as far as it can be known. */
interface GitProcess {
  readonly pid: number;
  readonly argv: readonly string[];
  /** `undefined`: it cannot be seen. */
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>> | undefined;
}

function linuxHolder(lock: string, scope: Scope, at: Place): string | undefined {
  const stat = statSync(lock, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  const name = basename(lock);
  for (const entry of readdirSync("/proc")) {
    const pid = Number(entry);
    if (!Number.isSafeInteger(pid) || pid === process.pid) continue;
    const status = textIn(`/proc/${pid}/status`);
    // It has ended, or is a zombie: that has let go of everything.
    if (status === undefined || /^State:\s+[ZX]/m.test(status)) continue;
    const argv = (textIn(`/proc/${pid}/cmdline`) ?? "").split("\0").slice(0, -1);
    // Kernel threads.
    if (argv.length === 0) continue;
    const comm = /^Name:\s+(.*)$/m.exec(status)?.[1] ?? "";
    const fsUid = Number(/^Uid:\s+\d+\s+\d+\s+\d+\s+(\d+)/m.exec(status)?.[1]);
    const mayHaveMadeIt = fsUid === stat.uid;
    const fds = namesIn(`/proc/${pid}/fd`);
    if (fds === "gone") continue;
    if (fds === "unreadable") {
      if (mayHaveMadeIt && !OPAQUE.test(comm))
        return `process ${pid} (${comm}) does not let itself be looked into`;
    } else if (fds.some((fd) => isSame(`/proc/${pid}/fd/${fd}`, name, stat)))
      return `process ${pid} (${comm}) has it open`;
    if (!mayHaveMadeIt) continue;
    const env = environmentOf(pid);
    if (isGit(comm, argv)) {
      const one = { pid, argv, cwd: linkOf(`/proc/${pid}/cwd`), env };
      if (mayWriteHere(one, scope, at))
        return `git runs here: process ${pid} (${argv.slice(0, 3).join(" ")})`;
    } else if (env !== undefined && scope === "index" && isHookOf(lock, pid, env))
      return `a hook of the git that made it still runs: process ${pid} (${comm})`;
  }
  return undefined;
}

function isGit(comm: string, argv: readonly string[]): boolean {
  // Our shim is a shell that bears the name; the git that it runs is seen by itself.
  if (argv[1]?.endsWith("/signalbox/shim/git") === true) return false;
  return /^git(?:$|-)/.test(comm) || /^git(?:$|-)/.test(basename(argv[0] ?? ""));
}

function isSame(fd: string, name: string, lock: { readonly dev: number; readonly ino: number }): boolean {
  const target = linkOf(fd);
  if (target === undefined || !target.startsWith("/") || !target.endsWith(`/${name}`)) return false;
  const stat = statSync(fd, { throwIfNoEntry: false });
  return stat === undefined || (stat.dev === lock.dev && stat.ino === lock.ino);
}

/**
 * Whether a git process may be at work on an index of this gitdir, or on a ref of this repository. In doubt, yes.
 */
function mayWriteHere({ argv, cwd, env }: GitProcess, scope: Scope, at: Place): boolean {
  const { verb, gitDir: named } = said(argv);
  if (verb !== undefined && READERS.has(verb)) return false;
  if (cwd === undefined || env === undefined) return true;
  const indexFile = env["GIT_INDEX_FILE"];
  if (indexFile !== undefined && isIn(resolve(cwd, indexFile), at.gitDir)) return true;
  const gitDir = named ?? env["GIT_DIR"];
  if (scope === "index" && gitDir !== undefined && isAbsolute(gitDir))
    return real(gitDir) === real(at.gitDir);
  if (gitDir !== undefined && isIn(resolve(cwd, gitDir), at.commonDir)) return true;
  if (isIn(cwd, at.gitDir)) return true;
  if (scope === "index" && gitDir === undefined && isPrivate(at)) return false;
  return [at.commonDir, at.workTree, ...(scope === "ref" ? otherTrees(at) : [])].some((folder) =>
    isIn(cwd, folder),
  );
}

/** What a git command line says: the verb, and the gitdir if it is named. */
function said(argv: readonly string[]): {
  readonly verb: string | undefined;
  readonly gitDir: string | undefined;
} {
  const program = basename(argv[0] ?? "");
  if (program.startsWith("git-")) return { verb: program.slice("git-".length), gitDir: undefined };
  let gitDir: string | undefined;
  for (let i = 1; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === "--git-dir") gitDir = argv[i + 1];
    else if (word.startsWith("--git-dir=")) gitDir = word.slice("--git-dir=".length);
    if (!word.startsWith("-")) return { verb: word, gitDir };
    if (WITH_VALUE.has(word)) i++;
  }
  return { verb: undefined, gitDir };
}

/**
 * Started by the git that has this lock, to work on it. A daemon that a hook has left behind inherits as much, but not
 * the session (setsid(2)) that its hook ran in.
 */
function isHookOf(lock: string, pid: number, env: Readonly<Record<string, string>>): boolean {
  const named = (one: Readonly<Record<string, string>> | undefined, cwd: string | undefined) =>
    one?.["GIT_INDEX_FILE"] !== undefined && real(resolve(cwd ?? "/", one["GIT_INDEX_FILE"])) === real(lock);
  if (!named(env, linkOf(`/proc/${pid}/cwd`))) return false;
  const stat = textIn(`/proc/${pid}/stat`) ?? "";
  const leader = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
  if (leader === pid || leader === 0) return false;
  const above = environmentOf(leader);
  return above !== undefined && above["GIT_INDEX_FILE"] !== env["GIT_INDEX_FILE"];
}

/** Tops of the repository's working trees. */
function otherTrees({ commonDir }: Place): string[] {
  const names = namesIn(join(commonDir, "worktrees"));
  const linked =
    typeof names === "string"
      ? []
      : names.flatMap((name) => {
          const dotGit = textOf(join(commonDir, "worktrees", name, "gitdir"))?.replace(/\n$/, "");
          return dotGit === undefined ? [] : [dirname(resolve(commonDir, "worktrees", name, dotGit))];
        });
  return basename(commonDir) === ".git" ? [dirname(commonDir), ...linked] : linked;
}

function isIn(file: string, folder: string): boolean {
  return isWithin(real(file), real(folder));
}

function isAbsolute(file: string): boolean {
  return file.startsWith("/");
}

/** Without symbolic links, as far as it is there. */
function real(file: string): string {
  try {
    return realpathSync.native(file);
  } catch {
    const above = dirname(file);
    return above === file ? file : join(real(above), basename(file));
  }
}

function environmentOf(pid: number): Record<string, string> | undefined {
  const text = textIn(`/proc/${pid}/environ`);
  if (text === undefined) return undefined;
  return Object.fromEntries(
    text.split("\0").flatMap((line) => {
      const equals = line.indexOf("=");
      return equals > 0 ? [[line.slice(0, equals), line.slice(equals + 1)]] : [];
    }),
  );
}

/** A file of /proc; `undefined` if the process has ended or does not show it. */
function textIn(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}

function linkOf(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}

function namesIn(folder: string): string[] | "gone" | "unreadable" {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === "EACCES" || code === "EPERM" ? "unreadable" : "gone";
  }
}

/** Where there is no /proc: lsof(8) tells who has the lock open, and where every git is. */
function lsofHolder(lock: string, scope: Scope, at: Place): string | undefined {
  const run = (...args: string[]) =>
    childProcess().spawnSync("lsof", ["-nP", "-w", ...args], { encoding: "utf8", timeout: 20_000 });
  const open = run("-Fpc", "--", lock);
  // It ends with 1 when it finds nothing.
  if (open.error !== undefined || (open.status !== 0 && open.status !== 1))
    return "lsof does not tell who has it open";
  if (open.stdout !== "") return `it is open: ${open.stdout.trim().replaceAll("\n", " ")}`;
  const gits = run("-a", "-c", "git", "-d", "cwd", "-Fpn");
  if (gits.error !== undefined || (gits.status !== 0 && gits.status !== 1))
    return "lsof does not tell where git runs";
  const folders = [at.commonDir, at.gitDir, at.workTree, ...(scope === "ref" ? otherTrees(at) : [])];
  const near = gits.stdout
    .split("\n")
    .find((line) => line.startsWith("n") && folders.some((one) => isIn(line.slice(1), one)));
  if (near !== undefined) return `git runs here, in ${near.slice(1)}`;
  // One that is told where by its environment or words may be anywhere.
  const ps = childProcess().spawnSync("ps", ["-Eww", "-axo", "command="], { encoding: "utf8" });
  if (ps.status !== 0) return "ps does not tell where git runs";
  const told = ps.stdout
    .split("\n")
    .some((line) => /^(?:\S*\/)?git\b/.test(line) && folders.some((one) => line.includes(one)));
  return told ? "git runs here" : undefined;
}
