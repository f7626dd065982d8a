import { leaseUntil, renewalDue } from "../policy/mod.ts";
import { reserve } from "../domain/reservations.ts";
import { livedAlongside } from "../domain/sessions.ts";
import { findEdit } from "../domain/work.ts";
import { attend, attended, type Caller } from "./attendance.ts";
import { type Box, decide } from "./box.ts";
import { editRefused, leftBehind, tookOver } from "./messages.ts";
import { policySettings } from "./settings.ts";

export type EditVerdict =
  | { readonly kind: "go"; /** To be told to the session; often empty. */ readonly note: string }
  | { readonly kind: "refused"; readonly reason: string };

/** The gate before an edit: the path is reserved for whoever asks first, or the edit is refused. */
export function gateEdit(box: Box, caller: Caller, path: string): EditVerdict {
  attend(box, caller);
  const lease = policySettings(box.settings).lease;
  return decide<EditVerdict>(box, caller.session, ({ states, now, gone }) => {
    const { session, events } = attended(box, states.sessions, caller);
    const holder = { session, agent: caller.agent };
    const request = {
      holder,
      tree: caller.tree,
      targets: [{ kind: "path" as const, path }],
      mode: "exclusive" as const,
      via: "edit" as const,
    };
    const answer = reserve(states.reservations, request, {
      now,
      gone,
      until: leaseUntil(lease, now),
      renewalDue: (until) => renewalDue(lease, until, now),
    });
    const all = [...events, ...answer.events];
    if (answer.kind === "refused")
      return { events: all, result: { kind: "refused", reason: editRefused(path, answer.blockers, now) } };
    const last = findEdit(states.work, caller.tree, path);
    const foreign =
      last !== undefined &&
      last.session !== session &&
      livedAlongside(states.sessions, last.session, session);
    const note = tookOver(path, answer.lapsed) || (foreign ? leftBehind(last) : "");
    return { events: all, result: { kind: "go", note } };
  });
}
