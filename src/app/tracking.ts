/**
 * The log and a tracker kept together. Nothing here trusts what a command says it does: the tracker is read back, and
 * what it does not say in time is not so. Its processes run outside of every decision.
 */
import { event } from "../../events/mod.ts";
import { claimsOf } from "../domain/claims.ts";
import { findSession } from "../domain/sessions.ts";
import { type Following, follow, type TrackedTask } from "../domain/tracked.ts";
import { actorOf, isActorOf, sessionOfActor } from "./actors.ts";
import { attended, type Caller } from "./attendance.ts";
import { type Box, decide, look } from "./box.ts";
import { describe } from "./failure.ts";
import { trackerSilent, trackerTook } from "./messages.ts";
import type { Tracker } from "./ports.ts";

/** After so many failures it is left as it is: the log has what should be. */
const TRIES = 3;

/** After a shell command: whose the tasks are that it may have touched. Answers with what the session is to know. */
export function followCommand(box: Box, caller: Caller, tracker: Tracker, command: string): string {
  const touched = tracker.touchedBy(command);
  if (touched === undefined) return "";
  const { states } = look(box);
  const me = findSession(states.sessions, caller.session)?.id ?? caller.session;
  const mine = trackedBy(box, tracker, me);
  const tasks =
    touched.tasks === "any"
      ? everything(tracker, mine)
      : tracker.read([...new Set([...touched.tasks, ...mine])]);
  if (tasks === undefined) return trackerSilent(tracker.name, touched.tasks === "any" ? [] : touched.tasks);
  const { refused } = adopt(box, caller, tracker, tasks, touched.claims);
  tellTracker(box, tracker);
  return trackerTook(tracker.name, refused);
}

/** The log follows all that the tracker says is being worked on. False: it did not say. */
export function reconcile(box: Box, caller: Caller | undefined, tracker: Tracker): boolean {
  const { states } = look(box);
  const known = Object.values(states.claims.claims).flatMap((claim) =>
    claim.tracker === tracker.name ? [claim.task] : [],
  );
  const tasks = everything(tracker, known);
  if (tasks === undefined) return false;
  adopt(box, caller, tracker, tasks, []);
  tellTracker(box, tracker);
  return true;
}

/** What somebody works on, and these. */
function everything(tracker: Tracker, tasks: readonly string[]): readonly TrackedTask[] | undefined {
  const taken = tracker.taken();
  if (taken === undefined) return undefined;
  const rest = tasks.filter((id) => !taken.some((task) => task.id === id));
  const more = tracker.read(rest);
  return more === undefined ? undefined : [...taken, ...more];
}

function trackedBy(box: Box, tracker: Tracker, session: string): string[] {
  return claimsOf(look(box).states.claims, session).flatMap((claim) =>
    claim.tracker === tracker.name ? [claim.task] : [],
  );
}

/** Puts what a tracker says into the log. @param claims tasks that the caller has just tried to take */
export function adopt(
  box: Box,
  caller: Caller | undefined,
  tracker: Tracker,
  tasks: readonly TrackedTask[],
  claims: readonly string[],
): Following {
  const following = decide<Following>(box, caller?.session, ({ states, now, gone }) => {
    const met =
      caller === undefined ? { session: undefined, events: [] } : attended(box, states.sessions, caller);
    const whose = (actor: string) => {
      if (met.session !== undefined && isActorOf(actor, met.session, states.sessions)) return met.session;
      const session = sessionOfActor(actor, states.sessions);
      return session === undefined || gone.has(session) ? undefined : session;
    };
    const asked = met.session === undefined ? undefined : { by: met.session, tasks: new Set(claims) };
    const result = follow(states.claims, tasks, { tracker: tracker.name, whose, asked, now });
    return { events: result.events.length === 0 ? [] : [...met.events, ...result.events], result };
  });
  for (const { task, session } of following.assign) {
    try {
      tracker.write(task, "taken", actorOf(session, tracker.user));
    } catch (error) {
      putDown(box, tracker, { task, status: "taken", session }, error);
    }
  }
  return following;
}

/** Tells the tracker what became of its tasks here: freed, handed over, done. That it cannot be is on record only. */
export function tellTracker(box: Box, tracker: Tracker): void {
  const { states } = look(box);
  const owed = states.claims.owed.filter((each) => each.tracker === tracker.name && each.failed < TRIES);
  if (owed.length === 0) return;
  const tasks = tracker.read(owed.map(({ task }) => task));
  for (const { task, status, session, from } of owed) {
    try {
      if (tasks === undefined) throw new Error("no answer in time");
      const there = tasks.find(({ id }) => id === task);
      // What is done, or somebody else's by now, is not ours to change.
      const ours =
        there !== undefined &&
        there.status !== "closed" &&
        (there.actor === "" ? status !== "open" : isActorOf(there.actor, from, states.sessions));
      if (ours)
        tracker.write(
          task,
          status,
          session === undefined ? "" : actorOf(session, there.actor || tracker.user),
        );
      putDown(box, tracker, { task, status, session });
    } catch (error) {
      putDown(box, tracker, { task, status, session }, error);
      // Locked for one is locked for all; no hook waits for each of them.
      return;
    }
  }
}

function putDown(
  box: Box,
  tracker: Tracker,
  what: {
    readonly task: string;
    readonly status: "open" | "taken" | "closed";
    readonly session?: string | undefined;
  },
  error?: unknown,
): void {
  const told = event("tracker.told", {
    tracker: tracker.name,
    ...what,
    error: error === undefined ? undefined : describe(error),
  });
  decide(box, undefined, () => ({ events: [told], result: undefined }));
}
