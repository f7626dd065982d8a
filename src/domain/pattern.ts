import { accepts, type Automaton, compile, meet, statesAfter } from "./pattern-automaton.ts";
import { only, SLASH } from "./pattern-chars.ts";
import {
  foldGlob,
  literalOf,
  looksLikeGlob,
  MAX_GLOB_LENGTH,
  parseGlob,
  sequencesOf,
} from "./pattern-glob.ts";
import { foldName } from "./path-key.ts";

/**
 * What a reservation covers, within one working tree. Paths are canonical (`path-key.ts`): relative to its top,
 * with `/`, no `.` or `..`, no slash at the end.
 * - `path`: exactly that name, whatever characters it has (`[id].tsx` is a name);
 * - `dir`: that directory and all below it; "" is the whole tree;
 * - `glob`: what the glob matches (`pattern-glob.ts`).
 */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "dir"; readonly path: string }
  | { readonly kind: "glob"; readonly glob: string };

/**
 * What a word on the command line means: a slash at its end (or `.`, `..` for its last segment) says directory,
 * glob characters say glob, the rest is a path. With `as` it is that, whatever it looks like; a path that a tool
 * names is always `"path"`. A word is seen from where it was typed, so a path or directory may still be absolute
 * or have `..`: `locate` makes it canonical. A glob cannot be looked up on disk and must be relative, without.
 *
 * @example parseTarget("src/")        // { kind: "dir", path: "src" }
 * @example parseTarget("src/*.ts")    // { kind: "glob", glob: "src/*.ts" }
 * @example parseTarget("[id].tsx", "path")
 */
export function parseTarget(word: string, as?: Target["kind"]): Target | { readonly error: string } {
  if (word === "") return { error: "a target cannot be empty" };
  if (word.includes("\0")) return { error: "a path cannot hold a NUL" };
  const kind = as ?? (looksLikeGlob(word) ? "glob" : isDirName(word) ? "dir" : "path");
  return kind === "glob" ? parseGlobTarget(word, as === "glob") : { kind, path: tidy(word) };
}

function parseGlobTarget(word: string, always: boolean): Target | { readonly error: string } {
  const glob = tidyStart(word).normalize("NFC");
  if (glob.length > MAX_GLOB_LENGTH)
    return { error: `a glob has at most ${MAX_GLOB_LENGTH} characters, this has ${glob.length}` };
  try {
    const items = parseGlob(glob);
    compile(sequencesOf(items));
    const literal = always ? undefined : literalOf(items);
    if (literal === undefined) return { kind: "glob", glob };
    return { kind: isDirName(literal) ? "dir" : "path", path: tidy(literal) };
  } catch (error) {
    if (error instanceof SyntaxError) return { error: error.message };
    throw error;
  }
}

function isDirName(word: string): boolean {
  return word.endsWith("/") || /(?:^|\/)\.\.?$/.test(word);
}

/** Without `.` segments, doubled slashes and the one at the end. */
function tidy(word: string): string {
  const segments = word.split("/").filter((segment) => segment !== "" && segment !== ".");
  return (word.startsWith("/") ? "/" : "") + segments.join("/");
}

function tidyStart(word: string): string {
  return word.replace(/^(?:\.\/+)+/, "");
}

/** Whether the target covers that path. */
export function covers(target: Target, path: string): boolean {
  if (target.kind === "path") return target.path === path;
  if (target.kind === "dir") return isWithin(target.path, path);
  return accepts(automatonOf(target.glob), path);
}

/** Whether there is a path that both cover. Exact: true if and only if there is one. */
export function overlaps(a: Target, b: Target): boolean {
  return commonPath(a, b) !== undefined;
}

/** A path that both cover, if there is one: an example for a message, as short as can be. */
export function commonPath(a: Target, b: Target): string | undefined {
  if (a.kind === "path") return covers(b, a.path) ? a.path : undefined;
  if (b.kind === "path") return covers(a, b.path) ? b.path : undefined;
  if (a.kind === "dir") return b.kind === "dir" ? commonDir(a.path, b.path) : firstIn(a.path, b.glob);
  if (b.kind === "dir") return firstIn(b.path, a.glob);
  return meet(automatonOf(a.glob), [0], automatonOf(b.glob)).path;
}

function commonDir(a: string, b: string): string | undefined {
  if (isWithin(a, b)) return b;
  return isWithin(b, a) ? a : undefined;
}

/** What the glob matches first in that directory, itself included. */
function firstIn(dir: string, glob: string): string | undefined {
  const automaton = automatonOf(glob);
  if (dir !== "" && accepts(automaton, dir)) return dir;
  const start = dir === "" ? "" : `${dir}/`;
  const rest = meet(automaton, statesAfter(automaton, start), automatonOf("**")).path;
  return rest === undefined ? undefined : start + rest;
}

/** The target as people write it: a directory ends in a slash, the whole tree is `./`. */
export function formatTarget(target: Target): string {
  if (target.kind === "glob") return target.glob;
  return target.kind === "dir" ? `${target.path || "."}/` : target.path;
}

/** The target where names that differ in case are one; it covers paths that are folded in the same way. */
export function foldCase(target: Target): Target {
  if (target.kind === "glob") return { kind: "glob", glob: foldGlob(target.glob) };
  return { kind: target.kind, path: foldName(target.path) };
}

function isWithin(dir: string, path: string): boolean {
  return dir === "" || path === dir || path.startsWith(`${dir}/`);
}

const automata = new Map<string, Automaton>();
const AUTOMATA_KEPT = 256;

function automatonOf(glob: string): Automaton {
  let automaton = automata.get(glob);
  if (automaton === undefined) {
    automaton = compileCarefully(glob);
    if (automata.size >= AUTOMATA_KEPT) automata.clear();
    automata.set(glob, automaton);
  }
  return automaton;
}

/**
 * `parseTarget` lets no bad glob in. One that a newer version wrote, and this one cannot read, covers all that is
 * below the directory before its first special character: somebody holds something there.
 */
function compileCarefully(glob: string): Automaton {
  try {
    return compile(sequencesOf(parseGlob(glob)));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const plain = /^(?:[^*?[\]{}\\!/]*\/)*/.exec(glob)![0];
    return compile([[...Array.from(plain, (char) => (char === "/" ? SLASH : only(char))), "**"]], Infinity);
  }
}
