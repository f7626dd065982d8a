/**
 * An index is a commit, its base, and a delta staged on top. When HEAD has moved away from the base there are two
 * deltas from it: what is staged (mine) and what was committed since (theirs). They go together path by path, but
 * for the clashes told here.
 *
 * Paths are bytes as git gives them (latin1 strings), so that any name survives.
 */

/** How one path differs from the base. */
export interface Change {
  readonly path: string;
  /** Git's modes as text: "100644", "100755", "120000" symlink, "160000" gitlink, "000000" not there. */
  readonly oldMode: string;
  readonly newMode: string;
  /** Hex; zeros where it is not there. */
  readonly oldHash: string;
  readonly newHash: string;
  /** One letter: A, D, M, T, or U for an unmerged path. */
  readonly status: string;
}

const ABSENT = "000000";

/**
 * Reads what `git diff-index` or `git diff-tree` print with `--raw -z --no-renames --no-abbrev`.
 *
 * @throws RangeError if it is anything else
 */
export function parseRaw(raw: string): Change[] {
  const fields = raw.split("\0");
  if (fields.pop() !== "" || fields.length % 2 !== 0) throw new RangeError("no raw diff: it is cut off");
  const changes: Change[] = [];
  for (let i = 0; i < fields.length; i += 2) {
    const [oldMode, newMode, oldHash, newHash, status] = fields[i]!.slice(1).split(" ");
    if (!fields[i]!.startsWith(":") || status === undefined)
      throw new RangeError(`no raw diff: ${JSON.stringify(fields[i])}`);
    changes.push({
      path: fields[i + 1]!,
      oldMode: oldMode!,
      newMode: newMode!,
      oldHash: oldHash!,
      newHash: newHash!,
      status,
    });
  }
  return changes;
}

/** A staged path that cannot just stay as it is staged. */
export interface Clash {
  readonly path: string;
  readonly mine: Change;
  /** What HEAD did to the same path. Without: HEAD has a file where this needs a folder, or the other way round. */
  readonly theirs?: Change;
}

/** Paths changed differently by both, and files of one side where the other has a folder. */
export function clashes(mine: readonly Change[], theirs: readonly Change[]): Clash[] {
  const byPath = new Map(theirs.map((change) => [change.path, change]));
  const theirFiles = new Set<string>();
  const theirFolders = new Set<string>();
  for (const { path, newMode } of theirs) {
    if (newMode === ABSENT) continue;
    theirFiles.add(path);
    for (const folder of foldersOf(path)) theirFolders.add(folder);
  }
  const found: Clash[] = [];
  for (const change of mine) {
    const { path, newMode, newHash } = change;
    const other = byPath.get(path);
    if (other !== undefined) {
      if (other.newMode !== newMode || other.newHash !== newHash)
        found.push({ path, mine: change, theirs: other });
    } else if (newMode !== ABSENT) {
      if (theirFolders.has(path) || foldersOf(path).some((folder) => theirFiles.has(folder)))
        found.push({ path, mine: change });
    }
  }
  return found;
}

/** `a/b/c`: `a/b`, `a`. */
function foldersOf(path: string): string[] {
  const folders: string[] = [];
  for (let end = path.lastIndexOf("/"); end > 0; end = path.lastIndexOf("/", end - 1))
    folders.push(path.slice(0, end));
  return folders;
}

/** An entry of the index. Stage 0 is an ordinary one; 1 the base's, 2 mine, 3 HEAD's of an unmerged path. */
export interface Entry {
  readonly stage: 0 | 1 | 2 | 3;
  readonly mode: string;
  readonly hash: string;
}

/** What to do about a clash. */
export type Remedy =
  /** Both can be had without looking into the file: one changed its mode, the other its content. */
  | { readonly kind: "take"; readonly path: string; readonly entry: Entry }
  /** Three texts to merge; if that fails, the conflict. */
  | {
      readonly kind: "merge";
      readonly path: string;
      readonly mode: string;
      readonly base: string;
      readonly mine: string;
      readonly theirs: string;
      readonly otherwise: readonly Entry[];
    }
  /** An unmerged path: git itself refuses to commit until somebody has decided. */
  | { readonly kind: "conflict"; readonly path: string; readonly stages: readonly Entry[] };

export function remedyOf({ path, mine, theirs }: Clash): Remedy {
  const stages: Entry[] = [];
  if (mine.oldMode !== ABSENT) stages.push({ stage: 1, mode: mine.oldMode, hash: mine.oldHash });
  if (mine.newMode !== ABSENT) stages.push({ stage: 2, mode: mine.newMode, hash: mine.newHash });
  if (theirs === undefined) return { kind: "conflict", path, stages };
  if (theirs.newMode !== ABSENT) stages.push({ stage: 3, mode: theirs.newMode, hash: theirs.newHash });
  if (![mine.oldMode, mine.newMode, theirs.newMode].every(isRegular))
    return { kind: "conflict", path, stages };
  // There are two modes of regular files, so if both changed it they agree.
  const mode = mine.newMode === mine.oldMode ? theirs.newMode : mine.newMode;
  const hash = mergeValues(mine.oldHash, mine.newHash, theirs.newHash);
  if (hash !== undefined) return { kind: "take", path, entry: { stage: 0, mode, hash } };
  return {
    kind: "merge",
    path,
    mode,
    base: mine.oldHash,
    mine: mine.newHash,
    theirs: theirs.newHash,
    otherwise: stages,
  };
}

function isRegular(mode: string): boolean {
  return mode === "100644" || mode === "100755";
}

function mergeValues(base: string, mine: string, theirs: string): string | undefined {
  if (mine === base || mine === theirs) return theirs;
  return theirs === base ? mine : undefined;
}

/** Lines for `git update-index -z --index-info` that leave a path with just these entries; with none, without it. */
export function indexInfo(path: string, entries: readonly Entry[], hashLength: number): string {
  // Inserting a stage leaves the merged entry where it is; mode 0 takes all of them out.
  const lines = [`0 ${"0".repeat(hashLength)}\t${path}\0`];
  for (const { stage, mode, hash } of entries) lines.push(`${mode} ${hash} ${stage}\t${path}\0`);
  return lines.join("");
}

/** The entry that HEAD has for a clashing path, if it has one. */
export function headEntry({ theirs }: Clash): Entry[] {
  return theirs === undefined || theirs.newMode === ABSENT
    ? []
    : [{ stage: 0, mode: theirs.newMode, hash: theirs.newHash }];
}

/** The hash of no bytes, in SHA-1 and SHA-256: what an entry holds that is only intended to be added. */
export function isEmptyBlob(hash: string): boolean {
  return (
    hash === "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391" ||
    hash === "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"
  );
}
