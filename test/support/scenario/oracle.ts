import type { ScratchRepo } from "./imports.ts";

/** What one of those at work knows of what they did. */
export interface Ledger {
  /** Their name, their folder, the author of their commits and the beginning of their messages. */
  readonly name: string;
  /** By path: the blobs of which one is staged or committed. More than one where a command was killed on its way. */
  readonly staged: Map<string, Set<string>>;
  /** Messages of commits that were made and not taken back. */
  readonly landed: Set<string>;
  /** Their own git, which has to succeed. */
  readonly git: (...args: string[]) => Promise<string>;
}

/** What went wrong, each a line that says where. */
export interface Violations {
  /** A commit changes a path that is not its author's. */
  readonly foreign: readonly string[];
  /** A path is not in HEAD as its owner last committed it. */
  readonly reverted: readonly string[];
  /** What was staged is in no index, commit or rescue ref. */
  readonly lostStaged: readonly string[];
  /** A commit has another's message. */
  readonly swapped: readonly string[];
  /** A commit that was made is no longer in the history. */
  readonly unreachable: readonly string[];
}

interface Change {
  readonly path: string;
  /** 0{40}: it is gone. */
  readonly blob: string;
}

interface Commit {
  readonly author: string;
  readonly subject: string;
  readonly changes: readonly Change[];
}

/** Reads it all off the repository when everybody is done. */
export async function judgeHistory(
  repo: ScratchRepo,
  base: string,
  ledgers: readonly Ledger[],
): Promise<Violations> {
  const commits = await historyOf(repo, base);
  const foreign = commits.flatMap(({ subject, changes }) =>
    changes
      .filter(({ path }) => folderOf(path) !== ownerOf(subject))
      .map(({ path }) => `${subject} changes ${path}`),
  );
  const swapped = commits
    .filter(({ subject, author }) => ownerOf(subject) !== author)
    .map(({ subject, author }) => `${author} committed ${subject}`);

  const wanted = new Map<string, string>();
  for (const { subject, changes } of commits)
    for (const { path, blob } of changes) if (folderOf(path) === ownerOf(subject)) wanted.set(path, blob);
  const head = await treeOf(repo, "HEAD");
  const reverted = [...wanted]
    .filter(([path, blob]) => (head.get(path) ?? GONE) !== blob)
    .map(([path, blob]) => `${path} is ${head.get(path) ?? "gone"}, was committed as ${blob}`);

  const subjects = new Set(commits.map(({ subject }) => subject));
  const unreachable = ledgers.flatMap(({ landed }) =>
    [...landed].filter((message) => !subjects.has(message)),
  );

  const kept = new Set(
    (await repo.mustGit("rev-list", "--objects", "HEAD", "--glob=refs/signalbox")).match(/\b[0-9a-f]{40}\b/g),
  );
  const lostStaged: string[] = [];
  for (const { name, staged, git } of ledgers) {
    const inIndex = new Set((await git("ls-files", "-s")).match(/\b[0-9a-f]{40}\b/g));
    for (const [path, blobs] of staged)
      if (![...blobs].some((blob) => kept.has(blob) || inIndex.has(blob)))
        lostStaged.push(`${name} staged ${path} as ${[...blobs].join()}`);
  }
  return { foreign, reverted, lostStaged, swapped, unreachable };
}

export function count(violations: Violations): number {
  return Object.values(violations).reduce((sum: number, lines: readonly string[]) => sum + lines.length, 0);
}

const GONE = "0".repeat(40);

const folderOf = (path: string) => path.split("/")[0] ?? "";
const ownerOf = (subject: string) => subject.split(":")[0] ?? "";

/** Oldest first; a merge by what it changed of the branch it was made on. */
async function historyOf(repo: ScratchRepo, base: string): Promise<Commit[]> {
  const format = "--format=%x01%an%x02%s";
  const args = [
    "log",
    "--reverse",
    "--first-parent",
    "-m",
    "--raw",
    "--no-renames",
    "--no-abbrev",
    format,
    `${base}..HEAD`,
  ];
  const [, ...texts] = (await repo.mustGit(...args)).split("\u0001");
  return texts.map((text) => {
    const [header = "", ...lines] = text.split("\n").filter(Boolean);
    const [author = "", subject = ""] = header.split("\u0002");
    const changes = lines.map((line) => {
      const [fields = "", path = ""] = line.split("\t");
      return { path, blob: fields.split(" ")[3] ?? "" };
    });
    return { author, subject, changes };
  });
}

async function treeOf(repo: ScratchRepo, commit: string): Promise<Map<string, string>> {
  const lines = (await repo.mustGit("ls-tree", "-r", commit)).split("\n").filter(Boolean);
  return new Map(
    lines.map((line) => {
      const [fields = "", path = ""] = line.split("\t");
      return [path, fields.split(" ")[2] ?? ""];
    }),
  );
}
