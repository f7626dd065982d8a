/** The repository: its shared config, its locks and indexes, what is staged in them, what the dead have left. */
import { copyFileSync, existsSync, readdirSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { decide, look } from "../../app/box.ts";
import type { Finding } from "../../app/doctor.ts";
import { leftBehind, sweepIndexes } from "../../app/isolation.ts";
import { gitdirsOf, treeAt } from "../git/gitdirs.ts";
import { cleanLocks, staleLocks } from "../git/locks.ts";
import { isHalfMoved, isMoving } from "../git/move.ts";
import { listGitdirs } from "../git/private-gitdir.ts";
import { toText, tryGit } from "../git/run.ts";
import { missingStaged, restoreStaged } from "../git/staged-objects.ts";
import { worktreesOf } from "../git/worktrees.ts";
import { findRepo, type Repo } from "../locate.ts";
import { BAD, OK, type Patient } from "./patient.ts";

/**
 * What a tool that ran `git config` in the wrong place leaves: all working trees share that file. Only where the
 * repository is the `.git` in its own tree is it plain what is meant.
 */
export function sharedConfig({ repo: { commonDir } }: Patient): Finding {
  const file = join(commonDir, "config");
  const at = { cwd: dirname(commonDir), gitDir: commonDir };
  const read = tryGit(at, ["config", "--list", "-z"]);
  if (read.status !== 0) return BAD(`git cannot read it: ${toText(read.stderr).trim()}`);
  if (basename(commonDir) !== ".git") return OK("can be read");
  const ills: { key: string; why: string }[] = [];
  const bare = toText(tryGit(at, ["config", "--bool", "core.bare"]).stdout).trim() === "true";
  // A bare repository that is called so, with working trees beside it, has no index of its own.
  if (bare && existsSync(join(commonDir, "index")))
    ills.push({ key: "core.bare", why: "core.bare is true, and this repository has a working tree" });
  const tree = toText(tryGit(at, ["config", "core.worktree"]).stdout).trim();
  if (tree !== "" && !isSame(resolve(commonDir, tree), dirname(commonDir)))
    ills.push({ key: "core.worktree", why: `core.worktree is ${tree}, not the folder that .git is in` });
  if (ills.length === 0) return OK("can be read");
  return BAD(ills.map(({ why }) => why).join("; "), () => {
    const copy = unused(`${file}.broken`);
    copyFileSync(file, copy);
    const kept = ills.filter(({ key }) => {
      tryGit(at, ["config", "-f", file, "--unset-all", key]);
      return key === "core.bare" && tryGit(at, ["config", "-f", file, "core.bare", "false"]).status !== 0;
    });
    if (kept.length > 0) throw new Error(`git does not change ${file}`);
    return `taken out; the config as it was: ${copy}`;
  });
}

function isSame(a: string, b: string): boolean {
  try {
    return realpathSync(a) === realpathSync(b);
  } catch {
    return false;
  }
}

function unused(file: string): string {
  for (let n = 1; ; n += 1) {
    const name = n === 1 ? file : `${file}.${n}`;
    if (!existsSync(name)) return name;
  }
}

/** Every index of the repository: people's, one a working tree, and each session's own. */
function indexPlaces(repo: Repo): { id: string; gitDir: string; workTree: string; commonDir: string }[] {
  const { commonDir } = repo;
  const ofPeople = worktreesOf(repo).flatMap((top) => {
    const found = findRepo(top);
    return found === undefined ? [] : [{ id: top, gitDir: found.gitDir, workTree: top, commonDir }];
  });
  const own = listGitdirs(commonDir).map(({ id, gitDir, top }) => ({ id, gitDir, workTree: top, commonDir }));
  return [...ofPeople, ...own];
}

export function locks({ repo }: Patient): Finding {
  const stale = indexPlaces(repo).flatMap((at) => staleLocks(at).map((file) => ({ at, file })));
  if (stale.length === 0) return OK("none that nobody holds");
  return BAD(`of a git that was killed: ${stale.map(({ file }) => file).join(", ")}`, () => {
    const done = [...new Set(stale.map(({ at }) => at))].flatMap((at) => cleanLocks(at));
    return (
      done.map(({ file, action, why }) => `${basename(file)} ${action}: ${why}`).join("; ") || "gone by now"
    );
  });
}

export function indexes({ repo, open }: Patient): Finding {
  const box = open();
  const trees = worktreesOf(repo).flatMap((top) => {
    const found = findRepo(top);
    return found === undefined ? [] : [gitdirsOf(treeAt({ ...found, top }))];
  });
  const left = trees.map((gitdirs) => ({
    gitdirs,
    ids: leftBehind(box, gitdirs).map(({ gitdir }) => gitdir),
  }));
  const count = left.reduce((sum, { ids }) => sum + ids.length, 0);
  const half = trees.filter(({ at }) => isHalfMoved(at));
  if (count === 0 && half.length === 0) return OK(`${listGitdirs(repo.commonDir).length}`);
  const detail = [
    ...half.map(({ at }) => `a sync that was killed has left ${at.top} half moved`),
    ...(count === 0 ? [] : [`${count} of sessions that are gone`]),
  ];
  return BAD(detail.join(", "), () => {
    for (const { at } of half) isMoving(at);
    for (const { gitdirs, ids } of left) if (ids.length > 0) sweepIndexes(box, gitdirs);
    return count === 0 ? "the tree is as it was" : "what was staged there is under rescue refs";
  });
}

/** Objects that an index names and the repository does not have: committing would fail, or commit a hole. */
export function staged({ repo }: Patient): Finding {
  const lost = indexPlaces(repo).flatMap((at) => missingStaged(at).map((file) => ({ at, ...file })));
  if (lost.length === 0) return OK("all there");
  const told = (files: typeof lost) => files.map(({ at, path }) => `${toText(path)} (${at.id})`).join(", ");
  return BAD(`staged, and their content is not in the repository: ${told(lost)}`, () => {
    const still = lost.filter(({ at, path, oid }) => !restoreStaged(at, { path, oid }));
    if (still.length > 0)
      throw new Error(`lost, and not in the working tree either: ${told(still)}; stage them anew`);
    return "written again from the working tree, which has just that content";
  });
}

export function leftovers({ boxDir, open }: Patient): Finding {
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
