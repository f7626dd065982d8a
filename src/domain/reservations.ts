import { event, type Event } from "../../events/mod.ts";
import { fold, type Meta } from "./fold.ts";
import { type Holder, holderOf, rivals, sameHolder } from "./holder.ts";
import { covers, formatTarget, overlaps, type Target } from "./pattern.ts";

export type Mode = "exclusive" | "shared";
export type Via = "edit" | "command" | "effect" | "wait";

/** One holder's lease on one target in one working tree. */
export interface Grant {
  session: string;
  agent?: string | undefined;
  tree: string;
  target: Target;
  mode: Mode;
  via: Via;
  /** When it was first granted, and when it runs out (ms). */
  since: number;
  until: number;
}

export interface ReservationsState {
  /**
   * Leases that were not given back. Two of rivals never overlap, unless both are shared: whoever is granted one
   * replaces those that ran out. That a lease has run out is seen from `until`, not from its absence.
   */
  grants: Grant[];
  /** The last refusals, so that a retry loop does not fill the log. */
  refusals: Refusal[];
}

export interface Refusal {
  session: string;
  agent?: string | undefined;
  tree: string;
  /** What was asked for, as one text. */
  targets: string;
  mode: Mode;
  /** Who stood in the way. */
  blockers: { session: string; agent?: string | undefined }[];
  at: number;
}

/** Leases that ran out are kept this long: their holder is to be told, and may take them back. */
const LAPSED_KEPT_MS = 60 * 60_000;
const REFUSALS_KEPT = 64;
const REFUSAL_REPEAT_MS = 60_000;

export const reservations = fold<ReservationsState>("reservations", 2, () => ({ grants: [], refusals: [] }), {
  "reservation.granted": (state, e, meta) => {
    forget(state, meta);
    for (const target of e.targets)
      put(state, {
        ...holderOf(e),
        tree: e.tree,
        target,
        mode: e.mode,
        via: e.via,
        since: meta.t,
        until: e.until,
      });
  },
  "reservation.renewed": (state, e) => prolong(state, e),
  "reservation.extended": (state, e) => prolong(state, e),
  "reservation.reclaimed": (state, e) => prolong(state, e),
  "reservation.released": (state, e) => drop(state, e),
  // Only the lease that ran out: it may have been renewed before this was written.
  "reservation.expired": (state, e) => drop(state, e, e.until),
  "reservation.refused": (state, e, { t }) => {
    const { tree, mode } = e;
    const blockers = e.blockers.map(holderOf);
    state.refusals.push({ ...holderOf(e), tree, targets: textOf(e.targets), mode, blockers, at: t });
    if (state.refusals.length > REFUSALS_KEPT) state.refusals.shift();
  },
  "session.ended": (state, e) => dropSession(state, e.session),
  "session.lapsed": (state, e) => dropSession(state, e.session),
  "session.continued": (state, e) => {
    if (e.from === e.session) return;
    move(
      state,
      (g) => g.session === e.from,
      (g) => ({ ...g, session: e.session }),
    );
    for (const holder of state.refusals.flatMap((refusal) => [refusal, ...refusal.blockers]))
      if (holder.session === e.from) holder.session = e.session;
  },
  "agent.stopped": (state, e) =>
    move(
      state,
      (g) => g.session === e.session && g.agent === e.agent,
      ({ agent: _, ...g }) => g,
    ),
  "handoff.accepted": (state, e, { t }) => {
    const theirs = state.grants.filter((g) => g.session === e.to && g.tree === e.tree);
    for (const target of e.targets ?? []) {
      const held = theirs.filter((g) => includes(g.target, target));
      const [grant] = held;
      if (grant === undefined) continue;
      // What is left to the giver must not overlap: of a directory, nothing is.
      state.grants = state.grants.filter((g) => !theirs.includes(g) || !overlaps(g.target, target));
      const mode = held.some((g) => g.mode === "exclusive") ? "exclusive" : "shared";
      const { agent: _, ...lease } = grant;
      put(state, { ...lease, mode, target, session: e.from, since: t, until: e.until });
    }
  },
});

