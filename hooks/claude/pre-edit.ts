import { boxDirOf, isInstalled, openBox } from "../../src/adapters/box.ts";
import { deny, editedPath, tell } from "../../src/adapters/claude.ts";
import { locate, type Repo } from "../../src/adapters/locate.ts";
import { gateEdit } from "../../src/app/edit-gate.ts";
import type { Box } from "../../src/app/box.ts";
import type { Caller } from "../../src/app/attendance.ts";
import { recordFailure } from "../../src/app/failure.ts";
import { healIndex, indexToRefresh } from "../../src/app/isolation.ts";
import { deliverNews } from "../../src/app/turn.ts";
import { gitdirsIn } from "../git/call.ts";
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
  const caller = { ...callerOf(input), tree: where.repo.tree };
  // A subagent's turn is not its session's.
  const news = caller.agent === undefined ? deliverNews(box, caller.session) : "";
  const verdict = gateEdit(box, caller, where.path);
  if (verdict.kind === "refused") return deny([verdict.reason, news].filter(Boolean).join("\n"));
  pullIndex(box, caller, where.repo);
  const note = [news, verdict.note].filter(Boolean).join("\n");
  return note === "" ? "" : tell("PreToolUse", note);
};

/** While commits are few the session's index follows HEAD here, ahead of its next git command (SYS-1). */
function pullIndex(box: Box, { session, tree }: Caller, repo: Repo): void {
  const due = indexToRefresh(box, session, tree);
  const gitdirs = due === undefined ? undefined : gitdirsIn(repo);
  const gitDir = due === undefined ? undefined : gitdirs?.find(due.gitdir);
  if (due === undefined || gitdirs === undefined || gitDir === undefined) return;
  try {
    healIndex(box, { session: due.session, gitdir: due.gitdir, gitDir }, gitdirs);
  } catch (error) {
    recordFailure(box, "claude pre-edit: carrying the index forward", error, session);
  }
}

function boxOf(repo: Repo, own: Box): Box | undefined {
  if (boxDirOf(repo.commonDir) === own.dir) return own;
  return isInstalled(repo.commonDir) ? openBox(boxDirOf(repo.commonDir), repo.top) : undefined;
}
