import { canonicalPath } from "../domain/path-key.ts";
import type { GitCommand } from "../domain/git-command.ts";
import type { Hits, Scopable, Selection } from "../domain/git-command-operation.ts";
import type { DirtyPath, Facts } from "./guard-facts.ts";
import { commandText } from "./guard-words.ts";

/** A longer list of paths (characters) goes by stdin: a command line has an end. */
const MAX_INLINE = 32_000;
/** An offer is to be read. */
const MAX_OFFERED = 20;

/** A path as it can be typed for git. */
export function nameOf({ path, name }: Pick<DirtyPath, "path" | "name">): string {
  return name ?? path;
}

export function isMine({ owner }: Pick<DirtyPath, "owner">): boolean {
  return owner.kind === "mine";
}

/** What `staged` has of nobody's on record was put there by the session, by name. */
export function mayTake(path: DirtyPath): boolean {
  return isMine(path) || (path.owner.kind === "unknown" && path.staged);
}

/** Whether something happens to it. */
export function isHit({ state, staged, unstaged }: DirtyPath, hits: Hits): boolean {
  if (state === "untracked") return hits.untracked;
  if (state === "ignored") return hits.ignored;
  if (state === "clean") return hits.clean;
  return (unstaged && hits.unstaged) || (staged && hits.staged);
}

/** Whether a path is named, itself: not by a folder, a pattern or the want of any pathspec. A list in a file names. */
export function namedBy(selection: Selection, command: GitCommand | undefined, facts: Facts) {
  if (selection.file !== undefined) return () => true;
  const names = new Set(selection.pathspecs.map((spec) => pathOf(spec, command?.literal ?? false, facts)));
  return (path: string): boolean => names.has(path);
}

/** The path from the top that a pathspec would name, taken by the letter; undefined if it cannot name one. */
export function pathOf(spec: string, literal: boolean, facts: Facts): string | undefined {
  let text = spec;
  let fromTop = false;
  if (!literal && spec.startsWith(":")) {
    const magic = /^:(?:\(((?:top|literal)(?:,(?:top|literal))*)\)|(\/))/.exec(spec);
    if (magic === null) return undefined;
    fromTop = magic[2] !== undefined || magic[1]!.includes("top");
    text = spec.slice(magic[0].length);
  }
  const top = facts.top.replace(/\/+$/, "");
  if (text === top || text.startsWith(`${top}/`)) {
    text = text.slice(top.length + 1);
    fromTop = true;
  } else if (text.startsWith("/")) return undefined;
  try {
    return canonicalPath(fromTop ? text : facts.prefix + text, { ignoreCase: facts.ignoreCase ?? false });
  } catch {
    return undefined;
  }
}

/** The path as a literal pathspec from the caller's directory. */
export function fromHere(path: string, { prefix }: Facts): string {
  const here = prefix.split("/").filter((part) => part !== "");
  const there = path.split("/");
  let shared = 0;
  while (shared < here.length && shared < there.length - 1 && here[shared] === there[shared]) shared += 1;
  return [...here.slice(shared).map(() => ".."), ...there.slice(shared)].join("/");
}

/** The command for these paths alone: they are in it, or go to its stdin, each ended by NUL, if they are many. */
export function scoped(
  command: GitCommand,
  scope: Scopable,
  verb: readonly string[],
  paths: readonly string[],
  facts: Facts,
): { argv: readonly string[]; paths?: readonly string[] } | undefined {
  const names = paths.map((path) => fromHere(path, facts));
  const head = [...plainGlobals(command), "--literal-pathspecs", ...verb, ...scope.words];
  const length = names.reduce((sum, name) => sum + name.length + 1, 0);
  if (length <= MAX_INLINE) return { argv: [...head, "--", ...names] };
  if (!scope.listed) return undefined;
  return { argv: [...head, "--pathspec-from-file=-", "--pathspec-file-nul"], paths: names };
}

/** The command to be offered for these paths; none if they are none or too many to read. */
export function offerFor(words: readonly string[], paths: readonly string[], facts: Facts): string[] {
  if (paths.length === 0 || paths.length > MAX_OFFERED) return [];
  return [commandText(...words, "--", ...paths.map((path) => fromHere(path, facts)))];
}

/** Global options that do not change what a pathspec means. */
export function plainGlobals({ globals }: GitCommand): string[] {
  return globals.filter(
    (word) => !/^--(no-)?(literal|glob|icase)-pathspecs$|^--noglob-pathspecs$/.test(word),
  );
}
