import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { fold } from "./fold.ts";

/** An open request: `from` asks, `to` holds. */
export type Handoff = Omit<EventNamed<"handoff.requested">, "type" | "v"> & { at: number };

export interface HandoffsState {
  /** Requests nobody has answered yet, by id. An answer is final and closes the request. */
  open: Record<string, Handoff>;
}

export const handoffs = fold<HandoffsState>("handoffs", 1, () => ({ open: {} }), {
  "handoff.requested": (state, { type: _, v: __, ...request }, { t }) => {
    state.open[request.handoff] = { ...request, at: t };
  },
  "handoff.accepted": (state, e) => close(state, e.handoff),
  "handoff.rejected": (state, e) => close(state, e.handoff),
  "handoff.lapsed": (state, e) => close(state, e.handoff),
  "session.continued": (state, e) => {
    for (const [id, request] of Object.entries(state.open)) {
      const renamed = (session: string) => (session === e.from ? e.session : session);
      state.open[id] = { ...request, from: renamed(request.from), to: renamed(request.to) };
    }
  },
  "session.ended": (state, e) => withdraw(state, e.session),
  "session.lapsed": (state, e) => withdraw(state, e.session),
});

function close(state: HandoffsState, id: string): void {
  delete state.open[id];
}

/** A party that is gone neither asks nor holds any more. */
function withdraw(state: HandoffsState, session: string): void {
  for (const { handoff, from, to } of Object.values(state.open))
    if (from === session || to === session) close(state, handoff);
}

/**
 * The holder's answer. `undefined` if the request is not open or not this session's to answer.
 *
 * @param until when the leases that move with an accepted request run out (ms)
 */
export function answer(
  state: HandoffsState,
  id: string,
  by: string,
  verdict:
    | { readonly accept: true; readonly until: number }
    | { readonly accept: false; readonly reason: string },
): Event | undefined {
  const request = state.open[id];
  if (request === undefined || request.to !== by) return undefined;
  if (!verdict.accept) return event("handoff.rejected", { handoff: id, reason: verdict.reason });
  const { from, to, task, tree, targets } = request;
  return event("handoff.accepted", { handoff: id, from, to, task, tree, targets, until: verdict.until });
}

/** Requests that wait for this session's answer, oldest first. */
export function requestsTo(state: HandoffsState, session: string): Handoff[] {
  return Object.values(state.open)
    .filter((request) => request.to === session)
    .sort((a, b) => a.at - b.at);
}
