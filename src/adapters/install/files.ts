/** Reads files as plans see them, and makes the changes of a plan. */
import { readdirSync, readFileSync, readlinkSync, realpathSync, lstatSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { withoutConfig } from "../../app/install/git-config.ts";
import { ABSENT, type Change, type FileState, InstallProblem, sameState } from "../../app/install/model.ts";
import type { Io } from "./io.ts";

/** A file as it is; links are shown as links. */
export function readState(path: string): FileState {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return ABSENT;
  if (stat.isSymbolicLink())
    return { kind: "link", target: readlinkSync(path, { encoding: "buffer" }).toString("latin1") };
  if (!stat.isFile()) return { kind: "other" };
  return { kind: "file", bytes: readFileSync(path).toString("latin1"), mode: stat.mode & 0o7777 };
}

export function isFolder(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  } catch (error) {
    // Below something that is no folder.
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return false;
    throw error;
  }
}

/** The path itself, or what it finally links to, so that writing keeps the link. */
export function throughLinks(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw error;
    // What is not there yet is made where its link, or its linked folder, points.
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat?.isSymbolicLink() === true) return throughLinks(resolve(dirname(path), readlinkSync(path)));
    return dirname(path) === path ? path : join(throughLinks(dirname(path)), basename(path));
  }
}

const TEMPORARY = ".signalbox-tmp.";
let made = 0;

/** A name of our own beside a file. */
export function temporaryBeside(path: string): string {
  made += 1;
  return join(dirname(path), `${TEMPORARY}${process.pid}.${made}.${Math.random().toString(36).slice(2, 8)}`);
}

/** Removes what an install that was killed left in a folder. */
export function sweepTemporaries(io: Io, dir: string): void {
  let names: string[] = [];
  try {
    names = readdirSync(dir);
  } catch {
    return;
  }
  for (const name of names) if (name.startsWith(TEMPORARY)) io.remove(join(dir, name));
}

/** Folders and the ones above them that are missing. */
export function makeFolder(io: Io, dir: string): void {
  if (isFolder(dir)) return;
  if (dirname(dir) !== dir) makeFolder(io, dirname(dir));
  io.mkdir(dir);
}

/**
 * Makes one change, at once or not at all.
 *
 * @throws InstallProblem if the file is no longer as the plan saw it
 */
export function applyChange(io: Io, change: Change): void {
  const { path, before, after } = change;
  const now = readState(path);
  if (sameState(now, after)) return;
  if (!sameState(now, before))
    throw new InstallProblem(`${path} was changed by somebody else just now; run this again`);
  if (basename(path) === "config" && change.role === "config") replaceConfig(io, change);
  else if (after.kind === "absent") io.remove(path);
  else if (change.role === "chained") keepBeside(io, change);
  else if (change.from !== undefined) io.rename(change.from, path);
  else replace(io, path, after);
}

function replace(io: Io, path: string, after: FileState): void {
  const temporary = write(io, path, after);
  try {
    io.rename(temporary, path);
  } catch (error) {
    io.remove(temporary);
    throw error;
  }
}

function write(io: Io, path: string, state: FileState): string {
  const temporary = temporaryBeside(path);
  if (state.kind === "link") io.symlink(Buffer.from(state.target, "latin1"), temporary);
  else if (state.kind === "file") {
    try {
      io.create(temporary, Buffer.from(state.bytes, "latin1"), state.mode);
    } catch (error) {
      io.remove(temporary);
      throw error;
    }
    io.chownLike(temporary, path);
  }
  return temporary;
}

/** The hook stays in its place until ours takes it, so that there is no moment without it. */
function keepBeside(io: Io, { path, after, from }: Change): void {
  if (after.kind !== "file" || from === undefined || !linkNew(io, from, path)) replace(io, path, after);
}

const LOCK_TRIES = 50;
const LOCK_WAIT_MS = 100;

/** Git's own way with its config: `config.lock` is the new file and the lock at once. */
function replaceConfig(io: Io, { path, before, after }: Change): void {
  const lock = `${path}.lock`;
  const temporary = write(io, path, after);
  let held = false;
  try {
    takeConfigLock(io, temporary, lock, path);
    held = true;
    io.remove(temporary);
    if (!sameState(readState(path), before))
      throw new InstallProblem(`${path} was changed by somebody else just now; run this again`);
    io.rename(lock, path);
  } catch (error) {
    if (held) io.remove(lock);
    io.remove(temporary);
    throw error;
  }
}

function takeConfigLock(io: Io, temporary: string, lock: string, path: string): void {
  for (let i = 0; i < LOCK_TRIES; i += 1) {
    if (linkNew(io, temporary, lock)) return;
    if (isAbandoned(lock, path)) io.remove(lock);
    else pause(LOCK_WAIT_MS);
  }
  throw new InstallProblem(
    `${lock} is there: git is writing its config, or was killed while it did; remove it if no git runs`,
  );
}

/** Removes a config.lock that an install left which was killed. */
export function sweepConfigLock(io: Io, path: string): void {
  if (isAbandoned(`${path}.lock`, path)) io.remove(`${path}.lock`);
}

/**
 * Only an install or uninstall writes a config that differs from the one in force in nothing but our block, and
 * no other one runs beside us: it was killed.
 */
function isAbandoned(lock: string, path: string): boolean {
  const left = readState(lock);
  const config = readState(path);
  if (left.kind !== "file" || config.kind !== "file" || left.bytes === config.bytes) return false;
  return withoutConfig(left.bytes).trimEnd() === withoutConfig(config.bytes).trimEnd();
}

/** Gives a whole file a second name that was free; false where it was taken. */
export function linkNew(io: Io, from: string, to: string): boolean {
  try {
    io.link(from, to);
    return true;
  } catch (error) {
    if (!cannotLink(error)) return taken(error);
  }
  try {
    const state = readState(from) as FileState & { kind: "file" };
    io.create(to, Buffer.from(state.bytes, "latin1"), state.mode);
    return true;
  } catch (error) {
    return taken(error);
  }
}

function taken(error: unknown): false {
  if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  return false;
}

/** Some file systems know no hard links. */
function cannotLink(error: unknown): boolean {
  return ["EPERM", "ENOTSUP", "EOPNOTSUPP", "EXDEV", "ENOSYS"].includes(
    (error as NodeJS.ErrnoException).code ?? "",
  );
}

export function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
