/** Sealing: the last record of a segment names the next one. */

import type { Core } from "./core.ts";
import { addSegment } from "./create.ts";
import { LogBusy } from "./errors.ts";
import { discard, orMissing, segmentFirst, segmentName } from "./files.ts";
import { pause } from "./pause.ts";
import type { Link } from "./record.ts";
import { advance, firstLink, spotAt } from "./segment.ts";

export interface SealReport {
  /** Sequence number of the seal record; absent where the segment was empty. */
  readonly seq?: number;
  readonly attempts: number;
}

const MAX_ATTEMPTS = 500;

/**
 * Ends the live segment through the same gate as every append. The next segment's file is durable before the
 * seal can name it; one that a lost race leaves over is removed. After an error it is not: the seal may stand.
 */
export function seal(core: Core): SealReport {
  const { files } = core;
  let hash: ReturnType<typeof hasher> | undefined;
  for (let attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
    core.catchUp();
    const { head, seg, len } = core.place();
    if (len === 0) return { attempts };
    if (hash?.seg !== seg) hash = hasher(core, seg, head);
    const digest = orMissing(() => hash!.at(head.seq));
    if (digest === undefined) continue;
    const next = segmentName(head.seq + 2);
    addSegment(files, next);
    const won = core.attempt({ e: [], seal: next, hash: digest });
    if (won) {
      won.sync();
      return { seq: won.record.s, attempts };
    }
    discard(files.disk, files.path("seg", next));
    pause(attempts);
  }
  throw new LogBusy(`Cannot seal the log in ${files.dir}: others won ${MAX_ATTEMPTS} races in a row.`);
}

/** The running hash of a segment's committed lines, which goes on from the last seal's. */
function hasher({ files }: Core, seg: string, head: Link) {
  const { disk } = files;
  const path = files.path("seg", seg);
  const sha = process.getBuiltinModule("node:crypto").createHash("sha256").update(head.hash);
  let spot: ReturnType<typeof spotAt> | undefined;
  return {
    seg,
    /** The hash of all lines up to record `seq`. */
    at(seq: number): string {
      const fd = disk.open(path, "read");
      try {
        spot ??= spotAt(path, firstLink(disk, fd, path, segmentFirst(seg)));
        if (spot.head.seq < seq) {
          advance(disk, fd, spot, (_, line) => {
            sha.update(line).update("\n");
            return spot!.head.seq < seq;
          });
        }
      } finally {
        disk.close(fd);
      }
      return sha.copy().digest("hex");
    },
  };
}
