import * as v from "valibot";

/** A non-empty string. */
export const text = () => v.pipe(v.string(), v.nonEmpty());
/** Milliseconds since the epoch. */
export const time = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A count, a size, a process id. */
export const count = () => v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** A commit id as git prints it (SHA-1 or SHA-256). */
export const commit = () => v.pipe(v.string(), v.regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/));
/** A repository-relative path with `/`, as canonicalised by `src/domain/path-key.ts`. */
export const path = () => v.string();
/** The working tree a path is in: "" is the main one, else the linked worktree's id. */
export const tree = () => v.string();
/** What a reservation covers: an exact path, a directory with all below it, or a glob. */
export const target = () =>
  v.variant("kind", [
    v.object({ kind: v.literal("path"), path: path() }),
    v.object({ kind: v.literal("dir"), path: path() }),
    v.object({ kind: v.literal("glob"), glob: text() }),
  ]);
export const targets = () => v.array(target());
/** Whoever acts: a session, or one subagent of it. */
export const holder = () => ({ session: text(), agent: v.optional(text()) });
/** The process a session lives in; `start` and `boot` tell a reused pid from the same process. */
export const process = () => v.object({ pid: count(), start: v.string(), boot: v.string() });
/** Who stands in the way of a refused request. */
export const blocker = () =>
  v.object({
    ...holder(),
    target: target(),
    since: time(),
    until: time(),
    mode: v.picklist(["exclusive", "shared"]),
  });
