import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { isSessionId } from "../app/identity.ts";
import type { Spool, Spooled } from "../app/ports.ts";
import { writtenPath } from "./claude.ts";
import { locate } from "./locate.ts";
import { attributionFiles } from "./survey-file.ts";

/** One fold takes at most so many; the next takes the rest. */
const DRAINED_AT_ONCE = 1024;
/** Of what a session has read the last so many count. */
const READS_KEPT = 200;
/** A session that is not live may still be starting; a commit may wait that long for its editor. */
const SEEN_KEPT_MS = 60_000;
const CHECKED_KEPT_MS = 24 * 3_600_000;

/**
 * What shell hooks leave (`hooks/hook.sh`): `seen/<session>`, whose mtime is the last sign of life, and
 * `wrote/<session>.<pid>.<n>`, the head of an edit tool's payload, and `read/<session>`: a line for each file it
 * has read; `unrecorded`, empty, whose mtime is when a hook last failed to get into the log.
 */
export function spoolIn(
  boxDir: string,
  repo: { readonly commonDir: string; readonly ignoreCase: boolean },
): Spool {
  const root = join(boxDir, "spool");
  const dir = (kind: "seen" | "wrote" | "read" | "wake" | "checked") => join(root, kind);
  const unrecorded = join(root, "unrecorded");
  const checked = (gitPid: string) => join(dir("checked"), gitPid.replaceAll(/\D/g, "") || "0");

  return {
    drain() {
      const wrote = names(dir("wrote"))
        .slice(0, DRAINED_AT_ONCE)
        .flatMap((entry) => readWrote(join(dir("wrote"), entry), entry, repo));
      const reported = new Set(wrote.filter(({ isBefore }) => !isBefore).map(writeOf));
      // What was announced has been written since: the report says it all.
      const told = wrote.filter((each) => each.isBefore && reported.has(writeOf(each)));
      for (const { entry } of told) rmSync(join(dir("wrote"), entry), { force: true });
      const missing = mtime(unrecorded);
      const gap: Spooled[] = missing === undefined ? [] : [{ kind: "unrecorded", at: missing }];
      return [...gap, ...wrote.filter((each) => !told.includes(each))].sort((a, b) => a.at - b.at);
    },
    lastSeen: (session) => (isSessionId(session) ? mtime(join(dir("seen"), session)) : undefined),
    done(entries) {
      for (const entry of entries) rmSync(join(dir("wrote"), entry), { force: true });
    },
    doneUnrecorded(at) {
      // Somebody who failed meanwhile has set another time.
      if (mtime(unrecorded) === at) rmSync(unrecorded, { force: true });
    },
    read(session, tree, asked) {
      const file = join(dir("read"), session);
      const lines = linesOf(file);
      // The shell only ever adds. What it adds meanwhile is lost with the old ones: a notice less.
      if (lines.length > 2 * READS_KEPT) writeFileSync(file, `${lines.slice(-READS_KEPT).join("\n")}\n`);
      // To look where a file is takes a while: only for those that may be asked for.
      const named = new Set(asked.map((path) => basename(path).toLowerCase()));
      const read = new Set(
        [...new Set(lines.slice(-READS_KEPT))]
          .map(unescaped)
          .filter((path) => named.has(basename(path).toLowerCase()))
          .map((path) => locate(path, repo))
          .filter((where) => where.kind === "tracked-tree")
          .filter((where) => where.repo.commonDir === repo.commonDir && where.repo.tree === tree)
          .map(({ path }) => path),
      );
      return new Set(asked.filter((path) => read.has(path)));
    },
    markRead(session, path) {
      try {
        mkdirSync(dir("read"), { recursive: true });
        appendFileSync(join(dir("read"), session), `${JSON.stringify(path).slice(1, -1)}\n`);
      } catch {
        // As above.
      }
    },
    commands: attributionFiles(boxDir).windows,
    markChecked(gitPid) {
      mkdirSync(dir("checked"), { recursive: true });
      closeSync(openSync(checked(gitPid), "w"));
    },
    unmarkChecked(gitPid) {
      rmSync(checked(gitPid), { force: true });
    },
    markLeftOut(gitPid, paths) {
      if (paths.length > 0) writeFileSync(checked(gitPid), paths.join("\0"));
    },
    takeLeftOut(gitPid) {
      try {
        return readFileSync(checked(gitPid), "utf8").split("\0").filter(Boolean);
      } catch {
        return [];
      }
    },
    prune(live) {
      const dead = names(dir("seen")).filter((session) => !live.has(session));
      for (const session of dead) removeOlder(join(dir("seen"), session), SEEN_KEPT_MS);
      for (const kind of ["read", "wake"] as const)
        for (const session of names(dir(kind)))
          if (!live.has(session)) removeOlder(join(dir(kind), session), SEEN_KEPT_MS);
      for (const pid of names(dir("checked"))) removeOlder(join(dir("checked"), pid), CHECKED_KEPT_MS);
      // What a shim that was killed had in hand (hooks/shim.sh).
      for (const name of names(root).filter((each) => /^(?:stderr|paths|message)\./.test(each)))
        removeOlder(join(root, name), CHECKED_KEPT_MS);
    },
  };
}

function removeOlder(file: string, ageMs: number): void {
  const at = mtime(file);
  if (at !== undefined && Date.now() - at > ageMs) rmSync(file, { recursive: true, force: true });
}

type Wrote = Extract<Spooled, { kind: "wrote" }>;

function writeOf({ session, tree, path }: Wrote): string {
  return JSON.stringify([session, tree, path]);
}

function readWrote(
  file: string,
  entry: string,
  repo: { readonly commonDir: string; readonly ignoreCase: boolean },
): Wrote[] {
  const at = mtime(file);
  const session = entry.replace(/\.\d+\.\d+$/, "");
  const text = at === undefined || !isSessionId(session) ? undefined : readIfThere(file);
  if (at === undefined || text === undefined) return [];
  // Half written by a hook that still runs: the next fold finds it whole.
  const written = writtenPath(text);
  const where = written === undefined ? undefined : locate(written.path, repo);
  if (written === undefined || where?.kind !== "tracked-tree" || where.repo.commonDir !== repo.commonDir) {
    if (Date.now() - at > 60_000) rmSync(file, { force: true });
    return [];
  }
  const { agent, tool, isBefore } = written;
  const { tree } = where.repo;
  return [{ kind: "wrote", session, agent, at, tool, tree, path: where.path, isBefore, entry }];
}

/** What cannot be read was not noted: a notice less. */
function linesOf(file: string): string[] {
  try {
    return readFileSync(file, "utf8").split("\n").filter(Boolean);
  } catch {
    return [];
  }
}

/** A path as it stands in a payload: the inside of a JSON string. */
function unescaped(text: string): string {
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return "";
  }
}

/** Whoever drains at the same time may have done it and removed it. */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}

function mtime(file: string): number | undefined {
  try {
    return Math.trunc(statSync(file).mtimeMs);
  } catch {
    return undefined;
  }
}
