import { event, type Event } from "../../events/mod.ts";
import { holderOf } from "../domain/holder.ts";
import { lapsedOf, reserve } from "../domain/reservations.ts";
import { livedAlongside, liveSessions } from "../domain/sessions.ts";
import { findEdit } from "../domain/work.ts";
import { leaseTerms } from "../policy/mod.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, type Circumstances, decide } from "./box.ts";
import { capRefused, editRefused, leasesLapsed, leftBehind, tookOver } from "./messages.ts";
import { policySettings } from "./settings.ts";

export type EditVerdict =
  | { readonly kind: "go"; /** To be told to the session; often empty. */ readonly note: string }
  | { readonly kind: "refused"; readonly reason: string };

/** The gate before an edit: the path is reserved for whoever asks first, or the edit is refused. */
export function gateEdit(box: Box, caller: Caller, path: string): EditVerdict {
  attend(box, caller);
  const lease = policySettings(box.settings).lease;
  return decide<EditVerdict>(box, caller.session, (circumstances) => {
    const { states, now, gone } = circumstances;
    const { session, events } = attended(box, states.sessions, caller);
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
      result: { kind: "go", note: [note, lost.note].filter(Boolean).join("\n") },
    };
  });
}

/**
 * What ran out since the session last heard of its reservations is told before it writes again (S51): each once its
 * grace is over, for until then it is still the session's to take back. What others have taken since is news.
 */
function tellLost(
  { states, now, gone }: Circumstances,
  session: string,
  path: string,
  graceMs: number,
): { readonly events: Event[]; readonly note: string } {
  const isAlone = liveSessions(states.sessions).every((s) => s.id === session || gone.has(s.id));
  const lapsed = isAlone
    ? []
    : lapsedOf(states.reservations, session, now, graceMs).filter(
        ({ target }) => target.kind !== "path" || target.path !== path,
      );
  return {
    events: lapsed.map((g) =>
      event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
    ),
    note: leasesLapsed(lapsed),
  };
}
