import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { type Claim, type ClaimsState, findClaim } from "./claims.ts";
import { fold } from "./fold.ts";
import { formatTarget, overlaps, type Target } from "./pattern.ts";
import { activeGrants, type Grant, type ReservationsState } from "./reservations.ts";
import { enter, lookUp, type Table } from "./table.ts";

/** An open request: `from` asks, `to` holds. */
export type Handoff = { -readonly [K in keyof Fields]: Fields[K] } & { at: number };
type Fields = Omit<EventNamed<"handoff.requested">, "type" | "v">;

export interface HandoffsState {
  /** Requests nobody has answered yet, by id. An answer is final and closes the request. */
  open: Table<Handoff>;
  /** How many there ever were: the next one's id is of that. */
  made: number;
}

/** A request nobody has answered for this long after it ran out is forgotten with the next one (ms). */
const RUN_OUT_KEPT_MS = 24 * 60 * 60_000;

export const handoffs = fold<HandoffsState>("handoffs", 3, () => ({ open: {}, made: 0 }), {
  "handoff.requested": (state, { type: _, v: __, ...request }, { t }) => {
    for (const { handoff, until } of Object.values(state.open))
      if (until <= t - RUN_OUT_KEPT_MS) close(state, handoff);
    enter(state.open, request.handoff, { ...request, at: t });
    state.made += 1;
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

/** What is asked for: a task, or files in one working tree. */
export type Matter =
  | { readonly task: string }
  | { readonly tree: string; readonly targets: readonly Target[] };

export type RequestAnswer =
  /** Asked; or had been asked already. Files of several holders are several requests. */
  | { readonly kind: "asked"; readonly requests: readonly Fields[]; readonly events: Event[] }
  /** Nobody else has it. */
  | { readonly kind: "free" }
  | { readonly kind: "own" };

/** Asks whoever has it for a task or files. */
export function request(
  states: {
    readonly handoffs: HandoffsState;
    readonly claims: ClaimsState;
    readonly reservations: ReservationsState;
  },
  matter: Matter,
  {
    from,
    reason,
    now,
    until,
  }: { readonly from: string; readonly reason: string; readonly now: number; readonly until: number },
): RequestAnswer {
  const holders =
    "task" in matter ? taskHolders(states.claims, matter) : fileHolders(states.reservations, matter, now);
  const others = holders.filter(({ to }) => to !== from);
  if (others.length === 0) return { kind: holders.length === 0 ? "free" : "own" };
  const events: Event[] = [];
  const requests = others.map((wanted) => {
    const open = Object.values(states.handoffs.open).find(
      (each) => each.from === from && each.to === wanted.to && textOf(each) === textOf(wanted),
    );
    if (open !== undefined) return open;
    const handoff = `h${(states.handoffs.made + 1 + events.length).toString(36)}`;
    const asked = event("handoff.requested", { handoff, from, ...wanted, reason, until });
    events.push(asked);
    return asked;
  });
  return { kind: "asked", requests, events };
}

type Wanted = Pick<Handoff, "to" | "task" | "tree" | "targets">;

function taskHolders(state: ClaimsState, { task }: { readonly task: string }): Wanted[] {
  const claim = findClaim(state, task);
  return claim === undefined ? [] : [{ to: claim.session, task }];
}

function fileHolders(
  state: ReservationsState,
  { tree, targets }: { readonly tree: string; readonly targets: readonly Target[] },
  now: number,
): Wanted[] {
  const bySession = new Map<string, Target[]>();
  for (const target of targets)
    for (const { session } of activeGrants(state, now).filter(
      (g) => g.tree === tree && overlaps(g.target, target),
    ))
      bySession.set(session, [...new Set([...(bySession.get(session) ?? []), target])]);
  return [...bySession].map(([to, wanted]) => ({ to, tree, targets: wanted }));
}

function textOf({ task, tree, targets }: Wanted): string {
  return JSON.stringify([task ?? null, tree ?? null, (targets ?? []).map((t) => [t.kind, formatTarget(t)])]);
}

/** What moves with an accepted request, and until when its leases run (ms). */
export interface Moving {
  readonly accept: true;
  readonly until: number;
  readonly tree?: string | undefined;
  readonly targets?: readonly Target[] | undefined;
}

/** The holder's answer. `undefined` if the request is not open or not this session's to answer. */
export function answer(
  state: HandoffsState,
  id: string,
  by: string,
  verdict: Moving | { readonly accept: false; readonly reason: string },
): Event | undefined {
  const request = lookUp(state.open, id);
  if (request === undefined || request.to !== by) return undefined;
  const { from, to, task, tree, targets } = request;
  const matter = { handoff: id, from, to, task, tree, targets };
  if (!verdict.accept) return event("handoff.rejected", { ...matter, reason: verdict.reason });
  const { until } = verdict;
  const moved = verdict.targets === undefined ? {} : { tree: verdict.tree, targets: [...verdict.targets] };
  return event("handoff.accepted", { ...matter, ...moved, until });
}

/** The asker takes its request back, or it is of no use any more. */
export function lapsed(handoff: Handoff, reason: string): Event {
  const { at: _, until: __, reason: ___, ...matter } = handoff;
  return event("handoff.lapsed", { ...matter, reason });
}

/**
 * What goes with a request: for files, those asked for, or what the holder has of them; with a task, what its claimant
 * reserved since it claimed it, in the working tree where the asker works: elsewhere it could not use it.
 *
 * @param only of all that only what overlaps these
 */
export function leasesFor(
  handoff: Handoff,
  {
    claim,
    tree,
    grants,
    only,
  }: {
    readonly claim: Claim | undefined;
    readonly tree: string;
    readonly grants: readonly Grant[];
    readonly only?: readonly Target[] | undefined;
  },
): { tree: string; targets: Target[] } {
  const of = handoff.tree ?? tree;
  const theirs = grants.filter((g) => g.session === handoff.to && g.tree === of);
  const { targets } = handoff;
  const moving =
    targets === undefined
      ? theirs.flatMap((g) => (claim !== undefined && g.since >= claim.since ? [g.target] : []))
      : targets.flatMap((t) => theirs.filter((g) => overlaps(g.target, t)).map((g) => narrower(g.target, t)));
  const chosen = only === undefined ? moving : moving.filter((t) => only.some((o) => overlaps(t, o)));
  const byText = new Map(chosen.map((t) => [`${t.kind} ${formatTarget(t)}`, t]));
  return { tree: of, targets: [...byText.values()] };
}

/** Of a directory that is held, the file that is asked for; of a directory that is asked for, the file that is held. */
function narrower(held: Target, asked: Target): Target {
  return asked.kind === "path" ? asked : held;
}

/** Open requests, oldest first. */
export function openRequests(state: HandoffsState): Handoff[] {
  return Object.values(state.open).sort((a, b) => a.at - b.at);
}

/** Requests that wait for this session's answer, oldest first. */
export function requestsTo(state: HandoffsState, session: string): Handoff[] {
  return openRequests(state).filter((request) => request.to === session);
}
