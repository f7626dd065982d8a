import { hasLog, openBox, boxDirOf } from "../adapters/box.ts";
import { findRepo, type Repo } from "../adapters/locate.ts";
import type { Box } from "../app/box.ts";
import { CommandError, EXIT } from "./exit.ts";

/** The repository of the current directory. @throws CommandError if there is none */
export function repoHere(): Repo {
  const repo = findRepo(process.cwd());
  if (repo === undefined)
    throw new CommandError(`${process.cwd()} is not in a git repository; go to one`, EXIT.usage);
  return repo;
}

/** The repository's signal box, open. @throws CommandError if signalbox is not installed there */
export function boxHere(): { repo: Repo; box: Box } {
  const repo = repoHere();
  if (!hasLog(repo.commonDir))
    throw new CommandError(
      `signalbox is not installed in ${repo.top ?? repo.commonDir}; run: signalbox init`,
    );
  return { repo, box: openBox(boxDirOf(repo.commonDir), repo.top) };
}
