/**
 * Work of sessions that have ended or died, not committed by anybody: it is nobody's who could be asked, and whoever
 * is alone in the tree may do as they like. It is saved before it is thrown away.
 */
import { event, type Event } from "../../events/mod.ts";
import type { Operation } from "../domain/git-command-operation.ts";
import { canonicalPath } from "../domain/path-key.ts";
import { findSession } from "../domain/sessions.ts";
import type { States } from "../domain/mod.ts";
import { type Box, decide, look } from "./box.ts";
import { leftBehindSaved } from "./messages.ts";

export interface Threat {
  readonly session: string;
  readonly tree: string;
  readonly operation: Operation;
  /** Uncommitted work in the tree, as git names it. */
  readonly dirty: () => readonly string[];
  /** Saves files under a rescue ref; `undefined` if there was nothing to save. */
  readonly save: (
    session: string,
    reason: string,
    files: readonly string[],
  ) => { readonly ref: string; readonly paths: readonly string[] } | undefined;
}

/** Saves what such sessions have left in this tree, if the command may throw it away. Answers with what to say. */
export function saveLeftBehind(box: Box, { session, tree, operation, dirty, save }: Threat): string {
  const { states, gone } = look(box);
  const me = findSession(states.sessions, session)?.id ?? session;
  const left = leftIn(
    states,
    tree,
    (id) => id === me || (findSession(states.sessions, id) !== undefined && !gone.has(id)),
  );
  if (left.size === 0) box.ports.views.noneLeft(tree);
  if (left.size === 0 || !throwsAway(operation)) return "";
  const bySession = new Map<string, string[]>();
  for (const path of dirty()) {
    const owner = left.get(canonicalPath(path, box));
    if (owner !== undefined) bySession.set(owner, [...(bySession.get(owner) ?? []), path]);
  }
  if (bySession.size === 0) box.ports.views.noneLeft(tree);
  const reason = `before: git ${operation.command?.verb ?? operation.kind}`;
  const saved = [...bySession].flatMap(([owner, files]) => {
    const rescue = save(owner, reason, files);
    return rescue === undefined ? [] : [{ session: owner, ...rescue }];
  });
  if (saved.length === 0) return "";
  const events: Event[] = saved.map(({ ref, paths, session: owner }) =>
    event("work.rescued", { session: owner, ref, paths: paths.slice(0, 200), reason }),
  );
  decide(box, session, () => ({ events, result: undefined }));
  return saved.map(leftBehindSaved).join("\n");
}

/** Paths and who changed them last, of sessions that are not there any more. */
function leftIn(states: States, tree: string, isThere: (session: string) => boolean): Map<string, string> {
  return new Map(
    states.work.edits.flatMap((edit): [string, string][] =>
      edit.tree === tree && !isThere(edit.session) ? [[edit.path, edit.session]] : [],
    ),
  );
}

/** What is on disk and not committed may be gone afterwards, and in no stash. */
function throwsAway(operation: Operation): boolean {
  switch (operation.kind) {
    case "discard":
      return true;
    case "reset":
      return operation.mode !== "soft" && operation.mode !== "mixed";
    case "switch":
      return operation.force;
    case "step":
      return operation.step === "abort" || operation.step === "skip";
    default:
      return false;
  }
}
