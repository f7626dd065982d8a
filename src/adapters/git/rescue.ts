/**
 * Work saved before something touches it: refs/signalbox/rescue/<session>/<n>, n = 1, 2, 3, … Such refs outlive
 * `gc --prune=now` and expired reflogs, and no command of git's moves them.
 *
 * Each is a commit. Its tree has the saved files and nothing else, at their own paths: as they were on disk, byte for
 * byte (no filter, no line ends), or as they were staged where only an index was saved. Its first parent is HEAD.
 * Its last parent, if anything was staged, has a tree of folders `0` (staged) and `1`, `2`, `3` (sides of a
 * conflict). What a tree does not tell stands in the message: see rescue-message.ts.
 */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { parseRaw } from "../../domain/staged-delta.ts";
import { readBase } from "./index-file.ts";
import {
  commitIn,
  type Entry,
  entriesAt,
  hashContents,
  headCommit,
  lookAt,
  type OnDisk,
  PLAIN,
  treeOf,
  walk,
} from "./rescue-disk.ts";
import { type Contents, readMessage, type SavedFile, writeMessage } from "./rescue-message.ts";
import { type GitAt, GitError, git, splitNul, toBytes, toText, tryGit } from "./run.ts";

export interface ToSave {
  /** Whose work it is. */
  readonly session: string;
  readonly reason: string;
  /** An index: what is staged in it relative to its recorded base, else to HEAD, with the sides of conflicts. */
  readonly index?: GitAt | undefined;
  /**
   * Paths relative to the working tree's top. Of a folder everything in it is saved, but nothing of another
   * repository except the commit it is at. Ignored files are files.
   */
  readonly files?: readonly string[] | undefined;
}

export interface Saved {
  readonly ref: string;
  readonly paths: string[];
}

export interface Rescue {
  readonly ref: string;
  readonly commit: string;
  readonly session: string;
  readonly n: number;
  /** When (ms). */
  readonly at: number;
  readonly reason: string;
  readonly paths: string[];
}

const ROOT = "refs/signalbox/rescue/";
const KEEP = "refs/signalbox/keep/";
const TRIES = 50;
const AUTHOR = { NAME: "signalbox", EMAIL: "signalbox@localhost" };
const IDENTITY = Object.fromEntries(
  ["AUTHOR", "COMMITTER"].flatMap((who) =>
    Object.entries(AUTHOR).map(([name, value]) => [`GIT_${who}_${name}`, value]),
  ),
);
const ABSENT = "000000";
const RAW = [
  "diff-index",
  "--cached",
  "--raw",
  "-z",
  "--no-renames",
  "--no-abbrev",
  "--ita-invisible-in-index",
];

/**
 * Saves working-tree content, staged content, or both. Nothing but the object database and the new ref changes.
 *
 * @returns `undefined` if there was nothing to save: no such file, nothing staged
 * @throws GitError if something is there that cannot be saved
 */
export function saveRescue(at: GitAt, { session, reason, index, files = [] }: ToSave): Saved | undefined {
  const top = at.workTree ?? at.cwd;
  const here = { ...at, cwd: top };
  const head = headCommit(here);
  const disk = saveFiles(here, top, head, files);
  const staged = index === undefined ? undefined : readStaged(index);
  const stages = staged?.entries ?? [];
  if (disk.entries.length + disk.deleted.length + stages.length + (staged?.removed.length ?? 0) === 0)
    return undefined;

  const inIndex =
    stages.length === 0
      ? undefined
      : commit(here, treeOf(here, stages.map(inFolder)), parents(head), "what was staged, by stage\n");
  const only = stages.filter(({ stage, path }) => stage === 0 && !disk.named.has(path));
  const contents: Contents = {
    session: toBytes(session),
    reason: toBytes(reason),
    at: Date.now(),
    head,
    index: inIndex,
    files: disk.files,
    added: disk.added,
    deleted: disk.deleted,
    staged: stages.flatMap(({ stage, path }) => (stage === 0 ? [path] : [])),
    unstaged: staged?.removed ?? [],
    unmerged: [...new Set(stages.flatMap(({ stage, path }) => (stage === 0 ? [] : [path])))],
  };
  const tree = treeOf(here, [...only, ...disk.entries]);
  const saved = commit(here, tree, parents(head, inIndex), writeMessage(contents));
  return { ref: publish(here, session, saved), paths: pathsOf(contents) };
}

