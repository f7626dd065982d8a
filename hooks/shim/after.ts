import { event } from "../../events/mod.ts";
import { isAncestor, lastMove } from "../../src/adapters/git/guard-git.ts";
import { readBase, writeBase } from "../../src/adapters/git/index-file.ts";
import { carryStash } from "../../src/adapters/git/stash.ts";
import { isHeld, keepTip, unnamedStashes } from "../../src/adapters/git/rescue.ts";
import { changedBetween, commitOf, stashEntries } from "../../src/adapters/git/work-tree.ts";
import { attributeUndone } from "../../src/app/attribution.ts";
import { decide } from "../../src/app/box.ts";
import { findSession } from "../../src/domain/sessions.ts";
import type { ShimCall } from "./call.ts";

/**
 * - `base:<commit>`: if all went well, what is staged is relative to that commit;
 * - `moved`: HEAD may have moved, and not every verb has a hook that tells: people's index follows, and a tip that
 *   no branch holds any more is kept;
 * - `undone`: HEAD went back over the session's own commits, and the files stayed;
 * - `keep:<commit>`: it was a branch's tip, and is kept if none holds it any more;
 * - `soft`: what is staged is relative to where HEAD is now, not to where it was;
 * - `unstashed`: git has put uncommitted work aside and not put it back; what it is in gets a name;
 * - `stash:<the newest entry before>`: the one that is new is this session's.
 */
export function after(call: ShimCall, [rc = "", from = "", ...words]: readonly string[]): string {
  const { own, at, cwd, gitdirs } = call;
  const here = { cwd, gitDir: own || at.nativeGitDir, workTree: at.top };
  const say: string[] = [];
  for (const word of words) {
    if (word === "soft" && own !== "") {
      // By this gitdir's own reflog: another session may have committed on top since.
      const move = lastMove(here);
      if (move?.why.startsWith("reset:") === true && move.to !== from) writeBase(own, move.to);
    } else if (word.startsWith("base:")) {
      if (rc === "0" && own !== "") writeBase(own, word.slice("base:".length));
    } else if (word === "undone" && rc === "0") {
      const head = commitOf(here, "HEAD");
      if (head !== undefined && from !== "" && isAncestor(here, head, from))
        attributeUndone(call.box, call, changedBetween(here, head, from));
    } else if (word.startsWith("keep:")) {
      const tip = word.slice("keep:".length);
      if (!isHeld(here, tip)) keepTip(here, tip);
    } else if (word === "unstashed")
      say.push(...unnamedStashes(here, at.commonDir).map((found) => putAside(keepTip(here, found))));
    else if (word.startsWith("stash:")) recordStash(call, here, word.slice("stash:".length));
    else if (word === "moved") {
      const head = commitOf(here, "HEAD");
      if (head !== undefined && from !== "" && head !== from && !isAncestor(here, from, head))
        keepTip(here, from);
    }
  }
  if (words.includes("moved")) gitdirs.heal(at.nativeGitDir);
  return say.join("\n");
}

function putAside(ref: string): string {
  return `signalbox: git has put all uncommitted work in this tree aside and could not put it back; it is in ${ref}: git stash apply --index ${ref}`;
}

function recordStash(
  { box, session, tree, own }: ShimCall,
  here: Parameters<typeof carryStash>[0],
  newest: string,
): void {
  const made = stashEntries(here)[0];
  if (made === undefined || made === newest) return;
  // A person may have committed in between: nobody else waits for the stash's turn, and nobody for theirs.
  const entry = carryStash(here, made, own === "" ? undefined : readBase(own));
  decide(box, session, ({ states }) => {
    const id = findSession(states.sessions, session)?.id ?? session;
    return { events: [event("work.stashed", { session: id, tree, entry })], result: undefined };
  });
}
