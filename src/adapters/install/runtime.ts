/** Finds the program that installed hooks run on. */
import { execFileSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Runtime } from "../../app/install/entry.ts";
import { InstallProblem } from "../../app/install/model.ts";
import { versionOf } from "./survey.ts";

/**
 * The runtime to record: the one asked for, else of the kind recorded before, else the one that runs this.
 *
 * @param near folder of this package; its dependencies may have brought Deno
 * @throws InstallProblem if it is not there, or too old
 */
export function chooseRuntime(
  wanted: Runtime["kind"] | undefined,
  recorded: Runtime | undefined,
  near: string,
): Runtime {
  const running = "deno" in process.versions ? "deno" : "node";
  const kind = wanted ?? recorded?.kind ?? running;
  const path = kind === running ? process.execPath : kind === "deno" ? findDeno(near) : find("node");
  if (path === undefined)
    throw new InstallProblem(`there is no ${kind} on PATH; install it, or choose another --runtime`);
  const version = kind === running && kind === "node" ? process.version : versionOf(path);
  if (version === undefined) throw new InstallProblem(`${path} does not run; install ${kind} anew`);
  checkVersion(kind, version);
  return { kind, path, version };
}

function checkVersion(kind: Runtime["kind"], version: string): void {
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  if (kind === "node" && (major < 20 || (major === 20 && minor < 19)))
    throw new InstallProblem(`Node ${version} is too old; install Node 20.19 or newer`);
}

/** npm's `deno` is a script that starts the program; the hooks want the program. */
function findDeno(near: string): string | undefined {
  for (const path of [find("deno"), join(near, "node_modules", ".bin", "deno")]) {
    if (path === undefined || !isProgram(path)) continue;
    try {
      const args = ["eval", "--no-lock", "--no-config", "console.log(Deno.execPath())"];
      return execFileSync(path, args, {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
        cwd: "/",
      }).trim();
    } catch {
      continue;
    }
  }
  return undefined;
}

function find(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .filter((dir) => dir.startsWith("/"))
    .map((dir) => join(dir, name))
    .find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
