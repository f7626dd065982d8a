/**
 * Sessions at work, in one process and without a clock: what hooks and commands would decide, by the real
 * deciders, in the order the app appends it. A history made this way is plausible; nothing in it is made up.
 */
import { assertEvent, event, type Event, type StoredEvent } from "../../../events/mod.ts";
import { claimsOf, take } from "../../../src/domain/claims.ts";
import { answer, request } from "../../../src/domain/handoffs.ts";
import { holderOf } from "../../../src/domain/holder.ts";
import type { States } from "../../../src/domain/mod.ts";
import { undelivered } from "../../../src/domain/notices.ts";
import type { Target } from "../../../src/domain/pattern.ts";
import {
  activeGrants,
  type Answer,
  lapsedOf,
  release,
  type Request,
  reserve,
} from "../../../src/domain/reservations.ts";
import { join, withdraw } from "../../../src/domain/waiters.ts";
import { arrive, findSession, lapse, leave, liveSessions } from "../../../src/domain/sessions.ts";
import { LEASE_DEFAULTS, leaseTerms, leaseUntil, POLICY_DEFAULTS, settle } from "../../../src/policy/mod.ts";
import { sha } from "./events.ts";
import { evolve, type History, initialStates, type Moment } from "./history.ts";

/** What one client does. `slot` is the client: it has one process at a time, and a session in it. */
export type Act =
  | {
      readonly do:
        | "start"
        | "resume"
        | "clear"
        | "compact"
        | "end"
        | "kill"
        | "look"
        | "rebase"
        | "queue"
        | "leave";
    }
  | { readonly do: "agent"; readonly agent: string; readonly stops: boolean }
  | {
      readonly do: "reserve";
      readonly agent?: string | undefined;
      readonly tree: string;
      readonly targets: readonly Target[];
      readonly mode: "exclusive" | "shared";
      readonly via: "edit" | "command";
    }
  | {
      readonly do: "wait";
      readonly tree: string;
      readonly targets: readonly Target[];
      readonly mode: "exclusive" | "shared";
    }
  /** A shell command begins, or ends. */
  | { readonly do: "run"; readonly ends: boolean }
  | { readonly do: "release"; readonly reason: "command" | "committed"; readonly targets?: readonly Target[] }
  | { readonly do: "commit"; readonly commit: string; readonly paths: readonly string[] }
  | { readonly do: "claim" | "progress" | "complete"; readonly task: string }
  | {
      readonly do: "ask";
      readonly slot: number;
      readonly targets?: readonly Target[];
      readonly task?: string;
    }
  | { readonly do: "answer"; readonly accept: boolean }
  | { readonly do: "index"; readonly gone: boolean };

export interface Command {
  readonly slot: number;
  /** Time since the command before (ms). */
  readonly waitMs: number;
  readonly act: Act;
}

/** What was asked and answered at a `reserve`, and the states just before it. */
export interface Asked {
  readonly request: Request;
  readonly answer: Answer;
  readonly now: number;
  readonly gone: ReadonlySet<string>;
}

export interface Observer {
  /** Before the answer's events are folded. */
  readonly onAnswer?: (asked: Asked, states: States) => void;
  /** After each record. */
  readonly onRecord?: (states: States, now: number, gone: ReadonlySet<string>) => void;
}

interface Client {
  id: string;
  pid: number;
  alive: boolean;
  /** Since when it runs a command (ms). */
  runs?: number | undefined;
}

const SLOTS = 4;

