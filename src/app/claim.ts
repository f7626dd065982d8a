import { event, type Event } from "../../events/mod.ts";
import { type Claim, findClaim, take, wantedBy } from "../domain/claims.ts";
import { canonicalPath } from "../domain/path-key.ts";
import { findSession } from "../domain/sessions.ts";
import { givenUp } from "../policy/mod.ts";
import { actorOf } from "./actors.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, decide, look } from "./box.ts";
import type { Tracker } from "./ports.ts";
import { adopt, tellTracker } from "./tracking.ts";

export type ClaimVerdict =
  | {
      readonly kind: "claimed";
      readonly claim: Claim;
      /** Whose it was, if that session had not come to finish it. */
      readonly before: string | undefined;
    }
  | { readonly kind: "refused"; readonly holder: Claim; readonly now: number }
  /** A tracker's task that is neither free nor a known session's. */
  | { readonly kind: "elsewhere"; readonly why: string }
  /** The tracker did not answer in time. */
  | { readonly kind: "unknown" };

/** Claims a task: whoever comes first has it. A tracker's task is claimed there first, and read back. */
export function claimTask(
  box: Box,
  caller: Caller,
  wish: { readonly task: string; readonly kind?: string | undefined },
  tracker: Tracker | undefined,
): ClaimVerdict {
  attend(box, caller);
  const before = look(box).states.claims.givenUp.find(({ task }) => task === wish.task)?.session;
  const there = tracker?.read([wish.task]);
  if (tracker !== undefined && there === undefined) return { kind: "unknown" };
  if (tracker !== undefined && there?.[0] !== undefined)
    return claimTracked(box, caller, wish.task, tracker, before);
  return decide<ClaimVerdict>(box, caller.session, ({ states, now, gone }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const answer = take(states.claims, { ...wish, session }, gone);
    const all = [...events, ...answer.events];
    if (answer.kind === "refused")
      return { events: all, result: { kind: "refused", holder: answer.holder, now } };
    const claim = findClaim(states.claims, wish.task) ?? claimNow(wish, session, now);
    return { events: all, result: { kind: "claimed", claim, before } };
  });
}

function claimNow(wish: { task: string; kind?: string | undefined }, session: string, now: number): Claim {
  return { ...wish, session, since: now, lastProgress: now, wanted: [] };
}

function claimTracked(
  box: Box,
  caller: Caller,
  task: string,
  tracker: Tracker,
  before: string | undefined,
): ClaimVerdict {
  const { states } = look(box);
  const me = findSession(states.sessions, caller.session)?.id ?? caller.session;
  // What is free here may be its last claimant's there.
  tellTracker(box, tracker);
  tracker.claim(task, actorOf(me, tracker.user));
  const there = tracker.read([task]);
  if (there?.[0] === undefined) return { kind: "unknown" };
  adopt(box, caller, tracker, there, [task]);
  const after = look(box);
  const claim = findClaim(after.states.claims, task);
  if (claim === undefined) {
    const { status, actor } = there[0];
    const why =
      actor === "" ? `it is ${status === "other" ? "not to be taken now" : status}` : `it is ${actor}'s`;
    return { kind: "elsewhere", why: `${why} in ${tracker.name}` };
  }
  const mine = findSession(after.states.sessions, caller.session)?.id === claim.session;
  return mine ? { kind: "claimed", claim, before } : { kind: "refused", holder: claim, now: after.now };
}

export type Ending =
  | { readonly how: "release"; readonly reason: string }
  | { readonly how: "stuck"; readonly reason?: string | undefined }
  | { readonly how: "done"; readonly outcome: string };

export type EndVerdict =
  | {
      readonly kind: "ended";
      readonly claim: Claim;
      /** Who has it instead: they had asked for it. */ readonly heir: string | undefined;
    }
  | { readonly kind: "free" }
  | { readonly kind: "refused"; readonly holder: Claim; readonly now: number };

/** Ends a claim. @param session whose it has to be; a person may end anybody's, which is put on record */
export function endClaim(box: Box, session: string | undefined, task: string, ending: Ending): EndVerdict {
  return decide<EndVerdict>(box, session, ({ states, now, gone }) => {
    const claim = findClaim(states.claims, task);
    if (claim === undefined) return { events: [], result: { kind: "free" } };
    const id = session === undefined ? undefined : (findSession(states.sessions, session)?.id ?? session);
    if (id !== undefined && claim.session !== id)
      return { events: [], result: { kind: "refused", holder: claim, now } };
    const events: Event[] = [];
    if (id === undefined)
      events.push(
        event("guard.bypassed", { session: claim.session, how: `claim --${ending.how} by a person` }),
      );
    const holder = { task, session: claim.session };
    if (ending.how === "done")
      events.push(event("claim.completed", { ...holder, outcome: ending.outcome, wanted: wantedBy(claim) }));
    else
      events.push(
        ...givenUp(states, claim, gone, (wanted) =>
          ending.how === "release"
            ? event("claim.released", { ...holder, reason: ending.reason, wanted })
            : event("claim.stalled", {
                ...holder,
                lastProgress: claim.lastProgress,
                why: "by-hand",
                reason: ending.reason,
                wanted,
              }),
        ),
      );
    const heir = events.find((e) => e.type === "claim.taken");
    return { events, result: { kind: "ended", claim, heir: heir?.session } };
  });
}

/** Saves files under a rescue ref; `undefined` if there was nothing to save. */
type Save = (
  session: string,
  reason: string,
  files: readonly string[],
) => { readonly ref: string; readonly paths: readonly string[] } | undefined;

/**
 * A task changes hands whose last claimant has left it: what that one has changed and not committed in this tree is
 * saved, whatever the next one does to it. It stays on disk, and its author's.
 *
 * @param dirty uncommitted work in the tree, as git names it
 */
export function saveLastClaimants(
  box: Box,
  {
    task,
    before,
    tree,
    dirty,
    save,
  }: {
    readonly task: string;
    readonly before: string;
    readonly tree: string;
    readonly dirty: () => readonly string[];
    readonly save: Save;
  },
): { readonly ref: string; readonly paths: readonly string[] } | undefined {
  const theirs = new Set(
    look(box).states.work.edits.flatMap((e) => (e.tree === tree && e.session === before ? [e.path] : [])),
  );
  if (theirs.size === 0) return undefined;
  const files = dirty().filter((path) => theirs.has(canonicalPath(path, box)));
  const reason = `before: ${task} is taken over`;
  const saved = files.length === 0 ? undefined : save(before, reason, files);
  if (saved === undefined) return undefined;
  const { ref, paths } = saved;
  const rescued = event("work.rescued", { session: before, ref, paths: paths.slice(0, 200), reason });
  decide(box, undefined, () => ({ events: [rescued], result: undefined }));
  return saved;
}
