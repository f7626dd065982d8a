/**
 * Globs as nondeterministic automata over code points, so that one machine answers both questions exactly: does
 * a glob cover a path, and is there any path that two globs cover.
 *
 * The language is that of git's `:(glob)` pathspecs plus braces: `*` and `?` stay within a segment, `**` as a
 * whole segment is any number of segments (`a/**` is everything below `a`, not `a` itself), `[a-z]` `[!x]` `[^x]`
 * one character of a set and never `/`, `{a,b}` either (nested, and with `/` in it), `\` takes the next
 * character as it is. Names that begin with a dot are like any other: this is about safety, not about listing.
 */

/** Code points, as sorted pairs of first and last. */
type Ranges = readonly (readonly [number, number])[];

interface Edge {
  readonly over: Ranges;
  readonly to: number;
}

/** State 0 is the start. */
export interface Automaton {
  readonly edges: readonly (readonly Edge[])[];
  readonly silent: readonly (readonly number[])[];
  readonly final: number;
}

const LAST = 0x10ffff;
const SLASH = 0x2f;
const ANY: Ranges = [[0, LAST]];
const SLASH_ONLY: Ranges = [[SLASH, SLASH]];
const NOT_SLASH: Ranges = [
  [0, SLASH - 1],
  [SLASH + 1, LAST],
];

/** Longest glob, and most alternatives that its braces may stand for: they bound every later step. */
export const MAX_GLOB_LENGTH = 1024;
export const MAX_ALTERNATIVES = 64;

class Builder {
  readonly edges: Edge[][] = [[]];
  readonly silent: number[][] = [[]];

  state(): number {
    this.silent.push([]);
    return this.edges.push([]) - 1;
  }
  edge(from: number, over: Ranges, to: number): void {
    this.edges[from]!.push({ over, to });
  }
  skip(from: number, to: number): void {
    this.silent[from]!.push(to);
  }
  /** From a state over one of those to a new one. */
  step(from: number, over: Ranges): number {
    const to = this.state();
    this.edge(from, over, to);
    return to;
  }
  text(from: number, text: string): number {
    let at = from;
    for (const char of text) at = this.step(at, only(char.codePointAt(0)!));
    return at;
  }
}

/** A path, or with `below` a directory and all that is below it; "" is the whole tree. */
export function automatonOfPath(path: string, below: boolean): Automaton {
  const builder = new Builder();
  let end = builder.text(0, path);
  if (below) {
    const inside = path === "" ? end : builder.step(end, SLASH_ONLY);
    const rest = builder.step(inside, ANY);
    builder.edge(rest, ANY, rest);
    const final = builder.state();
    builder.skip(end, final);
    builder.skip(rest, final);
    end = final;
  }
  return { edges: builder.edges, silent: builder.silent, final: end };
}

/** @throws SyntaxError saying what is wrong with the glob */
export function automatonOfGlob(glob: string): Automaton {
  if (glob.length > MAX_GLOB_LENGTH)
    throw new SyntaxError(`a glob has at most ${MAX_GLOB_LENGTH} characters, this has ${glob.length}`);
  const builder = new Builder();
  const final = builder.state();
  for (const alternative of expandBraces(glob)) {
    const start = builder.state();
    builder.skip(0, start);
    builder.skip(compile(builder, start, alternative), final);
  }
  return { edges: builder.edges, silent: builder.silent, final };
}

function compile(builder: Builder, start: number, glob: string): number {
  const chars = [...glob];
  let at = start;
  for (let i = 0; i < chars.length;) {
    const atSegment = i === 0 || chars[i - 1] === "/";
    if (
      atSegment &&
      chars[i] === "*" &&
      chars[i + 1] === "*" &&
      (chars[i + 2] === undefined || chars[i + 2] === "/")
    ) {
      at = globstar(builder, at, chars[i + 2] === "/");
      i += 3;
    } else if (chars[i] === "*") {
      const next = builder.state();
      builder.edge(at, NOT_SLASH, at);
      builder.skip(at, next);
      at = next;
      i += 1;
    } else if (chars[i] === "?") {
      at = builder.step(at, NOT_SLASH);
      i += 1;
    } else if (chars[i] === "[") {
      const { ranges, end } = parseSet(chars, i);
      at = builder.step(at, ranges);
      i = end;
    } else {
      const escaped = chars[i] === "\\";
      const char = chars[escaped ? i + 1 : i];
      if (char === undefined) throw new SyntaxError("a glob cannot end in a backslash");
      at = builder.step(at, only(char.codePointAt(0)!));
      i += escaped ? 2 : 1;
    }
  }
  return at;
}

/** `**` before a slash: any number of whole segments; `**` at the end: one segment or more. */
function globstar(builder: Builder, from: number, goesOn: boolean): number {
  const loop = builder.state();
  builder.skip(from, loop);
  if (!goesOn) {
    const rest = builder.step(loop, ANY);
    builder.edge(rest, ANY, rest);
    return rest;
  }
  const segment = builder.step(loop, NOT_SLASH);
  builder.edge(segment, NOT_SLASH, segment);
  builder.edge(segment, SLASH_ONLY, loop);
  const next = builder.state();
  builder.skip(loop, next);
  return next;
}

