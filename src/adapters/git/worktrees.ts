import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Repo } from "../locate.ts";
import { runGit } from "./hook-git.ts";

/** Top folders of all working trees of the repository that are there; our own entries have none. */
export function worktreesOf(repo: Repo): string[] {
  const out = runGit(repo.top ?? repo.commonDir, ["worktree", "list", "--porcelain"]);
  const stanzas = out.split("\n\n").filter((stanza) => !/^(bare|prunable.*)$/m.test(stanza));
  return stanzas
    .flatMap((stanza) => /^worktree (.*)$/m.exec(stanza)?.[1] ?? [])
    .filter((dir) => existsSync(dir) && !dir.startsWith(join(repo.commonDir, "signalbox/")));
}
