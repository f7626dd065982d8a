import { event, type Event } from "../../events/mod.ts";
import type { States } from "../domain/mod.ts";
import { covers } from "../domain/pattern.ts";
import { activeGrants } from "../domain/reservations.ts";
import { liveSessions } from "../domain/sessions.ts";
import type { PolicySettings } from "./settings.ts";

/** A commit that others may have to hear of. */
export interface Announced {
  readonly commit: string;
  /** Who made it; absent for a person. */
  readonly session: string | undefined;
  readonly tree: string;
  /** What it changed, canonical. */
  readonly paths: readonly string[];
  /** It resolved a conflict: those who hear of it may rebase and conflict in their turn (SYS-4). */
  readonly resolved: boolean;
}

/** So many paths are named to each. */
const NAMED = 3;

/**
 * Tells of a commit those whose hands it touches, and nobody else: who has reserved, edited or recently read what it
 * changed, in the same working tree. What N sessions hear of a commit is what concerns them, not N × all (FINDINGS:
 * message complexity).
 *
 * @param read which of the commit's paths a session has read of late
 */
export function announce(
  states: States,
  { commit, session, tree, paths, resolved }: Announced,
  read: (session: string) => ReadonlySet<string>,
  { now, gone }: { readonly now: number; readonly gone: ReadonlySet<string> },
  settings: PolicySettings,
): Event[] {
  const grants = activeGrants(states.reservations, now).filter((g) => g.tree === tree);
  const edits = states.work.edits.filter((edit) => edit.tree === tree);
  const about = liveSessions(states.sessions)
    .filter((other) => other.id !== session && other.tree === tree && !gone.has(other.id))
    .flatMap(({ id }) => {
      const held = grants.filter((g) => g.session === id);
      const edited = new Set(edits.flatMap((edit) => (edit.session === id ? [edit.path] : [])));
      const seen = read(id);
      const concerned = paths.filter(
        (path) => seen.has(path) || edited.has(path) || held.some((g) => covers(g.target, path)),
      );
      if (concerned.length === 0) return [];
      return [{ session: id, paths: concerned.slice(0, NAMED), total: concerned.length }];
    });
  if (about.length === 0) return [];
  const notBefore = resolved ? now + settings.announce.resolvedMs : undefined;
  const to = about.map((each) => each.session);
  return [event("commit.announced", { commit, to, about, by: session, notBefore })];
}
