import { event, type Event, type EventNamed } from "../../events/mod.ts";
import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";

export interface Claim {
  task: string;
  session: string;
  kind?: string | undefined;
  /** Where the task lives, if not in this log alone: "beads". */
  tracker?: string | undefined;
  since: number;
  /** The last time something of the claimant's was seen to change: an edit, a commit (ms). What it says is nothing. */
  lastProgress: number;
  /** Sessions that were refused it, in the order they asked. */
  wanted: string[];
}

/** A task that was given up, and that nobody has taken again or completed. */
export interface GivenUp {
  task: string;
  /** Whose it was; its uncommitted work is its own still. */
  session: string;
  kind?: string | undefined;
  tracker?: string | undefined;
  at: number;
}

/** What a tracker is still to be told of a task. */
export interface Owed {
  tracker: string;
  task: string;
  /** Whose the tracker takes it for. */
  from: string;
  status: "open" | "taken" | "closed";
  /** Whose it is, if it is somebody's. */
  session?: string | undefined;
  /** How often it could not be told. */
  failed: number;
}

export interface ClaimsState {
  /** Who works on what: at most one session a task. */
  claims: Table<Claim>;
  /** The last tasks that were completed, newest last. */
  completed: { task: string; session: string; at: number; tookMs: number; outcome: string }[];
  /** The last ones, newest last. */
  givenUp: GivenUp[];
  owed: Owed[];
}

const COMPLETED_KEPT = 100;
const GIVEN_UP_KEPT = 32;
const OWED_KEPT = 32;
const WANTED_KEPT = 16;

export const claims = fold<ClaimsState>(
  "claims",
  3,
  () => ({ claims: {}, completed: [], givenUp: [], owed: [] }),
  {
    "claim.taken": (state, e, { t }) => {
      const { task, session, kind, tracker } = e;
      const wanted = (e.wanted ?? []).slice(-WANTED_KEPT);
      enter(state.claims, task, { task, session, kind, tracker, since: t, lastProgress: t, wanted });
      state.givenUp = state.givenUp.filter((each) => each.task !== task);
      // What the tracker was to be told is not so any more: the task is this session's.
      const owed = state.owed.find((each) => each.task === task);
      if (owed !== undefined) owe(state, { ...owed, status: "taken", session, failed: 0 });
    },
    "claim.refused": (state, e) => {
      const claim = lookUp(state.claims, e.task);
      if (claim === undefined || claim.session !== e.holder || claim.session === e.session) return;
      claim.wanted = [...claim.wanted.filter((id) => id !== e.session), e.session].slice(-WANTED_KEPT);
    },
    "claim.progressed": (state, e, { t }) => {
      const claim = lookUp(state.claims, e.task);
      if (claim?.session === e.session) claim.lastProgress = t;
    },
    // The record may be later than the edit.
    "file.written": (state, e, { t }) => progress(state, e.session, Math.min(e.at, t)),
    "reservation.granted": (state, e, { t }) => {
      if (e.via === "edit" || e.via === "effect") progress(state, e.session, t);
    },
    "reservation.renewed": (state, e, { t }) => progress(state, e.session, t),
    "work.attributed": (state, e, { t }) => progress(state, e.session, t),
    "commit.recorded": (state, e, { t }) => {
      if (e.session !== undefined) progress(state, e.session, t);
    },
    "claim.stalled": (state, e, { t }) => giveUp(state, e, t),
    "claim.released": (state, e, { t }) => giveUp(state, e, t),
    "claim.completed": (state, e, { t }) => complete(state, e, t),
    "handoff.accepted": (state, e, { t }) => {
      const claim = e.task === undefined ? undefined : lookUp(state.claims, e.task);
      if (claim?.session !== e.to) return;
      const { task, tracker } = claim;
      const wanted = claim.wanted.filter((id) => id !== e.from);
      if (tracker !== undefined)
        owe(state, { tracker, task, from: e.to, status: "taken", session: e.from, failed: 0 });
      Object.assign(claim, { session: e.from, since: t, lastProgress: t, wanted });
    },
    "tracker.told": (state, e) => {
      const owed = state.owed.find((each) => each.task === e.task);
      if (owed === undefined || owed.status !== e.status || owed.session !== e.session) return;
      if (e.error === undefined) state.owed = state.owed.filter((each) => each !== owed);
      else owed.failed += 1;
    },
    "session.continued": (state, e) => {
      for (const claim of Object.values(state.claims)) {
        if (claim.session === e.from) claim.session = e.session;
        claim.wanted = [...new Set(claim.wanted.map((id) => (id === e.from ? e.session : id)))].filter(
          (id) => id !== claim.session,
        );
      }
      for (const each of state.givenUp) if (each.session === e.from) each.session = e.session;
      for (const each of state.owed) {
        if (each.from === e.from) each.from = e.session;
        if (each.session === e.from) each.session = e.session;
      }
    },
    "session.ended": (state, e, { t }) => leave(state, e.session, t),
    "session.lapsed": (state, e, { t }) => leave(state, e.session, t),
  },
);

