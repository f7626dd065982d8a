/** Starts `mutex-worker.ts` as processes of their own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import type { Cleaner } from "./repo/scratch.ts";

export interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class MutexPlace {
  readonly dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-mutex-")));
  readonly lock = join(this.dir, "lock");
  readonly worker = join(this.dir, "worker.cjs");
  readonly #children = new Set<ChildProcess>();

  constructor(cleaner: Cleaner) {
    buildSync({
      entryPoints: [fileURLToPath(new URL("mutex-worker.ts", import.meta.url))],
      outfile: this.worker,
      bundle: true,
      format: "cjs",
      platform: "node",
      target: "node20",
    });
    for (const [name, text] of [
      ["counter", "0"],
      ["inside", ""],
      ["entered", ""],
    ] as const) {
      writeFileSync(join(this.dir, name), text);
    }
    cleaner.after(() => {
      for (const child of this.#children) child.kill("SIGKILL");
      rmSync(this.dir, { recursive: true, force: true });
    });
  }

  get env(): NodeJS.ProcessEnv {
    const { NODE_OPTIONS: _o, NODE_EXTRA_CA_CERTS: _c, NODE_V8_COVERAGE: _v, ...rest } = process.env;
    return rest;
  }

  start(mode: string, argument = "", env: Readonly<Record<string, string>> = {}): ChildProcess {
    const child = spawn(process.execPath, [this.worker, mode, this.dir, argument], {
      env: { ...this.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#children.add(child);
    return child;
  }

  /** Runs to the end, or until it is killed; `began` is called at its first output. */
  async run(child: ChildProcess, began?: () => void): Promise<Ended> {
    let stdout = "";
    let stderr = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      if (stdout === "") began?.();
      stdout += String(chunk);
    });
    child.stderr!.on("data", (chunk: Buffer) => (stderr += String(chunk)));
    const [, signal] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
    this.#children.delete(child);
    return { signal, stdout, stderr };
  }

  /** One that has the mutex; the answer is its claim's file. */
  async holder(): Promise<{ child: ChildProcess; file: string; kill: () => Promise<void> }> {
    const child = this.start("hold");
    const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
    const kill = async () => {
      const closed = once(child, "close");
      child.kill("SIGKILL");
      await closed;
    };
    return { child, file: String(chunk).trim(), kill };
  }
}
