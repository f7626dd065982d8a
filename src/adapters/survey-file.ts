import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { AttributionFiles } from "../app/attribution.ts";
import { isSessionId } from "../app/identity.ts";
import type { LastSurvey } from "../domain/attribution.ts";

/** No command may run longer in the foreground; what looks like it was interrupted, and nobody said so. */
const FOREGROUND_MS = 10 * 60_000;

/**
 * What attribution keeps between commands, all of it expendable:
 * - `views/survey/<main | wt-ID>`: the last survey of a working tree;
 * - `spool/bash/<session>.<call>`: a command runs; its mtime is when it began. `<session>.bg-<call>`: in the
 *   background, until the session ends. The shell makes and removes them (`hooks/hook.sh`).
 */
export function attributionFiles(boxDir: string): AttributionFiles {
  const surveys = join(boxDir, "views", "survey");
  const calls = join(boxDir, "spool", "bash");
  const fileOf = (tree: string) => join(surveys, tree === "" ? "main" : `wt-${tree}`);

  return {
    last(tree) {
      try {
        const kept = JSON.parse(readFileSync(fileOf(tree), "utf8")) as LastSurvey;
        return typeof kept.at === "number" && typeof kept.stamps === "object" && kept.stamps !== null
          ? kept
          : undefined;
      } catch {
        // None, or not whole: as if there had been none.
        return undefined;
      }
    },
    keep(tree, survey) {
      mkdirSync(surveys, { recursive: true });
      const temporary = `${fileOf(tree)}~${process.pid}`;
      writeFileSync(temporary, JSON.stringify(survey));
      renameSync(temporary, fileOf(tree));
    },
    windows() {
      return names(calls).flatMap((name) => {
        const [, session = "", background, call] = /^(.+)\.(bg-)?([\w-]+)$/.exec(name) ?? [];
        const mtimeMs = statSync(join(calls, name), { throwIfNoEntry: false })?.mtimeMs;
        if (mtimeMs === undefined || call === undefined || !isSessionId(session)) return [];
        // What is changed in the same tick of the clock has the same time, but for rounding.
        const begin = Math.floor(mtimeMs);
        const old = Date.now() - begin > FOREGROUND_MS;
        return [{ session, call, begin, background: background !== undefined || old }];
      });
    },
    begin(session, call, background) {
      mkdirSync(calls, { recursive: true });
      const file = join(calls, `${session}.${background ? "bg-" : ""}${call}`);
      const known = began(file) ?? began(join(calls, `${session}.${call}`));
      writeFileSync(file, "");
      // One that goes on in the background has begun before.
      if (known !== undefined) utimesSync(file, known, known);
    },
    end(session, call) {
      rmSync(join(calls, `${session}.${call}`), { force: true });
    },
    endAll(session, { background }) {
      for (const name of names(calls)) {
        if (!name.startsWith(`${session}.`) || name.slice(session.length + 1).includes(".")) continue;
        if (background || !name.slice(session.length + 1).startsWith("bg-"))
          rmSync(join(calls, name), { force: true });
      }
    },
  };
}

function began(file: string): Date | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtime;
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
