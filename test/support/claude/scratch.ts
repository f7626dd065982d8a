import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { makeHome } from "./environment.ts";

/** A folder of one test's own: a repository with one commit, and a HOME that trusts it. */
export interface Scratch {
  readonly dir: string;
  readonly repo: string;
  readonly home: string;
  git(...args: readonly string[]): string;
  remove(): void;
}

export function makeScratch(files: Readonly<Record<string, string>>, name = "repo"): Scratch {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "signalbox-client-")));
  const repo = join(dir, name);
  mkdirSync(repo);
  const git = (...args: readonly string[]): string =>
    execFileSync("git", ["-C", repo, ...args], {
      encoding: "utf8",
      env: { PATH: process.env["PATH"], HOME: dir, GIT_CONFIG_NOSYSTEM: "1" },
      stdio: ["ignore", "pipe", "pipe"],
    });
  git("init", "-q", "-b", "main");
  git("config", "user.name", "test");
  git("config", "user.email", "test@example.com");
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(join(repo, file)), { recursive: true });
    writeFileSync(join(repo, file), text);
  }
  git("add", ".");
  git("commit", "-qm", "base");
  mkdirSync(join(dir, "home"));
  return {
    dir,
    repo,
    home: makeHome({ dir: join(dir, "home"), trust: [repo] }),
    git,
    remove: () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }),
  };
}
