import type { States } from "./mod.ts";
import { covers } from "./pattern.ts";
import type { Grant } from "./reservations.ts";
import { findSession } from "./sessions.ts";
import type { UncommittedEdit } from "./work.ts";

/** What attribution may have said of it. */
type LastEdit = UncommittedEdit & {
  readonly how?: "attributed" | undefined;
  /** Several have changed it, or may have. */
  readonly unclear?: boolean | undefined;
};

/** Whose uncommitted work a path holds, as one session sees it. */
export type Owner =
  | { kind: "mine" }
  /** Another live session's; `since` (ms) when it reserved or last changed it. */
  | { kind: "session"; session: string; since: number; how: "reservation" | "edit" | "attributed" }
  /**
   * No live session's for sure: a person's, of a session that has ended, or not clear. `session` is that one, or the
   * one that may have changed it.
   */
  | { kind: "unknown"; session?: string; since?: number };

export interface OwnershipQuestion {
  readonly tree: string;
  /** Canonical paths (`path-key.ts`). */
  readonly paths: readonly string[];
  /** Who asks; "" is a person, who is never "mine". */
  readonly session: string;
  /** ms */
  readonly now: number;
  /** Sessions proven gone. */
  readonly gone: ReadonlySet<string>;
}

/**
 * Whose each path is. A running exclusive lease decides; then who changed it last and has not committed it. A lease
 * taken by hand says what is to come, not what is there: what another live session has changed stays that one's. A
 * shared lease of somebody who changed the file makes it theirs too, and nobody's alone.
 */
export function ownersOf(states: States, question: OwnershipQuestion): Map<string, Owner> {
  const { paths, session, gone } = question;
  const me = findSession(states.sessions, session)?.id ?? session;
  const isOther = (id: string) =>
    id !== me && !gone.has(id) && findSession(states.sessions, id) !== undefined;
  const leasesOn = leaseFinder(states.reservations.grants, question);
  const edits = new Map(
    states.work.edits.flatMap((e): [string, LastEdit][] => (e.tree === question.tree ? [[e.path, e]] : [])),
  );
  const judge = (path: string): Owner => {
    const leases = leasesOn(path);
    const last = edits.get(path);
    const edit = last?.unclear === true ? undefined : last;
    const theirs = leases.find((g) => g.mode === "exclusive" && isOther(g.session));
    if (theirs !== undefined) return heldBy(theirs);
    const mine = leases.filter((g) => g.session === me);
    if (edit?.session === me || mine.some(byChange)) return { kind: "mine" };
    if (edit !== undefined && isOther(edit.session))
      return { kind: "session", session: edit.session, since: edit.at, how: edit.how ?? "edit" };
    if (mine.some((g) => g.mode === "exclusive")) return { kind: "mine" };
    const changed = leases.find((g) => byChange(g) && isOther(g.session));
    if (changed !== undefined) return heldBy(changed);
    return last === undefined
      ? { kind: "unknown" }
      : { kind: "unknown", session: last.session, since: last.at };
  };
  return new Map(paths.map((path) => [path, judge(path)]));
}

/** The lease came with a change of the file, not by hand. */
function byChange({ via }: Grant): boolean {
  return via !== "command";
}

function heldBy({ session, since, via }: Grant): Owner {
  return { kind: "session", session, since, how: via === "effect" ? "attributed" : "reservation" };
}

/** Running leases by the path they cover, longest held first; paths are many, and most leases are on one. */
function leaseFinder(grants: readonly Grant[], { tree, now }: OwnershipQuestion): (path: string) => Grant[] {
  const running = grants.filter((g) => g.tree === tree && g.until > now);
  const exact = new Map<string, Grant[]>();
  const wide: Grant[] = [];
  for (const grant of running) {
    if (grant.target.kind === "path") {
      const known = exact.get(grant.target.path);
      if (known === undefined) exact.set(grant.target.path, [grant]);
      else known.push(grant);
    } else wide.push(grant);
  }
  return (path) =>
    [...(exact.get(path) ?? []), ...wide.filter((g) => covers(g.target, path))].sort(
      (a, b) => a.since - b.since,
    );
}
