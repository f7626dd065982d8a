import { boxDirOf } from "../../src/adapters/box.ts";
import { tell } from "../../src/adapters/claude.ts";
import { writeSessionEnv } from "../../src/adapters/session-env.ts";
import { refreshRelations } from "../../src/adapters/git/co-change.ts";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { gitIn } from "../../src/adapters/git/hook-git.ts";
import { startCompaction } from "../../src/adapters/background.ts";
import { isCompactionDue } from "../../src/app/compact.ts";
import { findRepo } from "../../src/adapters/locate.ts";
import { recordFailure } from "../../src/app/failure.ts";
import { attributeOnArrival } from "../../src/app/attribution.ts";
import { arriveSession } from "../../src/app/attendance.ts";
import { isolate, sweepIndexes } from "../../src/app/isolation.ts";
import { recordHead } from "../../src/app/movements.ts";
import { reconcileTasks } from "./tasks.ts";
import { groundOf } from "./post-bash.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";
import { pullBranch } from "./pull-branch.ts";

/** SessionStart fires again on resume, compact and /clear: then the session goes on. Silent when alone. */
export const sessionStart: ClaudeHandler = ({ input, box }) => {
  const caller = callerOf(input);
  const note = arriveSession(box, caller, input.source ?? "startup", input.model);
  recordHead(box, { session: caller.session, tree: caller.tree }, gitIn(input.cwd), "found");
  const repo = findRepo(input.cwd);
  try {
    if (repo?.top !== undefined && boxDirOf(repo.commonDir) === box.dir) {
      const gitdirs = gitdirsOf(treeAt({ ...repo, top: repo.top }));
      isolate(box, caller.session, caller.tree, gitdirs);
      sweepIndexes(box, gitdirs);
      const ground = groundOf(box, input.cwd, caller.session);
      if (ground !== undefined) attributeOnArrival(box, caller, ground);
      // Alone, leases keep nobody out.
      if (note !== "") refreshRelations(box.dir, repo.top, box);
    }
    const tracked = box.settings["claims.tracker"] !== "none";
    writeSessionEnv(process.env["CLAUDE_ENV_FILE"], box.dir, tracked ? caller.session : undefined);
  } catch (error) {
    // The session is on record, and guarded by the hooks; it only has no index of its own.
    recordFailure(box, "claude session-start: its own index", error, caller.session);
  }
  if (box.settings["compact.auto"]) startCompaction(box.dir, () => isCompactionDue(box));
  // Alone nobody is asked; what a session claims then is read when the next one comes.
  if (note !== "") reconcileTasks(box, caller);
  const both = [note, pullBranch(box, caller)].filter(Boolean).join("\n");
  return both === "" ? "" : tell("SessionStart", both);
};