type Freed = { readonly task: string; readonly session: string; readonly tracker?: string | undefined };

function progress(state: ClaimsState, session: string, at: number): void {
  for (const claim of Object.values(state.claims))
    if (claim.session === session && at > claim.lastProgress) claim.lastProgress = at;
}

/** The claim, if it is that session's, which it is no more. */
function free(
  state: ClaimsState,
  { task, session, tracker }: Freed,
  status: Owed["status"],
): Claim | undefined {
  const claim = lookUp(state.claims, task);
  if (claim?.session !== session) return undefined;
  delete state.claims[task];
  if (claim.tracker !== undefined && tracker === undefined)
    owe(state, { tracker: claim.tracker, task, from: session, status, failed: 0 });
  return claim;
}

function giveUp(state: ClaimsState, freed: Freed, at: number): void {
  const claim = free(state, freed, "open");
  if (claim === undefined) return;
  remember(state, claim, at);
}

function remember(state: ClaimsState, { task, session, kind, tracker }: Claim, at: number): void {
  state.givenUp = [...state.givenUp, { task, session, kind, tracker, at }].slice(-GIVEN_UP_KEPT);
}

function complete(state: ClaimsState, e: EventNamed<"claim.completed">, t: number): void {
  const done = succeeded(e.outcome);
  const claim = free(state, e, done ? "closed" : "open");
  if (claim === undefined) return;
  if (!done) remember(state, claim, t);
  const { task, session, since } = claim;
  state.completed.push({ task, session, at: t, tookMs: t - since, outcome: e.outcome });
  if (state.completed.length > COMPLETED_KEPT) state.completed.shift();
}

function leave(state: ClaimsState, session: string, at: number): void {
  for (const claim of Object.values(state.claims)) {
    claim.wanted = claim.wanted.filter((id) => id !== session);
    giveUp(state, { task: claim.task, session }, at);
  }
}

/** One debt a task. The tracker knows whom it took it for first. */
function owe(state: ClaimsState, owed: Owed): void {
  const before = state.owed.find((each) => each.task === owed.task);
  const others = state.owed.filter((each) => each !== before);
  state.owed = [...others, { ...owed, from: before?.from ?? owed.from }].slice(-OWED_KEPT);
}

/** Whether a task that ended so is done. */
export function succeeded(outcome: string): boolean {
  return outcome !== "failed";
}

export type ClaimAnswer =
  | { readonly kind: "taken"; readonly events: Event[] }
  | { readonly kind: "refused"; readonly events: Event[]; readonly holder: Claim };

export interface Wish {
  readonly task: string;
  readonly session: string;
  readonly kind?: string | undefined;
  readonly tracker?: string | undefined;
}

/** Decides who works on a task: the first to ask, unless its claimant is proven gone. Asking again is no harm. */
export function take(state: ClaimsState, wish: Wish, gone: ReadonlySet<string>): ClaimAnswer {
  const { task, session } = wish;
  const holder = lookUp(state.claims, task);
  if (holder?.session === session) return { kind: "taken", events: [] };
  if (holder !== undefined && !gone.has(holder.session)) {
    const refused = event("claim.refused", { task, session, holder: holder.session, since: holder.since });
    return { kind: "refused", holder, events: holder.wanted.includes(session) ? [] : [refused] };
  }
  return { kind: "taken", events: [event("claim.taken", { ...wish })] };
}

/** A claim that is still there. */
export function findClaim(state: ClaimsState, task: string): Claim | undefined {
  return lookUp(state.claims, task);
}

/** All claims, oldest first. */
export function allClaims(state: ClaimsState): Claim[] {
  return Object.values(state.claims).sort((a, b) => a.since - b.since);
}

/** The claims of a session, oldest first. */
export function claimsOf(state: ClaimsState, session: string): Claim[] {
  return allClaims(state).filter((claim) => claim.session === session);
}

/** Those who asked for a claimed task, or `undefined` for nobody: as events name them. */
export function wantedBy({ wanted }: Claim, except?: string): string[] | undefined {
  const others = wanted.filter((id) => id !== except);
  return others.length === 0 ? undefined : others;
}