const parents = (...commits: readonly (string | undefined)[]): string[] =>
  commits.flatMap((one) => (one === undefined ? [] : ["-p", one]));

function commit(at: GitAt, tree: string, parents: readonly string[], message: string): string {
  const encoding = ["-c", "i18n.commitEncoding=UTF-8"];
  const args = [...PLAIN, ...encoding, "commit-tree", tree, ...parents];
  return git(at, args, { input: message, env: IDENTITY }).trim();
}

interface Disk {
  readonly entries: Entry[];
  readonly files: SavedFile[];
  readonly added: SavedFile[];
  readonly deleted: string[];
  /** What the disk has the say about: every path asked for, whether it is there or not. */
  readonly named: ReadonlySet<string>;
}

function saveFiles(at: GitAt, top: string, head: string | undefined, files: readonly string[]): Disk {
  const named = new Set(files.flatMap((text) => rawPaths(at, text)));
  const found = [...named].flatMap((path) => {
    const one = lookAt(top, path);
    return one?.kind === "folder" ? walk(top, path) : one === undefined ? [] : [one];
  });
  const { readable, hashes } = hashThose(at, top, found);
  const entries = readable.map((one, i): Entry => ({ path: one.path, mode: modeOf(one), hash: hashes[i]! }));
  for (const one of found.filter(({ kind }) => kind === "repository")) {
    const hash = commitIn(at, top, one.path);
    if (hash !== undefined) entries.push({ path: one.path, mode: "160000", hash });
  }
  const all = [...new Set([...named, ...entries.map(({ path }) => path)])];
  const before = head === undefined ? new Map<string, Entry>() : entriesAt(at, head, all);
  const there = new Set(entries.map(({ path }) => path));
  const permissions = new Map(
    readable.map((one) => [one.path, one.kind === "file" ? one.permissions : undefined]),
  );
  const saved = entries.map(({ path }): SavedFile => ({ path, permissions: permissions.get(path) }));
  return {
    entries,
    files: saved.filter(({ path }) => before.has(path)),
    added: saved.filter(({ path }) => !before.has(path)),
    deleted: [...named].filter((path) => before.has(path) && !there.has(path)),
    named: new Set(all),
  };
}

/** Hashes what is still there: a file may go while this runs. */
function hashThose(
  at: GitAt,
  top: string,
  found: readonly OnDisk[],
): { readable: OnDisk[]; hashes: string[] } {
  let readable = found.filter(({ kind }) => kind === "file" || kind === "link");
  for (;;) {
    try {
      return { readable, hashes: hashContents(at, top, readable, { write: true }) };
    } catch (error) {
      const still = readable.filter(({ path, kind }) => lookAt(top, path)?.kind === kind);
      if (still.length === readable.length) throw error;
      readable = still;
    }
  }
}

function modeOf({ kind, permissions }: OnDisk): string {
  return kind === "link" ? "120000" : (permissions & 0o100) === 0 ? "100644" : "100755";
}

/** The bytes of a path given as text. Text of a name that is no UTF-8 may stand for several. */
function rawPaths(at: GitAt, text: string): string[] {
  const path = toBytes(text.replace(/\/+$/, ""));
  if (path === "" || path.startsWith("/") || path.split("/").includes("..")) return [];
  if (!text.includes("\u{FFFD}")) return [path];
  const listed = git(at, ["ls-files", "-z", "--full-name", "--cached", "--others", "--"]);
  const same = [...new Set(splitNul(listed))].filter((raw) => toText(raw) === text);
  return same.length === 0 ? [path] : same;
}

interface StagedEntry extends Entry {
  readonly stage: number;
}

const inFolder = ({ stage, path, mode, hash }: StagedEntry): Entry => ({
  path: `${stage}/${path}`,
  mode,
  hash,
});

