import { basename, dirname, relative, sep } from "node:path";
import { gitdirsOf } from "../../src/adapters/git/gitdirs.ts";
import type { Box } from "../../src/app/box.ts";
import { sessionOf } from "../../src/app/identity.ts";
import type { Gitdirs, TreeAt } from "../../src/app/ports.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** One call of a session's `git`, as the shim has found it. */
export interface ShimCall {
  readonly box: Box;
  readonly env: Env;
  readonly session: string;
  /** "" for the main working tree, else the linked worktree's id. */
  readonly tree: string;
  readonly at: TreeAt;
  readonly gitdirs: Gitdirs;
  /** The session's private gitdir for this tree; "" if it has none. */
  readonly own: string;
  /** Where the command runs, `-C` included. */
  readonly cwd: string;
  /** The same below the tree's top: "" or "src/lib/". */
  readonly prefix: string;
  /** Others may be at work in this tree: to be looked up. */
  readonly others: boolean;
}

export function shimCall(box: Box, env: Env): ShimCall {
  const top = env["SIGNALBOX_TOP"] ?? "";
  const at: TreeAt = { commonDir: dirname(box.dir), nativeGitDir: env["SIGNALBOX_NATIVE"] ?? "", top };
  const cwd = env["SIGNALBOX_AT"] || top;
  const below = relative(top, cwd).split(sep).join("/");
  return {
    box,
    env,
    session: sessionOf(env) ?? "",
    tree: at.nativeGitDir === at.commonDir ? "" : basename(at.nativeGitDir),
    at,
    gitdirs: gitdirsOf(at),
    own: env["SIGNALBOX_OWN"] ?? "",
    cwd,
    prefix: below === "" || below.startsWith("..") ? "" : `${below}/`,
    others: (env["SIGNALBOX_OTHERS"] ?? "") !== "",
  };
}
