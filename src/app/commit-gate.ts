import { event } from "../../events/mod.ts";
import { type Owner, ownersOf } from "../domain/ownership.ts";
import { asBlocker, inTheWayOf, release } from "../domain/reservations.ts";
import { findSession, livedAlongside, liveSessions } from "../domain/sessions.ts";
import type { Grant } from "../domain/reservations.ts";
import { findEdit } from "../domain/work.ts";
import { announce } from "../policy/mod.ts";
import { type Box, decide, look } from "./box.ts";
import {
  commitEmpty,
  commitOfLeft,
  commitPhantoms,
  commitRefused,
  commitScoped,
  commitWarned,
} from "./messages.ts";
import type { Git } from "./ports.ts";
import { policySettings } from "./settings.ts";

/** Who commits, and in which working tree; without a session it is a person. */
export interface Committer {
  readonly session?: string | undefined;
  readonly tree: string;
}

export type CommitVerdict =
  | {
      readonly kind: "go";
      readonly note: string;
      /** Left out of the commit, as git names them. */ readonly leftOut: readonly string[];
    }
  | { readonly kind: "refused"; readonly reason: string };

/** How the commit came to the gate. */
export interface Approach {
  /** Pre-commit did not run (`-n`): the same rule, and on record; nothing can be left out any more. */
  readonly skipped: boolean;
  /** The index was carried forward just now. */
  readonly healed?: boolean;
  /** The guard has seen the command line: what is named there is meant. */
  readonly judged?: boolean;
}

/** An event holds at most so many paths; the rest is in git. */
const PATHS_RECORDED = 200;

/**
 * The gate before a commit: what git swept in that is not the session's is left out; a session may not commit what
 * another live session holds, nor undo what it never touched; a person may, and is told.
 */
export function checkCommit(box: Box, committer: Committer, git: Git, approach: Approach): CommitVerdict {
  const staged = stagedIn(git);
  const { session, tree } = committer;
  const guarded = session !== undefined && othersLive(box, session);
  const { skipped } = approach;
  // In a working tree of its own everything is the session's.
  const shared = guarded && othersLive(box, session, tree);
  const swept = shared && !skipped ? sweptIn(box, committer, git, staged, approach) : [];
  const leftOut = swept.map(({ path }) => path);
  if (leftOut.length > 0) git.leaveOut(leftOut);
  const kept = without(staged, leftOut);
  if (kept.length === 0 && (leftOut.length > 0 || approach.healed === true) && !git.inOperation()) {
    if (leftOut.length > 0) recordScoped(box, committer, git, leftOut);
    return { kind: "refused", reason: commitEmpty(swept) };
  }
  // A person is not refused, and told when it is done.
  const verdict: CommitVerdict =
    session === undefined
      ? { kind: "go", note: "", leftOut: [] }
      : checkHeld(box, { session, tree }, git, kept, skipped);
  if (verdict.kind === "refused") return verdict;
  if (guarded) {
    const phantoms = phantomsIn(box, committer, git, kept);
    if (phantoms.length > 0) {
      recordPhantoms(box, committer, git, phantoms);
      return { kind: "refused", reason: commitPhantoms(phantoms) };
    }
  }
  if (leftOut.length === 0) return verdict;
  recordScoped(box, committer, git, leftOut);
  return { kind: "go", note: [verdict.note, commitScoped(swept)].filter(Boolean).join("\n"), leftOut };
}

/**
 * What is to be committed. With named paths git has made an index from HEAD: what is in there as nobody has it on disk
 * has been committed by somebody since, and git's compare-and-swap will see to that.
 */
function stagedIn(git: Git): string[] {
  const staged = git.stagedPaths();
  return git.commitMode() === "only" ? without(staged, [...git.phantoms(staged)]) : staged;
}

function without(paths: readonly string[], out: readonly string[]): string[] {
  const left = new Set(out);
  return paths.filter((path) => !left.has(path));
}

/** What `-a`, `-i` or a pathspec brought into the commit, and is not the session's. */
function sweptIn(
  box: Box,
  committer: Committer,
  git: Git,
  staged: readonly string[],
  { judged = false }: Approach,
): { readonly path: string; readonly owner: Owner }[] {
  const mode = git.commitMode();
  if (mode === "staged") return [];
  const meant = new Set([...(mode === "all" ? git.stagedBefore() : []), ...git.broughtPaths()]);
  const swept = staged.filter((path) => !meant.has(path));
  const owners = ownersIn(box, committer, git, swept);
  // By name, or seen by the guard: then what is nobody's is meant too.
  const named = judged || mode === "only";
  return swept
    .map((path) => ({ path, owner: owners.get(path) ?? { kind: "unknown" as const } }))
    .filter(({ owner: { kind } }) => kind === "session" || (kind === "unknown" && !named));
}