/** What is staged in an index, read and not touched. */
function readStaged(index: GitAt): { entries: StagedEntry[]; removed: string[] } {
  const { gitDir, indexFile } = index;
  const file = indexFile ?? (gitDir === undefined ? undefined : join(gitDir, "index"));
  // Git takes an index that is not there for one from which everything was removed.
  if (file !== undefined && !existsSync(file)) return { entries: [], removed: [] };
  const raw = git(index, [...RAW, "--ignore-submodules=none", baseOf(index), "--"]);
  const changes = parseRaw(raw).filter(({ status }) => status !== "U");
  const merged = changes.filter(({ newMode }) => newMode !== ABSENT);
  const unmerged = splitNul(git(index, ["ls-files", "-u", "-z", "--full-name"])).map((line): StagedEntry => {
    const tab = line.indexOf("\t");
    const [mode, hash, stage] = line.slice(0, tab).split(" ");
    return { path: line.slice(tab + 1), mode: mode!, hash: hash!, stage: Number(stage) };
  });
  return {
    entries: [
      ...merged.map(({ path, newMode, newHash }) => ({ path, mode: newMode, hash: newHash, stage: 0 })),
      ...unmerged,
    ],
    removed: changes.flatMap(({ path, newMode }) => (newMode === ABSENT ? [path] : [])),
  };
}

function baseOf(index: GitAt): string {
  const recorded = index.gitDir === undefined ? undefined : readBase(index.gitDir);
  const base = recorded === undefined ? undefined : headCommit(index, recorded);
  return (
    base ?? headCommit(index) ?? git(index, ["hash-object", "-t", "tree", "--stdin"], { input: "" }).trim()
  );
}

/** Takes the next free number: whoever else does so at the same time gets another. */
function publish(at: GitAt, session: string, saved: string): string {
  const folder = `${ROOT}${safe(session)}/`;
  let refused: GitError | undefined;
  for (let tries = 0; tries < TRIES; tries++) {
    const taken = splitLines(git(at, ["for-each-ref", "--format=%(refname)", folder]));
    const numbers = taken.map((ref) => Number(ref.slice(folder.length))).filter(Number.isSafeInteger);
    const ref = `${folder}${Math.max(0, ...numbers) + 1}`;
    const args = [...PLAIN, "update-ref", "-m", "signalbox: rescue", ref, saved, ""];
    const { status, stderr } = tryGit(at, args);
    if (status === 0) return ref;
    refused = new GitError(args, status, stderr);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Math.min(5 * tries, 50) * Math.random());
  }
  throw refused!;
}

/** A session as part of a ref's name. */
function safe(session: string): string {
  return session.replaceAll(/[^\w-]/g, "-").slice(0, 100) || "-";
}

const splitLines = (text: string): string[] => text.split("\n").filter((line) => line !== "");

function pathsOf({ files, added, deleted, staged, unstaged, unmerged }: Contents): string[] {
  const saved = [...files, ...added].map(({ path }) => path);
  return [...new Set([...saved, ...deleted, ...staged, ...unstaged, ...unmerged].map(toText))].sort();
}

/** Every rescue of the repository, oldest first. */
export function listRescues(at: GitAt): Rescue[] {
  const out = git(at, ["for-each-ref", "--format=%(refname) %(objectname)%00%(contents)%00", ROOT]);
  const fields = out.split("\0");
  const found: Rescue[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    const [ref = "", commit = ""] = fields[i]!.trim().split(" ");
    const contents = readMessage(fields[i + 1]!);
    if (contents === undefined) continue;
    found.push({
      ref,
      commit,
      session: toText(contents.session),
      n: Number(ref.slice(ref.lastIndexOf("/") + 1)),
      at: contents.at,
      reason: toText(contents.reason),
      paths: pathsOf(contents),
    });
  }
  return found.sort((a, b) => a.at - b.at || a.n - b.n);
}

/** What a rescue holds. @throws GitError if there is none of that name */
export function readRescue(at: GitAt, ref: string): Contents {
  const contents = readMessage(git(at, ["cat-file", "commit", checked(ref)]));
  if (contents === undefined) throw new GitError(["cat-file", ref], 0, `${ref} is no rescue`);
  return contents;
}

