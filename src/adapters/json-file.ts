import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { LowSync, type SyncAdapter } from "lowdb";

/**
 * A lowdb database in a JSON file that several processes may write: a temporary name of one's own, fsync, rename.
 * lowdb's own adapter shares one temporary name and syncs nothing (5,819 of 73,400 reads torn, LOG-EVIDENCE).
 * The last writer wins, so only what a person sets or a replay can rebuild belongs in it.
 */
export function jsonFile<T extends object>(file: string, fallback: T): LowSync<T> {
  const adapter: SyncAdapter<T> = {
    read() {
      try {
        return JSON.parse(readFileSync(file, "utf8").replace(/^\uFEFF/, "")) as T;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
        throw new Error(`Cannot use ${file}: ${(error as Error).message}; mend or remove it`, {
          cause: error,
        });
      }
    },
    write(data) {
      mkdirSync(dirname(file), { recursive: true });
      const temporary = `${file}.${process.pid}.${Date.now().toString(36)}`;
      const fd = openSync(temporary, "wx");
      try {
        writeSync(fd, `${JSON.stringify(data, undefined, 2)}\n`);
        fsyncSync(fd);
        closeSync(fd);
        renameSync(temporary, file);
      } catch (error) {
        rmSync(temporary, { force: true });
        throw error;
      }
    },
  };
  const db = new LowSync<T>(adapter, fallback);
  db.read();
  return db;
}
