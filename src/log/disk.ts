/**
 * All that the log asks of a file system. Every access goes through this interface, so that a test can crash,
 * fail or preempt each single operation.
 */

import * as fs from "node:fs";
import { translate } from "./errors.ts";

/**
 * - `read`: existing file or directory, for reading.
 * - `append`: **existing** file, for reading and appending. Never creates: a removed segment must not come back.
 * - `create`: a file that must **not exist** yet, for reading and appending.
 */
export type OpenMode = "read" | "append" | "create";

export interface Disk {
  open(path: string, mode: OpenMode): number;
  close(fd: number): void;
  /** Size of the open file, in bytes. */
  size(fd: number): number;
  /** Reads up to `length` bytes at `position`; 0 at the end of the file. */
  read(fd: number, into: Uint8Array, offset: number, length: number, position: number): number;
  /**
   * ONE write at the end of the file, atomically placed (O_APPEND). Answers how many bytes arrived; never
   * continues a short write, since somebody else's record may already stand behind it.
   */
  write(fd: number, bytes: Uint8Array): number;
  /** fdatasync: the file's bytes and size survive power loss. */
  sync(fd: number): void;
  /** The names in the directory survive power loss. */
  syncDir(path: string): void;
  readFile(path: string): Uint8Array;
  list(path: string): string[];
  mkdir(path: string): void;
  link(from: string, to: string): void;
  rename(from: string, to: string): void;
  unlink(path: string): void;
  /** Last change, milliseconds since 1970. */
  modified(path: string): number;
}

const { O_RDONLY, O_RDWR, O_APPEND, O_CREAT, O_EXCL } = fs.constants;
const FLAGS: Record<OpenMode, number> = {
  read: O_RDONLY,
  append: O_RDWR | O_APPEND,
  create: O_RDWR | O_APPEND | O_CREAT | O_EXCL,
};

/** The real file system. */
export const nodeDisk: Disk = {
  open: (path, mode) => fs.openSync(path, FLAGS[mode], 0o666),
  close: (fd) => fs.closeSync(fd),
  size: (fd) => fs.fstatSync(fd).size,
  read: (fd, into, offset, length, position) => fs.readSync(fd, into, offset, length, position),
  write: (fd, bytes) => fs.writeSync(fd, bytes),
  sync: (fd) => fs.fdatasyncSync(fd),
  syncDir(path) {
    // Windows cannot open a directory; NTFS journals its names itself.
    if (process.platform === "win32") return;
    const fd = fs.openSync(path, O_RDONLY);
    try {
      fs.fsyncSync(fd);
    } finally {
      fs.closeSync(fd);
    }
  },
  readFile: (path) => fs.readFileSync(path),
  list: (path) => fs.readdirSync(path),
  mkdir: (path) => void fs.mkdirSync(path, { recursive: true }),
  link: (from, to) => fs.linkSync(from, to),
  rename: (from, to) => fs.renameSync(from, to),
  unlink: (path) => fs.unlinkSync(path),
  modified: (path) => fs.statSync(path).mtimeMs,
};

/** `disk`, with system errors turned into the log's typed ones, file named. */
export function typed(disk: Disk): Disk {
  const paths = new Map<number, string>();
  const name = (fd: number) => paths.get(fd) ?? "a closed file";
  const run = <T>(verb: string, path: string, action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw translate(error, verb, path);
    }
  };
  return {
    open(path, mode) {
      const fd = run(mode === "read" ? "read" : "append to", path, () => disk.open(path, mode));
      paths.set(fd, path);
      return fd;
    },
    close(fd) {
      paths.delete(fd);
      disk.close(fd);
    },
    size: (fd) => run("read the size of", name(fd), () => disk.size(fd)),
    read: (fd, into, offset, length, position) =>
      run("read", name(fd), () => disk.read(fd, into, offset, length, position)),
    write: (fd, bytes) => run("append to", name(fd), () => disk.write(fd, bytes)),
    sync: (fd) => run("sync", name(fd), () => disk.sync(fd)),
    syncDir: (path) => run("sync", path, () => disk.syncDir(path)),
    readFile: (path) => run("read", path, () => disk.readFile(path)),
    list: (path) => run("list", path, () => disk.list(path)),
    mkdir: (path) => run("create", path, () => disk.mkdir(path)),
    link: (from, to) => run("create", to, () => disk.link(from, to)),
    rename: (from, to) => run("create", to, () => disk.rename(from, to)),
    unlink: (path) => run("remove", path, () => disk.unlink(path)),
    modified: (path) => run("read", path, () => disk.modified(path)),
  };
}
