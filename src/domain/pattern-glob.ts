import type { Token } from "./pattern-automaton.ts";
import { type Chars, charsIn, has, NAME_CHAR, only, SLASH } from "./pattern-chars.ts";
import { foldName } from "./path-key.ts";

/**
 * The language of globs (docs/paths.md): that of git's `:(glob)` pathspecs, and braces.
 * - `*` any characters of one segment, `?` one of them; names that begin with a dot are like any other;
 * - `**` as a whole segment: any number of segments; at the end one or more, so `a/**` is not `a` itself;
 * - `[abc]` `[a-z]` one of a set, `[!x]` `[^x]` one of the others, never a slash;
 * - `{a,b}` either: nested, and with slashes; `\` takes the next character as it is;
 * - a slash at the end: everything below.
 */

export const MAX_GLOB_LENGTH = 1024;
/** How many globs the braces of one may stand for. */
export const MAX_ALTERNATIVES = 256;

type Item =
  | { readonly kind: "chars"; readonly chars: Chars; readonly literal?: string }
  | { readonly kind: "star" }
  | { readonly kind: "either"; readonly of: readonly (readonly Item[])[] };

/** @throws SyntaxError that says what is wrong with the glob */
export function parseGlob(glob: string): readonly Item[] {
  if (glob.startsWith("!"))
    throw new SyntaxError(String.raw`a glob cannot be negated; write \! for the character`);
  const { items, end } = parseSequence(glob, 0, false);
  if (end < glob.length)
    throw new SyntaxError(String.raw`a } needs a { before it; write \} for the character`);
  if (count(items) > MAX_ALTERNATIVES)
    throw new SyntaxError(`the braces of a glob stand for at most ${MAX_ALTERNATIVES} alternatives`);
  return items;
}

/** What it spells if it has no wildcard, set or brace, with its escapes undone. */
export function literalOf(items: readonly Item[]): string | undefined {
  let text = "";
  for (const item of items) {
    if (item.kind !== "chars" || item.literal === undefined) return undefined;
    text += item.literal;
  }
  return text;
}

/**
 * What the braces stand for, one sequence of tokens each.
 *
 * @throws SyntaxError for one that can match no path from the top of a working tree
 */
export function* sequencesOf(items: readonly Item[]): Generator<Token[]> {
  for (const flat of expand(items, 0)) yield tokensOf(flat);
}

/** Whether a word has a character that means something in a glob. */
export function looksLikeGlob(word: string): boolean {
  return /[*?[\]{}]/.test(word);
}

/** The text as a glob that stands for it alone. */
export function escapeGlob(text: string): string {
  return text.replaceAll(/[*?[\]{}\\!]/g, String.raw`\$&`);
}

/**
 * The glob where names that differ in case are one: for paths that are folded already. Sets get the folded form
 * of each of their characters besides; `[A-z]` has more than letters.
 */
export function foldGlob(glob: string): string {
  let folded = "";
  for (let i = 0; i < glob.length;) {
    const set = glob[i] === "[" ? parseSet(glob, i) : undefined;
    const end = set?.end ?? i + (glob[i] === "\\" ? 1 : 0) + lengthAt(glob, glob[i] === "\\" ? i + 1 : i);
    folded += set === undefined ? foldName(glob.slice(i, end)) : foldSet(set, glob.slice(i, end));
    i = end;
  }
  return folded.normalize("NFC");
}

function parseSequence(glob: string, start: number, inBraces: boolean): { items: Item[]; end: number } {
  const items: Item[] = [];
  let i = start;
  while (i < glob.length) {
    const char = glob[i]!;
    if (char === "}" || (inBraces && char === ",")) break;
    if (char === "{") {
      const { of, end } = parseBraces(glob, i);
      items.push({ kind: "either", of });
      i = end;
    } else if (char === "[") {
      const { runs, negated, end } = parseSet(glob, i);
      items.push({ kind: "chars", chars: charsIn(runs, negated) });
      i = end;
    } else if (char === "*") {
      items.push({ kind: "star" });
      i += 1;
    } else if (char === "?") {
      items.push({ kind: "chars", chars: NAME_CHAR });
      i += 1;
    } else {
      if (char === "\\") i += 1;
      const literal = glob.slice(i, i + lengthAt(glob, i));
      if (literal === "") throw new SyntaxError("a glob cannot end in a backslash");
      items.push({ kind: "chars", chars: literal === "/" ? SLASH : only(literal), literal });
      i += literal.length;
    }
  }
  return { items, end: i };
}

function parseBraces(glob: string, open: number): { of: Item[][]; end: number } {
  const of: Item[][] = [];
  let i = open;
  do {
    const { items, end } = parseSequence(glob, i + 1, true);
    of.push(items);
    i = end;
  } while (glob[i] === ",");
  if (glob[i] !== "}") throw new SyntaxError(String.raw`a { needs a } after it; write \{ for the character`);
  if (of.length === 1)
    throw new SyntaxError(String.raw`braces need a comma, as in {a,b}; write \{ for the character`);
  return { of, end: i + 1 };
}

