import { findRepo } from "../../src/adapters/locate.ts";
import { trackerOf } from "../../src/adapters/tasks/mod.ts";
import type { Caller } from "../../src/app/attendance.ts";
import { type Box, look } from "../../src/app/box.ts";
import { recordFailure } from "../../src/app/failure.ts";
import type { Tracker } from "../../src/app/ports.ts";
import { followCommand, reconcile, tellTracker } from "../../src/app/tracking.ts";

/** After a command: whose the tasks are that it may have touched. A word of the tracker's costs one look at the text. */
export function followTasks(box: Box, caller: Caller, command: string): string {
  return withTracker(box, caller, (tracker) => followCommand(box, caller, tracker, command)) ?? "";
}

/** A session that comes to others: the log follows what the tracker has them working on. */
export function reconcileTasks(box: Box, caller: Caller): void {
  withTracker(box, caller, (tracker) => reconcile(box, caller, tracker));
}

/** A claim may have stalled at any time, and anywhere; the tracker hears of it at the next turn. */
export function tellTasks(box: Box, cwd: string, session: string): void {
  if (look(box).states.claims.owed.length === 0) return;
  withTracker(box, { cwd, session }, (tracker) => tellTracker(box, tracker));
}

/** A tracker that breaks is on record, and in nobody's way. */
function withTracker<R>(
  box: Box,
  { cwd, session }: Pick<Caller, "cwd" | "session">,
  act: (tracker: Tracker) => R,
): R | undefined {
  try {
    const repo = findRepo(cwd);
    const tracker = repo === undefined ? undefined : trackerOf(repo, box.settings);
    return tracker === undefined ? undefined : act(tracker);
  } catch (error) {
    recordFailure(box, "tracker", error, session);
    return undefined;
  }
}
