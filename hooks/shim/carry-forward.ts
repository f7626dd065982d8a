import { basename } from "node:path";
import { healIndex } from "../../src/app/isolation.ts";
import type { Healed } from "../../src/app/ports.ts";
import type { ShimCall } from "./call.ts";

export interface Carried {
  /** The gitdir to use; "" for the tree's own. */
  readonly gitDir: string;
  readonly healed?: Healed;
  /** The branch of what the session has to conclude, while its tree is on another. */
  readonly startedOn?: string | undefined;
}

/** Puts the session's gitdir where its tree is: on the same branch, what is staged carried forward to HEAD. */
export function carryForward({ box, own, session, gitdirs }: ShimCall): Carried {
  if (own === "") return { gitDir: "" };
  const followed = gitdirs.follow(own);
  if (followed === "own-operation") return { gitDir: own, startedOn: gitdirs.startedOn(own) };
  // Held by another git of the session: it stays as it is.
  if (followed === "busy") return { gitDir: own };
  if (followed !== "same" && followed !== "moved") return { gitDir: "" };
  const heal = () => healIndex(box, { session, gitdir: basename(own), gitDir: own }, gitdirs);
  const healed = heal();
  // Maybe git cannot read the index: it is made anew then.
  if (healed.kind !== "deferred" || healed.why !== "failed") return { gitDir: own, healed };
  gitdirs.ensure(session);
  return { gitDir: own, healed: heal() };
}