/** A rescue as people read it: what was saved, and how it differs from the HEAD of then. Text, as git prints it. */
export function showRescue(at: GitAt, ref: string): string {
  const contents = readRescue(at, ref);
  const { session, reason, head, index, files, added, deleted, staged, unstaged, unmerged } = contents;
  const names = (label: string, paths: readonly string[]) =>
    paths.map((path) => `${label.padEnd(16)} ${visible(path)}\n`);
  const title = [
    `${ref}\nsession ${visible(session)}, ${new Date(contents.at).toISOString()}\n${visible(reason)}\n\n`,
    ...names(
      "changed",
      files.map(({ path }) => path),
    ),
    ...names(
      "new",
      added.map(({ path }) => path),
    ),
    ...names("deleted", deleted),
    ...names("staged", staged),
    ...names("removal staged", unstaged),
    ...names("unmerged", unmerged),
  ];
  const paths = [...files.map(({ path }) => path), ...deleted, ...staged, ...unstaged];
  const before = head === undefined ? [] : [...entriesAt(at, head, paths).values()];
  const diff = (from: readonly Entry[], to: string) =>
    git(at, [
      "diff-tree",
      "-r",
      "-p",
      "--no-renames",
      "--no-ext-diff",
      "--no-textconv",
      treeOf(at, from),
      to,
    ]);
  const removed = new Set(unstaged);
  const now = diff(
    before.filter(({ path }) => !removed.has(path) || deleted.includes(path)),
    `${ref}^{tree}`,
  );
  const inIndex =
    staged.length + unstaged.length === 0 ? "" : stagedDiff(at, before, index, [...staged, ...unstaged]);
  return toText(`${title.join("")}\n${now}${inIndex === "" ? "" : `\nstaged:\n${inIndex}`}`);
}

/** Bytes in which no control character is left. */
function visible(bytes: string): string {
  const escaped = (char: string) => `\\u{${char.codePointAt(0)!.toString(16)}}`;
  return toBytes(toText(bytes).replaceAll(/\p{Cc}/gu, escaped));
}

function stagedDiff(
  at: GitAt,
  before: readonly Entry[],
  index: string | undefined,
  paths: readonly string[],
): string {
  const wanted = new Set(paths);
  const from = treeOf(
    at,
    before.filter(({ path }) => wanted.has(path)),
  );
  const stage0 = index === undefined ? undefined : tryGit(at, ["rev-parse", "-q", "--verify", `${index}:0`]);
  const to = stage0?.status === 0 ? stage0.stdout.trim() : treeOf(at, []);
  return git(at, ["diff-tree", "-r", "-p", "--no-renames", "--no-ext-diff", "--no-textconv", from, to]);
}

/** @throws GitError if there is none of that name */
export function dropRescue(at: GitAt, ref: string): void {
  const old = headCommit(at, checked(ref));
  if (old === undefined) throw new GitError(["update-ref", "-d", ref], 1, `there is no ${ref}`);
  git(at, [...PLAIN, "update-ref", "-d", ref, old]);
}

function checked(ref: string): string {
  if (!ref.startsWith(ROOT)) throw new GitError(["rescue", ref], null, `${ref} is no rescue's ref`);
  return ref;
}

/** Branches, those of remotes and tags: what people mean to keep. */
const MEANT = ["refs/heads", "refs/remotes", "refs/tags"];

/**
 * Whether all that a rescue holds is in the history of a branch or tag, byte for byte: nobody needs it any more. What
 * was saved with conflicts open, or as deleted, is not looked for.
 */
export function isCommitted(at: GitAt, rescue: Rescue): boolean {
  const { index, unmerged } = readRescue(at, rescue.ref);
  if (unmerged.length > 0) return false;
  const blobs = (tree: string) =>
    splitNul(git(at, ["ls-tree", "-r", "-z", "--full-tree", tree])).map((line) => {
      const [fields = "", path = ""] = line.split("\t");
      return { path, hash: fields.split(" ")[2] ?? "" };
    });
  const staged =
    index === undefined || tryGit(at, ["rev-parse", "-q", "--verify", `${index}:0`]).status !== 0;
  const saved = [...blobs(rescue.ref), ...(staged ? [] : blobs(`${index}:0`))];
  if (saved.length === 0 || saved.length > LOOKED_FOR) return false;
  const paths = [...new Set(saved.map(({ path }) => path))].map(toText);
  // It was saved before it was committed, or not long after.
  const since = `--since=${Math.floor(rescue.at / 1000) - 30 * 24 * 3600}`;
  const log = [
    "--literal-pathspecs",
    "log",
    "--format=",
    "--raw",
    "-z",
    "--no-abbrev",
    "--no-renames",
    "-m",
    since,
  ];
  const out = git(at, [...log, "--branches", "--remotes", "--tags", "--", ...paths]);
  const committed = new Set(
    out.split("\0").flatMap((field) => /^:\S+ \S+ \S+ (\S+) /.exec(field)?.[1] ?? []),
  );
  return saved.every(({ hash }) => committed.has(hash));
}

