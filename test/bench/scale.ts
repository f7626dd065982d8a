/** Long histories: compaction, replay and its proof, in events per second, peak memory and bytes per event. */
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { benchEnv, type Row, run } from "./measure.ts";
import { grow, makeRepo, ROOT } from "./place.ts";

export function benchScale(dir: string, counts: readonly number[]): Row[] {
  mkdirSync(dir, { recursive: true });
  const peak = join(dir, "peak.cjs");
  writeFileSync(
    peak,
    `process.on("exit", () => require("fs").writeFileSync(process.env.PEAK, String(process.resourceUsage().maxRSS)));`,
  );
  const bare = join(dir, "empty.cjs");
  writeFileSync(bare, "");
  return counts.flatMap((events) => {
    const repo = makeRepo(join(dir, `scale-${events}`), true);
    const took = (args: readonly string[]) => measured(repo, peak, args);
    const base = measured(repo, peak, [], bare);
    const name = events >= 1e6 ? `${events / 1e6} million events` : `${events} events`;
    const appending = seconds(() => grow(repo, events));
    const live = bytesIn(join(repo, ".git/signalbox/log/seg"));
    const row = (what: string, { s, mb }: Measured): Row => ({
      what: `${name}: ${what}`,
      value: `${Math.round(events / s)}/s`,
      ratio: `${s.toFixed(1)} s, ${mb.toFixed(0)} MB at most (bare runtime ${base.mb.toFixed(0)} MB)`,
    });
    const rows = [
      { what: `${name}: append by one process, no sync`, value: `${Math.round(events / appending)}/s` },
      row("replay, every event told, live segment", took(["replay"])),
      row("compact, proof included", took(["compact"])),
      { what: `${name}: bytes per event, live`, value: (live / events).toFixed(0) },
      {
        what: `${name}: bytes per event, archived`,
        value: (bytesIn(join(repo, ".git/signalbox/log/arch")) / events).toFixed(1),
      },
      // A day's events more: the proof goes on from the last one.
      ...again(repo, Math.min(20_000, events), took, name),
      row("replay, every event told, from archives", took(["replay"])),
      row("replay --verify", took(["replay", "--verify"])),
      row("replay --at", took(["replay", "--at", String(events)])),
      row("replay --export", took(["replay", "--export", join(dir, `out-${events}.gz`)])),
    ];
    run("rm", ["-rf", repo, join(dir, `out-${events}.gz`)]);
    return rows;
  });
}

function again(
  repo: string,
  events: number,
  took: (args: readonly string[]) => Measured,
  name: string,
): Row[] {
  grow(repo, events);
  const { s, mb } = took(["compact"]);
  return [
    { what: `${name}: ${events} more, compact again`, value: `${s.toFixed(1)} s, ${mb.toFixed(0)} MB` },
  ];
}

interface Measured {
  readonly s: number;
  readonly mb: number;
}

function measured(
  repo: string,
  peak: string,
  args: readonly string[],
  script = join(ROOT, "dist/signalbox.cjs"),
): Measured {
  const file = `${peak}.kb`;
  const s = seconds(() =>
    run(process.execPath, ["--require", peak, script, ...args], {
      cwd: repo,
      env: benchEnv({ PEAK: file }),
      stdio: ["ignore", "ignore", "pipe"],
    }),
  );
  return { s, mb: Number(run("cat", [file])) / 1024 };
}

function seconds(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

const bytesIn = (dir: string) =>
  readdirSync(dir).reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
