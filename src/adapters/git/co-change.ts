/**
 * What a repository's history and index tell of how files belong together (docs/policies.md, Leases): which are mostly
 * committed together, and which folders are packages. `<box>/cache/co-change.json`, found out anew once a day when a
 * session joins others, in a bounded time; what has not been read by then is left out. All of it is expendable.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { canonicalPath, type KeyOptions } from "../../domain/path-key.ts";
import { enter, type Table } from "../../domain/table.ts";
import { NO_RELATIONS, type Relations } from "../../policy/mod.ts";
import { childProcess } from "../child-process.ts";
import { cleanGitEnv, splitNul, toText } from "./run.ts";

const KEPT_MS = 24 * 3_600_000;
const DEADLINE_MS = 300;
const COMMITS = 500;
/** A commit of more files says nothing of any two of them. */
const FILES_A_COMMIT = 20;
/** Two files are partners that so many commits have in common, and so great a part of one's commits. */
const TIMES_AT_LEAST = 3;
const PART_AT_LEAST = 1 / 3;
const PARTNERS_KEPT = 5;
const FILES_KEPT = 2000;
const PACKAGES_KEPT = 500;
const BYTES_AT_MOST = 1_000_000;
const LOG_OPTIONS =
  "--no-merges --format=%x01 --no-show-signature --name-status -z -M -l100 --no-ext-diff".split(" ");
const MANIFESTS =
  "package.json Cargo.toml go.mod pyproject.toml pom.xml build.gradle build.gradle.kts composer.json Gemfile mix.exs"
    .split(" ")
    .map((name) => `:(glob)*/**/${name}`);

/** As it is on disk: files are named once, and meant by their place in `files`. */
interface Cache {
  readonly version: 1;
  readonly packages: readonly string[];
  readonly files: readonly string[];
  /** A file and its partners, the closest first. */
  readonly partners: readonly (readonly [number, readonly number[]])[];
}

/** What has been found out, read when it is first asked for; nothing if there is none, or it cannot be read. */
export function relationsIn(boxDir: string): () => Relations {
  let known: Relations | undefined;
  return () => (known ??= read(fileIn(boxDir)));
}

export interface FindingOut extends KeyOptions {
  /** Of each of the two git processes (ms); what has been read by then counts. */
  readonly deadlineMs?: number;
}

/** Finds it out, unless that was done within a day. Takes 0.6 s at most. */
export function refreshRelations(boxDir: string, top: string, options: FindingOut, now = Date.now()): void {
  const { deadlineMs = DEADLINE_MS } = options;
  const file = fileIn(boxDir);
  const age = now - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? -Infinity);
  if (age >= 0 && age < KEPT_MS) return;
  const log = ["log", "-n", String(COMMITS), ...LOG_OPTIONS, "HEAD"];
  const history = gitFor(top, log, { end: "\u0001", deadlineMs });
  const manifests = gitFor(top, ["ls-files", "-z", "--", ...MANIFESTS], { end: "\0", deadlineMs });
  if (history === undefined || manifests === undefined) return;
  const key = (path: string) => canonicalPath(toText(path), options);
  const packages = new Set(splitNul(manifests).map((path) => dirname(key(path))));
  const cache: Cache = {
    version: 1,
    packages: [...packages].slice(0, PACKAGES_KEPT),
    ...partnersOf(commitsIn(history).map((paths) => paths.map(key))),
  };
  mkdirSync(dirname(file), { recursive: true });
  const temporary = `${file}~${process.pid}`;
  writeFileSync(temporary, JSON.stringify(cache));
  renameSync(temporary, file);
}

function fileIn(boxDir: string): string {
  return join(boxDir, "cache", "co-change.json");
}

