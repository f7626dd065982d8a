import { FOLDS } from "../domain/mod.ts";
import { covers, type Target } from "../domain/pattern.ts";
import { activeGrants } from "../domain/reservations.ts";
import type { Moment } from "./replay.ts";

/** What somebody had to do with a file, oldest first; times in ms. */
export type Deed =
  | {
      readonly kind: "held";
      readonly session: string;
      /** How it came to be held: "edit", "reserve", "wait". */
      readonly via: string;
      readonly from: number;
      /** `undefined`: it is held at the end of the story. */
      readonly to: number | undefined;
      /** Edits of the file meanwhile. */
      readonly writes: number;
    }
  | { readonly kind: "wrote"; readonly session: string; readonly at: number; readonly how: string }
  | {
      readonly kind: "refused";
      readonly session: string;
      readonly at: number;
      readonly holders: readonly string[];
    }
  | {
      readonly kind: "committed";
      /** `undefined`: a person. */
      readonly session: string | undefined;
      readonly at: number;
      readonly commit: string;
      readonly subject: string;
    };

interface Hold {
  readonly session: string;
  readonly via: string;
  readonly from: number;
  until: number;
  writes: number;
}

/**
 * Who held, wrote and committed a file, and who was refused it. Directories and globs that cover it count. In one
 * pass, in memory that grows with the answer alone.
 *
 * @param path canonical, relative to the top of its working tree
 * @param tree the working tree it is in; `undefined`: in any
 */
export function blame(story: Iterable<Moment>, path: string, tree?: string): Deed[] {
  const reservations = FOLDS.reservations.initial();
  const sessions = FOLDS.sessions.initial();
  const holds = new Map<string, Hold>();
  const deeds: { readonly at: number; readonly deed: Deed }[] = [];
  const end = ({ session, via, from, until, writes }: Hold, at: number | undefined) => {
    const to = at === undefined ? undefined : Math.min(at, until);
    deeds.push({ at: from, deed: { kind: "held", session, via, from, to, writes } });
  };

  for (const { seq, t, event: e } of story) {
    FOLDS.sessions.evolve(sessions, e, { seq, t });
    FOLDS.reservations.evolve(reservations, e, { seq, t });
    const isHere = (one: { readonly tree?: string | undefined }) =>
      tree === undefined || (one.tree ?? "") === tree;
    const holding = activeGrants(reservations, t).filter((g) => isHere(g) && covers(g.target, path));
    const present = new Set(holding.map(({ session }) => session));
    for (const [session, hold] of holds)
      if (!present.has(session)) {
        end(hold, t);
        holds.delete(session);
      }
    for (const { session, until } of holding) {
      const hold = holds.get(session);
      if (hold === undefined) {
        const via = e.type === "reservation.granted" ? e.via : e.type;
        holds.set(session, { session, via, from: t, until, writes: 0 });
      } else hold.until = until;
    }
    if (e.type === "file.written" && e.path === path && isHere(e)) {
      const hold = holds.get(e.session);
      if (hold === undefined)
        deeds.push({ at: t, deed: { kind: "wrote", session: e.session, at: t, how: "unreserved" } });
      else hold.writes += 1;
    }
    if (
      e.type === "reservation.refused" &&
      isHere(e) &&
      e.targets.some((target: Target) => covers(target, path))
    ) {
      const holders = [...new Set(e.blockers.map((blocker) => blocker.session))];
      deeds.push({ at: t, deed: { kind: "refused", session: e.session, at: t, holders } });
    }
    if (e.type === "commit.recorded" && isHere(e) && e.paths.includes(path)) {
      const { session, commit, subject } = e;
      deeds.push({ at: t, deed: { kind: "committed", session, at: t, commit, subject } });
    }
  }
  for (const hold of holds.values()) end(hold, undefined);
  return deeds.sort((a, b) => a.at - b.at).map(({ deed }) => deed);
}
