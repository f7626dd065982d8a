import { fold } from "./fold.ts";
import { enter, lookUp, type Table } from "./table.ts";
import { formatTarget, type Target } from "./pattern.ts";

/** One thing that concerns a session and that it has not been told yet. */
export interface Notice {
  /** Sequence number of the event it comes from. */
  seq: number;
  at: number;
  kind:
    | "wanted"
    | "taken"
    | "yours"
    | "overridden"
    | "changed"
    | "asked"
    | "accepted"
    | "rejected"
    | "lapsed"
    | "stalled"
    | "free"
    | "done";
  /** The other session; "" is a person. */
  by: string;
  /** The file or task it is about. */
  what: string;
  detail?: string | undefined;
  /** It is told from then on (ms). */
  notBefore?: number | undefined;
  /** The request it is about. */
  handoff?: string | undefined;
}

export interface NoticesState {
  /** By session; at most the last 20 of each, one a kind, party and matter. */
  inbox: Table<Notice[]>;
}

const INBOX_KEPT = 20;
const TEXT_KEPT = 300;

export const notices = fold<NoticesState>("notices", 3, () => ({ inbox: {} }), {
  "session.started": (state, e) => {
    enter(state.inbox, e.session, []);
  },
  "reservation.granted": (state, e, { seq, t }) => {
    if (e.via === "wait")
      put(state, e.session, { seq, at: t, kind: "yours", by: "", what: names(e.targets) });
  },
  "reservation.refused": (state, e, { seq, t }) => {
    for (const { session, target } of e.blockers) {
      if (session !== e.session)
        put(state, session, { seq, at: t, kind: "wanted", by: e.session, what: formatTarget(target) });
    }
  },
  "reservation.expired": (state, e, { seq, t }) => {
    if (e.successor === undefined || e.successor === e.session) return;
    put(state, e.session, { seq, at: t, kind: "taken", by: e.successor, what: names(e.targets) });
  },
  "commit.warned": (state, e, { seq, t }) => {
    for (const { session, target } of e.blockers) {
      put(state, session, {
        seq,
        at: t,
        kind: "overridden",
        by: e.session ?? "",
        what: formatTarget(target),
      });
    }
  },
  "commit.announced": (state, e, { seq, t }) => {
    for (const { session, paths, total } of e.about ?? []) {
      const what =
        total > paths.length ? `${paths.join(", ")} and ${total - paths.length} more` : paths.join(", ");
      const { by = "", notBefore } = e;
      put(state, session, { seq, at: t, kind: "changed", by, what, detail: e.commit.slice(0, 8), notBefore });
    }
  },
  "handoff.requested": (state, e, { seq, t }) => {
    const what = e.task ?? names(e.targets ?? []);
    const { reason: detail, handoff } = e;
    put(state, e.to, { seq, at: t, kind: "asked", by: e.from, what, detail, handoff });
  },
  "handoff.accepted": (state, e, { seq, t }) => {
    const what = e.task ?? names(e.targets ?? []);
    withdraw(state, e.to, e.handoff);
    put(state, e.from, { seq, at: t, kind: "accepted", by: e.to, what });
  },
  "handoff.rejected": (state, e, { seq, t }) => {
    const what = e.task ?? names(e.targets ?? []);
    withdraw(state, e.to, e.handoff);
    put(state, e.from, { seq, at: t, kind: "rejected", by: e.to, what, detail: e.reason });
  },
  "handoff.lapsed": (state, e, { seq, t }) => {
    const what = e.task ?? names(e.targets ?? []);
    withdraw(state, e.to, e.handoff);
    put(state, e.from, { seq, at: t, kind: "lapsed", by: e.to, what, detail: e.reason });
  },
  "claim.stalled": (state, e, { seq, t }) => {
    const about = { seq, at: t, by: e.session, what: e.task };
    put(state, e.session, { ...about, kind: "stalled", detail: e.why });
    for (const session of e.wanted ?? []) put(state, session, { ...about, kind: "free" });
  },
  "claim.released": (state, e, { seq, t }) => {
    for (const session of e.wanted ?? [])
      put(state, session, { seq, at: t, kind: "free", by: e.session, what: e.task });
  },
  "claim.completed": (state, e, { seq, t }) => {
    for (const session of e.wanted ?? [])
      put(state, session, { seq, at: t, kind: "done", by: e.session, what: e.task, detail: e.outcome });
  },
  "notice.delivered": (state, e, { t }) => {
    const inbox = lookUp(state.inbox, e.session);
    if (inbox === undefined) return;
    enter(
      state.inbox,
      e.session,
      inbox.filter((notice) => notice.seq > e.through || !isDue(notice, t)),
    );
  },
  "session.continued": (state, e) => {
    const own = lookUp(state.inbox, e.session) ?? [];
    enter(state.inbox, e.session, own);
    if (e.from === e.session) return;
    const all = [...(lookUp(state.inbox, e.from) ?? []), ...own].sort((a, b) => a.seq - b.seq);
    delete state.inbox[e.from];
    enter(state.inbox, e.session, all.slice(-INBOX_KEPT));
    for (const notice of Object.values(state.inbox).flat()) if (notice.by === e.from) notice.by = e.session;
  },
  "session.ended": (state, e) => {
    delete state.inbox[e.session];
  },
  "session.lapsed": (state, e) => {
    delete state.inbox[e.session];
  },
});

/** Sessions that are not live have no inbox, and need none. */
function put(state: NoticesState, session: string, notice: Notice): void {
  const inbox = lookUp(state.inbox, session);
  if (inbox === undefined) return;
  const what = notice.what.slice(0, TEXT_KEPT);
  const others = inbox.filter((n) => n.kind !== notice.kind || n.by !== notice.by || n.what !== what);
  const detail = notice.detail?.slice(0, TEXT_KEPT);
  enter(state.inbox, session, [...others, { ...notice, what, detail }].slice(-INBOX_KEPT));
}

/** A request that is over needs no answer. */
function withdraw(state: NoticesState, session: string, handoff: string): void {
  const inbox = lookUp(state.inbox, session);
  if (inbox === undefined) return;
  enter(
    state.inbox,
    session,
    inbox.filter((notice) => notice.handoff !== handoff),
  );
}

function names(targets: readonly Target[]): string {
  return targets.map(formatTarget).join(", ");
}

function isDue({ notBefore = 0 }: Notice, now: number): boolean {
  return notBefore <= now;
}

/** What a session is to be told now, oldest first. */
export function undelivered(state: NoticesState, session: string, now: number): Notice[] {
  return (lookUp(state.inbox, session) ?? []).filter((notice) => isDue(notice, now));
}
