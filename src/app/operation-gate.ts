import { event, type Event } from "../../events/mod.ts";
import { findCommit } from "../domain/commits.ts";
import type { Operation } from "../domain/git-command-operation.ts";
import { ownersOf } from "../domain/ownership.ts";
import { canonicalPath } from "../domain/path-key.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { ownerOfStash } from "../domain/stashes.ts";
import { judge, needsOf } from "../policy/guard.ts";
import type { DirtyPath, Facts, Needs, Owner, Verdict, InProgress } from "../policy/guard-facts.ts";
import { type Box, type Circumstances, decide, look } from "./box.ts";
import type { GuardGit } from "./ports.ts";

/** A git command that a session is about to run. */
export interface Attempt {
  readonly session: string;
  readonly tree: string;
  /** Top of the working tree, and the caller's directory below it: "" or "src/lib/". */
  readonly top: string;
  readonly prefix: string;
  readonly operation: Operation;
  readonly git: GuardGit;
}

/** An event holds at most so many paths. */
const PATHS_RECORDED = 200;

/**
 * The guard at the operation: decided on the command as git would read it, before a byte is touched. Whoever is
 * alone in a working tree is not guarded.
 */
export function guardOperation(box: Box, attempt: Attempt): Verdict {
  const circumstances = look(box);
  const others = reachesFar(attempt.operation)
    ? othersAnywhere(circumstances, attempt)
    : othersIn(circumstances, attempt);
  if (others.length === 0) return { kind: "go" };
  const verdict = judge(attempt.operation, factsFor(box, attempt, circumstances, others));
  record(box, attempt, verdict);
  return verdict;
}

/** Branches, working trees and the stash are of the whole repository: who is alone in a tree may still meet others. */
export function reachesFar(operation: Operation): boolean {
  const { kind } = operation;
  if (kind === "stash") return operation.action !== "push";
  return kind === "ref" || kind === "maintenance";
}

/** The other sessions that are live in this working tree. */
function othersIn(circumstances: Circumstances, attempt: Attempt): string[] {
  const here = liveSessions(circumstances.states.sessions).filter(({ tree }) => tree === attempt.tree);
  const ids = new Set(here.map(({ id }) => id));
  return othersAnywhere(circumstances, attempt).filter((id) => ids.has(id));
}

function othersAnywhere({ states, gone }: Circumstances, { session }: Attempt): string[] {
  const me = findSession(states.sessions, session)?.id ?? session;
  return liveSessions(states.sessions)
    .filter((other) => other.id !== me && !gone.has(other.id))
    .map(({ id }) => id);
}

function record(box: Box, { session, tree, operation }: Attempt, verdict: Verdict): void {
  const verb = operation.command?.verb ?? operation.kind;
  const events = (id: string): Event[] => {
    if (verdict.kind === "refuse") {
      const paths = verdict.paths.slice(0, PATHS_RECORDED);
      return [event("guard.refused", { session: id, tree, verb, reason: verdict.reason, paths })];
    }
    if (verdict.kind !== "scope" || verdict.leftOut.length === 0 || operation.kind !== "commit") return [];
    const paths = verdict.leftOut.slice(0, PATHS_RECORDED);
    return [event("commit.scoped", { session: id, tree, paths, total: verdict.leftOut.length })];
  };
  if (events(session).length === 0) return;
  decide(box, session, ({ states }) => ({
    events: events(findSession(states.sessions, session)?.id ?? session),
    result: undefined,
  }));
}

function factsFor(
  box: Box,
  attempt: Attempt,
  circumstances: Circumstances,
  others: readonly string[],
): Facts {
  const { git, operation, top, prefix } = attempt;
  const needs: Needs = needsOf(operation);
  const facts: { -readonly [K in keyof Facts]: Facts[K] } = {
    now: circumstances.now,
    others,
    othersSince: others.map(
      (id) => findSession(circumstances.states.sessions, id)?.since ?? circumstances.now,
    ),
    top,
    prefix,
    ignoreCase: box.ignoreCase,
  };
  if (needs.branch) facts.branch = git.branch();
  if (needs.branches) facts.branches = git.branches();
  if (needs.dirty !== undefined) facts.dirty = dirtyPaths(box, attempt, circumstances, needs.dirty);
  if (needs.touched !== undefined)
    facts.touched = git.touched(needs.touched)?.map((path) => keyOf(box, path));
  if (needs.forward !== undefined) facts.forward = git.isForward(needs.forward);
  if (needs.head) facts.head = ownerOfCommit(circumstances, attempt, git.commitOf("HEAD") ?? "");
  if (needs.moved !== undefined) facts.moved = movedBy(circumstances, attempt, needs.moved);
  if (needs.stash) facts.stash = stashEntries(circumstances, attempt);
  if (needs.inProgress) facts.inProgress = owned(git.inProgress());
  if (needs.moving) facts.moving = owned(git.moving());
  if (needs.settings !== undefined) facts.settings = settingsOf(attempt, needs.settings);
  if (needs.liveThere !== undefined) {
    const tree = git.treeOf(needs.liveThere);
    facts.liveThere = tree === undefined ? [] : othersIn(circumstances, { ...attempt, tree });
  }
  return facts;

  function owned(found: ReturnType<GuardGit["moving"]>): InProgress | null {
    return found === undefined
      ? null
      : { what: found.what, ...ownerOfOperation(circumstances, attempt, found.by) };
  }
}

