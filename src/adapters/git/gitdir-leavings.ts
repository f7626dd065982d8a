/** What would go with a private gitdir though others need it: commits that only it knows, and submodules' gitdirs. */
import { existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { git as mustGit, toBytes, toText, tryGit } from "./run.ts";
import { headOf, isHash, textOf } from "./worktree-facts.ts";

export interface GitdirAt {
  readonly cwd: string;
  readonly gitDir: string;
  readonly workTree: string;
  readonly git: string | undefined;
}

const PUT_ASIDE = [
  "rebase-merge/orig-head",
  "rebase-merge/autostash",
  "rebase-apply/orig-head",
  "rebase-apply/autostash",
  "MERGE_AUTOSTASH",
];

/** Keeps a detached HEAD's commits and what an operation has put aside, under refs/signalbox/keep/<commit>. */
export function keepCommits(here: GitdirAt): void {
  const isDetached = headOf(here.gitDir, { top: here.cwd, git: here.git }).kind === "detached";
  const head = isDetached ? tryGit(here, ["rev-parse", "-q", "--verify", "HEAD^0"]).stdout.trim() : undefined;
  const commits = [head, ...PUT_ASIDE.map((name) => textOf(join(here.gitDir, name))?.trim())].filter(isHash);
  for (const commit of new Set(commits)) {
    const known = tryGit(here, ["for-each-ref", "--count=1", "--contains", commit, "--format=%(refname)"]);
    if (known.stdout === "") mustGit(here, ["update-ref", `refs/signalbox/keep/${commit}`, commit]);
  }
}

/** Moves the gitdirs of submodules that git has cloned into a private gitdir to where the tree's others are. */
export function keepModules(here: GitdirAt, nativeGitDir: string): void {
  for (const name of modulesIn(join(here.gitDir, "modules"))) {
    const from = join(here.gitDir, "modules", name);
    const to = freeName(join(nativeGitDir, "modules", name));
    const { stdout } = tryGit(here, ["config", "-f", join(from, "config"), "core.worktree"]);
    const top = resolve(from, toText(stdout).trimEnd());
    mkdirSync(dirname(to), { recursive: true });
    renameSync(from, to);
    if (stdout === "" || !existsSync(top)) continue;
    mustGit(here, ["config", "-f", join(to, "config"), "core.worktree", toBytes(relative(to, top))]);
    if (textOf(join(top, ".git")) !== undefined)
      writeFileSync(join(top, ".git"), `gitdir: ${relative(top, to)}\n`);
  }
}

/** Names may have slashes in them. */
function modulesIn(dir: string, below = ""): string[] {
  const here = join(dir, below);
  if (!existsSync(here)) return [];
  if (existsSync(join(here, "HEAD"))) return [below];
  const folders = readdirSync(here, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return folders.flatMap(({ name }) => modulesIn(dir, join(below, name)));
}

function freeName(path: string): string {
  for (let n = 1; ; n++) {
    const name = n === 1 ? path : `${path}.${n}`;
    if (!existsSync(name)) return name;
  }
}
