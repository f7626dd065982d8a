/** Following a log as it grows. */

import type { Log } from "./open.ts";
import type { LogRecord } from "./record.ts";

export interface FollowOptions {
  /** First sequence number. Default: the one after the log's head. */
  readonly from?: number | undefined;
  /** Pause between looks, milliseconds. Default 200. */
  readonly pollMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Committed records from `from` on, each once, in order, until `signal` aborts. */
export async function* follow(log: Log, options: FollowOptions = {}): AsyncGenerator<LogRecord, void> {
  const { pollMs = 200, signal } = options;
  let next = options.from ?? log.head.seq + 1;
  for (;;) {
    if (signal?.aborted) return;
    const { seq } = log.catchUp();
    for (const record of log.records({ from: next, to: seq })) {
      yield record;
      if (signal?.aborted) return;
    }
    next = Math.max(next, seq + 1);
    await sleep(pollMs, signal);
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
    if (signal?.aborted) done();
  });
}
