const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** Waits 0 to 8 ms, longer after more lost races, so that writers spread out. */
export function pause(attempts: number): void {
  if (attempts > 1) Atomics.wait(sleeper, 0, 0, Math.random() * Math.min(0.05 * 2 ** attempts, 8));
}
