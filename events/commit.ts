import * as v from "valibot";
import { blocker, commit, count, path, text, time, tree } from "./fields.ts";
import { define } from "./define.ts";

export const commitRecorded = define(
  "commit.recorded",
  "A commit was made; without a session, by a person.",
  () => ({
    commit: commit(),
    parents: v.array(commit()),
    /** Full ref name, absent when HEAD is detached. */
    branch: v.optional(text()),
    tree: tree(),
    session: v.optional(text()),
    /** Changed paths against the first parent, the first 200; a rename counts as both. */
    paths: v.array(path()),
    total: count(),
    subject: v.string(),
    /** It resolved a conflict: it is announced later than others (SYS-4). */
    resolved: v.optional(v.boolean()),
  }),
);

export const commitRefused = define(
  "commit.refused",
  "A commit held paths that another live session holds.",
  () => ({
    tree: tree(),
    session: text(),
    paths: v.array(path()),
    blockers: v.array(blocker()),
  }),
);

export const commitWarned = define(
  "commit.warned",
  "A commit held paths that another live session holds, and went through: a person's, or paths that git brought.",
  () => ({
    /** Absent for a person; a session is warned where git brought the paths (a merge, a cherry-pick). */
    session: v.optional(text()),
    tree: tree(),
    paths: v.array(path()),
    blockers: v.array(blocker()),
  }),
);

export const commitScoped = define(
  "commit.scoped",
  "A commit or a staging of everything left out what is not the session's.",
  () => ({
    session: text(),
    tree: tree(),
    /** What was left out, the first 200, and how many in all. */
    paths: v.array(path()),
    total: count(),
  }),
);

export const commitAnnounced = define(
  "commit.announced",
  "The sessions that a commit concerns can be told now.",
  () => ({
    commit: commit(),
    to: v.array(text()),
    /** Which of its paths concern each of them: the first few. */
    about: v.optional(v.array(v.object({ session: text(), paths: v.array(path()), total: count() }))),
    /** Who made it; absent for a person. */
    by: v.optional(text()),
    /** They are told from then on. */
    notBefore: v.optional(time()),
  }),
);

export const commitRewritten = define(
  "commit.rewritten",
  "Amend or rebase replaced commits by others.",
  () => ({
    how: v.string(),
    /** The first 200. */
    pairs: v.array(v.object({ from: commit(), to: commit() })),
    session: v.optional(text()),
  }),
);
