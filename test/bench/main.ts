/**
 * `npm run bench`: every figure that docs and notes quote, as ratios within one run. `-- --quick` for a short one,
 * `-- --only scale` for one part, `-- --ten` for histories of ten million events too.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { benchAppend } from "./append.ts";
import { benchCoordination } from "./coordination.ts";
import { benchHooks } from "./hooks.ts";
import { type Row, run } from "./measure.ts";
import { benchScale } from "./scale.ts";
import { benchShim } from "./shim.ts";
import { benchUpkeep } from "./upkeep.ts";
import { benchYear } from "./year.ts";

const args = process.argv.slice(2);
const quick = args.includes("--quick");
const dir = mkdtempSync(join(tmpdir(), "signalbox-bench-"));
try {
  console.error(
    `node ${process.version}, ${run("git", ["--version"]).trim()}, ${cpus().length} cores; noisy machines: compare ratios`,
  );
  const parts: Record<string, () => Row[] | Promise<Row[]>> = {
    shim: () =>
      benchShim(
        join(dir, "shim"),
        quick
          ? { rounds: 5, files: [1000], sessions: [1, 4], commits: 5 }
          : { rounds: 25, files: [1000, 10_000, 100_000], sessions: [1, 4, 10, 50], commits: 10 },
      ),
    coordination: () =>
      benchCoordination(join(dir, "coordination"), quick ? [2, 5] : [2, 5, 10, 20, 50], quick ? 2 : 3),
    hooks: () => benchHooks(dir, quick ? 5 : 25, quick ? [0, 1000] : undefined),
    append: () => benchAppend(join(dir, "append"), quick ? 2000 : 20_000),
    scale: () =>
      benchScale(join(dir, "scale"), quick ? [20_000] : args.includes("--ten") ? [1e6, 1e7] : [100_000, 1e6]),
    upkeep: () => benchUpkeep(join(dir, "upkeep"), quick ? 5 : 15, quick ? 20_000 : 200_000),
    year: () =>
      benchYear(
        join(dir, "year"),
        { sessions: 100, crew: 8, edits: 6, killed: 5, indexes: 3, seed: 1, days: quick ? 7 : 365 },
        [1, 2, 7, 30, 90, 180, 270, 365],
        quick ? 5 : 25,
      ),
  };
  const only = args.includes("--only") ? args[args.indexOf("--only") + 1] : undefined;
  if (only !== undefined && parts[only] === undefined)
    throw new Error(`--only takes ${Object.keys(parts).join(", ")}, not ${only}`);
  const rows: Row[] = [];
  for (const [name, bench] of Object.entries(parts))
    if (only === undefined || name === only) rows.push(...(await bench()));
  const width = Math.max(...rows.map(({ what }) => what.length));
  for (const { what, value, ratio = "" } of rows)
    console.log(`${what.padEnd(width)}  ${value.padStart(10)}  ${ratio}`);
  const json = args[args.indexOf("--json") + 1];
  if (args.includes("--json") && json !== undefined) writeFileSync(json, JSON.stringify(rows, undefined, 2));
} finally {
  rmSync(dir, { recursive: true, force: true });
}
