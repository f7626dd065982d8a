import { shellQuoted } from "../../src/app/install/entry.ts";
import type { GuardGit } from "../../src/app/ports.ts";
import { go, type ShimAnswer } from "./answer.ts";
import type { ShimCall } from "./call.ts";

/**
 * Git runs a `!` alias with its own folder of programs first on PATH, past the shim; so the shim runs it, as git would
 * (git-config(1), alias.*): at the top of the working tree.
 */
export function shellAlias({ at, prefix }: ShimCall, git: GuardGit, argv: readonly string[]): ShimAnswer {
  const i = argv.findIndex((word) => git.aliasOf(word)?.trimStart().startsWith("!") === true);
  const text = i < 0 ? undefined : git.aliasOf(argv[i]!)?.trimStart().slice(1);
  // By way of another alias: left to git.
  if (text === undefined) return go([]);
  const words = ["sh", "-c", `${text} "$@"`, text, ...argv.slice(i + 1)];
  return go([
    `cd ${shellQuoted(at.top)} && GIT_PREFIX=${shellQuoted(prefix)} && export GIT_PREFIX`,
    `set -- ${words.map(shellQuoted).join(" ")}`,
    "git=env gd= verb=",
  ]);
}
