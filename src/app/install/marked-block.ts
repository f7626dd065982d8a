/** Our lines in somebody else's line-based file: between two marks, so that they are found again. */
import type { Bytes } from "./model.ts";

export const OPEN = "# >>> signalbox >>>";
export const CLOSE = "# <<< signalbox <<<";

export interface Split {
  readonly before: Bytes;
  /** The lines between the marks; `undefined` where there is no block. */
  readonly inside: Bytes | undefined;
  readonly after: Bytes;
}

/** The file in three parts. A block whose end is missing ends at its first empty line or with the file. */
export function split(bytes: Bytes): Split {
  const open = lineStart(bytes, OPEN, 0);
  if (open < 0) return { before: bytes, inside: undefined, after: "" };
  const start = afterLine(bytes, open);
  const close = lineStart(bytes, CLOSE, start);
  if (close >= 0)
    return {
      before: bytes.slice(0, open),
      inside: bytes.slice(start, close),
      after: bytes.slice(afterLine(bytes, close)),
    };
  const gap = /(?:^|\n)\r?\n/.exec(bytes.slice(start));
  const end = gap === null ? bytes.length : start + gap.index;
  return { before: bytes.slice(0, open), inside: bytes.slice(start, end), after: bytes.slice(end) };
}

/** A block with its marks; `lines` end in a newline. */
export function block(lines: Bytes): Bytes {
  return `${OPEN}\n${lines}${CLOSE}\n`;
}

/** The file with the block at its end, or with the one it has replaced by it. */
export function withBlock(bytes: Bytes, lines: Bytes): Bytes {
  const { before, inside, after } = split(bytes);
  if (inside !== undefined) return before + block(lines) + after;
  return `${terminated(bytes)}${block(lines)}`;
}

/** The file without the block. */
export function withoutBlock(bytes: Bytes): Bytes {
  const { before, inside, after } = split(bytes);
  return inside === undefined ? bytes : before + after;
}

/** The bytes with their last line ended; one that goes on (`\` at its end) gets an empty line to go on with. */
export function terminated(bytes: Bytes): Bytes {
  if (bytes === "") return bytes;
  const ended = bytes.endsWith("\n") ? bytes : `${bytes}\n`;
  return /\\\r?\n$/.test(ended) ? `${ended}\n` : ended;
}

function lineStart(bytes: Bytes, mark: string, from: number): number {
  for (let at = bytes.indexOf(mark, from); at >= 0; at = bytes.indexOf(mark, at + 1)) {
    if (at === 0 || bytes[at - 1] === "\n") return at;
  }
  return -1;
}

function afterLine(bytes: Bytes, at: number): number {
  const end = bytes.indexOf("\n", at);
  return end < 0 ? bytes.length : end + 1;
}
