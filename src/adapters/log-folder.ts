import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What the log's folder holds. */
export interface LogFolder {
  readonly bytes: number;
  /** The oldest record that is kept: 1, unless retention has deleted what was before. */
  readonly first: number;
  /** The last record that an archive holds; 0 if there is none. */
  readonly archivedThrough: number;
}

/** Looks at names and sizes alone (docs/log.md): an archive is called `<first>-<last>-<checksum>…`. */
export function logFolder(boxDir: string): LogFolder {
  const dir = join(boxDir, "log");
  let bytes = 0;
  let archivedThrough = 0;
  let first = Number.POSITIVE_INFINITY;
  for (const entry of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const found = statSync(join(dir, entry), { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    bytes += found.size;
    const [, from, to] = /^arch\/(\d+)-(\d+)-/.exec(entry.replaceAll("\\", "/")) ?? [];
    archivedThrough = Math.max(archivedThrough, Number(to ?? 0));
    if (from !== undefined) first = Math.min(first, Number(from));
  }
  return { bytes, archivedThrough, first: Number.isFinite(first) ? first : 1 };
}
