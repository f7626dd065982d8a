/**
 * A set of characters (Unicode code points) that one step of a pattern takes: first and last of each run, flat,
 * in order, none touching the next. It is either `SLASH` alone or without it: no wildcard crosses a slash.
 */
export type Chars = readonly number[];

const SLASH_CODE = 0x2f;
const LAST = 0x10ffff;

export const SLASH: Chars = [SLASH_CODE, SLASH_CODE];
/** Any character that a file's name can have. */
export const NAME_CHAR: Chars = [1, SLASH_CODE - 1, SLASH_CODE + 1, LAST];

/** One character. */
export function only(char: string): Chars {
  const code = char.codePointAt(0)!;
  return [code, code];
}

/** The characters of a name in those runs, in any order; `negated`: all the others. */
export function charsIn(runs: readonly (readonly [number, number])[], negated: boolean): Chars {
  const merged: number[] = [];
  for (const [first, last] of [...runs].sort(([a], [b]) => a - b)) {
    const end = merged.length - 1;
    if (end > 0 && first <= merged[end]! + 1) merged[end] = Math.max(merged[end]!, last);
    else merged.push(first, last);
  }
  return common(negated ? complement(merged) : merged, NAME_CHAR);
}

export function has(chars: Chars, code: number): boolean {
  for (let i = 0; i < chars.length; i += 2) if (code <= chars[i + 1]!) return code >= chars[i]!;
  return false;
}

/** What both have; empty if nothing. */
export function common(a: Chars, b: Chars): Chars {
  if (a === b) return a;
  const both: number[] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    const first = Math.max(a[i]!, b[j]!);
    const last = Math.min(a[i + 1]!, b[j + 1]!);
    if (first <= last) both.push(first, last);
    if (a[i + 1]! < b[j + 1]!) i += 2;
    else j += 2;
  }
  return both;
}

/** One of them other than `not`, "a" if that is among them; `undefined` if there is none. */
export function example(chars: Chars, not?: number): number | undefined {
  if (has(chars, 0x61)) return 0x61;
  for (let i = 0; i < chars.length; i += 2) {
    if (chars[i] !== not) return chars[i];
    if (chars[i]! < chars[i + 1]!) return chars[i]! + 1;
  }
  return undefined;
}

function complement(chars: Chars): Chars {
  const others: number[] = [];
  let next = 0;
  for (let i = 0; i < chars.length; i += 2) {
    if (next < chars[i]!) others.push(next, chars[i]! - 1);
    next = chars[i + 1]! + 1;
  }
  if (next <= LAST) others.push(next, LAST);
  return others;
}
