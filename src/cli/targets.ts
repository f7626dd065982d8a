import { relative, resolve, sep } from "node:path";
import { ignoresCase } from "../adapters/box.ts";
import { locate, type Repo } from "../adapters/locate.ts";
import type { Caller } from "../app/attendance.ts";
import type { Box } from "../app/box.ts";
import { processOf, sessionOf } from "../app/identity.ts";
import { foldCase, parseTarget, type Target } from "../domain/pattern.ts";
import { usageError } from "./exit.ts";

/** Options of commands that name targets. */
export const TARGET_OPTIONS = {
  literal: { type: "boolean", description: "take names as they are: no globs" },
} as const;

/** What the words of a command mean, seen from the current directory: files, directories ("src/") and globs. */
export function targetsOf(
  words: readonly string[],
  { repo, box, literal }: { repo: Repo; box: Box; literal?: boolean | undefined },
): Target[] {
  return words.map((word) => {
    const parsed = parseTarget(word, literal ? "path" : undefined);
    if ("error" in parsed) throw usageError(`${word}: ${parsed.error}`);
    const ignoreCase = ignoresCase(repo.commonDir, box.settings["paths.ignoreCase"]);
    const folded = (target: Target) => (ignoreCase ? foldCase(target) : target);
    if (parsed.kind === "glob") return folded({ kind: "glob", glob: prefix(repo) + parsed.glob });
    const where = locate(resolve(parsed.path), { ignoreCase });
    if (where.kind !== "tracked-tree" || where.repo.top !== repo.top)
      throw usageError(`${word} is not in this working tree`);
    return folded({ kind: parsed.kind, path: where.path });
  });
}

/** The current directory from the top of the working tree, with a slash at its end; "" at the top. */
function prefix(repo: Repo): string {
  const below = repo.top === undefined ? "" : relative(repo.top, process.cwd());
  return below === ""
    ? ""
    : `${below
        .split(sep)
        .join("/")
        .replaceAll(/[*?[\]{}\\]/g, String.raw`\$&`)}/`;
}

/** The session that runs this command. @throws CommandError for a person: only sessions hold things */
export function callerHere(repo: Repo): Caller {
  const session = sessionOf(process.env);
  if (session === undefined) {
    throw usageError(
      "only a session can hold files, and this shell is not in one; start one with: signalbox run -- COMMAND",
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
