import { accepts, type Automaton, automatonOfGlob, automatonOfPath, intersects } from "./glob.ts";

/**
 * What a reservation covers, within one working tree. Paths are canonical (`path-key.ts`): relative to its top,
 * with `/`, no `.` or `..`, no slash at the end.
 * - `path`: exactly that name, whatever characters it has (`[id].tsx` is a name);
 * - `dir`: that directory and all below it; "" is the whole tree;
 * - `glob`: what the glob matches (`glob.ts`).
 */
export type Target =
  | { readonly kind: "path"; readonly path: string }
  | { readonly kind: "dir"; readonly path: string }
  | { readonly kind: "glob"; readonly glob: string };

/**
 * What a word on the command line means: a slash at its end says directory, glob characters say glob, the rest
 * is a path. `as: "path"` takes the word as it is.
 */
export function parseTarget(word: string, as?: "path"): Target | { readonly error: string } {
  if (word === "") return { error: "a target cannot be empty" };
  if (word.includes("\0")) return { error: "a path cannot hold a NUL" };
  if (as === "path") return { kind: "path", path: word };
  if (/[*?[\]{}]/.test(word)) {
    const glob = word.endsWith("/") ? `${word}**` : word;
    try {
      automatonOfGlob(glob);
    } catch (error) {
      return { error: (error as Error).message };
    }
    return { kind: "glob", glob: glob.replace(/^(\.\/)+/, "") };
  }
  return word.endsWith("/")
    ? { kind: "dir", path: word.replace(/\/+$/, "") || "/" }
    : { kind: "path", path: word };
}

/** Whether the target covers that path. */
export function covers(target: Target, path: string): boolean {
  if (target.kind === "path") return target.path === path;
  if (target.kind === "dir") return isWithin(target.path, path);
  return accepts(automatonOf(target), path);
}

/** Whether there is a path that both cover. Exact: true if and only if there is one. */
export function overlaps(a: Target, b: Target): boolean {
  if (a.kind === "path") return covers(b, a.path);
  if (b.kind === "path") return covers(a, b.path);
  if (a.kind === "dir" && b.kind === "dir") return isWithin(a.path, b.path) || isWithin(b.path, a.path);
  return intersects(automatonOf(a), automatonOf(b));
}

/** The target as people write it: a directory ends in a slash. */
export function formatTarget(target: Target): string {
  if (target.kind === "glob") return target.glob;
  return target.kind === "dir" ? `${target.path}/` : target.path;
}

/** The target where names that differ in case are one. */
export function foldCase(target: Target): Target {
  if (target.kind === "glob") return { kind: "glob", glob: target.glob.toLowerCase() };
  return { kind: target.kind, path: target.path.toLowerCase() };
}

function isWithin(dir: string, path: string): boolean {
  return dir === "" || path === dir || path.startsWith(`${dir}/`);
}

const automata = new Map<string, Automaton>();
const AUTOMATA_KEPT = 256;

function automatonOf(target: Target): Automaton {
  const key = `${target.kind} ${formatTarget(target)}`;
  let automaton = automata.get(key);
  if (automaton === undefined) {
    automaton =
      target.kind === "glob"
        ? automatonOfGlob(target.glob)
        : automatonOfPath(target.path, target.kind === "dir");
    if (automata.size >= AUTOMATA_KEPT) automata.clear();
    automata.set(key, automaton);
  }
  return automaton;
}
