import * as v from "valibot";
import { define } from "./define.ts";
import { blocker, count, holder, targets, text, time, tree } from "./fields.ts";

const scope = () => ({ ...holder(), tree: tree(), targets: targets() });
const mode = () => v.picklist(["exclusive", "shared"]);

export const reservationGranted = define(
  "reservation.granted",
  "All targets of one request are reserved, or none would be.",
  () => ({
    ...scope(),
    mode: mode(),
    until: time(),
    /** How it came: the edit gate, a command, seen on disk afterwards, or waited for. */
    via: v.picklist(["edit", "command", "effect", "wait"]),
  }),
);

export const reservationRenewed = define(
  "reservation.renewed",
  "The holder edited again: the lease runs anew.",
  () => ({
    ...scope(),
    until: time(),
  }),
);

export const reservationExtended = define(
  "reservation.extended",
  "The lease was made longer than the base lease.",
  () => ({
    ...scope(),
    until: time(),
    reason: v.string(),
  }),
);

export const reservationReclaimed = define(
  "reservation.reclaimed",
  "The last holder took it back within the grace period.",
  () => ({
    ...scope(),
    until: time(),
  }),
);

export const reservationRefused = define(
  "reservation.refused",
  "Somebody else holds it; nothing was reserved.",
  () => ({
    ...scope(),
    mode: mode(),
    blockers: v.array(blocker()),
    /** Nobody stands in the way: the session already holds so many, which is the most one may (SYS-3). */
    cap: v.optional(count()),
  }),
);

export const reservationReleased = define("reservation.released", "The holder let go.", () => ({
  ...scope(),
  reason: v.picklist(["committed", "command", "ended"]),
}));

export const reservationExpired = define(
  "reservation.expired",
  "A lease ran out and this was acted on, or its holder was told.",
  () => ({
    ...scope(),
    until: time(),
    /** Who got it instead, if anybody. */
    successor: v.optional(text()),
  }),
);

export const waiterJoined = define(
  "waiter.joined",
  "A holder waits for targets; whoever came first gets them when they are free.",
  () => ({
    ...scope(),
    mode: mode(),
    /** When it stops waiting. */
    until: time(),
  }),
);

export const waiterLeft = define("waiter.left", "A holder waits no more.", () => ({
  ...scope(),
  reason: v.picklist(["granted", "withdrew", "timed-out"]),
}));
