import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Box } from "../app/box.ts";
import type { Ground, Leaving } from "../app/sweep.ts";
import { gitdirsOf, treeAt } from "./git/gitdirs.ts";
import { renewIndex } from "./git/index-file.ts";
import { cleanLocks, locksIn } from "./git/locks.ts";
import { isHalfMoved, isMoving } from "./git/move.ts";
import { listGitdirs } from "./git/private-gitdir.ts";
import { dropRef, isCommitted, isTakenBack, listRescues, listTips } from "./git/rescue.ts";
import { findRepo, type Repo } from "./locate.ts";
import { mutexClaims, sweepMutex } from "./mutex.ts";
import { processes } from "./process.ts";

/** The world as the cleanup loops see it. @param tops all working trees of the repository */
export function sweepGround(box: Box, { commonDir }: Repo, tops: readonly string[]): Ground {
  const repos = tops.flatMap((top) => {
    const repo = findRepo(top);
    return repo?.top === undefined || repo.commonDir !== commonDir ? [] : [{ ...repo, top: repo.top }];
  });
  const trees = repos.map((repo) => gitdirsOf(treeAt(repo)));
  const places = () => [
    ...repos.map(({ gitDir, top }) => ({ commonDir, gitDir, workTree: top })),
    ...listGitdirs(commonDir).map(({ gitDir, top }) => ({ commonDir, gitDir, workTree: top })),
  ];
  const mutexes = () =>
    names(join(commonDir, "signalbox/locks")).map((name) => join(commonDir, "signalbox/locks", name));
  const git = { cwd: commonDir, gitDir: commonDir };
  return {
    box,
    trees,
    treeIds: new Set(repos.map(({ tree }) => tree)),
    list: (folder) =>
      names(join(commonDir, folder)).flatMap((name) =>
        leaving(join(commonDir, folder), name, box.ports.now()),
      ),
    remove: (folder, name) => rmSync(join(commonDir, folder, name), { recursive: true, force: true }),
    rename: (folder, name, to) => renameSync(join(commonDir, folder, name), join(commonDir, folder, to)),
    isGone: (pid) => Number.isInteger(pid) && pid > 0 && processes.identify(pid) === undefined,
    queues() {
      const each = mutexes().map((dir) => mutexClaims(dir, processes));
      return {
        there: each.reduce((sum, { there }) => sum + there, 0),
        dead: each.flatMap(({ dead }) => dead),
      };
    },
    sweepQueues() {
      for (const dir of mutexes()) sweepMutex(dir, processes);
    },
    gitLocks: () => places().flatMap(locksIn),
    sweepGitLocks: () =>
      places().flatMap((place) =>
        cleanLocks(place)
          .filter(({ action }) => action !== "kept")
          .map(({ file }) => file),
      ),
    halfMoved: () => trees.filter(({ at }) => isHalfMoved(at)).map(({ at }) => at.top),
    putBack() {
      for (const { at } of trees) isMoving(at);
    },
    rescues(olderThanMs) {
      const all = listRescues(git);
      const old = all.filter(({ at }) => box.ports.now() - at > olderThanMs);
      return { there: all.length, dead: old.filter((each) => isCommitted(git, each)).map(({ ref }) => ref) };
    },
    tips(olderThanMs) {
      const all = listTips(git);
      const old = all.filter(({ at }) => box.ports.now() - at > olderThanMs);
      return {
        there: all.length,
        dead: old.filter(({ commit }) => isTakenBack(git, commit)).map(({ ref }) => ref),
      };
    },
    dropRef: (ref) => dropRef(git, ref),
    renewIndex(id) {
      const found = trees.find((gitdirs) => gitdirs.all().some((each) => each.id === id));
      const gitDir = found?.find(id);
      return found === undefined || gitDir === undefined
        ? "it is gone"
        : renewIndex({ gitDir, workTree: found.at.top });
    },
  };
}

function leaving(dir: string, name: string, now: number): Leaving[] {
  const stat = statSync(join(dir, name), { throwIfNoEntry: false });
  return stat === undefined ? [] : [{ name, ageMs: now - stat.mtimeMs, bytes: stat.size }];
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
