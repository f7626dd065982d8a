import { parseGitCommand } from "../../../src/domain/git-command.ts";
import { classify, isKnownVerb } from "../../../src/domain/git-command-classify.ts";
import type { Operation } from "../../../src/domain/git-command-operation.ts";
import { judge, needsOf } from "../../../src/policy/guard.ts";
import type { DirtyPath, Facts, Needs, Owner, StashEntry, Verdict } from "../../../src/policy/guard-facts.ts";

export const MINE: Owner = { kind: "mine" };
export const UNKNOWN: Owner = { kind: "unknown" };
/** Local time, as the guard tells it. */
export const SINCE = new Date(2026, 0, 2, 12, 3).getTime();
/** Another session's, by an edit at 12:03. */
export const THEIRS: Owner = { kind: "session", session: "bbbbbbbb-2222", since: SINCE, how: "edit" };

/** A repository as far as the guard sees it. */
export interface Guarded {
  readonly dirty?: readonly DirtyPath[];
  /** What the command would change. */
  readonly touched?: readonly string[] | undefined;
  readonly forward?: boolean;
  readonly head?: Owner;
  readonly dropped?: readonly { readonly commit: string; readonly owner: Owner }[];
  readonly gained?: number;
  readonly stash?: readonly StashEntry[];
  readonly inProgress?: Facts["inProgress"];
  readonly moving?: Facts["moving"];
  readonly settings?: Readonly<Record<string, string>>;
  readonly liveThere?: readonly string[];
  readonly prefix?: string;
  readonly ignoreCase?: boolean;
  readonly others?: readonly string[];
  readonly revisions?: readonly string[];
}

const REVISIONS = ["HEAD", "@", "HEAD~1", "main", "topic", "v1"];

export function operationOf(argv: readonly string[], revisions: readonly string[] = REVISIONS): Operation {
  const command = parseGitCommand(argv, () => undefined, isKnownVerb);
  return classify(command, { isRevision: (word) => revisions.includes(word), isPath: () => false });
}

/** The guard's answer, from no more facts than it asked for. */
export function guarded(argv: readonly string[], world: Guarded): Verdict {
  const operation = operationOf(argv, world.revisions);
  return judge(operation, factsFor(needsOf(operation), world));
}

function factsFor(needs: Needs, world: Guarded): Facts {
  const others = world.others ?? ["bbbbbbbb-2222"];
  return {
    now: SINCE,
    others,
    othersSince: others.map(() => SINCE),
    top: "/top",
    prefix: world.prefix ?? "",
    ignoreCase: world.ignoreCase,
    ...(needs.branch ? { branch: "main" } : {}),
    ...(needs.branches ? { branches: ["main", "elsewhere"] } : {}),
    ...(needs.dirty ? { dirty: matching(needs.dirty, world) } : {}),
    ...(needs.touched ? { touched: world.touched } : {}),
    ...(needs.forward ? { forward: world.forward ?? false } : {}),
    ...(needs.head ? { head: world.head ?? MINE } : {}),
    ...(needs.moved ? { moved: { dropped: world.dropped ?? [], gained: world.gained ?? 0 } } : {}),
    ...(needs.stash ? { stash: world.stash ?? [] } : {}),
    ...(needs.inProgress ? { inProgress: world.inProgress ?? null } : {}),
    ...(needs.moving ? { moving: world.moving ?? null } : {}),
    ...(needs.settings ? { settings: world.settings ?? {} } : {}),
    ...(needs.liveThere === undefined ? {} : { liveThere: world.liveThere ?? [] }),
  };
}

/** As `git status` with these pathspecs: files and folders only, from the caller's directory. */
function matching(wanted: NonNullable<Needs["dirty"]>, { dirty = [], prefix = "" }: Guarded): DirtyPath[] {
  const specs = [...wanted.pathspecs, ...wanted.exact].map((spec) =>
    spec.startsWith(":/")
      ? spec.slice(2)
      : (prefix + spec)
          .replace(/(^|\/)\.\//g, "$1")
          .replace(/(^|\/)\.$/, "$1")
          .replace(/\/$/, ""),
  );
  const all = wanted.file !== undefined || wanted.pathspecs.length === 0;
  return dirty.filter(
    ({ path, state }) =>
      (state !== "untracked" || wanted.untracked) &&
      (state !== "ignored" || wanted.ignored) &&
      (state !== "clean" || wanted.clean) &&
      (all || specs.some((spec) => spec === "" || path === spec || path.startsWith(`${spec}/`))),
  );
}

/** "theirs.txt" and how it is: "M" modified on disk, "S" staged, "MS" both, "D", "?", "!", "=" (unchanged and reserved). */
export function dirtyPath(path: string, how: string, owner: Owner): DirtyPath {
  const state = ({ "?": "untracked", "!": "ignored", "=": "clean", D: "deleted", U: "unmerged" } as const)[
    how[0]!
  ];
  return {
    path,
    state: state ?? "modified",
    staged: how.includes("S") || how === "U",
    unstaged: /[MD?!U]/.test(how),
    owner,
  };
}
