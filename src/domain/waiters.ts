import { event, type Event } from "../../events/mod.ts";
import { fold } from "./fold.ts";
import { type Holder, holderOf, rivals, sameHolder } from "./holder.ts";
import { overlaps, type Target } from "./pattern.ts";
import { conflicts, type Mode, textOf } from "./reservations.ts";

/** A place in the queue: a holder waits until all of its targets are free, and has them then. */
export interface Waiter {
  session: string;
  agent?: string | undefined;
  tree: string;
  targets: Target[];
  mode: Mode;
  /** When it joined, and how long its place is kept (ms). */
  since: number;
  until: number;
}

export interface WaitersState {
  /** One queue for all files, the first to be served first; a holder's place for the same targets is one. */
  queue: Waiter[];
}

/** A holder that asks for more gives its oldest place up. */
const PLACES_KEPT = 8;

export const waiters = fold<WaitersState>("waiters", 1, () => ({ queue: [] }), {
  "waiter.joined": (state, e, { t }) => {
    const known = state.queue.find((w) => isPlace(w, e));
    if (known !== undefined) {
      known.until = Math.max(known.until, e.until);
      if (e.mode === "exclusive") known.mode = e.mode;
      return;
    }
    const { tree, targets, mode, until } = e;
    state.queue.push({ ...holderOf(e), tree, targets: [...targets], mode, since: t, until });
    const own = state.queue.filter((w) => sameHolder(w, e));
    if (own.length > PLACES_KEPT) state.queue = state.queue.filter((w) => w !== own[0]);
  },
  "waiter.left": (state, e) => {
    state.queue = state.queue.filter((w) => !isPlace(w, e));
  },
  "session.ended": (state, e) => dropSession(state, e.session),
  "session.lapsed": (state, e) => dropSession(state, e.session),
  "session.continued": (state, e) => {
    if (e.from === e.session) return;
    const queue: Waiter[] = [];
    for (const waiter of state.queue) {
      const next = waiter.session === e.from ? { ...waiter, session: e.session } : waiter;
      if (!queue.some((w) => isPlace(w, next))) queue.push(next);
    }
    state.queue = queue;
  },
  // Its session does not know what it was waiting for.
  "agent.stopped": (state, e) => {
    state.queue = state.queue.filter((w) => w.session !== e.session || w.agent !== e.agent);
  },
});

type Place = Holder & { readonly tree: string; readonly targets: readonly Target[] };

function isPlace(waiter: Waiter, place: Place): boolean {
  return (
    sameHolder(waiter, place) &&
    waiter.tree === place.tree &&
    textOf(waiter.targets) === textOf(place.targets)
  );
}

function dropSession(state: WaitersState, session: string): void {
  state.queue = state.queue.filter((w) => w.session !== session);
}

/** The holder's place for exactly these targets. */
export function findPlace(state: WaitersState, place: Place): Waiter | undefined {
  return state.queue.find((w) => isPlace(w, place));
}

/** Whether the second cannot have what it waits for while the first has what it waits for. */
export function precludes(first: Waiter, second: Waiter): boolean {
  return (
    first.tree === second.tree &&
    rivals(first, second) &&
    first.targets.some((target) => conflicts({ target, mode: first.mode }, second.mode, second.targets))
  );
}

/** Those before it in the queue that it has to wait for. */
export function aheadOf(state: WaitersState, waiter: Waiter): Waiter[] {
  const before = state.queue.slice(0, Math.max(0, state.queue.indexOf(waiter)));
  return before.filter((w) => precludes(w, waiter));
}

/** Who waits for something of this target, first come first. */
export function waitersFor(state: WaitersState, tree: string, target: Target): Waiter[] {
  return state.queue.filter((w) => w.tree === tree && w.targets.some((t) => overlaps(t, target)));
}

/** A holder takes a place in the queue, or keeps the one it has for longer. */
export function join(place: Place & { readonly mode: Mode }, until: number): Event[] {
  const { tree, targets, mode } = place;
  return [event("waiter.joined", { ...holderOf(place), tree, targets: [...targets], mode, until })];
}

/** A session gives places up: those for something of these targets, or all. */
export function withdraw(
  state: WaitersState,
  session: string,
  which: { readonly tree: string; readonly targets: readonly Target[] } | undefined,
): Event[] {
  return state.queue
    .filter((w) => w.session === session)
    .filter(
      (w) =>
        which === undefined ||
        (w.tree === which.tree && w.targets.some((t) => which.targets.some((other) => overlaps(t, other)))),
    )
    .map((w) => left(w, "withdrew"));
}

/** A waiter's place is gone. */
export function left(waiter: Waiter, reason: "granted" | "withdrew" | "timed-out"): Event {
  const { tree, targets } = waiter;
  return event("waiter.left", { ...holderOf(waiter), tree, targets: [...targets], reason });
}
