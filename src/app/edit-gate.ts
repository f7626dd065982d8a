import { event, type Event } from "../../events/mod.ts";
import { holderOf } from "../domain/holder.ts";
import { undelivered } from "../domain/notices.ts";
import { lapsedOf, reserve } from "../domain/reservations.ts";
import { livedAlongside, liveSessions } from "../domain/sessions.ts";
import { findEdit } from "../domain/work.ts";
import { leaseTerms } from "../policy/mod.ts";
import { attend, type Caller } from "./attendance.ts";
import { type Box, type Circumstances, decide } from "./box.ts";
import { capRefused, digest, editRefused, leasesLapsed, leftBehind, tookOver } from "./messages.ts";
import { policySettings } from "./settings.ts";

export type EditVerdict =
  | { readonly kind: "go"; /** To be told to the session; often empty. */ readonly note: string }
  | { readonly kind: "refused"; readonly reason: string };

/** The gate before an edit: the path is reserved for whoever asks first, or the edit is refused. */
export function gateEdit(box: Box, caller: Caller, path: string): EditVerdict {
  box.ports.views.addLive(caller.session);
  const lease = policySettings(box.settings).lease;
  return decide<EditVerdict>(box, caller.session, (circumstances) => {
    const { states, now, gone } = circumstances;
    const { session, events } = attend(box, states.sessions, caller);
    const holder = { session, agent: caller.agent };
    const request = {
      holder,
      tree: caller.tree,
      targets: [{ kind: "path" as const, path }],
      mode: "exclusive" as const,
      via: "edit" as const,
    };
    const terms = leaseTerms(states, request, { now, gone }, lease, box.ports.relations);
    const answer = reserve(states.reservations, request, { now, gone, ...terms });
    if (answer.kind === "refused") {
      const { capped, blockers } = answer;
      const reason =
        capped === undefined
          ? editRefused([path], blockers, { now, graceMs: lease.graceMs })
          : capRefused(capped);
      return { events: [...events, ...answer.events], result: { kind: "refused", reason } };
    }
    const lost = tellLost(circumstances, session, path, lease.graceMs);
    const last = findEdit(states.work, caller.tree, path);
    const foreign =
      last !== undefined &&
      last.session !== session &&
      livedAlongside(states.sessions, last.session, session);
    const note = tookOver(path, answer.lapsed) || (foreign ? leftBehind(last) : "");
    return {
      events: [...events, ...lost.events, ...answer.events],
      result: { kind: "go", note: [note, ...lost.notes].filter(Boolean).join("\n") },
    };
  });
}

/**
 * What ran out since the session last heard of its reservations is told before it writes again (S51): each once its
 * grace is over, for until then it is still the session's to take back; and what others have taken since, with all
 * that it was to be told.
 */
function tellLost(
  { states, now, gone }: Circumstances,
  session: string,
  path: string,
  graceMs: number,
): { readonly events: Event[]; readonly notes: readonly string[] } {
  const isAlone = liveSessions(states.sessions).every((s) => s.id === session || gone.has(s.id));
  const lapsed = isAlone
    ? []
    : lapsedOf(states.reservations, session, now, graceMs).filter(
        ({ target }) => target.kind !== "path" || target.path !== path,
      );
  const notices = undelivered(states.notices, session);
  const last = notices.some((n) => n.kind === "taken") ? notices.at(-1) : undefined;
  return {
    events: [
      ...lapsed.map((g) =>
        event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
      ),
      ...(last === undefined ? [] : [event("notice.delivered", { session, through: last.seq })]),
    ],
    notes: [last === undefined ? "" : digest(notices, []), leasesLapsed(lapsed)],
  };
}
