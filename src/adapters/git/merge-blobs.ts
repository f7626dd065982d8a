/** Merges of file contents in the object database: no file of the working tree is looked at. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Remedy } from "../../domain/staged-delta.ts";
import { type GitAt, git, splitNul, tryGit } from "./run.ts";

type Merge = Extract<Remedy, { kind: "merge" }>;

/** Three files of this many bytes at most are read into memory. */
const MAX_BYTES = 64 << 20;

/**
 * The merged blob of each path that merges without a conflict.
 *
 * As .gitattributes have it (gitattributes(5), "merge"): text by default, `union` lines of both; for `-merge`,
 * `binary` and a driver of the user's own (which may do anything, and here it would at any git command) there is no
 * merge, so the path ends as a conflict.
 */
export function mergeBlobs(
  here: GitAt & { readonly indexFile: string },
  merges: readonly Merge[],
): Map<string, string> {
  const dir = `${here.indexFile}.merge`;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  try {
    const drivers = mergeDrivers(here, merges);
    const contents = readBlobs(
      here,
      merges.flatMap(({ base, mine, theirs }) => [base, mine, theirs]),
    );
    const done: { path: string; file: string }[] = [];
    for (const [n, { path, ...ids }] of merges.entries()) {
      const driver = drivers.get(path) ?? "unspecified";
      const sides = [ids.mine, ids.base, ids.theirs].map((hash) => contents.get(hash));
      if (!["unspecified", "set", "text", "union"].includes(driver) || !sides.every(isText)) continue;
      const files = sides.map((content, i) => {
        const file = join(dir, `${n}-${i}`);
        writeFileSync(file, content, "latin1");
        return file;
      });
      const args = ["merge-file", "-p", "-q", ...(driver === "union" ? ["--union"] : []), ...files];
      const { status, stdout } = tryGit(here, args);
      if (status !== 0) continue;
      writeFileSync(files[0]!, stdout, "latin1");
      done.push({ path, file: files[0]! });
    }
    if (done.length === 0) return new Map();
    const input = Buffer.from(done.map(({ file }) => `${file}\n`).join(""), "utf8").toString("latin1");
    const hashes = git(here, ["hash-object", "-w", "--no-filters", "--stdin-paths"], { input })
      .trim()
      .split("\n");
    return new Map(done.map(({ path }, i) => [path, hashes[i]!]));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Git takes contents with a NUL for binary. */
function isText(content: string | undefined): content is string {
  return content !== undefined && !content.slice(0, 8000).includes("\0");
}

function mergeDrivers(here: GitAt, merges: readonly Merge[]): Map<string, string> {
  const input = merges.map(({ path }) => `${path}\0`).join("");
  const fields = splitNul(git(here, ["check-attr", "-z", "--stdin", "merge"], { input }));
  const drivers = new Map<string, string>();
  for (let i = 0; i + 2 < fields.length; i += 3) drivers.set(fields[i]!, fields[i + 2]!);
  return drivers;
}

/** Blobs by hash; what is missing or too large is left out. */
function readBlobs(here: GitAt, hashes: readonly string[]): Map<string, string> {
  const wanted = [...new Set(hashes)];
  const sizes = git(here, ["cat-file", "--batch-check"], { input: lines(wanted) })
    .trimEnd()
    .split("\n");
  let total = 0;
  const fit = wanted.filter((_, i) => {
    const size = Number(sizes[i]?.split(" ")[2] ?? "NaN");
    if (!(size <= MAX_BYTES) || total + size > 4 * MAX_BYTES) return false;
    total += size;
    return true;
  });
  const contents = new Map<string, string>();
  if (fit.length === 0) return contents;
  const out = git(here, ["cat-file", "--batch"], { input: lines(fit) });
  for (let from = 0; from < out.length;) {
    const end = out.indexOf("\n", from);
    const [hash, , size] = out.slice(from, end).split(" ");
    contents.set(hash!, out.slice(end + 1, end + 1 + Number(size)));
    from = end + 1 + Number(size) + 1;
  }
  return contents;
}

function lines(hashes: readonly string[]): string {
  return hashes.map((hash) => `${hash}\n`).join("");
}
