/**
 * node:child_process, loaded when it is first used: it costs 3 ms, and most hooks start no process.
 */
export function childProcess(): typeof import("node:child_process") {
  return process.getBuiltinModule("node:child_process");
}
