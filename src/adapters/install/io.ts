/** Everything that install does to the disk goes through here, so that tests can stop it at each operation. */
import {
  chmodSync,
  chownSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";

export interface Io {
  readonly mkdir: (path: string) => void;
  readonly rmdir: (path: string) => void;
  /** Makes a file that was not there, and waits until the disk has it. */
  readonly create: (path: string, bytes: Uint8Array, mode: number) => void;
  readonly symlink: (target: Buffer, path: string) => void;
  readonly link: (from: string, to: string) => void;
  readonly rename: (from: string, to: string) => void;
  readonly remove: (path: string) => void;
  readonly removeTree: (path: string) => void;
  /** Gives a new file the owner of the one it stands in for, where that is allowed. */
  readonly chownLike: (path: string, model: string) => void;
}

export const disk: Io = {
  mkdir(path) {
    try {
      mkdirSync(path);
      // Whatever the umask: sessions of one person, nobody else.
      chmodSync(path, 0o755);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  },
  rmdir: (path) => rmdirSync(path),
  create(path, bytes, mode) {
    const fd = openSync(path, "wx", mode);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
      chmodSync(path, mode);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  symlink: (target, path) => symlinkSync(target, path),
  link: (from, to) => linkSync(from, to),
  rename(from, to) {
    renameSync(from, to);
    syncFolder(dirname(to));
  },
  remove: (path) => rmSync(path, { force: true }),
  removeTree: (path) => rmSync(path, { recursive: true, force: true }),
  chownLike(path, model) {
    try {
      const { uid, gid } = statSync(model);
      const own = statSync(path);
      if (own.uid !== uid || own.gid !== gid) chownSync(path, uid, gid);
    } catch {
      // Only root may give files away.
    }
  },
};

/** So that a rename survives power loss; some file systems cannot sync a folder. */
function syncFolder(path: string): void {
  try {
    const fd = openSync(path, "r");
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {
    // The rename itself has succeeded.
  }
}