export function drive(commands: readonly Command[], { onAnswer, onRecord }: Observer = {}): History {
  const states = initialStates();
  const history: Moment[] = [];
  let now = 0;
  let seq = 0;
  let ids = 0;
  const clients = Array.from({ length: SLOTS }, (): Client => newClient());

  function newClient(): Client {
    ids += 1;
    return { id: `s${ids}`, pid: ids, alive: true };
  }

  for (const { slot, waitMs, act } of commands) {
    now += waitMs;
    const client = clients[slot % SLOTS]!;
    if (act.do === "start" || act.do === "resume") {
      // A new process; its session is another one, or the one that was there.
      const { id, pid } = newClient();
      Object.assign(client, { pid, alive: true, runs: undefined }, act.do === "start" ? { id } : {});
    }
    if (act.do === "kill") client.alive = false;
    if (!client.alive) continue;
    const gone = goneSessions(client.id);
    if (act.do === "run") client.runs = act.ends ? undefined : now;
    seq += 1;
    // One record, as the app writes it.
    const count = history.length;
    add(due(gone));
    add([...lapse(states.sessions, gone), ...decide(client, act, gone)]);
    add(due(gone));
    if (history.length > count) onRecord?.(states, now, gone);
    else seq -= 1;
  }
  return history;

  /** What time has made due, before a decision and after it. */
  function due(gone: ReadonlySet<string>): readonly Event[] {
    const running = new Map(
      clients.flatMap((c) => (c.alive && c.runs !== undefined ? [[c.id, c.runs] as const] : [])),
    );
    return settle(states, { now, gone, running }, POLICY_DEFAULTS);
  }

  function add(events: readonly Event[]): void {
    for (const e of events) {
      assertEvent(e as unknown as StoredEvent);
      const moment = { event: e, meta: { seq, t: now } };
      history.push(moment);
      evolve(states, moment);
    }
  }

  function goneSessions(deciding: string): Set<string> {
    const running = new Set(clients.filter((c) => c.alive).map((c) => c.pid));
    const dead = liveSessions(states.sessions).filter(
      (s) => s.id !== deciding && s.process !== undefined && !running.has(s.process.pid),
    );
    return new Set(dead.map((s) => s.id));
  }

  function arrival(client: Client, reason: string): Event[] {
    const process = { pid: client.pid, start: "1", boot: "b" };
    return arrive(states.sessions, {
      session: client.id,
      kind: "claude-code",
      tree: "",
      cwd: "/repo",
      reason,
      process,
    });
  }

  function decide(client: Client, act: Act, gone: ReadonlySet<string>): readonly Event[] {
    if (act.do === "clear") {
      const left = findSession(states.sessions, client.id);
      if (left === undefined) return [];
      ids += 1;
      client.id = `s${ids}`;
      return [
        ...leave(states.sessions, { session: left.id, reason: "clear", goesOn: true, pid: client.pid }),
        ...arrival(client, "clear"),
      ];
    }
    const known = findSession(states.sessions, client.id);
    const hello = known === undefined ? arrival(client, "found") : [];
    const session = known?.id ?? client.id;
    switch (act.do) {
      case "start":
      case "resume":
      case "compact":
        return arrival(client, act.do);
      case "end":
        return [
          ...release(states.reservations, session, "ended"),
          ...leave(states.sessions, { session, reason: "exit", goesOn: false, pid: client.pid }),
        ];
      case "agent": {
        const { agent } = act;
        return [
          ...hello,
          act.stops
            ? event("agent.stopped", { session, agent })
            : event("agent.started", { session, agent, kind: "Explore" }),
        ];
      }
      case "reserve": {
        const { agent, tree, targets, mode, via } = act;
        const request = { holder: { session, agent }, tree, targets, mode, via };
        const terms = leaseTerms(states, request, { now, gone }, LEASE_DEFAULTS);
        const circumstances = { now, gone, ...terms };
        const given = reserve(states.reservations, request, circumstances);
        onAnswer?.({ request, answer: given, now, gone }, states);
        return [...hello, ...given.events];
      }
      case "wait": {
        const { tree, targets, mode } = act;
        return [...hello, ...join({ session, tree, targets, mode }, now + POLICY_DEFAULTS.wait.keepMs)];
      }
      case "leave":
        return withdraw(states.waiters, session, undefined);
      case "release": {
        const { reason, targets } = act;
        return release(
          states.reservations,
          session,
          reason,
          targets === undefined ? {} : { tree: "", targets },
        );
      }
      case "commit": {
        const targets = act.paths.map((path) => ({ kind: "path" as const, path }));
        const { commit, paths } = act;
        const total = paths.length;
        return [
          ...hello,
          event("commit.recorded", {
            commit: sha(commit),
            parents: [],
            tree: "",
            session,
            paths: [...paths],
            total,
            subject: `change ${commit}`,
            branch: "refs/heads/main",
          }),
          ...release(states.reservations, session, "committed", { tree: "", targets }),
        ];
      }
      case "claim":
        return [...hello, ...take(states.claims, { task: act.task, session }, gone).events];
      case "progress":
        return [event("claim.progressed", { task: act.task, session })];
      case "complete":
        return [event("claim.completed", { task: act.task, session, outcome: "done" })];
      case "ask": {
        const other = findSession(states.sessions, clients[act.slot % SLOTS]!.id)?.id;
        if (known === undefined || other === undefined || other === session) return [];
        // For what the other has: else there is nothing to ask for.
        const claim = claimsOf(states.claims, other)[0];
        const grant = activeGrants(states.reservations, now).find((g) => g.session === other);
        const matter =
          act.task !== undefined && claim !== undefined
            ? { task: claim.task }
            : {
                tree: grant?.tree ?? "",
                targets: grant === undefined ? (act.targets ?? []) : [grant.target],
              };
        const wish = { from: session, reason: "mine", now, until: now + 600_000 };
        const asked = request(states, matter, wish);
        return asked.kind === "asked" ? asked.events : [];
      }
      case "answer": {
        // Whoever it is that was asked: few requests would live until that client's turn.
        const [first] = Object.values(states.handoffs.open);
        const verdict = act.accept
          ? { accept: true as const, until: leaseUntil(LEASE_DEFAULTS, now) }
          : { accept: false as const, reason: "busy" };
        const said =
          first === undefined ? undefined : answer(states.handoffs, first.handoff, first.to, verdict);
        return said === undefined ? [] : [said];
      }
      case "index":
        return act.gone
          ? [event("index.removed", { session, gitdir: `slot-${client.pid % SLOTS}` })]
          : [
              event("index.created", {
                session,
                gitdir: `slot-${client.pid % SLOTS}`,
                tree: "",
                base: sha("a"),
              }),
            ];
      case "queue":
        return [
          ...hello,
          event("rebase.queued", { session, tree: "", target: sha("b"), notBefore: now + 1000 }),
        ];
      case "rebase":
        return [event("rebase.succeeded", { session, tree: "", to: sha("b") })];
      case "look":
        return told(session);
      default:
        return [];
    }
  }

  function told(session: string): Event[] {
    const ranOut = lapsedOf(states.reservations, session, now, LEASE_DEFAULTS.graceMs).map((g) =>
      event("reservation.expired", { ...holderOf(g), tree: g.tree, targets: [g.target], until: g.until }),
    );
    const last = undelivered(states.notices, session, now).at(-1);
    return last === undefined
      ? ranOut
      : [...ranOut, event("notice.delivered", { session, through: last.seq })];
  }
}
