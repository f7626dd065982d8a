import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why system calls cannot be counted here; `false` if they can. */
export const mayTrace =
  spawnSync("strace", ["-qq", "-e", "trace=none", "true"]).status === 0 ? false : "no strace";

/** Files, reads, writes and processes: not what a runtime's collector does with memory. */
const COUNTED = "trace=%file,%process,read,pread64,write,getdents64,fsync,fdatasync";

/** System calls of one Claude hook: what its cost grows with, whatever the machine does beside it. */
export function callsOf(
  { top, entry }: { readonly top: string; readonly entry: string },
  env: NodeJS.ProcessEnv,
  hook: string,
  input: object,
): number {
  const dir = mkdtempSync(join(tmpdir(), "signalbox-trace-"));
  try {
    const trace = join(dir, "trace");
    const { status, stderr } = spawnSync(
      "strace",
      ["-f", "-qq", "-e", COUNTED, "-o", trace, entry, "claude", hook],
      {
        cwd: top,
        env,
        input: JSON.stringify(input),
        encoding: "utf8",
      },
    );
    assert.equal(status, 0, stderr);
    return readFileSync(trace, "utf8").split("\n").length;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
