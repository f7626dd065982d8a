import { execFileSync } from "node:child_process";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** Everything in a folder: kind, mode and bytes of each file, to be compared as a whole. */
export function snapshot(dir: string): Record<string, string> {
  const found: Record<string, string> = {};
  const walk = (path: string) => {
    for (const name of readdirSync(join(dir, path)).sort()) {
      // Git's own, in the background.
      if (name === "maintenance.lock") continue;
      const below = join(path, name);
      const stat = lstatSync(join(dir, below));
      if (stat.isSymbolicLink()) found[below] = `link ${readlinkSync(join(dir, below))}`;
      else if (stat.isDirectory()) {
        found[below] = `folder ${(stat.mode & 0o7777).toString(8)}`;
        walk(below);
      } else
        found[below] =
          `file ${(stat.mode & 0o7777).toString(8)} ${readFileSync(join(dir, below)).toString("latin1")}`;
    }
  };
  walk("");
  return found;
}

/** Times of last change of every file. */
export function times(dir: string): Record<string, number> {
  const found: Record<string, number> = {};
  for (const name of Object.keys(snapshot(dir))) found[name] = lstatSync(join(dir, name)).mtimeMs;
  return found;
}

/** Git >= 2.54 runs hooks from its config: no hook file is touched, and core.hooksPath is in nobody's way. */
export function hooksInConfig(): boolean {
  const version = execFileSync("git", ["--version"], { encoding: "utf8" });
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(version) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 54);
}
