import { event, type Event } from "../../events/mod.ts";
import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

export interface Claim {
  task: string;
  session: string;
  kind?: string | undefined;
  since: number;
  /** The last time the claimant did something for it (ms). */
  lastProgress: number;
}

export interface ClaimsState {
  /** Who works on what: at most one session a task. */
  claims: Table<Claim>;
  /** The last tasks that were completed, newest last. */
  completed: { task: string; session: string; at: number; tookMs: number; outcome: string }[];
}

const COMPLETED_KEPT = 100;

export const claims = fold<ClaimsState>("claims", 2, () => ({ claims: {}, completed: [] }), {
  "claim.taken": (state, e, { t }) => {
    const { task, session, kind } = e;
    enter(state.claims, task, { task, session, kind, since: t, lastProgress: t });
  },
  "claim.progressed": (state, e, { t }) => {
    const claim = lookUp(state.claims, e.task);
    if (claim?.session === e.session) claim.lastProgress = t;
  },
  "claim.stalled": (state, e) => free(state, e),
  "claim.released": (state, e) => free(state, e),
  "claim.completed": (state, e, { t }) => {
    const claim = lookUp(state.claims, e.task);
    if (claim?.session !== e.session) return;
    free(state, e);
    state.completed.push({
      task: e.task,
      session: e.session,
      at: t,
      tookMs: t - claim.since,
      outcome: e.outcome,
    });
    if (state.completed.length > COMPLETED_KEPT) state.completed.shift();
  },
  "handoff.accepted": (state, e, { t }) => {
    const claim = e.task === undefined ? undefined : lookUp(state.claims, e.task);
    if (claim?.session === e.to) Object.assign(claim, { session: e.from, since: t, lastProgress: t });
  },
  "session.continued": (state, e) => {
    for (const claim of Object.values(state.claims)) if (claim.session === e.from) claim.session = e.session;
  },
  "session.ended": (state, e) => freeAll(state, e.session),
  "session.lapsed": (state, e) => freeAll(state, e.session),
});

function free(
  state: ClaimsState,
  { task, session }: { readonly task: string; readonly session: string },
): void {
  if (lookUp(state.claims, task)?.session === session) delete state.claims[task];
}

function freeAll(state: ClaimsState, session: string): void {
  for (const claim of Object.values(state.claims)) free(state, { task: claim.task, session });
}

export type ClaimAnswer =
  | { readonly kind: "taken"; readonly events: Event[] }
  | { readonly kind: "refused"; readonly events: Event[]; readonly holder: Claim };

/** Decides who works on a task: the first to ask, unless its claimant is proven gone. Asking again is no harm. */
export function take(
  state: ClaimsState,
  {
    task,
    session,
    kind,
  }: { readonly task: string; readonly session: string; readonly kind?: string | undefined },
  gone: ReadonlySet<string>,
): ClaimAnswer {
  const holder = lookUp(state.claims, task);
  if (holder?.session === session) return { kind: "taken", events: [] };
  if (holder !== undefined && !gone.has(holder.session)) {
    const refused = event("claim.refused", { task, session, holder: holder.session, since: holder.since });
    return { kind: "refused", holder, events: [refused] };
  }
  return { kind: "taken", events: [event("claim.taken", { task, session, kind })] };
}

/** The claims of a session, oldest first. */
export function claimsOf(state: ClaimsState, session: string): Claim[] {
  return Object.values(state.claims)
    .filter((claim) => claim.session === session)
    .sort((a, b) => a.since - b.since);
}
