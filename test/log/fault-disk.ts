/**
 * A file system in memory that knows what has been synced and what has not, bytes and names apart, and that can
 * crash or fail at each operation of each of its processes.
 */

import { Buffer } from "node:buffer";
import type { Disk, OpenMode } from "../../src/log/mod.ts";

interface Inode {
  bytes: Buffer;
  /** What the platter has. */
  synced: Buffer;
  modified: number;
}

/** Thrown by the operation a process dies in, and by every later one. */
export class Crash extends Error {}

export type Operation = keyof Disk;

/** Called before each operation of one process. May throw; for a write, answers how many bytes arrive. */
export type Before = (operation: Operation, path: string, count: number, length: number) => number | void;

/**
 * What is left after the power fails:
 * - `strict`: synced bytes under synced names;
 * - `names`: every name, synced bytes only (the rename reached the disk, the data did not);
 * - `half`: synced names, and half of each file's unsynced bytes.
 */
export type PowerLoss = "strict" | "names" | "half";

export interface FaultDisk {
  /** A process's view: descriptors of its own, its operations counted from 1. */
  process(before?: Before): Disk & { readonly count: number };
  power(loss: PowerLoss): void;
  clone(): FaultDisk;
  /** The bytes of a file, to look at or to damage. */
  bytes(path: string): Buffer | undefined;
  put(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
  paths(): string[];
}

const parent = (path: string) => path.slice(0, path.lastIndexOf("/"));
const failure = (code: string) => Object.assign(new Error(`${code}: injected`), { code });

export function systemError(code: string): Error {
  return failure(code);
}

export function faultDisk(
  files = new Map<string, Inode>(),
  durable = new Map<string, Inode>(),
  dirs = new Set(["", "/repo"]),
  durableDirs = new Set(["", "/repo"]),
): FaultDisk {
  let nextFd = 3;
  const need = (path: string): Inode => {
    const inode = files.get(path);
    if (!inode) throw failure(dirs.has(path) ? "EISDIR" : "ENOENT");
    return inode;
  };
  const needDir = (path: string) => {
    if (!dirs.has(path)) throw failure("ENOENT");
  };

  function process(before?: Before): Disk & { readonly count: number } {
    const open = new Map<number, { inode: Inode; path: string }>();
    let count = 0;
    let dead = false;
    const step = (operation: Operation, path: string, length = 0): number => {
      if (dead) throw new Crash();
      count++;
      try {
        return before?.(operation, path, count, length) ?? length;
      } catch (error) {
        dead = error instanceof Crash;
        throw error;
      }
    };
    const at = (fd: number) => {
      const found = open.get(fd);
      if (!found) throw failure("EBADF");
      return found;
    };
    return {
      get count() {
        return count;
      },
      open(path: string, mode: OpenMode) {
        step("open", path);
        if (mode === "create") {
          needDir(parent(path));
          if (files.has(path)) throw failure("EEXIST");
          files.set(path, { bytes: Buffer.alloc(0), synced: Buffer.alloc(0), modified: Date.now() });
        }
        open.set(nextFd, { inode: need(path), path });
        return nextFd++;
      },
      close(fd) {
        step("close", at(fd).path);
        open.delete(fd);
      },
      size(fd) {
        step("size", at(fd).path);
        return at(fd).inode.bytes.length;
      },
      read(fd, into, offset, length, position) {
        step("read", at(fd).path);
        const { bytes } = at(fd).inode;
        if (position >= bytes.length) return 0;
        return bytes.copy(into, offset, position, Math.min(bytes.length, position + length));
      },
      write(fd, bytes) {
        const { inode, path } = at(fd);
        let arrived = bytes.length;
        try {
          arrived = step("write", path, bytes.length);
        } catch (error) {
          const torn = error instanceof Crash ? (error.cause as number | undefined) : undefined;
          if (torn !== undefined) inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, torn)]);
          throw error;
        }
        inode.bytes = Buffer.concat([inode.bytes, bytes.subarray(0, arrived)]);
        return arrived;
      },
      sync(fd) {
        const { inode, path } = at(fd);
        step("sync", path);
        inode.synced = inode.bytes;
      },
      syncDir(path) {
        step("syncDir", path);
        needDir(path);
        for (const [name] of durable) if (parent(name) === path && !files.has(name)) durable.delete(name);
        for (const [name, inode] of files) if (parent(name) === path) durable.set(name, inode);
        for (const dir of dirs) if (parent(dir) === path) durableDirs.add(dir);
      },
      readFile(path) {
        step("readFile", path);
        return Buffer.from(need(path).bytes);
      },
      list(path) {
        step("list", path);
        if (files.has(path)) throw failure("ENOTDIR");
        needDir(path);
        return [...files.keys(), ...dirs]
          .filter((name) => name !== "" && parent(name) === path)
          .map((name) => name.slice(path.length + 1));
      },
      mkdir(path) {
        step("mkdir", path);
        for (let dir = path; dir !== ""; dir = parent(dir)) {
          if (files.has(dir)) throw failure("ENOTDIR");
          dirs.add(dir);
        }
      },
      link(from, to) {
        step("link", to);
        if (files.has(to)) throw failure("EEXIST");
        files.set(to, need(from));
      },
      rename(from, to) {
        step("rename", to);
        files.set(to, need(from));
        files.delete(from);
      },
      unlink(path) {
        step("unlink", path);
        need(path);
        files.delete(path);
      },
      modified(path) {
        step("modified", path);
        return need(path).modified;
      },
    };
  }

  return {
    process,
    power(loss) {
      if (loss !== "names") {
        files.clear();
        for (const [path, inode] of durable) if (durableDirs.has(parent(path))) files.set(path, inode);
        dirs.clear();
        for (const dir of durableDirs) dirs.add(dir);
      }
      for (const inode of new Set(files.values())) {
        const { bytes, synced } = inode;
        const kept = loss === "half" ? synced.length + Math.ceil((bytes.length - synced.length) / 2) : 0;
        inode.bytes = loss === "half" ? bytes.subarray(0, kept) : synced;
        inode.synced = inode.bytes;
      }
      durable.clear();
      for (const [path, inode] of files) durable.set(path, inode);
    },
    clone() {
      const copies = new Map<Inode, Inode>();
      const copy = (inode: Inode) => {
        const known = copies.get(inode) ?? { ...inode };
        copies.set(inode, known);
        return known;
      };
      const map = (from: Map<string, Inode>) =>
        new Map([...from].map(([path, inode]) => [path, copy(inode)]));
      return faultDisk(map(files), map(durable), new Set(dirs), new Set(durableDirs));
    },
    bytes: (path) => files.get(path)?.bytes,
    put(path, bytes) {
      const inode = files.get(path) ?? {
        bytes: Buffer.alloc(0),
        synced: Buffer.alloc(0),
        modified: Date.now(),
      };
      inode.bytes = Buffer.from(bytes);
      inode.synced = inode.bytes;
      files.set(path, inode);
      durable.set(path, inode);
    },
    remove(path) {
      files.delete(path);
      durable.delete(path);
    },
    paths: () => [...files.keys()].sort(),
  };
}