/** What git printed within the deadline, of what has an end; `undefined` if it said no. */
function gitFor(
  top: string,
  args: readonly string[],
  { end, deadlineMs }: { readonly end: string; readonly deadlineMs: number },
): string | undefined {
  const { status, stdout } = childProcess().spawnSync(process.env["SIGNALBOX_GIT"] || "git", args, {
    cwd: top,
    encoding: "latin1",
    stdio: ["ignore", "pipe", "ignore"],
    timeout: deadlineMs,
    killSignal: "SIGKILL",
    maxBuffer: 1 << 24,
    // Nothing is fetched for this where the repository has only part of its objects.
    env: { ...cleanGitEnv(), SIGNALBOX: "0", GIT_OPTIONAL_LOCKS: "0", GIT_NO_LAZY_FETCH: "1", LC_ALL: "C" },
  });
  if (status === 0) return stdout;
  // What came last may have been cut off.
  return status === null ? (stdout ?? "").slice(0, (stdout ?? "").lastIndexOf(end) + 1) : undefined;
}

/** The files of each commit, newest first, by the names they have now. */
function commitsIn(log: string): string[][] {
  const renamed = new Map<string, string>();
  const nowOf = (path: string) => renamed.get(path) ?? path;
  return log.split("\u0001").map((record) => {
    const fields = record.split("\0").map((field) => field.replace(/^\n/, ""));
    const paths = new Set<string>();
    const renames: (readonly [string, string])[] = [];
    for (let i = 0; i < fields.length; i += 1) {
      const status = fields[i]!;
      if (/^[RC]\d+$/.test(status)) {
        const [from, to] = [fields[i + 1] ?? "", fields[i + 2] ?? ""];
        if (status.startsWith("R")) renames.push([from, nowOf(to)]);
        paths.add(nowOf(to));
        i += 2;
      } else if (/^[A-Z]$/.test(status)) {
        paths.add(nowOf(fields[i + 1] ?? ""));
        i += 1;
      }
    }
    // Older commits have the names before.
    for (const [from, to] of renames) renamed.set(from, to);
    return [...paths];
  });
}

function partnersOf(commits: readonly (readonly string[])[]): Pick<Cache, "files" | "partners"> {
  const times = new Map<string, number>();
  const together = new Map<string, Map<string, number>>();
  for (const paths of commits) {
    if (paths.length > FILES_A_COMMIT) continue;
    for (const path of paths) {
      times.set(path, (times.get(path) ?? 0) + 1);
      const others = together.get(path) ?? new Map<string, number>();
      together.set(path, others);
      for (const other of paths) if (other !== path) others.set(other, (others.get(other) ?? 0) + 1);
    }
  }
  const busiest = [...times].sort(([, a], [, b]) => b - a).slice(0, FILES_KEPT);
  const places = new Map<string, number>();
  const placeOf = (path: string) => {
    const place = places.get(path) ?? places.size;
    places.set(path, place);
    return place;
  };
  const partners = busiest.flatMap(([path, count]): [number, number[]][] => {
    const best = [...together.get(path)!]
      .filter(([, both]) => both >= TIMES_AT_LEAST && both / count >= PART_AT_LEAST)
      .sort(([, a], [, b]) => b - a)
      .slice(0, PARTNERS_KEPT);
    return best.length === 0 ? [] : [[placeOf(path), best.map(([other]) => placeOf(other))]];
  });
  return { files: [...places.keys()], partners };
}

function read(file: string): Relations {
  try {
    if (statSync(file).size > BYTES_AT_MOST) throw new RangeError(`${file} is not one of ours`);
    const { version, packages, files, partners } = JSON.parse(readFileSync(file, "utf8")) as Cache;
    if (version !== 1) return NO_RELATIONS;
    const table: Table<readonly string[]> = {};
    for (const [place, others] of partners) {
      const named = others.flatMap((other) => files[other] ?? []);
      if (files[place] !== undefined) enter(table, files[place], named);
    }
    return { packages: new Set(packages), partners: table };
  } catch {
    return NO_RELATIONS;
  }
}
