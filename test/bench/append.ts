/** Check-then-append by 1, 10 and 50 processes: the log beside SQLite in WAL mode, with and without fdatasync. */
import { build } from "esbuild";
import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { benchEnv, type Row, run } from "./measure.ts";

const PROCESSES = [1, 10, 50];

export async function benchAppend(dir: string, perRun: number): Promise<Row[]> {
  const sqlite = installSqlite();
  mkdirSync(dir, { recursive: true });
  const worker = join(dir, "worker.cjs");
  await build({
    entryPoints: [join(import.meta.dirname, "append-worker.ts")],
    bundle: true,
    platform: "node",
    format: "cjs",
    outfile: worker,
    external: ["better-sqlite3"],
    logLevel: "error",
  });
  const rows: Row[] = [];
  for (const sync of ["never", "data"]) {
    for (const processes of PROCESSES) {
      const each = Math.max(4, Math.trunc((sync === "data" ? perRun / 4 : perRun) / processes));
      const speeds: Record<string, number> = {};
      for (const engine of ["log", "sqlite"]) {
        speeds[engine] = await contend(worker, {
          engine,
          sync,
          processes,
          each,
          dir: join(dir, `${engine}-${sync}-${processes}`),
          sqlite,
        });
      }
      const name = `append, ${processes} process${processes === 1 ? "" : "es"}, ${sync === "data" ? "fdatasync" : "no sync"}`;
      rows.push(
        { what: `${name}: SQLite`, value: `${speeds["sqlite"]!.toFixed(0)}/s` },
        {
          what: `${name}: signalbox`,
          value: `${speeds["log"]!.toFixed(0)}/s`,
          ratio: `x${(speeds["log"]! / speeds["sqlite"]!).toFixed(2)}`,
        },
      );
    }
  }
  return rows;
}

/** better-sqlite3 is for this comparison alone, so it is installed here and not with the package. */
function installSqlite(): string {
  const dir = join(import.meta.dirname, "node_modules/better-sqlite3");
  if (!existsSync(dir)) run("npm", ["ci", "--no-audit", "--no-fund", "--prefix", import.meta.dirname]);
  return dir;
}

interface Contest {
  readonly engine: string;
  readonly sync: string;
  readonly processes: number;
  readonly each: number;
  readonly dir: string;
  readonly sqlite: string;
}

/** Appends per second of all processes together, from a common start to the last one's end. */
async function contend(
  worker: string,
  { engine, sync, processes, each, dir, sqlite }: Contest,
): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const args = (n: number) => [worker, engine, dir, sync, String(n), sqlite];
  run(process.execPath, args(0));
  const children = Array.from({ length: processes }, () =>
    spawn(process.execPath, args(each), { stdio: ["pipe", "pipe", "inherit"], env: benchEnv() }),
  );
  await Promise.all(children.map((child) => new Promise((ready) => child.stdout.once("data", ready))));
  const start = process.hrtime.bigint();
  const ends = children.map((child) => new Promise<number | null>((end) => child.once("close", end)));
  for (const child of children) child.stdin.end("go\n");
  const codes = await Promise.all(ends);
  if (codes.some((code) => code !== 0)) throw new Error(`${engine}: a worker failed`);
  return (processes * each) / (Number(process.hrtime.bigint() - start) / 1e9);
}
