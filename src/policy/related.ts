import { lookUp, type Table } from "../domain/table.ts";
import type { Target } from "../domain/pattern.ts";

/** What is known of a repository's files beside their names. Paths are canonical. */
export interface Relations {
  /** Folders that have a manifest (package.json, Cargo.toml …), the repository's top left out. */
  readonly packages: ReadonlySet<string>;
  /** For a file those that were mostly committed together with it. */
  readonly partners: Table<readonly string[]>;
}

export const NO_RELATIONS: Relations = { packages: new Set(), partners: {} };

/**
 * Whether work on one goes with work on the other (SYS-3): they are in the same folder, or one of them in a folder
 * directly in the other's, or in the same package, or they were mostly committed together. A glob or directory is
 * taken by the folder it is in. Symmetric.
 *
 * @param relations asked for only if their names do not say it
 */
export function related(a: Target, b: Target, relations: () => Relations): boolean {
  const [one, other] = [folderOf(a), folderOf(b)];
  if (one === other || isIn(one, other) || isIn(other, one)) return true;
  const { packages, partners } = relations();
  const home = packageOf(one, packages);
  if (home !== undefined && home === packageOf(other, packages)) return true;
  return (
    a.kind === "path" &&
    b.kind === "path" &&
    (lookUp(partners, a.path)?.includes(b.path) === true ||
      lookUp(partners, b.path)?.includes(a.path) === true)
  );
}

/** What is fixed in a target's name: of a glob the folders before its first special character. */
function folderOf(target: Target): string {
  if (target.kind === "dir") return target.path;
  if (target.kind === "path") return parentOf(target.path);
  return /^(?:[^*?[\]{}\\!/]*\/)*/.exec(target.glob)![0].replace(/\/$/, "");
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf("/")));
}

/** Directly in it. Of what lies at the top that would say nothing. */
function isIn(folder: string, outer: string): boolean {
  return outer !== "" && parentOf(folder) === outer;
}

function packageOf(folder: string, packages: ReadonlySet<string>): string | undefined {
  for (let at = folder; at !== ""; at = parentOf(at)) if (packages.has(at)) return at;
  return undefined;
}
