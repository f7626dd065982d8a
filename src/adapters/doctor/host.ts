/** The machine: git, runtime, client, file system, clock. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Finding } from "../../app/doctor.ts";
import { filesystemProblem } from "../../log/mod.ts";
import { childProcess } from "../child-process.ts";
import { runGit } from "../git/hook-git.ts";
import { BAD, bareEnv, OK, type Patient } from "./patient.ts";

export function gitVersion({ repo }: Patient): Finding {
  const text = runGit(repo.top ?? repo.commonDir, ["--version"]).trim();
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 31) ? OK(text) : BAD(`${text}; install 2.31 or newer`);
}

export function entryOf(boxDir: string): string {
  return join(boxDir, "bin", "hook");
}

function recordedRuntime(boxDir: string): string | undefined {
  const quoted = /^runtime=(.*)$/m.exec(readFileSync(entryOf(boxDir), "utf8"))?.[1];
  return quoted?.replace(/^'(.*)'$/, "$1").replaceAll(String.raw`'\''`, "'");
}

/** What hooks are written for; tested with 20 and 22, Deno by hand. */
const OLDEST_NODE = 20;

export function runtime({ boxDir }: Patient): Finding {
  if (!existsSync(entryOf(boxDir))) return BAD(`${entryOf(boxDir)} is missing; run: signalbox init`);
  const file = recordedRuntime(boxDir);
  if (file === undefined) return BAD(`${entryOf(boxDir)} names no runtime; run: signalbox init`);
  const { status, stdout } = childProcess().spawnSync(file, ["--version"], {
    encoding: "utf8",
    env: bareEnv(),
  });
  if (status !== 0) return BAD(`${file} does not run; run: signalbox init`);
  const version = stdout.trim().split("\n")[0] ?? "";
  const node = /^v(\d+)/.exec(version)?.[1];
  return node !== undefined && Number(node) < OLDEST_NODE
    ? BAD(
        `${file} is ${version}; hooks need Node ${OLDEST_NODE} or newer: run signalbox init with one on PATH`,
      )
    : OK(`${file} ${version}`);
}

/** `CLAUDE_PID`, by which a dead session is told from a quiet one, came with this one. */
const OLDEST_CLIENT = [2, 1, 214] as const;
const CLIENT_MS = 10_000;

export function client(): Finding {
  const { status, stdout, error } = childProcess().spawnSync("claude", ["--version"], {
    encoding: "utf8",
    env: bareEnv(),
    stdio: ["ignore", "pipe", "ignore"],
    timeout: CLIENT_MS,
  });
  if (error !== undefined && "code" in error && error.code === "ENOENT") return OK("no `claude` on PATH");
  const text = stdout?.trim().split("\n")[0] ?? "";
  const found = /^(\d+)\.(\d+)\.(\d+)/.exec(text)?.slice(1).map(Number);
  if (status !== 0 || found === undefined) return BAD("`claude --version` does not tell its version");
  const at = found.findIndex((part, i) => part !== OLDEST_CLIENT[i]);
  return at === -1 || found[at]! > OLDEST_CLIENT[at]!
    ? OK(text)
    : BAD(
        `${text}; ${OLDEST_CLIENT.join(".")} or newer says in which process a session lives: run claude update`,
      );
}

export function fileSystem({ boxDir }: Patient): Finding {
  const problem = filesystemProblem(boxDir);
  return problem === undefined ? OK("local") : BAD(problem);
}

export function clockStep({ open }: Patient): Finding {
  const ahead = open().log.head.t - Date.now();
  if (ahead < 60_000) return OK("in step");
  return BAD(
    `the log is ${Math.round(ahead / 60_000)} minutes ahead of the clock: until the clock is there, leases do not run out`,
  );
}