function parseSet(chars: readonly string[], open: number): { ranges: Ranges; end: number } {
  let i = open + 1;
  const negated = chars[i] === "!" || chars[i] === "^";
  if (negated) i += 1;
  const first = i;
  const ranges: [number, number][] = [];
  for (; chars[i] !== "]" || i === first; i += 1) {
    const low = charOf(chars, i);
    i = low.at;
    if (chars[i + 1] === "-" && chars[i + 2] !== undefined && chars[i + 2] !== "]") {
      const high = charOf(chars, i + 2);
      i = high.at;
      if (high.code < low.code)
        throw new SyntaxError(`in a set, ${String.fromCodePoint(low.code, 45, high.code)} runs backwards`);
      ranges.push([low.code, high.code]);
    } else {
      ranges.push([low.code, low.code]);
    }
  }
  const sorted = merge(ranges);
  return { ranges: intersect(negated ? complement(sorted) : sorted, NOT_SLASH), end: i + 1 };
}

function charOf(chars: readonly string[], i: number): { code: number; at: number } {
  const at = chars[i] === "\\" ? i + 1 : i;
  const char = chars[at];
  if (char === undefined) throw new SyntaxError("a set that begins with [ needs a ]");
  return { code: char.codePointAt(0)!, at };
}

/** The alternatives that a glob's braces stand for. */
function expandBraces(glob: string): string[] {
  const open = findUnescaped(glob, "{", 0);
  if (open < 0) {
    if (findUnescaped(glob, "}", 0) >= 0) throw new SyntaxError("a } needs a { before it");
    return [glob];
  }
  const { parts, end } = splitBraces(glob, open);
  const rest = expandBraces(glob.slice(end));
  const all = parts
    .flatMap(expandBraces)
    .flatMap((part) => rest.map((tail) => glob.slice(0, open) + part + tail));
  if (all.length > MAX_ALTERNATIVES)
    throw new SyntaxError(`the braces of a glob stand for at most ${MAX_ALTERNATIVES} alternatives`);
  return all;
}

function findUnescaped(text: string, wanted: string, from: number): number {
  let inSet = false;
  for (let i = from; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "[") inSet = true;
    else if (text[i] === "]") inSet = false;
    else if (!inSet && text[i] === wanted) return i;
  }
  return -1;
}

function splitBraces(text: string, open: number): { parts: string[]; end: number } {
  const parts: string[] = [];
  let depth = 0;
  let start = open + 1;
  for (let i = open; i < text.length; i += 1) {
    if (text[i] === "\\") i += 1;
    else if (text[i] === "{") depth += 1;
    else if (text[i] === "," && depth === 1) {
      parts.push(text.slice(start, i));
      start = i + 1;
    } else if (text[i] === "}" && (depth -= 1) === 0) {
      return { parts: [...parts, text.slice(start, i)], end: i + 1 };
    }
  }
  throw new SyntaxError("a { needs a } after it");
}

/** Whether the automaton accepts the text. */
export function accepts(automaton: Automaton, text: string): boolean {
  let states = closure(automaton, [0]);
  for (const char of text) {
    const code = char.codePointAt(0)!;
    const next = [...states].flatMap((state) =>
      automaton.edges[state]!.filter(({ over }) => includes(over, code)).map(({ to }) => to),
    );
    if (next.length === 0) return false;
    states = closure(automaton, next);
  }
  return states.has(automaton.final);
}

/**
 * Whether some path is accepted by both: a walk through the product of the two, at most once through each pair
 * of states. A path has no empty segment, so `a/*` does not stand for `a/`.
 */
export function intersects(a: Automaton, b: Automaton): boolean {
  const seen = new Set<number>();
  const size = b.edges.length * 2;
  const todo: [number, number, boolean][] = [];
  const visit = (p: number, q: number, atSegment: boolean) => {
    for (const x of closure(a, [p])) {
      for (const y of closure(b, [q])) {
        const key = x * size + y * 2 + Number(atSegment);
        if (!seen.has(key)) {
          seen.add(key);
          todo.push([x, y, atSegment]);
        }
      }
    }
  };
  visit(0, 0, true);
  for (let here = todo.pop(); here !== undefined; here = todo.pop()) {
    const [p, q, atSegment] = here;
    if (p === a.final && q === b.final && !atSegment) return true;
    for (const left of a.edges[p]!) {
      for (const right of b.edges[q]!) {
        const over = intersect(left.over, right.over);
        if (over.some(([low, high]) => low !== SLASH || high !== SLASH)) visit(left.to, right.to, false);
        if (!atSegment && includes(over, SLASH)) visit(left.to, right.to, true);
      }
    }
  }
  return false;
}

function closure({ silent }: Automaton, states: readonly number[]): Set<number> {
  const all = new Set(states);
  for (const state of all) for (const next of silent[state]!) all.add(next);
  return all;
}

function only(code: number): Ranges {
  return [[code, code]];
}

function includes(ranges: Ranges, code: number): boolean {
  return ranges.some(([low, high]) => low <= code && code <= high);
}

function intersect(a: Ranges, b: Ranges): Ranges {
  return a.flatMap(([low, high]) =>
    b.map(([l, h]) => [Math.max(low, l), Math.min(high, h)] as const).filter(([l, h]) => l <= h),
  );
}

function merge(ranges: readonly [number, number][]): Ranges {
  const merged: [number, number][] = [];
  for (const [low, high] of ranges.toSorted((x, y) => x[0] - y[0])) {
    const last = merged.at(-1);
    if (last !== undefined && low <= last[1] + 1) last[1] = Math.max(last[1], high);
    else merged.push([low, high]);
  }
  return merged;
}

function complement(ranges: Ranges): Ranges {
  const out: [number, number][] = [];
  let from = 0;
  for (const [low, high] of ranges) {
    if (low > from) out.push([from, low - 1]);
    from = high + 1;
  }
  if (from <= LAST) out.push([from, LAST]);
  return out;
}