type Scope = Holder & { readonly tree: string; readonly targets: readonly Target[] };

/** Targets as one text: the same if and only if they are. */
export function textOf(targets: readonly Target[]): string {
  return JSON.stringify(targets.map(targetText));
}

/** `formatTarget` has one text for the file `*.ts` and the glob `*.ts`. */
function targetText(target: Target): string {
  return `${target.kind} ${formatTarget(target)}`;
}

function sameTarget(a: Target, b: Target): boolean {
  return targetText(a) === targetText(b);
}

function put(state: ReservationsState, grant: Grant): void {
  const twin = state.grants.find(
    (g) => sameHolder(g, grant) && g.tree === grant.tree && sameTarget(g.target, grant.target),
  );
  if (twin === undefined) state.grants.push(grant);
  else Object.assign(twin, merged(twin, grant));
}

/** Two leases of one holder on one target are one: the stronger mode, from the first to the last moment. */
function merged(a: Grant, b: Grant): Grant {
  const [first, second] = b.since < a.since ? [b, a] : [a, b];
  // It had run out in between, and was taken anew.
  if (first.until < second.since) return second;
  return {
    ...second,
    mode: first.mode === "exclusive" ? "exclusive" : second.mode,
    since: first.since,
    until: Math.max(first.until, second.until),
  };
}

function prolong(state: ReservationsState, scope: Scope & { readonly until: number }): void {
  for (const grant of state.grants) if (isIn(scope, grant)) grant.until = scope.until;
}

function drop(state: ReservationsState, scope: Scope, until = Infinity): void {
  state.grants = state.grants.filter((grant) => !isIn(scope, grant) || grant.until > until);
}

function dropSession(state: ReservationsState, session: string): void {
  state.grants = state.grants.filter((grant) => grant.session !== session);
  state.refusals = state.refusals.filter((refusal) => refusal.session !== session);
}

function move(
  state: ReservationsState,
  which: (grant: Grant) => boolean,
  change: (grant: Grant) => Grant,
): void {
  const moved = state.grants.filter(which);
  state.grants = state.grants.filter((grant) => !which(grant));
  for (const grant of moved) put(state, change(grant));
}

function forget(state: ReservationsState, { t }: Meta): void {
  state.grants = state.grants.filter((grant) => grant.until > t - LAPSED_KEPT_MS);
}

function isIn(scope: Scope, grant: Grant): boolean {
  return (
    sameHolder(grant, scope) &&
    grant.tree === scope.tree &&
    scope.targets.some((t) => sameTarget(t, grant.target))
  );
}

export interface Request {
  readonly holder: Holder;
  readonly tree: string;
  readonly targets: readonly Target[];
  readonly mode: Mode;
  readonly via: Via;
}

/** What the lease policy says to one request. */
export interface Terms {
  /** When a lease granted now runs out. */
  readonly until: number;
  /** Whether a lease that runs until then is worth renewing now. */
  readonly renewalDue: (until: number) => boolean;
  /** After a lease has run out its holder may take it back, ahead of others, for so long. */
  readonly graceMs: number;
  /** Leases of the same holder that are renewed together with what is asked for. */
  readonly isRelated: (grant: Grant) => boolean;
  /** How many leases the session may have, subagents included; absent: any number. */
  readonly cap?: number | undefined;
}

export interface Circumstances extends Terms {
  /** Never before the log's own time, so that a clock stepping back frees nothing. */
  readonly now: number;
  /** Sessions proven gone; what they hold is free, without grace. */
  readonly gone: ReadonlySet<string>;
}

export type Answer =
  | {
      readonly kind: "granted";
      readonly events: Event[];
      /** Run-out leases of others that gave way. */ readonly lapsed: Grant[];
    }
  | {
      readonly kind: "refused";
      readonly events: Event[];
      /** Leases of others that run, or are in grace. */
      readonly blockers: Grant[];
      /** Nobody is in the way: the session has as many leases as it may. */
      readonly capped?: Capped | undefined;
    };

