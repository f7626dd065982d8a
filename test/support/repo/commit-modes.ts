import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { type Done, run } from "./exec.ts";
import { makeScratch, type Cleaner, type ScratchRepo } from "./scratch.ts";

/** Where somebody commits, and as whom. */
export interface Seat {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

/** One way of making a commit that changes certain paths. */
export interface CommitMode {
  readonly name: string;
  /** Repository, and the working tree it happens in. */
  readonly make: (cleaner: Cleaner) => Promise<{ repo: ScratchRepo; tree: string }>;
  /** Makes the changes ready to be committed, as a person. */
  readonly prepare: (repo: ScratchRepo, tree: string) => Promise<void>;
  readonly commit: (seat: Seat) => Promise<Done>;
  /** What the commit changes; each of them, held by another, is a reason to refuse it. */
  readonly paths: readonly string[];
  /** Git puts together what is committed, so what is another's is left out of it. */
  readonly sweeps?: boolean;
}

type Changes = Partial<CommitMode> & Pick<CommitMode, "name">;

const gitIn = (seat: Seat, ...args: string[]) => run("git", args, seat);

function mode(changes: Changes): CommitMode {
  return {
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner);
      return { repo, tree: repo.top };
    },
    prepare: async (repo) => {
      repo.write("a.txt", "changed\n");
      await repo.mustGit("add", "a.txt");
    },
    commit: (seat) => gitIn(seat, "commit", "-qm", "m"),
    paths: ["a.txt"],
    ...changes,
  };
}

const unstaged = async (repo: ScratchRepo) => repo.write("a.txt", "changed\n");

/** A commit of one file of that name, which was there before. */
function named(what: string, file: string): CommitMode {
  return mode({
    name: `a file whose name is ${what}`,
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner, { files: { [file]: "1\n", "z.txt": "1\n" } });
      return { repo, tree: repo.top };
    },
    prepare: async (repo) => {
      repo.write(file, "changed\n");
      await repo.mustGit("add", "-A");
    },
    paths: [file],
  });
}

/** Every mode of commit in which nothing else is in progress. */
export const COMMIT_MODES: readonly CommitMode[] = [
  mode({ name: "what is staged" }),
  mode({ sweeps: true, name: "-a", prepare: unstaged, commit: (seat) => gitIn(seat, "commit", "-qam", "m") }),
  mode({
    sweeps: true,
    name: "-i",
    prepare: unstaged,
    commit: (seat) => gitIn(seat, "commit", "-qm", "m", "-i", "a.txt"),
  }),
  mode({
    sweeps: true,
    name: "-o",
    prepare: unstaged,
    commit: (seat) => gitIn(seat, "commit", "-qm", "m", "-o", "a.txt"),
  }),
  mode({
    sweeps: true,
    name: "-- path",
    prepare: unstaged,
    commit: (seat) => gitIn(seat, "commit", "-qm", "m", "--", "a.txt"),
  }),
  mode({
    sweeps: true,
    name: "-p",
    prepare: unstaged,
    commit: (seat) => run("git", ["commit", "-q", "-p", "-m", "m"], { ...seat, input: "y\ny\n" }),
  }),
  mode({
    name: "--amend",
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner);
      await repo.mustGit("commit", "-qm", "to be amended", "--allow-empty");
      return { repo, tree: repo.top };
    },
    commit: (seat) => gitIn(seat, "commit", "-q", "--amend", "--no-edit"),
  }),
  mode({
    sweeps: true,
    name: "a path from within a subdirectory",
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner, { files: { "sub/dir/a.txt": "1\n", "b.txt": "1\n" } });
      return { repo, tree: repo.top };
    },
    prepare: async (repo) => repo.write("sub/dir/a.txt", "changed\n"),
    commit: ({ cwd, env }) => gitIn({ cwd: join(cwd, "sub/dir"), env }, "commit", "-qm", "m", "a.txt"),
    paths: ["sub/dir/a.txt"],
  }),
  mode({
    sweeps: true,
    name: "-a from within a subdirectory",
    prepare: async (repo) => {
      repo.write("a.txt", "changed\n");
      mkdirSync(repo.path("sub"));
    },
    commit: ({ cwd, env }) => gitIn({ cwd: join(cwd, "sub"), env }, "commit", "-qam", "m"),
  }),
  mode({
    name: "in a linked working tree",
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner);
      return { repo, tree: await repo.worktree("linked") };
    },
    prepare: async (repo) => {
      repo.write("../linked/a.txt", "changed\n");
      await repo.mustGit("-C", "../linked", "add", "a.txt");
    },
  }),
  mode({
    name: "a rename: its old name and its new one",
    prepare: async (repo) => void (await repo.mustGit("mv", "a.txt", "renamed.txt")),
    paths: ["a.txt", "renamed.txt"],
  }),
  mode({ name: "a deletion", prepare: async (repo) => void (await repo.mustGit("rm", "-q", "a.txt")) }),
  mode({
    name: "a mode change",
    prepare: async (repo) => {
      chmodSync(repo.path("a.txt"), 0o755);
      await repo.mustGit("add", "a.txt");
    },
  }),
  mode({
    name: "the first one, on an unborn branch",
    make: async (cleaner) => {
      const repo = await makeScratch(cleaner, { commit: false });
      return { repo, tree: repo.top };
    },
    prepare: async (repo) => void (await repo.mustGit("add", "a.txt")),
  }),
  named("in quotes", `it's "quoted".txt`),
  named("two lines", "two\nlines.txt"),
  named("not ASCII", "žluťoučký-鍵.txt"),
  named("decomposed Unicode, as macOS has it", "caf\u0065\u0301.txt"),
  named("like an option", "-n.txt"),
  named("like pathspec magic", ":(top)x.txt"),
  named("like a glob, with a backslash", "[ab]*\\?.txt"),
  named("blank at both ends", " blank .txt"),
];
