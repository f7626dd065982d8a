import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** What the log's folder holds. */
export interface LogFolder {
  readonly bytes: number;
  /** The last record that an archive holds; 0 if there is none. */
  readonly archivedThrough: number;
}

/** Looks at names and sizes alone (docs/log.md): an archive is called `<first>-<last>-<checksum>…`. */
export function logFolder(boxDir: string): LogFolder {
  const dir = join(boxDir, "log");
  let bytes = 0;
  let archivedThrough = 0;
  for (const entry of readdirSync(dir, { recursive: true, encoding: "utf8" })) {
    const found = statSync(join(dir, entry), { throwIfNoEntry: false });
    if (found?.isFile() !== true) continue;
    bytes += found.size;
    const last = /^arch\/\d+-(\d+)-/.exec(entry.replaceAll("\\", "/"))?.[1];
    archivedThrough = Math.max(archivedThrough, Number(last ?? 0));
  }
  return { bytes, archivedThrough };
}
