import { closeSync, constants, openSync, read, readSync } from "node:fs";

/** What came on stdin until its end, until it was complete, or until the deadline. */
export interface Input {
  readonly text: string;
  /**
   * A read is still waiting for more. Node cannot give it up, not even to exit: whoever is done has to be killed
   * (`endStuck`).
   */
  readonly stuck: boolean;
}

/**
 * Reads stdin. Whoever started the hook may never close it, and a hook waits for nobody.
 *
 * @param head what the entry (hook.sh) has read of it already
 * @param kind a "json" document is complete when it can be parsed, though the end has not come
 */
export async function readStdin(
  deadlineMs: number,
  kind: "json" | "lines",
  head = process.env["SIGNALBOX_HEAD"] ?? "",
): Promise<Input> {
  const first = Buffer.from(head);
  const isComplete = (chunks: readonly Buffer[]) => kind === "json" && isJson([first, ...chunks]);
  if (head !== "" && isComplete([])) return { text: head, stuck: false };
  const { text, stuck } = await readRest(deadlineMs, isComplete);
  return { text: head + text, stuck };
}

async function readRest(
  deadlineMs: number,
  isComplete: (chunks: readonly Buffer[]) => boolean,
): Promise<Input> {
  let fd: number;
  try {
    // A description of our own, so that not blocking is ours alone. Works for pipes and files on Linux.
    fd = openSync("/proc/self/fd/0", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    // A socket, which is what Claude Code gives its hooks, cannot be opened by name. The stream that Node has for
    // it costs 5 ms to load; a read in the thread pool costs nothing, but cannot be taken back.
    return readInPool(deadlineMs, isComplete);
  }
  try {
    return { text: poll(fd, Date.now() + deadlineMs, isComplete), stuck: false };
  } finally {
    closeSync(fd);
  }
}

/** Ends a process whose read is stuck; the entry (hook.sh) knows the signal, lets through and says so. */
export function endStuck(): void {
  process.kill(process.pid, "SIGALRM");
}

const CHUNK = 65_536;

function poll(fd: number, until: number, isComplete: (chunks: readonly Buffer[]) => boolean): string {
  const chunks: Buffer[] = [];
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK);
    const n = readNow(fd, chunk);
    if (n > 0) chunks.push(chunk.subarray(0, n));
    else if (n === 0 || Date.now() >= until || isComplete(chunks)) return textOf(chunks);
    else Atomics.wait(pause, 0, 0, 1);
  }
}

/** Bytes read, 0 at the end, -1 if there is nothing yet. */
function readNow(fd: number, into: Buffer): number {
  try {
    return readSync(fd, into);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return -1;
    throw error;
  }
}

function readInPool(deadlineMs: number, isComplete: (chunks: readonly Buffer[]) => boolean): Promise<Input> {
  return new Promise((done, fail) => {
    const chunks: Buffer[] = [];
    const timer = setTimeout(() => done({ text: textOf(chunks), stuck: true }), deadlineMs);
    const finish = () => {
      clearTimeout(timer);
      done({ text: textOf(chunks), stuck: false });
    };
    const next = () => {
      const chunk = Buffer.allocUnsafe(CHUNK);
      read(0, chunk, 0, CHUNK, null, (error, n) => {
        if (error?.code === "EAGAIN") {
          setTimeout(next, 1);
        } else if (error !== null) {
          clearTimeout(timer);
          fail(error);
        } else {
          if (n > 0) chunks.push(chunk.subarray(0, n));
          if (n === 0 || isComplete(chunks)) finish();
          else next();
        }
      });
    };
    next();
  });
}

/** Parsed only when it may be the end: a large input comes in many chunks. */
function isJson(chunks: readonly Buffer[]): boolean {
  const tail = chunks.at(-1)?.subarray(-8).toString("latin1").trimEnd() ?? "";
  if (!tail.endsWith("}")) return false;
  try {
    JSON.parse(textOf(chunks));
    return true;
  } catch {
    return false;
  }
}

function textOf(chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks).toString("utf8");
}
