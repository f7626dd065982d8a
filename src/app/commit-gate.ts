import { event } from "../../events/mod.ts";
import { asBlocker, inTheWayOf, release } from "../domain/reservations.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { type Box, decide, look } from "./box.ts";
import { commitRefused, commitWarned } from "./messages.ts";
import type { Git } from "./ports.ts";

/** Who commits, and in which working tree; without a session it is a person. */
export interface Committer {
  readonly session?: string | undefined;
  readonly tree: string;
}

export type CommitVerdict =
  | { readonly kind: "go"; readonly note: string }
  | { readonly kind: "refused"; readonly reason: string };

/** An event holds at most so many paths; the rest is in git. */
const PATHS_RECORDED = 200;

/**
 * The gate before a commit: a session may not commit what another live session holds; a person may, and is told.
 *
 * @param skipped pre-commit did not run (`-n`): the same rule, and on record
 */
export function checkCommit(box: Box, committer: Committer, git: Git, skipped: boolean): CommitVerdict {
  const named = new Map(git.stagedPaths().map((path) => [git.keyOf(path), path]));
  const paths = [...named.keys()];
  const brought = new Set(git.broughtPaths());
  const plain = skipped && !git.inOperation();
  return decide<CommitVerdict>(box, committer.session, ({ states, now, gone }) => {
    const session = resolve(states.sessions, committer.session);
    const { tree } = committer;
    const bypass = plain ? [event("guard.bypassed", { how: "commit --no-verify", session })] : [];
    const found = inTheWayOf(states.reservations, { session, tree, paths }, { now, gone });
    // As git has them: what is said is to be typed again.
    const inTheWay = found.map(({ grant, paths: keys }) => ({
      grant,
      paths: keys.map((key) => named.get(key) ?? key),
    }));
    if (inTheWay.length === 0) return { events: bypass, result: { kind: "go", note: "" } };

    // What git itself has put there is in the files already; a veto would only leave the operation hanging.
    const vetoed = inTheWay.flatMap(({ grant, paths: all }) => {
      const own = all.filter((path) => !brought.has(path));
      return own.length === 0 ? [] : [{ grant, paths: own }];
    });
    const warns = session === undefined || vetoed.length === 0 || (skipped && !plain);
    const said = warns ? inTheWay : vetoed;
    const held = [...new Set(said.flatMap((each) => each.paths))].slice(0, PATHS_RECORDED);
    const blockers = said.map(({ grant }) => asBlocker(grant));
    if (session === undefined || warns) {
      const warned = event("commit.warned", { session, tree, paths: held, blockers });
      return { events: [...bypass, warned], result: { kind: "go", note: commitWarned(said) } };
    }
    const refused = event("commit.refused", { tree, session, paths: held, blockers });
    return {
      events: [...bypass, refused],
      result: { kind: "refused", reason: commitRefused(said, now) },
    };
  });
}

/** After a commit: it is recorded, and its session lets go of what it committed whole. */
export function recordCommit(box: Box, committer: Committer, git: Git): void {
  const head = git.headCommit();
  if (head === undefined) return;
  const held = heldPaths(box, committer, new Map(head.paths.map((path) => [git.keyOf(path), path])));
  const dirty = git.dirty([...held.values()]);
  const clean = [...held].flatMap(([key, path]) =>
    dirty.has(path) ? [] : [{ kind: "path" as const, path: key }],
  );
  decide(box, committer.session, ({ states }) => {
    const session = resolve(states.sessions, committer.session);
    const { tree } = committer;
    const recorded = event("commit.recorded", {
      commit: head.commit,
      parents: head.parents,
      tree,
      branch: head.branch,
      session,
      paths: head.paths.slice(0, PATHS_RECORDED),
      total: head.paths.length,
      subject: head.subject.slice(0, 200),
    });
    const released =
      session === undefined
        ? []
        : release(states.reservations, session, "committed", { tree, targets: clean });
    return { events: [recorded, ...released], result: undefined };
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

/** Whether anybody but the committer is live: else there is nothing to guard. */
export function othersLive(box: Box, session: string | undefined): boolean {
  const { states, gone } = look(box);
  const id = resolve(states.sessions, session);
  return liveSessions(states.sessions).some((s) => s.id !== id && !gone.has(s.id));
}
