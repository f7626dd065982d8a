/** `npm run bench`: every figure that docs and notes quote, as ratios within one run. `-- --quick` for a short one. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { benchAppend } from "./append.ts";
import { benchHooks } from "./hooks.ts";
import { type Row, run } from "./measure.ts";

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const dir = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
try {
  console.error(
    `node ${process.version}, ${run("git", ["--version"]).trim()}, ${cpus().length} cores; noisy machines: compare ratios`,
  );
  const rows: Row[] = [
    ...benchHooks(dir, quick ? 5 : 25, quick ? [0, 1000] : undefined),
    ...(await benchAppend(join(dir, "append"), quick ? 2000 : 20_000)),
  ];
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, ratio = "" } of rows)
    console.log(`${what.padEnd(width)}  ${value.padStart(10)}  ${ratio}`);
  const json = args[args.indexOf("--json") + 1];
  if (args.includes("--json") && json !== undefined) writeFileSync(json, JSON.stringify(rows, undefined, 2));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
