/**
 * A process that heals an index, for others to kill: `once <gitdir> <top> <n>` is killed before its n-th change to
 * the world (0: never; it prints how many there were), `loop <gitdir> <top> <file>` goes on until that file is there.
 */
import { healIndex } from "../../src/adapters/git/index-file.ts";

const fs = process.getBuiltinModule("node:fs");
const [mode, gitDir, workTree, last] = process.argv.slice(2) as [string, string, string, string];
const at = { gitDir, workTree };
let changes = 0;

function count(object: object, name: string): void {
  const functions = object as Record<string, (...args: unknown[]) => unknown>;
  const original = functions[name]!;
  functions[name] = (...args) => {
    changes += 1;
    if (mode === "once" && changes === Number(last)) process.kill(process.pid, "SIGKILL");
    return original(...args);
  };
}

for (const name of [
  "writeFileSync",
  "renameSync",
  "rmSync",
  "linkSync",
  "copyFileSync",
  "utimesSync",
  "mkdirSync",
])
  count(fs, name);
count(process.getBuiltinModule("node:child_process"), "spawnSync");

if (mode === "once") {
  const healed = healIndex(at);
  fs.writeSync(1, `${JSON.stringify({ changes, healed })}\n`);
} else {
  for (let n = 0; !fs.existsSync(last); n++) {
    const healed = healIndex(at, { waitMs: 5000 });
    if (healed.kind === "deferred") throw new Error(JSON.stringify(healed));
    if (n === 0) fs.writeSync(1, "healing\n");
  }
}
