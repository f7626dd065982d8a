import { basename } from "node:path";
import { healIndex } from "../../src/app/isolation.ts";
import type { Healed } from "../../src/app/ports.ts";
import type { ShimCall } from "./call.ts";

export interface Carried {
  /** The gitdir to use; "" for the tree's own. */
  readonly gitDir: string;
  readonly healed?: Healed;
}

/** Puts the session's gitdir where its tree is: on the same branch, what is staged carried forward to HEAD. */
export function carryForward({ box, own, session, gitdirs }: ShimCall): Carried {
  if (own === "") return { gitDir: "" };
  const followed = gitdirs.follow(own);
  // In the middle of a merge of its own, or held by another git of the session: it stays as it is.
  if (followed === "own-operation" || followed === "busy") return { gitDir: own };
  if (followed !== "same" && followed !== "moved") return { gitDir: "" };
  const healed = healIndex(box, { session, gitdir: basename(own), gitDir: own }, gitdirs);
  return { gitDir: own, healed };
}
