import { event } from "../../events/mod.ts";
import { ownersOf } from "../domain/ownership.ts";
import { canonicalPath } from "../domain/path-key.ts";
import { findSession } from "../domain/sessions.ts";
import { type Box, decide, look } from "./box.ts";

export interface Bypass {
  /** `undefined` is a person. */
  readonly session: string | undefined;
  readonly tree: string;
  readonly command: string;
  readonly reason: string;
  /** Uncommitted work in the tree, as git names it. */
  readonly dirty: () => readonly string[];
  /** Saves files under a rescue ref; `undefined` if there was nothing to save. */
  readonly save: (
    session: string,
    reason: string,
    files: readonly string[],
  ) => { readonly ref: string; readonly paths: readonly string[] } | undefined;
}

/** The guard is told to stand aside: what is not the caller's is saved before anything runs, and it is on record. */
export function bypassGuard(
  box: Box,
  { session, tree, command, reason, dirty, save }: Bypass,
): { readonly ref?: string; readonly paths: readonly string[] } {
  const { states, now, gone } = look(box);
  const id = session === undefined ? undefined : (findSession(states.sessions, session)?.id ?? session);
  const keys = new Map(dirty().map((path) => [path, canonicalPath(path, box)]));
  const owners = ownersOf(states, { tree, paths: [...keys.values()], session: id ?? "", now, gone });
  const atRisk = [...keys].flatMap(([path, key]) => (owners.get(key)?.kind === "mine" ? [] : [path]));
  const saved = atRisk.length === 0 ? undefined : save(id ?? "person", `before: ${command}`, atRisk);
  decide(box, session, () => ({
    events: [
      ...(saved === undefined
        ? []
        : [
            event("work.rescued", {
              session: id ?? "person",
              ref: saved.ref,
              paths: saved.paths.slice(0, 200),
              reason: `before: ${command}`,
            }),
          ]),
      event("guard.bypassed", { session: id, how: `bypass ${command}`, reason }),
    ],
    result: undefined,
  }));
  return saved === undefined ? { paths: [] } : { ref: saved.ref, paths: saved.paths };
}
