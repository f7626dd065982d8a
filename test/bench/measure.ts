import { type SpawnSyncOptions, spawnSync } from "node:child_process";

/** The machine's variables that change what is measured: Node 20 starts 2.5 times slower with the first. */
export function benchEnv(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { NODE_EXTRA_CA_CERTS: _, NODE_OPTIONS: __, ...env } = process.env;
  return { ...env, GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null", ...more };
}

/** Runs a command and throws if it fails: a benchmark of failures is none. */
export function run(file: string, args: readonly string[], options: SpawnSyncOptions = {}): string {
  const { status, stdout, stderr, error } = spawnSync(file, args, { env: benchEnv(), ...options });
  // A hook that ends in the shell leaves its input unread.
  if (error !== undefined && (error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  if (status !== 0) throw new Error(`${file} ${args.join(" ")}: exit ${status}: ${String(stderr)}`);
  return String(stdout);
}

export interface Contestant {
  readonly name: string;
  readonly before?: () => void;
  readonly run: () => void;
}

/**
 * Medians in ms of contestants that take turns, so that a noisy machine is noisy to all of them.
 * The first is what the others are compared with.
 */
export function race(rounds: number, contestants: readonly Contestant[]): Map<string, number> {
  const times = new Map(contestants.map(({ name }) => [name, [] as number[]]));
  for (let round = -2; round < rounds; round += 1) {
    for (const { name, before, run: go } of contestants) {
      before?.();
      const start = process.hrtime.bigint();
      go();
      if (round >= 0) times.get(name)!.push(Number(process.hrtime.bigint() - start) / 1e6);
    }
  }
  return new Map([...times].map(([name, all]) => [name, median(all)]));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

export interface Row {
  readonly what: string;
  readonly value: string;
  readonly ratio?: string;
}

/** Rows of a race: each contestant's median and its ratio to the first. */
export function rowsOf(title: string, medians: ReadonlyMap<string, number>): Row[] {
  const [base] = medians.values();
  return [...medians].map(([name, ms], i) => ({
    what: `${title}: ${name}`,
    value: `${ms.toFixed(1)} ms`,
    ...(i === 0 ? {} : { ratio: `x${(ms / base!).toFixed(2)}` }),
  }));
}