/** Staged changes of files that nobody has changed: an index that was left behind takes back others' commits. */
function phantomsIn(box: Box, committer: Committer, git: Git, staged: readonly string[]): string[] {
  const brought = new Set(git.broughtPaths());
  const rewound = git.rewound(staged);
  if (rewound.length > 0) return [...rewound];
  const owners = ownersIn(box, committer, git, staged);
  const suspects = staged.filter((path) => owners.get(path)?.kind !== "mine" && !brought.has(path));
  if (suspects.length === 0 || git.inOperation()) return [];
  const phantoms = [...git.phantoms(suspects)];
  const theirs = phantoms.filter((path) => committedByOthers(box, committer, git.keyOf(path)));
  if (theirs.length > 0) return theirs;
  return phantoms.length >= MANY ? phantoms : [];
}

/** So many files untouched on disk and changed in the index are an index gone wrong, not somebody's intent. */
const MANY = 20;

function committedByOthers(box: Box, { session, tree }: Committer, key: string): boolean {
  const { states } = look(box);
  const id = resolve(states.sessions, session);
  return states.commits.recent.some(
    (c) => c.tree === tree && c.session !== id && (c.paths.includes(key) || c.total > c.paths.length),
  );
}

function ownersIn(
  box: Box,
  { session, tree }: Committer,
  git: Git,
  paths: readonly string[],
): Map<string, Owner> {
  const { states, now, gone } = look(box);
  const keys = new Map(paths.map((path) => [path, git.keyOf(path)]));
  const id = resolve(states.sessions, session) ?? "";
  const owners = ownersOf(states, { tree, paths: [...keys.values()], session: id, now, gone });
  return new Map([...keys].map(([path, key]) => [path, owners.get(key) ?? { kind: "unknown" }]));
}

function recordScoped(box: Box, { session, tree }: Committer, git: Git, leftOut: readonly string[]): void {
  decide(box, session, ({ states }) => {
    const id = resolve(states.sessions, session);
    const paths = leftOut.slice(0, PATHS_RECORDED).map(git.keyOf);
    const events =
      id === undefined ? [] : [event("commit.scoped", { session: id, tree, paths, total: leftOut.length })];
    return { events, result: undefined };
  });
}

function recordPhantoms(box: Box, { session, tree }: Committer, git: Git, phantoms: readonly string[]): void {
  decide(box, session, ({ states }) => {
    const id = resolve(states.sessions, session) ?? "";
    const paths = phantoms.slice(0, PATHS_RECORDED).map(git.keyOf);
    const reason = "it would take back what others have committed";
    const refused = event("guard.refused", { session: id, tree, verb: "commit", reason, paths });
    return { events: [refused], result: undefined };
  });
}

/** What other sessions have reserved. */
function checkHeld(
  box: Box,
  committer: Committer & { readonly session: string },
  git: Git,
  staged: readonly string[],
  skipped: boolean,
): CommitVerdict {
  const named = new Map(staged.map((path) => [git.keyOf(path), path]));
  const paths = [...named.keys()];
  const brought = new Set(git.broughtPaths());
  const plain = skipped && !git.inOperation();
  return decide<CommitVerdict>(box, committer.session, ({ states, now, gone }) => {
    const session = findSession(states.sessions, committer.session)?.id ?? committer.session;
    const { tree } = committer;
    const bypass = plain ? [event("guard.bypassed", { how: "commit --no-verify", session })] : [];
    const found = inTheWayOf(states.reservations, { session, tree, paths }, { now, gone });
    // As git has them: what is said is to be typed again.
    const inTheWay = found.map(({ grant, paths: keys }) => ({
      grant,
      paths: keys.map((key) => named.get(key) ?? key),
    }));
    if (inTheWay.length === 0) return { events: bypass, result: { kind: "go", note: "", leftOut: [] } };

    // What git itself has put there is in the files already; a veto would only leave the operation hanging.
    const vetoed = inTheWay.flatMap(({ grant, paths: all }) => {
      const own = all.filter((path) => !brought.has(path));
      return own.length === 0 ? [] : [{ grant, paths: own }];
    });
    if (vetoed.length === 0 || (skipped && !plain))
      return {
        events: [...bypass, event("commit.warned", { session, tree, ...recordedOf(inTheWay) })],
        result: { kind: "go", note: commitWarned(inTheWay), leftOut: [] },
      };
    return {
      events: [...bypass, event("commit.refused", { session, tree, ...recordedOf(vetoed) })],
      result: { kind: "refused", reason: commitRefused(vetoed, now) },
    };
  });
}

/** What of somebody else's reservations is in a commit: paths as git has them. */
interface InTheWay {
  readonly grant: Grant;
  readonly paths: readonly string[];
}

