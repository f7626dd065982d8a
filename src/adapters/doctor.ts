import { scheduleProblem } from "./scheduler/expression.ts";
import {
  accessSync,
  constants,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Check, Finding } from "../app/doctor.ts";
import { event } from "../../events/mod.ts";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../hooks/manifest.ts";
import { type Box, decide, ALL_PROJECTIONS, look } from "../app/box.ts";
import { clock } from "../app/messages.ts";
import { filesystemProblem, inspectLog, LogError, repairLog } from "../log/mod.ts";
import { childProcess } from "./child-process.ts";
import { leftBehind, sweepIndexes } from "../app/isolation.ts";
import { gitdirsOf, treeAt } from "./git/gitdirs.ts";
import { runGit } from "./git/hook-git.ts";
import { cleanLocks } from "./git/locks.ts";
import { isHalfMoved, isMoving } from "./git/move.ts";
import { listGitdirs } from "./git/private-gitdir.ts";
import type { Repo } from "./locate.ts";
import { jobOf, schedule as install, scheduled, schedulerFor } from "./scheduler/mod.ts";
import { loadSettings } from "./settings.ts";

export interface Patient {
  readonly repo: Repo;
  readonly boxDir: string;
  /** Opens the signal box; throws where the log is broken. */
  readonly open: () => Box;
  /** The version of this build. */
  readonly version: string;
}

const OK = (detail: string): Finding => ({ ok: true, detail });
const BAD = (detail: string, fix?: () => string): Finding =>
  fix === undefined ? { ok: false, detail } : { ok: false, detail, fix };

/** All checks of `signalbox doctor`. A new one is one line here and one function below. */
export function checksOf(patient: Patient): readonly Check[] {
  return [
    { name: "git", means: "git is new enough (2.31)", run: () => gitVersion(patient) },
    { name: "runtime", means: "the runtime recorded at install starts", run: () => runtime(patient) },
    {
      name: "bundle",
      means: "the hook bundle is there, whole, and of this version",
      run: () => bundle(patient),
    },
    {
      name: "git hooks",
      means: "git really runs our hooks, in every worktree",
      run: () => gitHooks(patient),
    },
    {
      name: "claude hooks",
      means: "Claude Code's settings name our hooks, in every worktree",
      run: () => claudeHooks(patient),
    },
    { name: "settings", means: "every setting can be used", run: () => settings(patient) },
    {
      name: "schedule",
      means: "what the machine's scheduler was given is what it holds",
      run: () => schedule(patient),
    },
    { name: "log", means: "the log can be read from end to end", run: () => log(patient) },
    {
      name: "file system",
      means: "the log's file system keeps its promises",
      run: () => fileSystem(patient),
    },
    {
      name: "failures",
      means: "the guard has not broken since doctor --fix last saw to it",
      run: () => failures(patient),
    },
    { name: "clock", means: "the clock has not stepped back", run: () => clockStep(patient) },
    {
      name: "indexes",
      means: "every session's own index is there, and no other; none is locked",
      run: () => indexes(patient),
    },
    { name: "leftovers", means: "nothing of dead sessions lies about", run: () => leftovers(patient) },
  ];
}

function gitVersion({ repo }: Patient): Finding {
  const text = runGit(repo.top ?? repo.commonDir, ["--version"]).trim();
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  return major > 2 || (major === 2 && minor >= 31) ? OK(text) : BAD(`${text}; install 2.31 or newer`);
}

function entryOf(boxDir: string): string {
  return join(boxDir, "bin", "hook");
}

function recordedRuntime(boxDir: string): string | undefined {
  const quoted = /^runtime=(.*)$/m.exec(readFileSync(entryOf(boxDir), "utf8"))?.[1];
  return quoted?.replace(/^'(.*)'$/, "$1").replaceAll(String.raw`'\''`, "'");
}

function runtime({ boxDir }: Patient): Finding {
  if (!existsSync(entryOf(boxDir))) return BAD(`${entryOf(boxDir)} is missing; run: signalbox init`);
  const file = recordedRuntime(boxDir);
  if (file === undefined) return BAD(`${entryOf(boxDir)} names no runtime; run: signalbox init`);
  const { status, stdout } = childProcess().spawnSync(file, ["--version"], {
    encoding: "utf8",
    env: bareEnv(),
  });
  return status === 0
    ? OK(`${file} ${stdout.trim().split("\n")[0]}`)
    : BAD(`${file} does not run; run: signalbox init`);
}

function bareEnv(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _, NODE_EXTRA_CA_CERTS: __, ...env } = process.env;
  return env;
}

