/** The installation: bundle, hooks of git and of the client, settings, the scheduler's entry. */
import { accessSync, constants, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../../hooks/manifest.ts";
import type { Finding } from "../../app/doctor.ts";
import { childProcess } from "../child-process.ts";
import { runGit } from "../git/hook-git.ts";
import { worktreesOf } from "../git/worktrees.ts";
import { scheduleProblem } from "../scheduler/expression.ts";
import { jobOf, schedule as install, scheduled, schedulerFor } from "../scheduler/mod.ts";
import { loadSettings } from "../settings.ts";
import { entryOf } from "./host.ts";
import { BAD, bareEnv, OK, type Patient } from "./patient.ts";

export function bundle({ boxDir, version }: Patient): Finding {
  const { stdout, status } = childProcess().spawnSync(entryOf(boxDir), ["version"], {
    encoding: "utf8",
    env: { ...bareEnv(), SIGNALBOX: "1" },
  });
  const found = stdout?.trim() ?? "";
  if (status !== 0 || found === "")
    return BAD("the hook bundle does not run: edits and commits go through unguarded; run: signalbox init");
  return found === version
    ? OK(found)
    : BAD(`the hooks are of version ${found}, this command of ${version}; run: signalbox init`);
}

export function gitHooks({ repo }: Patient): Finding {
  const missing = worktreesOf(repo).flatMap((top) => {
    const silent = GIT_HOOKS.filter(({ name }) => !fires(top, name)).map(({ name }) => name);
    return silent.length === 0 ? [] : [`in ${top} git does not run: ${silent.join(", ")}`];
  });
  const hint =
    "; core.hooksPath or another tool's hooks may be in the way: see docs/install.md, then run: signalbox init";
  return missing.length === 0
    ? OK(`fired in ${worktreesOf(repo).length} worktree(s)`)
    : BAD(missing.join("; ") + hint);
}

/**
 * Fires one hook as git would and looks whether our entry answers. It answers the probe and fails, so that
 * nothing else in the chain runs; where our entry is not in the hook at all, the hook is left alone.
 */
function fires(top: string, name: string): boolean {
  const file = resolve(top, runGit(top, ["rev-parse", "--git-path", `hooks/${name}`]).trim());
  const configured = tryGit(top, ["config", "--get", `hook.signalbox-${name}.command`]) !== undefined;
  if (!configured && !namesUs(file)) return false;
  const dir = mkdtempSync(join(tmpdir(), "signalbox-probe-"));
  try {
    const probe = join(dir, "answer");
    const env = { ...bareEnv(), SIGNALBOX: "1", SIGNALBOX_PROBE: probe };
    const { stderr } = childProcess().spawnSync("git", ["hook", "run", "--ignore-missing", name], {
      cwd: top,
      env,
      encoding: "utf8",
      stdio: ["ignore", "ignore", "pipe"],
    });
    // `git hook` came with 2.36; before, the file is what git would run.
    if (/not a git command/.test(stderr))
      childProcess().spawnSync(file, [], { cwd: top, env, stdio: "ignore" });
    return existsSync(probe) && readFileSync(probe, "utf8").includes(name);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function namesUs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return readFileSync(file, "utf8").includes("signalbox");
  } catch {
    return false;
  }
}

function tryGit(cwd: string, args: readonly string[]): string | undefined {
  try {
    return runGit(cwd, args);
  } catch {
    return undefined;
  }
}

/** The client reads the main checkout's settings.local.json in every worktree, and each worktree's own files. */
export function claudeHooks({ repo }: Patient): Finding {
  const [main = ""] = worktreesOf(repo);
  const shared = readIfThere(join(main, ".claude", "settings.local.json"));
  const lacking = worktreesOf(repo).flatMap((top) => {
    const own = ["settings.local.json", "settings.json"].map((name) =>
      readIfThere(join(top, ".claude", name)),
    );
    const text = [shared, ...own].join("\n");
    const missing = CLAUDE_HOOKS.filter(
      ({ name }) => !new RegExp(`signalbox/bin/hook[^]*?\\b${name}\\b`).test(text),
    );
    return missing.length === 0 ? [] : [`${top} (${missing.map(({ name }) => name).join(", ")})`];
  });
  if (lacking.length === 0) return OK("in every worktree");
  return BAD(
    `missing in ${lacking.join("; ")}; run: signalbox init (with the plugin this is as it should be)`,
  );
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

export function settings({ repo, boxDir }: Patient): Finding {
  const { problems, settings: values } = loadSettings(boxDir, repo.top, process.env);
  const schedule = "compact.schedule";
  const problem = scheduleProblem(schedule, values[schedule]);
  const all = problem === undefined ? problems : [...problems, problem];
  return all.length === 0 ? OK("all can be used") : BAD(all.join("; "));
}

export function schedule({ repo, boxDir }: Patient): Finding {
  const expression = loadSettings(boxDir, repo.top, process.env).settings["compact.schedule"];
  const found = scheduled(boxDir, expression);
  if (found === undefined) return OK("none; sessions begin a compaction when one is due");
  const { scheduler, state } = found;
  if (state === "as meant") return OK(scheduler);
  const detail =
    state === "missing" ? `the entry in ${scheduler} has gone` : `${scheduler} has another entry`;
  return BAD(`${detail}; run: signalbox schedule install`, () => {
    install(boxDir, jobOf(boxDir, expression), schedulerFor(scheduler));
    return `${scheduler} has it again`;
  });
}