function recordedOf(inTheWay: readonly InTheWay[]): {
  paths: string[];
  blockers: ReturnType<typeof asBlocker>[];
} {
  return {
    paths: [...new Set(inTheWay.flatMap((each) => each.paths))].slice(0, PATHS_RECORDED),
    blockers: inTheWay.map(({ grant }) => asBlocker(grant)),
  };
}

/** After a commit of a person's: what live sessions have reserved of it, in one line; mostly nothing. */
export function tellPerson(box: Box, { tree }: Committer, git: Git): string {
  const named = new Map((git.headCommit()?.paths ?? []).map((path) => [git.keyOf(path), path]));
  return decide(box, undefined, ({ states, now, gone }) => {
    const asked = { session: undefined, tree, paths: [...named.keys()] };
    const inTheWay = inTheWayOf(states.reservations, asked, { now, gone }).map(({ grant, paths: keys }) => ({
      grant,
      paths: keys.map((key) => named.get(key) ?? key),
    }));
    if (inTheWay.length === 0) return { events: [], result: "" };
    const warned = event("commit.warned", { session: undefined, tree, ...recordedOf(inTheWay) });
    return { events: [warned], result: commitWarned(inTheWay) };
  });
}

export interface CommitDetails {
  /** The paths, where they are not those that it changes in its parent: of an amend, what is new in it. */
  readonly changed?: readonly string[] | undefined;
  /** Paths whose conflict was resolved in the index. */
  readonly resolved?: readonly string[];
}

/**
 * After a commit: it is recorded, and its session lets go of what it committed whole. Answers with what it should
 * know: that it has committed what a session that is gone had left there.
 */
export function recordCommit(
  box: Box,
  committer: Committer,
  git: Git,
  { changed, resolved: resolvedPaths = [] }: CommitDetails = {},
): string {
  const commit = git.headCommit();
  if (commit === undefined) return "";
  const head = { ...commit, paths: changed ?? commit.paths };
  const resolved = head.paths.some((path) => resolvedPaths.includes(path));
  const held = heldPaths(box, committer, new Map(head.paths.map((path) => [git.keyOf(path), path])));
  const dirty = git.dirty([...held.values()]);
  const clean = [...held].flatMap(([key, path]) =>
    dirty.has(path) ? [] : [{ kind: "path" as const, path: key }],
  );
  return decide(box, committer.session, ({ states, now, gone }) => {
    const session = resolve(states.sessions, committer.session);
    const { tree } = committer;
    const left = head.paths.flatMap((path) => {
      const edit = findEdit(states.work, tree, git.keyOf(path));
      const met =
        edit !== undefined &&
        session !== undefined &&
        edit.session !== session &&
        (gone.has(edit.session) || livedAlongside(states.sessions, edit.session, session));
      return met ? [{ ...edit, path }] : [];
    });
    const recorded = event("commit.recorded", {
      commit: head.commit,
      parents: head.parents,
      tree,
      branch: head.branch,
      session,
      paths: head.paths.slice(0, PATHS_RECORDED),
      total: head.paths.length,
      subject: head.subject.slice(0, 200),
      resolved: resolved || undefined,
    });
    const released =
      session === undefined
        ? []
        : release(states.reservations, session, "committed", { tree, targets: clean });
    const paths = head.paths.map(git.keyOf);
    const announced = announce(
      states,
      { commit: head.commit, session, tree, paths, resolved },
      (other) => box.ports.spool.read(other, tree, paths),
      { now, gone },
      policySettings(box.settings),
    );
    return {
      events: [recorded, ...released, ...announced],
      result: left.length === 0 ? "" : commitOfLeft(left),
    };
  });
}

/** Those of the committed paths, by key, that the committer has reserved by name. */
function heldPaths(
  box: Box,
  { session, tree }: Committer,
  committed: ReadonlyMap<string, string>,
): Map<string, string> {
  const { states } = look(box);
  const id = resolve(states.sessions, session);
  const mine = states.reservations.grants.filter((g) => g.session === id && g.tree === tree);
  return new Map(
    mine.flatMap(({ target }): [string, string][] => {
      const path = target.kind === "path" ? committed.get(target.path) : undefined;
      return target.kind !== "path" || path === undefined ? [] : [[target.path, path]];
    }),
  );
}

function resolve(state: Parameters<typeof findSession>[0], session: string | undefined): string | undefined {
  return session === undefined ? undefined : (findSession(state, session)?.id ?? session);
}

/** Whether anybody but the committer is live, anywhere or in one working tree: else there is nothing to guard. */
export function othersLive(box: Box, session: string | undefined, tree?: string): boolean {
  const { states, gone } = look(box);
  const id = resolve(states.sessions, session);
  return liveSessions(states.sessions).some(
    (s) => s.id !== id && !gone.has(s.id) && (tree === undefined || s.tree === tree),
  );
}
