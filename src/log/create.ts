/** FORMAT: what makes a directory a log. It appears once, by link(), and never changes. */

import { dirname } from "node:path";
import { errno, LogCorrupt, LogMissing, LogNewer } from "./errors.ts";
import { build, discard, type Files, FORMAT, orMissing, segmentName } from "./files.ts";
import { nonce } from "./record.ts";

export interface Format {
  readonly format: number;
  /** Random id of this log. An event's identity is `<log>:<seq>.<index>`. */
  readonly log: string;
  /** The first segment. It is gone once it has been archived. */
  readonly genesis: string;
}

/** @throws LogMissing, LogNewer, LogCorrupt */
export function readFormat(files: Files): Format {
  const bytes = orMissing(() => files.disk.readFile(files.format));
  if (bytes === undefined) {
    if (hasData(files)) throw damaged(files, "the file is missing beside stored records");
    throw new LogMissing(`Cannot open the log in ${files.dir}: there is none. Create it first.`);
  }
  let found: Partial<Format> | null = null;
  try {
    found = JSON.parse(new TextDecoder().decode(bytes)) as Partial<Format> | null;
  } catch {}
  if (typeof found?.format === "number" && found.format > FORMAT) {
    throw new LogNewer(
      `Cannot open the log in ${files.dir}: its format is ${found.format}, this program knows ${FORMAT}. Upgrade it.`,
    );
  }
  if (found?.format !== FORMAT || typeof found.log !== "string" || typeof found.genesis !== "string") {
    throw damaged(files, "it does not hold a format");
  }
  return found as Format;
}

/** Makes the log where there is none yet; of several creators one wins and the others use its log. */
export function createLog(files: Files): void {
  if (hasData(files)) return;
  const { disk } = files;
  for (const folder of ["seg", "snap", "arch", "tmp"] as const) disk.mkdir(files.path(folder));
  const genesis = segmentName(1);
  addSegment(files, genesis);
  if (!linkFormat(files, genesis)) discard(disk, files.path("seg", genesis));
  // The directory, and the one around it, may be new as well.
  for (let dir = files.dir, up = 0; up < 3; dir = dirname(dir), up++) disk.syncDir(dir);
}

/** Creates an empty segment; file and name are on the disk when this returns. */
export function addSegment(files: Files, name: string): void {
  const { disk } = files;
  const fd = disk.open(files.path("seg", name), "create");
  try {
    disk.sync(fd);
  } finally {
    disk.close(fd);
  }
  disk.syncDir(files.path("seg"));
}

/** Puts FORMAT in its place; false where it was there already. */
export function linkFormat(files: Files, genesis: string): boolean {
  const { disk } = files;
  const format: Format = { format: FORMAT, log: nonce(), genesis };
  const path = build(files, [`${JSON.stringify(format)}\n`], true);
  try {
    disk.link(path, files.format);
    return true;
  } catch (error) {
    if (errno(error) === "EEXIST") return false;
    throw error;
  } finally {
    discard(disk, path);
  }
}

/** Whether records are stored here. A segment that is still empty is another creator's, or one that died. */
function hasData(files: Files): boolean {
  if (files.list("arch").length > 0 || files.list("snap").length > 0) return true;
  return files.list("seg").some((name) => {
    const fd = orMissing(() => files.disk.open(files.path("seg", name), "read"));
    if (fd === undefined) return false;
    try {
      return files.disk.size(fd) > 0;
    } finally {
      files.disk.close(fd);
    }
  });
}

function damaged(files: Files, why: string): LogCorrupt {
  return new LogCorrupt({ file: files.format, offset: 0, seq: 1, why });
}