export interface Capped {
  readonly cap: number;
  /** The session's leases, those that were not renewed for longest first. */
  readonly held: Grant[];
}

/**
 * Decides a request: all targets are granted, or none. What the holder has already is renewed, with the leases of
 * the same holder that are related to it, and taken back if it has run out and is in grace.
 */
export function reserve(state: ReservationsState, request: Request, circumstances: Circumstances): Answer {
  const { holder, tree, targets, mode, via } = request;
  const { now, gone, until, renewalDue, graceMs, isRelated, cap } = circumstances;
  const inTheWay = state.grants.filter(
    (g) => g.tree === tree && rivals(g, holder) && !gone.has(g.session) && conflicts(g, mode, targets),
  );
  const blockers = inTheWay.filter((g) => isHeld(g, now, graceMs));
  if (blockers.length > 0)
    return { kind: "refused", blockers, events: refusal(state, request, blockers, now) };

  const own = state.grants.filter((g) => g.tree === tree && sameHolder(g, holder) && isHeld(g, now, graceMs));
  const covering = targets.map((target) => {
    const all = own.filter((g) => atLeast(g.mode, mode) && includes(g.target, target));
    return all.find((g) => g.until > now) ?? all[0];
  });
  const fresh = targets.filter((_, i) => covering[i] === undefined);
  const held = state.grants.filter((g) => g.session === holder.session && g.until > now);
  if (cap !== undefined && fresh.length > 0 && held.length + fresh.length > cap) {
    held.sort((a, b) => a.until - b.until);
    const events = refusal(state, request, [], now, cap);
    return { kind: "refused", blockers: [], capped: { cap, held }, events };
  }

  const lapsed = inTheWay;
  const events: Event[] = lapsed.map((g) =>
    event("reservation.expired", {
      ...holderOf(g),
      tree,
      targets: [g.target],
      until: g.until,
      successor: holder.session,
    }),
  );
  const scope = { ...holderOf(holder), tree };
  if (fresh.length > 0)
    events.push(event("reservation.granted", { ...scope, targets: fresh, mode, via, until }));
  const replaced = (g: Grant) => fresh.some((target) => sameTarget(target, g.target));
  const touched = own.filter((g) => covering.includes(g) || (isRelated(g) && !replaced(g)));
  const renewed = touched.filter((g) => g.until > now && g.until < until && renewalDue(g.until));
  if (renewed.length > 0)
    events.push(event("reservation.renewed", { ...scope, ...targetsOf(renewed), until }));
  const reclaimed = touched.filter((g) => g.until <= now);
  if (reclaimed.length > 0)
    events.push(event("reservation.reclaimed", { ...scope, ...targetsOf(reclaimed), until }));
  return { kind: "granted", events, lapsed };
}

function refusal(
  state: ReservationsState,
  request: Request,
  blockers: readonly Grant[],
  now: number,
  cap?: number,
): Event[] {
  const { holder, tree, targets, mode } = request;
  const text = textOf(targets);
  // Somebody else in the way, who is to hear of it, makes it another refusal.
  const repeated = state.refusals.some(
    (r) =>
      sameHolder(r, holder) &&
      r.tree === tree &&
      r.targets === text &&
      r.mode === mode &&
      now - r.at < REFUSAL_REPEAT_MS &&
      blockers.every((b) => r.blockers.some((known) => sameHolder(known, b))),
  );
  if (repeated) return [];
  const refused = { targets: [...targets], mode, blockers: blockers.map(asBlocker), cap };
  return [event("reservation.refused", { ...holderOf(holder), tree, ...refused })];
}

function targetsOf(grants: readonly Grant[]): { targets: Target[] } {
  return { targets: grants.map((g) => g.target) };
}

/** Whether a lease runs, or has run out so lately that its holder may still take it back. */
export function isHeld({ until }: Grant, now: number, graceMs: number): boolean {
  return until + graceMs > now;
}

/** A grant as events name it when it stands in somebody's way. */
export function asBlocker({ target, since, until, mode, ...holder }: Grant) {
  return { ...holderOf(holder), target, since, until, mode };
}

