import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Views } from "../app/ports.ts";

const PRUNE_AFTER_MS = 60_000;

/**
 * `views/live/<session>`: one empty file a live session, each made and removed by its own session (or whoever
 * proved it dead), so that no two writers race for one file.
 */
export function viewsIn(boxDir: string): Views {
  const dir = join(boxDir, "views", "live");
  return {
    addLive(session) {
      mkdirSync(dir, { recursive: true });
      closeSync(openSync(join(dir, session), "a"));
    },
    removeLive(session) {
      rmSync(join(dir, session), { force: true });
    },
    prune(live) {
      for (const name of names(dir)) {
        if (live.has(name)) continue;
        const made = statSync(join(dir, name), { throwIfNoEntry: false })?.mtimeMs;
        // A young one may belong to a session that has not appended its first event yet.
        if (made !== undefined && Date.now() - made > PRUNE_AFTER_MS)
          rmSync(join(dir, name), { force: true });
      }
    },
  };
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
