import { type Chars, common, example, has, NAME_CHAR, SLASH } from "./pattern-chars.ts";

/**
 * Nondeterministic automata over characters, so that one machine answers both questions exactly: does a glob
 * cover a path (run it), and is there any path that two globs cover (walk the product of the two).
 */

/**
 * One step of a glob: a character of a set, or a wildcard. "**\/" is any number of whole segments with
 * their slashes, "**" at the end one segment or more.
 */
export type Token = Chars | "*" | "**/" | "**";

interface State {
  readonly steps: { readonly over: Chars; readonly to: number }[];
  /** States that are reached from here without a character. */
  readonly skips: number[];
  accepting: boolean;
}

/** State 0 is the start. */
export type Automaton = readonly State[];

/** Bounds every walk: a product of two automata has at most `4 * MAX_STATES ** 2` places. */
export const MAX_STATES = 512;

/**
 * The automaton of several sequences of tokens. Those that begin alike share the states of their beginning, so
 * braces add what differs, not what they multiply.
 *
 * @throws SyntaxError if it needs more than `maxStates`
 */
export function compile(sequences: Iterable<readonly Token[]>, maxStates = MAX_STATES): Automaton {
  const states: State[] = [];
  const known = new Map<string, number>();

  const state = () => {
    if (states.length >= maxStates) throw new SyntaxError("the glob is too complex; reserve with several");
    return states.push({ steps: [], skips: [], accepting: false }) - 1;
  };
  const step = (from: number, over: Chars, to: number) => states[from]!.steps.push({ over, to });
  const add = (from: number, token: Token) => {
    const to = state();
    if (token === "*") {
      states[from]!.skips.push(to);
      step(to, NAME_CHAR, to);
    } else if (token === "**" || token === "**/") {
      const inside = token === "**" ? to : state();
      step(from, NAME_CHAR, inside);
      step(inside, NAME_CHAR, inside);
      step(inside, SLASH, inside);
      if (token === "**/") {
        step(inside, SLASH, to);
        states[from]!.skips.push(to);
      }
    } else {
      step(from, token, to);
    }
    return to;
  };

  state();
  for (const tokens of sequences) {
    let at = 0;
    for (const token of tokens) {
      const key = `${at} ${JSON.stringify(token)}`;
      const to = known.get(key) ?? add(at, token);
      known.set(key, to);
      at = to;
    }
    states[at]!.accepting = true;
  }
  return states;
}

/** The states that the automaton can be in once it has read the text. */
export function statesAfter(automaton: Automaton, text: string): readonly number[] {
  const enteredAt = new Int32Array(automaton.length).fill(-1);
  let position = 0;
  let here: number[] = [];
  const enter = (state: number, into: number[]) => {
    if (enteredAt[state] === position) return;
    enteredAt[state] = position;
    into.push(state);
    for (const next of automaton[state]!.skips) enter(next, into);
  };
  enter(0, here);
  for (const char of text) {
    position += 1;
    const code = char.codePointAt(0)!;
    const next: number[] = [];
    for (const state of here)
      for (const { over, to } of automaton[state]!.steps) if (has(over, code)) enter(to, next);
    here = next;
  }
  return here;
}

export function accepts(automaton: Automaton, text: string): boolean {
  return statesAfter(automaton, text).some((state) => automaton[state]!.accepting);
}

/**
 * Where in a segment a path is: at its start, after ".", after "..", or where it may end. The order counts: a dot
 * leads from one to the next.
 */
const START = 0;
const INSIDE = 3;
const SLASH_CODE = SLASH[0]!;
const DOT_CODE = 0x2e;

/** What a walk through a product found: a path that both accept, if there is one; `places` is what it cost. */
export interface Meeting {
  readonly path: string | undefined;
  readonly places: number;
}

/**
 * Walks both automata at once, breadth first, at most once through each place: a pair of states and where in a
 * segment the path is. So it ends, and it is exact; the path that it finds is a shortest one.
 */
export function meet(a: Automaton, fromA: readonly number[], b: Automaton): Meeting {
  const seen = new Uint8Array(a.length * b.length * 4);
  const places: number[] = [];
  /** For each place, the one before it, and the character between them (0: none). */
  const before: number[] = [];
  const read: number[] = [];
  const visit = (p: number, q: number, where: number, previous: number, code: number) => {
    const place = (p * b.length + q) * 4 + where;
    if (seen[place] === 1) return;
    seen[place] = 1;
    places.push(place);
    before.push(previous);
    read.push(code);
  };

  for (const p of fromA) visit(p, 0, START, -1, 0);
  for (let i = 0; i < places.length; i += 1) {
    const where = places[i]! % 4;
    const pair = (places[i]! - where) / 4;
    const q = pair % b.length;
    const p = (pair - q) / b.length;
    if (where === INSIDE && a[p]!.accepting && b[q]!.accepting)
      return { path: pathTo(i, before, read), places: places.length };
    for (const next of a[p]!.skips) visit(next, q, where, i, 0);
    for (const next of b[q]!.skips) visit(p, next, where, i, 0);
    for (const left of a[p]!.steps) {
      for (const right of b[q]!.steps) {
        const both = common(left.over, right.over);
        if (both[0] === SLASH_CODE) {
          if (where === INSIDE) visit(left.to, right.to, START, i, SLASH_CODE);
        } else {
          if (where !== INSIDE && has(both, DOT_CODE)) visit(left.to, right.to, where + 1, i, DOT_CODE);
          const code = example(both, where === INSIDE ? undefined : DOT_CODE);
          if (code !== undefined) visit(left.to, right.to, INSIDE, i, code);
        }
      }
    }
  }
  return { path: undefined, places: places.length };
}

function pathTo(place: number, before: readonly number[], read: readonly number[]): string {
  const codes: number[] = [];
  for (let at = place; at >= 0; at = before[at]!) if (read[at] !== 0) codes.push(read[at]!);
  return String.fromCodePoint(...codes.reverse());
}
