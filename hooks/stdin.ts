import { closeSync, constants, openSync, readSync } from "node:fs";

/**
 * All of stdin, or what came until the deadline: whoever started the hook may never close it, and a hook waits
 * for nobody.
 */
export async function readStdin(deadlineMs: number): Promise<string> {
  let fd: number;
  try {
    // A description of our own, so that not blocking is ours alone. Works for pipes and files on Linux; a socket
    // cannot be opened by name.
    fd = openSync("/proc/self/fd/0", constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return readStream(deadlineMs);
  }
  const chunks: Buffer[] = [];
  const until = Date.now() + deadlineMs;
  const pause = new Int32Array(new SharedArrayBuffer(4));
  try {
    for (;;) {
      const chunk = Buffer.allocUnsafe(65_536);
      const n = readNow(fd, chunk);
      if (n === 0) break;
      if (n > 0) chunks.push(chunk.subarray(0, n));
      else if (Date.now() >= until) break;
      else Atomics.wait(pause, 0, 0, 1);
    }
  } finally {
    closeSync(fd);
  }
  return Buffer.concat(chunks).toString("utf8");
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

function readStream(deadlineMs: number): Promise<string> {
  return new Promise((done) => {
    const chunks: Buffer[] = [];
    const finish = () => {
      clearTimeout(timer);
      process.stdin.destroy();
      done(Buffer.concat(chunks).toString("utf8"));
    };
    const timer = setTimeout(finish, deadlineMs);
    process.stdin.on("data", (chunk: Buffer) => chunks.push(chunk));
    process.stdin.on("end", finish);
    process.stdin.on("error", finish);
  });
}
