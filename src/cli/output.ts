import { writeSync } from "node:fs";

/** Data, on stdout. */
export function out(text: string): void {
  write(1, text);
}

/** Talk, on stderr. */
export function say(text: string): void {
  write(2, text);
}

let inProgress = false;

/** One line on a terminal, written over and over, until something else is written or it is "". */
export function progress(text: string): void {
  inProgress = text !== "";
  if (process.stderr.isTTY) process.stderr.write(`\r\u001B[K${text.slice(0, process.stderr.columns - 1)}`);
}

/** How far something long has come, as such a line. */
export function percent(what: string): (done: number, of: number) => void {
  return (done, of) => progress(`${what}: ${Math.floor((100 * done) / of)} %`);
}

/** A versioned JSON document on stdout. */
export function outJson(kind: string, version: number, body: object): void {
  out(JSON.stringify({ kind: `signalbox.${kind}`, version, ...body }, undefined, 2));
}

function write(fd: number, text: string): void {
  if (inProgress) progress("");
  const bytes = Buffer.from(text.endsWith("\n") ? text : `${text}\n`);
  for (let done = 0; done < bytes.length;) {
    try {
      done += writeSync(fd, bytes, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // A reader that went away (`| head`) has had enough; a slow one on a non-blocking pipe gets the rest later.
      if (code === "EPIPE") process.exit(0);
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** Text in a style, where the screen shows it and NO_COLOR is not set. */
export function styled(style: "bold" | "dim" | "red" | "green" | "yellow", text: string): string {
  const codes = { bold: [1, 22], dim: [2, 22], red: [31, 39], green: [32, 39], yellow: [33, 39] } as const;
  const { env } = process;
  const plain = !process.stdout.isTTY && !env["FORCE_COLOR"];
  if (plain || env["NO_COLOR"] || env["TERM"] === "dumb") return text;
  const [on, off] = codes[style];
  return `\u001B[${on}m${text}\u001B[${off}m`;
}

/** Names from outside may hold anything; on a screen control characters are shown, not obeyed. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\u2028\u2029]/gu, (c) => JSON.stringify(c).slice(1, -1));
}
