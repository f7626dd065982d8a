/** What a plan would change, in the format of `diff -u`. */
import { type Change, type FileState, text } from "./model.ts";

const CONTEXT = 3;

/** One change as a unified diff; bundles and the record are only named. */
export function renderChange({ path, role, before, after }: Change): string {
  if (after.kind === "absent") return before.kind === "file" ? diff(path, before, after) : `remove ${path}\n`;
  if (after.kind === "link") return `link ${path} -> ${text(after.target)}\n`;
  if (after.kind === "other") return "";
  if (role === "chained") return `keep ${path} (what was there)\n`;
  const isData = after.bytes.includes("\0") || /\.c?js$|install\.json$/.test(path);
  if (isData)
    return `${before.kind === "absent" ? "create" : "replace"} ${path} ${after.bytes.length} bytes\n`;
  return diff(path, before, after);
}

function diff(path: string, before: FileState, after: FileState): string {
  const old = before.kind === "file" ? text(before.bytes) : "";
  const now = after.kind === "file" ? text(after.bytes) : "";
  const header = [
    `--- ${before.kind === "absent" ? "/dev/null" : path}`,
    `+++ ${after.kind === "absent" ? "/dev/null" : path}`,
  ];
  const modes =
    after.kind === "file" && (before.kind !== "file" || before.mode !== after.mode)
      ? [`${before.kind === "file" ? "new" : "new file"} mode 100${after.mode.toString(8)}`]
      : [];
  return `${[...modes, ...header, ...hunks(linesOf(old), linesOf(now))].join("\n")}\n`;
}

interface Line {
  readonly sign: " " | "-" | "+";
  readonly text: string;
}

/** Lines with their ends; the last one may have none. */
function linesOf(whole: string): string[] {
  return whole === "" ? [] : whole.split(/(?<=\n)/);
}

function hunks(old: readonly string[], now: readonly string[]): string[] {
  const script = compare(old, now);
  const out: string[] = [];
  for (let i = 0; i < script.length;) {
    const first = script.findIndex((line, at) => at >= i && line.sign !== " ");
    if (first < 0) break;
    let last = first;
    for (let at = first; at < script.length && at - last <= 2 * CONTEXT; at += 1)
      if (script[at]!.sign !== " ") last = at;
    const from = Math.max(i, first - CONTEXT);
    const to = Math.min(script.length, last + CONTEXT + 1);
    out.push(...hunk(script, from, to));
    i = to;
  }
  return out;
}

function hunk(script: readonly Line[], from: number, to: number): string[] {
  const lines = script.slice(from, to);
  const count = (part: readonly Line[], sign: Line["sign"]) =>
    part.filter((line) => line.sign !== sign).length;
  const range = (sign: Line["sign"]) => {
    const length = count(lines, sign);
    const start = count(script.slice(0, from), sign) + (length === 0 ? 0 : 1);
    return length === 1 ? `${start}` : `${start},${length}`;
  };
  return [`@@ -${range("+")} +${range("-")} @@`, ...lines.flatMap(render)];
}

function render({ sign, text }: Line): string[] {
  return text.endsWith("\n") ? [sign + text.slice(0, -1)] : [sign + text, "\\ No newline at end of file"];
}

/** The shortest edit between two texts: what both begin and end with apart, a table for the rest. */
function compare(old: readonly string[], now: readonly string[]): Line[] {
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start += 1;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end))
    end += 1;
  const same = (lines: readonly string[]): Line[] => lines.map((text) => ({ sign: " ", text }));
  return [
    ...same(old.slice(0, start)),
    ...table(old.slice(start, old.length - end), now.slice(start, now.length - end)),
    ...same(old.slice(old.length - end)),
  ];
}

function table(old: readonly string[], now: readonly string[]): Line[] {
  const length = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i -= 1)
    for (let j = now.length - 1; j >= 0; j -= 1)
      length[i]![j] =
        old[i] === now[j] ? length[i + 1]![j + 1]! + 1 : Math.max(length[i + 1]![j]!, length[i]![j + 1]!);
  const out: Line[] = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      out.push({ sign: " ", text: old[i]! });
      i += 1;
      j += 1;
    } else if (i < old.length && (j === now.length || length[i + 1]![j]! >= length[i]![j + 1]!)) {
      out.push({ sign: "-", text: old[i]! });
      i += 1;
    } else {
      out.push({ sign: "+", text: now[j]! });
      j += 1;
    }
  }
  return out;
}
