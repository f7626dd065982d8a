import { existsSync } from "node:fs";
import { relative, resolve, sep } from "node:path";
import { locate, type Repo } from "../adapters/locate.ts";
import type { Caller } from "../app/attendance.ts";
import type { Box } from "../app/box.ts";
import { processOf, sessionOf } from "../app/identity.ts";
import { foldCase, parseTarget, type Target } from "../domain/pattern.ts";
import { escapeGlob } from "../domain/pattern-glob.ts";
import { CommandError, usageError } from "./exit.ts";

/** Options of commands that name targets. */
export const TARGET_OPTIONS = {
  literal: { type: "boolean", description: "take names as they are: no globs" },
} as const;

/**
 * What the words of a command mean, seen from the current directory: files, directories ("src/", or whatever is
 * one) and globs. A word that names something that is there is that, whatever characters it has.
 */
export function targetsOf(
  words: readonly string[],
  { repo, box, literal }: { repo: Repo; box: Box; literal?: boolean | undefined },
): Target[] {
  return words.map((word) => {
    const target = targetOf(word, { repo, box, literal: literal === true || existsSync(word) });
    return box.ignoreCase ? foldCase(target) : target;
  });
}

function targetOf(word: string, { repo, box, literal }: { repo: Repo; box: Box; literal: boolean }): Target {
  const parsed = parsedTarget(word, literal ? "path" : undefined);
  if (parsed.kind === "glob") return parsedTarget(prefix(repo) + word, "glob");
  const where = locate(resolve(word), box);
  if (where.kind === "unreadable") throw new CommandError(`${word} cannot be looked at: ${where.why}`);
  if (where.kind !== "tracked-tree" || where.repo.top !== repo.top)
    throw usageError(`${word} is not in this working tree`);
  return { kind: where.isDirectory ? "dir" : parsed.kind, path: where.path };
}

function parsedTarget(word: string, as?: "path" | "glob"): Target {
  const parsed = parseTarget(word, as);
  if ("error" in parsed) throw usageError(`${word}: ${parsed.error}`);
  return parsed;
}

/** The current directory from the top of the working tree as a glob, with a slash at its end; "" at the top. */
function prefix(repo: Repo): string {
  const below = repo.top === undefined ? "" : relative(repo.top, process.cwd());
  return below === "" ? "" : `${escapeGlob(below.split(sep).join("/"))}/`;
}

/** The session that runs this command. @throws CommandError for a person: only sessions hold things */
export function callerHere(repo: Repo): Caller {
  const session = sessionOf(process.env);
  if (session === undefined) {
    throw usageError(
      "only a session can hold files or tasks, and this shell is not in one; start one with: signalbox run -- COMMAND",
    );
  }
  return {
    session,
    kind: process.env["CLAUDE_CODE_SESSION_ID"] ? "claude-code" : "other",
    tree: repo.tree,
    cwd: process.cwd(),
    pid: processOf(process.env),
  };
}
