/**
 * Each session's own index (docs/isolation.md): a private gitdir over the shared working tree, on the same branch.
 * An index is a commit, its base, and what is staged on top; when HEAD has moved on, what is staged is carried
 * forward to it. That holds for the index that people use just as well.
 */
import { event, type Event } from "../../events/mod.ts";
import { type IndexRecord, indexesOf, orphans } from "../domain/indexes.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { refreshDue } from "../policy/mod.ts";
import { type Box, decide, look } from "./box.ts";
import { recordFailure } from "./failure.ts";
import type { Gitdirs, Healed, Home } from "./ports.ts";
import { policySettings } from "./settings.ts";

/** Sessions without a sign of life for so long, whose process is gone, have left their index behind (SYS-2). */
const ORPHANED_AFTER_MS = 24 * 3_600_000;

/** Gives a session an index of its own in its working tree, the one it had if it had one. */
export function isolate(box: Box, session: string, tree: string, gitdirs: Gitdirs): void {
  const { states } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  const record = indexesOf(states.indexes, id).find((index) => index.tree === tree);
  const there = record === undefined ? undefined : gitdirs.find(record.gitdir);
  box.ports.views.addIn(session, tree);
  healIndex(box, { session: id, gitdir: "", gitDir: gitdirs.at.nativeGitDir }, gitdirs);
  if (there !== undefined) {
    settle(box, session, tree, there, gitdirs);
    return;
  }
  const made = gitdirs.ensure(id);
  if (made.kind === "none") {
    settle(box, session, tree, "", gitdirs);
    return;
  }
  decide(box, session, (now) => {
    const known = now.states.indexes.indexes[made.id];
    const created = event("index.created", { session: id, gitdir: made.id, tree, base: made.base });
    return { events: known?.session === id ? [] : [created], result: undefined };
  });
  settle(box, session, tree, made.gitDir, gitdirs);
}

function settle(box: Box, session: string, tree: string, gitDir: string, gitdirs: Gitdirs): void {
  const home: Home = { ...gitdirs.at, tree, gitDir, fsmonitor: gitdirs.fsmonitor() };
  box.ports.views.setHome(session, home);
}

/** An index to carry forward: whose it is, its id ("" for the one people use), and its gitdir. */
export interface IndexOf {
  readonly session: string | undefined;
  readonly gitdir: string;
  readonly gitDir: string;
}

/** Carries an index forward to HEAD, and records it if a session owns it. */
export function healIndex(box: Box, index: IndexOf, gitdirs: Gitdirs): Healed {
  const healed = gitdirs.heal(index.gitDir);
  if (healed.kind === "healed" && index.gitdir !== "" && index.session !== undefined)
    recordHeal(box, index.session, index.gitdir, healed);
  return healed;
}

function recordHeal(
  box: Box,
  session: string,
  gitdir: string,
  { from, to, conflicted }: Extract<Healed, { kind: "healed" }>,
): void {
  const events: Event[] = [
    conflicted.length > 0
      ? event("index.conflicted", { session, gitdir, to, paths: conflicted.slice(0, 200) })
      : event("index.refreshed", { session, gitdir, from, to }),
  ];
  decide(box, session, () => ({ events, result: undefined }));
}

/** The index of a session that is to follow HEAD now although no git command of its own asks for it; mostly none. */
export function indexToRefresh(box: Box, session: string, tree: string): IndexRecord | undefined {
  const { states, now } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  return refreshDue(states, { session: id, tree }, now, policySettings(box.settings));
}

/**
 * After a branch switch in a working tree, by whomever: its files are that branch's, so every gitdir of the tree is
 * to be on it.
 *
 * @param switched the gitdir in which git switched
 */
export function followAll(gitdirs: Gitdirs, switched: string): void {
  if (switched !== gitdirs.at.nativeGitDir) gitdirs.lead(switched);
  for (const { gitDir } of gitdirs.all()) if (gitDir !== switched) gitdirs.follow(gitDir);
}

/**
 * A session's indexes go with it; what was staged in them stands under a rescue ref. If nobody else is at work, it is
 * staged in the index that people use as well: they may have asked for just that.
 */
export function retire(box: Box, session: string, gitdirs: Gitdirs): void {
  const { states, gone } = look(box);
  if (findSession(states.sessions, session) !== undefined) return;
  if (liveSessions(states.sessions).every((s) => gone.has(s.id))) {
    for (const { gitdir } of indexesOf(states.indexes, session)) {
      const gitDir = gitdirs.find(gitdir);
      if (gitDir !== undefined) gitdirs.handOver(gitDir);
    }
  }
  removeIndexes(box, indexesOf(states.indexes, session), gitdirs, "its session ended");
}

/** Private gitdirs that nobody uses: of sessions not live and not heard of for so long, or on nobody's record. */
export function leftBehind(box: Box, gitdirs: Gitdirs, olderThanMs = ORPHANED_AFTER_MS): Left[] {
  const { states, now, gone } = look(box);
  const live = new Set(liveSessions(states.sessions).flatMap(({ id }) => (gone.has(id) ? [] : [id])));
  const old = orphans(states.indexes, live).filter(
    ({ createdAt, healedAt }) => now - (healedAt ?? createdAt) >= olderThanMs,
  );
  const unknown = gitdirs
    .all()
    .filter(({ id }) => !Object.hasOwn(states.indexes.indexes, id))
    .filter(({ session }) => !live.has(findSession(states.sessions, session)?.id ?? session));
  return [...old, ...unknown.map(({ id, session }) => ({ gitdir: id, session }))];
}

type Left = Pick<IndexRecord, "gitdir" | "session">;

/** Removes what sessions left behind that never said goodbye. */
export function sweepIndexes(box: Box, gitdirs: Gitdirs): void {
  removeIndexes(box, leftBehind(box, gitdirs), gitdirs, "its session is gone");
}

function removeIndexes(box: Box, indexes: readonly Left[], gitdirs: Gitdirs, reason: string): void {
  for (const { gitdir, session } of indexes) {
    try {
      const { rescue, paths } = gitdirs.remove(gitdir, session);
      const rescued =
        rescue === undefined
          ? []
          : [event("work.rescued", { session, ref: rescue, paths: paths.slice(0, 200), reason })];
      const removed = event("index.removed", { session, gitdir, rescue });
      decide(box, undefined, () => ({ events: [...rescued, removed], result: undefined }));
    } catch (error) {
      // What cannot be saved stays where it is, and keeps nobody.
      recordFailure(box, `removing the index of session ${session}`, error, session);
    }
  }
  const { states, gone } = look(box);
  if (gitdirs.all().length === 0 && liveSessions(states.sessions).every((s) => gone.has(s.id)))
    gitdirs.forget();
}
