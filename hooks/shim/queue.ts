import { join } from "node:path";
import { takeMutex } from "../../src/adapters/mutex.ts";
import { busy } from "../../src/app/messages.ts";
import type { Operation } from "../../src/domain/git-command-operation.ts";
import type { ShimCall } from "./call.ts";

/** One at a time: it moves HEAD, or the stash, whose entries go by numbers that move. */
export function waitsItsTurn({ kind }: Operation): boolean {
  return ["commit", "merge", "reset", "rebase", "switch", "step", "stash"].includes(kind);
}

/** Verbs that compare nothing with what it was: two at once could drop a commit, or the other's entry. */
function isBlind({ kind }: Operation): boolean {
  return kind === "reset" || kind === "step" || kind === "rebase" || kind === "stash";
}

/**
 * Commands that move HEAD go one after the other. Whoever has waited too long goes on without: git's own
 * compare-and-swap keeps that right, where there is one; where there is none the command is refused.
 */
export function takeTurn(
  { box, session, env }: ShimCall,
  operation: Operation,
): { readonly lock?: string; readonly refused?: string } {
  if (box.settings["commit.lock"] === "none" && !isBlind(operation)) return {};
  // An editor may stay open for hours.
  if (operation.kind === "commit" && (operation.message === "editor" || operation.interactive)) return {};
  const { processes } = box.ports;
  const holder = processes.identify(Number(env["SIGNALBOX_PPID"]));
  if (holder === undefined) return {};
  const what = operation.command?.verb ?? operation.kind;
  const taken = takeMutex(join(box.dir, "locks", "commit"), { session, process: holder, what }, processes, {
    waitMs: box.settings["commit.lockWaitSeconds"] * 1000,
    inherited: env["SIGNALBOX_LOCK"],
  });
  if (taken.kind === "taken") return { lock: taken.file };
  if (taken.kind === "timeout" && isBlind(operation)) return { refused: busy(what, taken.holder) };
  return {};
}
