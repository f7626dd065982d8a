import { boxDirOf, isInstalled, openBox } from "../../src/adapters/box.ts";
import { deny, editedPath, tell } from "../../src/adapters/claude.ts";
import { locate, type Repo } from "../../src/adapters/locate.ts";
import { gateEdit } from "../../src/app/edit-gate.ts";
import { deliverPressing } from "../../src/app/interrupt.ts";
import type { Box } from "../../src/app/box.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";

/**
 * The gate: PreToolUse of the edit tools. What counts is where the file is, not where the session sits
 * (docs/paths.md): a file in another repository with signalbox is that one's matter; outside any, or inside a
 * gitdir, it is nobody's.
 */
export const preEdit: ClaudeHandler = ({ input, box: own }) => {
  const file = editedPath(input);
  if (file === undefined) return "";
  const where = locate(file, own);
  if (where.kind === "unreadable") throw new Error(`cannot tell whose file ${file} is: ${where.why}`);
  if (where.kind !== "tracked-tree") return "";
  const box = boxOf(where.repo, own);
  if (box === undefined) return "";
  const verdict = gateEdit(box, { ...callerOf(input), tree: where.repo.tree }, where.path);
  if (verdict.kind === "refused") return deny(verdict.reason);
  const notes = [verdict.note, deliverPressing(box, input.session_id)].filter((note) => note !== "");
  return notes.length === 0 ? "" : tell("PreToolUse", notes.join("\n"));
};

function boxOf(repo: Repo, own: Box): Box | undefined {
  if (boxDirOf(repo.commonDir) === own.dir) return own;
  return isInstalled(repo.commonDir) ? openBox(boxDirOf(repo.commonDir), repo.top) : undefined;
}
