import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { type Entry, markIn } from "./model.ts";

export interface UnitFile {
  readonly path: string;
  readonly text: string;
}

/** Writes files of a service manager, each whole or not at all: it may read the folder at any moment. */
export function putFiles(files: readonly UnitFile[]): void {
  for (const { path, text } of files) {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = join(dirname(path), `.${basename(path)}.${process.pid}`);
    try {
      writeFileSync(temporary, text);
      chmodSync(temporary, 0o644);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  }
}

/** @returns whether any of them was there */
export function removeFiles(paths: readonly string[]): boolean {
  const there = paths.filter((path) => existsSync(path));
  for (const path of there) rmSync(path);
  return there.length > 0;
}

/** Our entries in a folder: the files whose names fit, together per repository. */
export function entriesIn(dir: string, isOurs: RegExp): Entry[] {
  const names = existsSync(dir) ? readdirSync(dir).filter((name) => isOurs.test(name)) : [];
  const found = new Map<string, Entry>();
  for (const name of names.toSorted()) {
    const text = readFileSync(join(dir, name), "utf8");
    const mark = markIn(text);
    if (mark !== undefined) found.set(mark.id, { ...mark, text: `${found.get(mark.id)?.text ?? ""}${text}` });
  }
  return [...found.values()];
}
