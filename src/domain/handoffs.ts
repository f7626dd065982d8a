import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

/** An open request: `from` asks, `to` holds. */
export type Handoff = { -readonly [K in keyof Fields]: Fields[K] } & { at: number };
type Fields = Omit<EventNamed<"handoff.requested">, "type" | "v">;

export interface HandoffsState {
  /** Requests nobody has answered yet, by id. An answer is final and closes the request. */
  open: Table<Handoff>;
}

/** A request nobody has answered for this long after it ran out is forgotten with the next one (ms). */
const RUN_OUT_KEPT_MS = 24 * 60 * 60_000;

export const handoffs = fold<HandoffsState>("handoffs", 2, () => ({ open: {} }), {
  "handoff.requested": (state, { type: _, v: __, ...request }, { t }) => {
    for (const { handoff, until } of Object.values(state.open))
      if (until <= t - RUN_OUT_KEPT_MS) close(state, handoff);
    enter(state.open, request.handoff, { ...request, at: t });
  },
  "handoff.accepted": (state, e) => close(state, e.handoff),
  "handoff.rejected": (state, e) => close(state, e.handoff),
  "handoff.lapsed": (state, e) => close(state, e.handoff),
  "session.continued": (state, e) => {
    for (const request of Object.values(state.open)) {
      if (request.from === e.from) request.from = e.session;
      if (request.to === e.from) request.to = e.session;
      // Both were sessions of one process, and now are one.
      if (request.from === request.to) close(state, request.handoff);
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
  const request = lookUp(state.open, id);
  if (request === undefined || request.to !== by) return undefined;
  const { from, to, task, tree, targets } = request;
  const matter = { handoff: id, from, to, task, tree, targets };
  if (!verdict.accept) return event("handoff.rejected", { ...matter, reason: verdict.reason });
  return event("handoff.accepted", { ...matter, until: verdict.until });
}

/** Requests that wait for this session's answer, oldest first. */
export function requestsTo(state: HandoffsState, session: string): Handoff[] {
  return Object.values(state.open)
    .filter((request) => request.to === session)
    .sort((a, b) => a.at - b.at);
}