interface CharSet {
  readonly runs: readonly (readonly [number, number])[];
  readonly negated: boolean;
  readonly end: number;
}

function parseSet(glob: string, open: number): CharSet {
  let i = open + 1;
  const negated = glob[i] === "!" || glob[i] === "^";
  if (negated) i += 1;
  const read = (): number => {
    if (glob[i] === "\\") i += 1;
    const code = glob.codePointAt(i);
    if (code === undefined)
      throw new SyntaxError(String.raw`a [ needs a ] after it; write \[ for the character`);
    i += code > 0xffff ? 2 : 1;
    return code;
  };
  const runs: [number, number][] = [];
  do {
    if (glob.startsWith("[:", i))
      throw new SyntaxError("classes like [:alpha:] are not known; write [a-zA-Z]");
    const first = read();
    let last = first;
    if (glob[i] === "-" && i + 1 < glob.length && glob[i + 1] !== "]") {
      i += 1;
      last = read();
      if (last < first)
        throw new SyntaxError(`in a set, ${String.fromCodePoint(first, 0x2d, last)} runs backwards`);
    }
    runs.push([first, last]);
  } while (glob[i] !== "]");
  return { runs, negated, end: i + 1 };
}

function foldSet({ runs, negated }: CharSet, source: string): string {
  const own = charsIn(runs, false);
  const more: [number, number][] = [];
  for (let i = 0; i < own.length; i += 2) {
    for (let code = own[i]!; code <= Math.min(own[i + 1]!, LAST_WITH_CASE); code += 1) {
      const folded = foldName(String.fromCodePoint(code));
      const to = folded.codePointAt(0)!;
      if (to !== code && folded.length === lengthAt(folded, 0) && !has(own, to)) more.push([to, to]);
    }
  }
  if (more.length === 0) return source;
  const all = charsIn([...runs, ...more], false);
  let text = negated ? "[!" : "[";
  for (let i = 0; i < all.length; i += 2) {
    text += inSet(all[i]!);
    if (all[i + 1] !== all[i]) text += `-${inSet(all[i + 1]!)}`;
  }
  return `${text}]`;
}

/** Adlam's capitals end there; nothing above has a lower case. */
const LAST_WITH_CASE = 0x1e921;

function inSet(code: number): string {
  const char = String.fromCodePoint(code);
  return "]\\-!^[".includes(char) ? `\\${char}` : char;
}

/** Length in the string of the character there: 2 beyond the basic plane, 0 at the end. */
function lengthAt(text: string, i: number): number {
  const code = text.codePointAt(i);
  if (code === undefined) return 0;
  return code > 0xffff ? 2 : 1;
}

function count(items: readonly Item[]): number {
  let product = 1;
  for (const item of items) {
    if (item.kind === "either") product *= item.of.reduce((sum, part) => sum + count(part), 0);
  }
  return product;
}

type Flat = Exclude<Item, { kind: "either" }>;

function* expand(items: readonly Item[], from: number): Generator<Flat[]> {
  const at = items.findIndex((item, i) => i >= from && item.kind === "either");
  const group = items[at];
  if (group?.kind !== "either") {
    yield items.slice(from) as Flat[];
    return;
  }
  const head = items.slice(from, at) as Flat[];
  for (const part of group.of)
    for (const middle of expand(part, 0))
      for (const tail of expand(items, at + 1)) yield [...head, ...middle, ...tail];
}

function tokensOf(items: readonly Flat[]): Token[] {
  const tokens: Token[] = [];
  const endsSegment = (i: number) => items[i] === undefined || isSlash(items[i]);
  let segment = "";
  for (let i = 0; i <= items.length; i += 1) {
    const item = items[i];
    if (item === undefined || isSlash(item)) {
      // A slash at the end is the one place where a segment may be empty.
      if (segment === "." || segment === ".." || (segment === "" && (item !== undefined || i === 0)))
        throw new SyntaxError(`${spell(items)} is no path from the top of a working tree`);
      segment = "";
    } else segment += item.kind === "chars" ? (item.literal ?? "?") : "*";
    if (item === undefined) break;
    if (item.kind === "chars") {
      tokens.push(item.chars);
      continue;
    }
    const first = i;
    while (items[i + 1]?.kind === "star") i += 1;
    if (i === first || !endsSegment(first - 1) || !endsSegment(i + 1)) tokens.push("*");
    else if (items[i + 1] === undefined) tokens.push("**");
    else {
      tokens.push("**/");
      segment = "";
      i += 1;
    }
  }
  return isSlash(items.at(-1)) || tokens.at(-1) === "**/" ? [...tokens, "**"] : tokens;
}

function isSlash(item: Flat | undefined): boolean {
  return item?.kind === "chars" && item.chars === SLASH;
}

function spell(items: readonly Flat[]): string {
  return JSON.stringify(items.map((item) => (item.kind === "star" ? "*" : (item.literal ?? "?"))).join(""));
}