/** Whether somebody cannot have these targets in that mode beside a lease. */
export function conflicts(
  grant: { readonly mode: Mode; readonly target: Target },
  mode: Mode,
  targets: readonly Target[],
): boolean {
  if (grant.mode === "shared" && mode === "shared") return false;
  return targets.some((target) => overlaps(grant.target, target));
}

function atLeast(held: Mode, wanted: Mode): boolean {
  return held === "exclusive" || wanted === "shared";
}

/** Whether one of these leases gives its holder that target. */
export function isGiven(grants: readonly Grant[], target: Target, mode: Mode): boolean {
  return grants.some((g) => atLeast(g.mode, mode) && includes(g.target, target));
}

function includes(outer: Target, inner: Target): boolean {
  return inner.kind === "path" ? covers(outer, inner.path) : sameTarget(outer, inner);
}

/** Leases of others that keep this session from committing these paths, each with the paths it covers. */
export function inTheWayOf(
  state: ReservationsState,
  commit: { readonly session?: string | undefined; readonly tree: string; readonly paths: readonly string[] },
  { now, gone }: Pick<Circumstances, "now" | "gone">,
): { grant: Grant; paths: string[] }[] {
  return state.grants
    .filter((g) => g.tree === commit.tree && g.session !== commit.session && g.mode === "exclusive")
    .filter((g) => g.until > now && !gone.has(g.session))
    .map((grant) => ({ grant, paths: commit.paths.filter((path) => covers(grant.target, path)) }))
    .filter(({ paths }) => paths.length > 0);
}

/** Gives back leases of a session, subagents included: those on the targets given, or all. */
export function release(
  state: ReservationsState,
  session: string,
  reason: "committed" | "command" | "ended",
  which: {
    readonly tree?: string;
    readonly targets?: readonly Target[];
    readonly agent?: string | undefined;
  } = {},
): Event[] {
  const mine = state.grants.filter(
    (g) =>
      g.session === session &&
      (which.agent === undefined || g.agent === which.agent) &&
      (which.tree === undefined || g.tree === which.tree) &&
      (which.targets === undefined || which.targets.some((t) => sameTarget(t, g.target))),
  );
  const scopes = new Map<string, Grant[]>();
  for (const grant of mine) {
    const key = `${grant.agent ?? ""}\n${grant.tree}`;
    scopes.set(key, [...(scopes.get(key) ?? []), grant]);
  }
  return [...scopes.values()].map((grants) =>
    event("reservation.released", {
      ...holderOf(grants[0]!),
      tree: grants[0]!.tree,
      targets: grants.map((g) => g.target),
      reason,
    }),
  );
}

/** Leases that run at that time, longest held first. */
export function activeGrants(state: ReservationsState, now: number): Grant[] {
  return state.grants.filter((g) => g.until > now).sort((a, b) => a.since - b.since);
}

/** Who holds a path at that time. */
export function holdersOf(state: ReservationsState, tree: string, path: string, now: number): Grant[] {
  return activeGrants(state, now).filter((g) => g.tree === tree && covers(g.target, path));
}

/** Leases of a session that ran out, with their grace, and that nobody has acted on yet. */
export function lapsedOf(state: ReservationsState, session: string, now: number, graceMs = 0): Grant[] {
  return state.grants.filter((g) => g.session === session && !isHeld(g, now, graceMs));
}

/** Leases of a session that run out within that time, or have run out and are in grace. */
export function endingOf(
  state: ReservationsState,
  session: string,
  now: number,
  { graceMs, warnMs }: { readonly graceMs: number; readonly warnMs: number },
): Grant[] {
  return state.grants.filter(
    (g) => g.session === session && g.until <= now + warnMs && isHeld(g, now, graceMs),
  );
}

/** Leases that ran out and that their holders may still take back ahead of others, longest held first. */
export function gracedGrants(state: ReservationsState, now: number, graceMs: number): Grant[] {
  return state.grants
    .filter((g) => g.until <= now && isHeld(g, now, graceMs))
    .sort((a, b) => a.since - b.since);
}
