import { shellQuoted } from "../../src/app/install/entry.ts";

/** Exit code of a refusal; what is printed is the reason. */
const REFUSED = 3;

/** What the shim gets: shell text to evaluate, or a reason not to run. */
export interface ShimAnswer {
  readonly code: number;
  readonly out: string;
}

export function refusal(reason: string): ShimAnswer {
  return { code: REFUSED, out: reason };
}

/** The last line says that it is whole: an empty bundle would let everything through, and heal nothing. */
export function go(lines: readonly string[]): ShimAnswer {
  return { code: 0, out: [...lines, "answered=1"].join("\n") };
}

/** `name='value'` lines; none for what is undefined. */
export function assignments(values: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${shellQuoted(value)}`],
  );
}
