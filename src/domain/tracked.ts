import { event, type Event } from "../../events/mod.ts";
import { type ClaimsState, findClaim, wantedBy } from "./claims.ts";

/** A task as its tracker has it. */
export interface TrackedTask {
  readonly id: string;
  /** "other" is whatever is neither to be taken nor worked on: blocked, deferred, promised to somebody … */
  readonly status: "open" | "taken" | "closed" | "other";
  /** Whose it is there, by the name its tracker knows them by; "" is nobody's. */
  readonly actor: string;
  readonly kind?: string | undefined;
  /** When it was last touched (ms). */
  readonly at?: number | undefined;
}

export interface Following {
  /** Events that bring the log to where the tracker is. */
  readonly events: Event[];
  /** What the asker wanted, and has not got; by whom, if that is a session. */
  readonly refused: readonly { readonly task: TrackedTask; readonly holder: string | undefined }[];
  /** Tasks that are somebody's now, and in the tracker nobody's. */
  readonly assign: readonly { readonly task: string; readonly session: string }[];
}

/**
 * What a tracker's word means for the claims. Of its tasks the tracker decides whose they are: it has the
 * compare-and-swap. But it is not asked about what it has not been told yet, and where it names nobody, the log decides.
 *
 * @param whose the live session that a tracker's name stands for
 * @param asked the session that has just tried to take some of them, if one has, and which
 */
export function follow(
  state: ClaimsState,
  tasks: readonly TrackedTask[],
  {
    tracker,
    whose,
    asked,
    now,
  }: {
    readonly tracker: string;
    readonly whose: (actor: string) => string | undefined;
    readonly asked?: { readonly by: string; readonly tasks: ReadonlySet<string> } | undefined;
    readonly now: number;
  },
): Following {
  const events: Event[] = [];
  const refused: { task: TrackedTask; holder: string | undefined }[] = [];
  const assign: { task: string; session: string }[] = [];
  for (const task of tasks) {
    const asker = asked?.tasks.has(task.id) === true ? asked.by : undefined;
    const claim = findClaim(state, task.id);
    const owed = state.owed.find((each) => each.task === task.id);
    const session = task.actor === "" ? undefined : whose(task.actor);
    const take = (by: string) =>
      event("claim.taken", {
        task: task.id,
        session: by,
        kind: task.kind,
        tracker,
        wanted: claim && wantedBy(claim, by),
      });
    const refuse = (holder: string | undefined) => {
      if (asker === undefined || asker === holder) return;
      refused.push({ task, holder });
      if (holder !== undefined && !(claim?.wanted.includes(asker) ?? false))
        events.push(
          event("claim.refused", { task: task.id, session: asker, holder, since: claim?.since ?? now }),
        );
    };
    const release = (reason: string, wanted: string[] | undefined) => {
      if (claim !== undefined)
        events.push(
          event("claim.released", { task: task.id, session: claim.session, reason, wanted, tracker }),
        );
    };
    const settled = () => {
      if (owed !== undefined)
        events.push(
          event("tracker.told", { tracker, task: task.id, status: owed.status, session: owed.session }),
        );
    };

    if (task.status === "closed") {
      if (claim !== undefined)
        events.push(
          event("claim.completed", {
            task: task.id,
            session: claim.session,
            outcome: "ok",
            wanted: wantedBy(claim),
            tracker,
          }),
        );
      settled();
    } else if (owed !== undefined && stale(task, session, owed, asker)) {
      refuse(claim?.session);
    } else if (task.status === "taken" && task.actor === "") {
      if (claim !== undefined) refuse(claim.session);
      else if (asker !== undefined) {
        events.push(take(asker));
        assign.push({ task: task.id, session: asker });
      }
    } else if (task.status === "taken" && session !== undefined) {
      if (claim?.session !== session) {
        release(`${tracker} says that it is another session's`, undefined);
        events.push(take(session));
        if (owed !== undefined)
          events.push(event("tracker.told", { tracker, task: task.id, status: "taken", session }));
      }
      refuse(session);
    } else if (task.status === "taken") {
      release(`${tracker} says that it is ${task.actor}'s`, undefined);
      refuse(undefined);
    } else if (task.status === "open") {
      release(`${tracker} says that it is open`, claim && wantedBy(claim));
      settled();
    } else if (session !== claim?.session) {
      release(`${tracker} says that it is to wait`, undefined);
    }
  }
  return { events, refused, assign };
}

/** The tracker says what was so before the log knew better. Its last claimant may ask anew for what is free. */
function stale(
  task: TrackedTask,
  session: string | undefined,
  owed: ClaimsState["owed"][number],
  asker: string | undefined,
): boolean {
  if (task.status === "open") return owed.status === "taken";
  return session === owed.from && (owed.status === "taken" || asker !== session);
}