function keyOf({ ignoreCase }: Box, path: string): string {
  // Git names an ignored or nested folder with a slash at its end.
  return canonicalPath(path.replace(/\/$/, ""), { ignoreCase });
}

function dirtyPaths(
  box: Box,
  { git, tree, session }: Attempt,
  { states, now, gone }: Circumstances,
  wanted: NonNullable<Needs["dirty"]>,
): DirtyPath[] {
  const found = git.dirty(wanted).map((path) => ({ ...path, name: path.path, path: keyOf(box, path.path) }));
  const known = new Set(found.map(({ path }) => path));
  const clean = wanted.clean ? cleanAndReserved(box, git, states, tree, wanted.pathspecs, known) : [];
  const all = [...found, ...clean];
  const me = findSession(states.sessions, session)?.id ?? session;
  const owners = ownersOf(states, { tree, paths: all.map(({ path }) => path), session: me, now, gone });
  return all.map((path) => {
    const owner: Owner = owners.get(path.path) ?? { kind: "unknown" };
    // What has conflicts in the caller's own index, the caller has merged.
    const isOwn = owner.kind === "unknown" && path.state === "unmerged" && git.inProgress()?.by === "caller";
    return { ...path, owner: isOwn ? { kind: "mine" } : owner };
  });
}

/** Files that somebody has reserved and nobody has changed yet. */
function cleanAndReserved(
  box: Box,
  git: GuardGit,
  { reservations }: Circumstances["states"],
  tree: string,
  pathspecs: readonly string[],
  dirty: ReadonlySet<string>,
): Omit<DirtyPath, "owner">[] {
  const reserved = reservations.grants.flatMap(({ target, tree: where }) =>
    target.kind === "path" && where === tree && !dirty.has(target.path) ? [target.path] : [],
  );
  if (reserved.length === 0) return [];
  const matched = new Set(git.tracked(pathspecs).map((path) => keyOf(box, path)));
  return [...new Set(reserved)]
    .filter((path) => matched.has(path))
    .map((path) => ({ path, staged: false, unstaged: false, state: "clean" }));
}

/** Whose a commit is; one that no session of ours made is nobody's on record. */
function ownerOfCommit({ states }: Circumstances, { session }: Attempt, commit: string): Owner {
  const found = findCommit(states.commits, commit);
  if (found?.session === undefined) return { kind: "unknown" };
  if (found.session === (findSession(states.sessions, session)?.id ?? session)) return { kind: "mine" };
  return { kind: "session", session: found.session, since: found.at, how: "edit" };
}

function movedBy(
  circumstances: Circumstances,
  attempt: Attempt,
  moved: NonNullable<Needs["moved"]>,
): NonNullable<Facts["moved"]> {
  const { git } = attempt;
  const target = "target" in moved ? git.commitOf(moved.target) : git.rebasedFrom();
  // What git does not know, it refuses itself.
  if (target === undefined) return { dropped: [], gained: 0 };
  const dropped = git.onlyIn("HEAD", target);
  return {
    dropped: dropped.map((commit) => ({ commit, owner: ownerOfCommit(circumstances, attempt, commit) })),
    gained: git.onlyIn(target, "HEAD").length,
  };
}

function stashEntries({ states }: Circumstances, { git, session }: Attempt): NonNullable<Facts["stash"]> {
  const me = findSession(states.sessions, session)?.id ?? session;
  return git.stash().map((commit, n) => {
    const by = ownerOfStash(states.stashes, commit);
    const owner: Owner =
      by === undefined
        ? { kind: "unknown" }
        : by === me
          ? { kind: "mine" }
          : { kind: "session", session: by, since: 0, how: "edit" };
    return { n, commit, owner };
  });
}

function ownerOfOperation(
  { states, now, gone }: Circumstances,
  { session }: Attempt,
  by: string | undefined,
): Omit<InProgress, "what"> {
  if (by === undefined) return { owner: { kind: "unknown" } };
  const me = findSession(states.sessions, session)?.id ?? session;
  const id = findSession(states.sessions, by)?.id;
  if (by === "caller" || (id ?? by) === me) return { owner: { kind: "mine" } };
  if (id === undefined || gone.has(id)) return { owner: { kind: "unknown" }, left: true };
  return { owner: { kind: "session", session: id, since: now, how: "edit" } };
}

function settingsOf({ git, operation }: Attempt, names: readonly string[]): Record<string, string> {
  const branch = git.branch();
  const given = new Map(operation.command?.config.map(({ key, value }) => [key, value]));
  const found: Record<string, string> = {};
  for (const name of names) {
    const ofBranch =
      name === "pull.rebase" && branch !== undefined ? git.setting(`branch.${branch}.rebase`) : undefined;
    const value = given.get(name) ?? ofBranch ?? git.setting(name);
    if (value !== undefined) found[name] = value;
  }
  return found;
}