function bundle({ boxDir, version }: Patient): Finding {
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

/** Top folders of all working trees of the repository that are there; our own entries have none. */
export function worktreesOf(repo: Repo): string[] {
  const out = runGit(repo.top ?? repo.commonDir, ["worktree", "list", "--porcelain"]);
  const stanzas = out.split("\n\n").filter((stanza) => !/^(bare|prunable.*)$/m.test(stanza));
  return stanzas
    .flatMap((stanza) => /^worktree (.*)$/m.exec(stanza)?.[1] ?? [])
    .filter((dir) => existsSync(dir) && !dir.startsWith(join(repo.commonDir, "signalbox/")));
}

function gitHooks({ repo }: Patient): Finding {
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
function claudeHooks({ repo }: Patient): Finding {
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

function settings({ repo, boxDir }: Patient): Finding {
  const { problems, settings: values } = loadSettings(boxDir, repo.top, process.env);
  const schedule = "compact.schedule";
  const problem = scheduleProblem(schedule, values[schedule]);
  const all = problem === undefined ? problems : [...problems, problem];
  return all.length === 0 ? OK("all can be used") : BAD(all.join("; "));
}

function schedule({ repo, boxDir }: Patient): Finding {
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

function log({ boxDir }: Patient): Finding {
  const dir = join(boxDir, "log");
  try {
    const { ok, head, committed, voids, torn, corrupt, archives, segments, snapshots } = inspectLog({ dir });
    const snapshotsBad = snapshots.filter((s) => !s.ok).length;
    const detail = `${head.seq} records (${committed} on disk, ${voids} void, ${torn} torn), ${archives.length} archives, ${segments.length} segments`;
    if (ok)
      return OK(
        snapshotsBad === 0 ? detail : `${detail}; ${snapshotsBad} snapshots unusable, made anew when needed`,
      );
    const where = corrupt.map(
      (place) => `${place.file} at ${place.offset} (record ${place.seq}): ${place.why}`,
    );
    return BAD(`damaged: ${where.join("; ")}`, () => {
      const report = repairLog({ dir, projections: ALL_PROJECTIONS });
      return `repaired; copies of what was damaged: ${report.broken.join(", ") || "none"}`;
    });
  } catch (error) {
    if (error instanceof LogError) return BAD(error.message);
    throw error;
  }
}

function fileSystem({ boxDir }: Patient): Finding {
  const problem = filesystemProblem(boxDir);
  return problem === undefined ? OK("local") : BAD(problem);
}

function failures({ boxDir, open }: Patient): Finding {
  const file = join(boxDir, "errors.log");
  const lines = readIfThere(file)
    .split("\n")
    .filter((line) => line !== "");
  const failed = recordedFailures(open);
  const last = [...failed.map((i) => `${clock(i.at)} ${i.text}`), ...lines].at(-1);
  if (last === undefined) return OK("none");
  const count = lines.length + failed.length;
  return BAD(`${count} time(s) something went through unguarded; the last: ${last}`, () => {
    if (lines.length > 0) renameSync(file, `${file}.old`);
    if (failed.length > 0)
      decide(open(), undefined, () => ({
        events: [event("cleanup.swept", { what: "failures", count: failed.length })],
        result: undefined,
      }));
    return "noted; the old records are in errors.log.old and in the log";
  });
}

function recordedFailures(open: () => Box): { at: number; text: string }[] {
  try {
    return look(open()).states.guard.incidents.filter((i) => i.kind === "failed");
  } catch (error) {
    if (error instanceof LogError) return [];
    throw error;
  }
}

function clockStep({ open }: Patient): Finding {
  const ahead = open().log.head.t - Date.now();
  if (ahead < 60_000) return OK("in step");
  return BAD(
    `the log is ${Math.round(ahead / 60_000)} minutes ahead of the clock: until the clock is there, leases do not run out`,
  );
}

function indexes({ repo, open }: Patient): Finding {
  const { top } = repo;
  const there = listGitdirs(repo.commonDir);
  if (top === undefined) return OK(`${there.length}`);
  const box = open();
  const gitdirs = gitdirsOf(treeAt({ ...repo, top }));
  const left = leftBehind(box, gitdirs);
  const ofPeople = { id: "the one that people use", gitDir: gitdirs.at.nativeGitDir, top };
  const stuck = [ofPeople, ...there].filter(({ gitDir }) => existsSync(join(gitDir, "index.lock")));
  const half = isHalfMoved(gitdirs.at);
  if (left.length + stuck.length === 0 && !half) return OK(`${there.length}`);
  const detail = [
    half ? "a sync that was killed has left this tree half moved" : "",
    left.length === 0 ? "" : `${left.length} of sessions that are gone`,
    stuck.length === 0 ? "" : `${stuck.length} locked by git: ${stuck.map(({ id }) => id).join(", ")}`,
  ];
  return BAD(detail.filter((part) => part !== "").join(", "), () => {
    if (half) isMoving(gitdirs.at);
    sweepIndexes(box, gitdirs);
    const kept = stuck
      .flatMap(({ gitDir, top: workTree }) => cleanLocks({ commonDir: repo.commonDir, gitDir, workTree }))
      .filter(({ action }) => action === "kept");
    const held = kept.length === 0 ? "" : `still held: ${kept.map(({ why }) => why).join(", ")}`;
    return [left.length === 0 ? "" : "what was staged there is under rescue refs", held]
      .filter((part) => part !== "")
      .join("; ");
  });
}

function leftovers({ boxDir, open }: Patient): Finding {
  const box = open();
  const { states, gone } = look(box);
  const files = existsSync(join(boxDir, "views", "live")) ? readdirSync(join(boxDir, "views", "live")) : [];
  const stray = files.filter((name) => states.sessions.live[name] === undefined);
  if (stray.length + gone.size === 0) return OK("none");
  const detail = [
    gone.size === 0 ? "" : `${gone.size} session(s) whose process is gone`,
    stray.length === 0 ? "" : `${stray.length} stray file(s)`,
  ];
  return BAD(detail.filter((part) => part !== "").join(", "), () => {
    decide(box, undefined, () => ({ events: [], result: undefined }));
    for (const name of stray) box.ports.views.removeLive(name);
    return "swept";
  });
}