/** Of a rescue of more files than this nobody looks whether all are committed. */
const LOOKED_FOR = 1000;

/** Whether a branch or tag has a commit that `keepTip` keeps. */
export function isTakenBack(at: GitAt, commit: string): boolean {
  return git(at, ["for-each-ref", "--count=1", "--contains", commit, ...MEANT]) !== "";
}

/** Lets go of a ref of ours. @throws GitError if there is none of that name */
export function dropRef(at: GitAt, ref: string): void {
  if (!ref.startsWith(ROOT) && !ref.startsWith(KEEP))
    throw new GitError(["update-ref", "-d", ref], null, `${ref} is not ours`);
  git(at, [...PLAIN, "update-ref", "-d", ref]);
}

/** Whether a branch, a tag or any other ref has this commit in its history. */
export function isHeld(at: GitAt, commit: string): boolean {
  return git(at, ["for-each-ref", "--count=1", "--contains", commit]) !== "";
}

/** Keeps a commit that no branch may hold any more. Answers with the ref. @throws GitError if there is no such commit */
export function keepTip(at: GitAt, commit: string): string {
  const full = git(at, ["rev-parse", "--verify", "--end-of-options", `${commit}^{commit}`]).trim();
  const ref = `${KEEP}${full}`;
  git(at, [...PLAIN, "update-ref", ref, full]);
  return ref;
}

/** Made this shortly ago. */
const RECENT_MS = 10 * 60_000;

/**
 * Stashes that git made just now and gave no name: git-merge(1) puts uncommitted work into one. Found among the loose
 * objects, because git looks for such only by walking all history.
 */
export function unnamedStashes(at: GitAt, commonDir: string): string[] {
  const objects = join(commonDir, "objects");
  const since = Date.now() - RECENT_MS;
  const isRecent = (path: string) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) >= since;
  const recent = readdirSync(objects)
    .filter((name) => /^[\da-f]{2}$/.test(name) && isRecent(join(objects, name)))
    .flatMap((name) =>
      readdirSync(join(objects, name))
        .filter((rest) => isRecent(join(objects, name, rest)))
        .map((rest) => name + rest),
    )
    .filter((id) => /^[\da-f]{40,64}$/.test(id));
  const types = git(at, ["cat-file", "--batch-check"], { input: recent.map((id) => `${id}\n`).join("") });
  return types
    .split("\n")
    .flatMap((line) => /^(\S+) commit /.exec(line)?.[1] ?? [])
    .filter((id) => {
      const [parents = "", subject = ""] = git(at, ["show", "-s", "--format=%P%x00%s", id])
        .trim()
        .split("\0");
      return /^(?:WIP on|On) /.test(subject) && parents.split(" ").length >= 2 && !isHeld(at, id);
    });
}

/** A commit that a branch has let go of: reset, rewritten or deleted. */
export interface Tip {
  readonly ref: string;
  readonly commit: string;
  /** When the commit was made (ms). */
  readonly at: number;
  readonly subject: string;
}

/** The commits that `keepTip` keeps, newest first. */
export function listTips(at: GitAt): Tip[] {
  const format = "--format=%(objectname)%00%(committerdate:unix)%00%(contents:subject)";
  return git(at, ["for-each-ref", "--sort=-committerdate", format, KEEP])
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const [commit = "", at = "", subject = ""] = line.split("\0");
      return { ref: `${KEEP}${commit}`, commit, at: Number(at) * 1000, subject: toText(subject) };
    });
}
