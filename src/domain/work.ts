import { fold } from "./fold.ts";
import { covers } from "./pattern.ts";

/** A file that a session was allowed to edit, and that has not been committed since. */
export interface UncommittedEdit {
  tree: string;
  path: string;
  session: string;
  /** The last edit that is known (ms). */
  at: number;
  /** It was found on disk after a command, not made by an edit tool. */
  how?: "attributed";
  /** Others have changed it too, or may have: it is nobody's alone. */
  unclear?: boolean;
}

export interface WorkState {
  /** One entry a file, the last editor's; oldest first. */
  edits: UncommittedEdit[];
}

const EDITS_KEPT = 1024;

/** Whose uncommitted changes a file may hold: it outlives leases and sessions, because the changes do. */
export const work = fold<WorkState>("work", 3, () => ({ edits: [] }), {
  "reservation.granted": (state, e, { t }) => {
    if (e.via === "command") return;
    for (const target of e.targets)
      if (target.kind === "path")
        put(state, {
          tree: e.tree,
          path: target.path,
          session: e.session,
          at: t,
          ...(e.via === "effect" ? { how: "attributed" as const } : {}),
        });
  },
  "file.written": (state, { tree, path, session, at }) => {
    const last = findEdit(state, tree, path);
    // Drained late: somebody else has been allowed to edit it since.
    if (last === undefined || last.at <= at || last.session === session)
      put(state, { tree, path, session, at });
  },
  "work.attributed": (state, { tree, paths, session, certainty }, { t }) => {
    for (const path of paths) {
      const last = findEdit(state, tree, path);
      // Over another's work it is the work of both.
      const unclear =
        certainty === "ambiguous" ||
        last?.unclear === true ||
        (last !== undefined && last.session !== session);
      if (last !== undefined && unclear) last.unclear = true;
      else
        put(state, {
          tree,
          path,
          session,
          at: t,
          how: "attributed",
          ...(unclear ? { unclear } : {}),
        });
    }
  },
  "commit.recorded": (state, e) => {
    const committed = new Set(e.paths);
    state.edits = state.edits.filter((edit) => edit.tree !== e.tree || !committed.has(edit.path));
  },
  // Who hands a file over hands over what is in it.
  "handoff.accepted": (state, e) => {
    for (const edit of state.edits)
      if (
        edit.session === e.to &&
        edit.tree === e.tree &&
        (e.targets ?? []).some((t) => covers(t, edit.path))
      )
        edit.session = e.from;
  },
  "session.continued": (state, e) => {
    for (const edit of state.edits) if (edit.session === e.from) edit.session = e.session;
  },
});

function put(state: WorkState, edit: UncommittedEdit): void {
  state.edits = state.edits.filter(({ tree, path }) => tree !== edit.tree || path !== edit.path);
  state.edits.push(edit);
  if (state.edits.length > EDITS_KEPT) state.edits.shift();
}

/** The last edit of a file that has not been committed. */
export function findEdit(state: WorkState, tree: string, path: string): UncommittedEdit | undefined {
  return state.edits.find((edit) => edit.tree === tree && edit.path === path);
}
