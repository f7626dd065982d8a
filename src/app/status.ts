import type { States } from "../domain/mod.ts";
import { formatTarget } from "../domain/pattern.ts";
import { activeGrants, type Mode } from "../domain/reservations.ts";
import { liveSessions } from "../domain/sessions.ts";
import { claimsOf } from "../domain/claims.ts";

/** What `status` shows, at any time of the log. The shape is versioned: `signalbox.status` version 1. */
export interface StatusView {
  /** The time it is about (ms), and the last record it knows. */
  readonly at: number;
  readonly seq: number;
  readonly sessions: readonly {
    readonly id: string;
    readonly kind: string;
    readonly tree: string;
    readonly pid: number | null;
    readonly since: number;
    readonly lastSeen: number;
    /** Its process is proven gone; the next decision will say so in the log. */
    readonly gone: boolean;
    readonly agents: readonly string[];
    readonly holds: readonly Held[];
    readonly claims: readonly { readonly task: string; readonly since: number }[];
    readonly indexes: readonly {
      readonly gitdir: string;
      readonly base: string;
      /** When it was last carried forward to HEAD (ms), and how often. */
      readonly healedAt: number | null;
      readonly heals: number;
      /** Paths left unmerged by that. */
      readonly conflicted: readonly string[];
    }[];
  }[];
  /** Who waits for files, first come first. */
  readonly waiters: readonly {
    readonly session: string;
    readonly agent: string | null;
    readonly tree: string;
    readonly targets: readonly string[];
    readonly mode: Mode;
    readonly since: number;
    readonly until: number;
  }[];
  readonly queue: readonly {
    readonly session: string;
    readonly tree: string;
    readonly target: string;
    readonly notBefore: number;
  }[];
  readonly handoffs: readonly {
    readonly from: string;
    readonly to: string;
    readonly what: string;
    readonly until: number;
  }[];
  readonly heads: readonly {
    readonly tree: string;
    readonly commit: string;
    readonly branch: string | null;
  }[];
  readonly commits: readonly {
    readonly commit: string;
    readonly subject: string;
    readonly session: string | null;
    readonly at: number;
    readonly total: number;
  }[];
  readonly incidents: States["guard"]["incidents"];
  readonly counts: States["guard"]["counts"];
}

export interface Held {
  readonly target: string;
  readonly kind: "path" | "dir" | "glob";
  readonly tree: string;
  readonly agent: string | null;
  readonly mode: Mode;
  readonly since: number;
  readonly until: number;
}

const COMMITS_SHOWN = 5;

/** What the states say at a time. */
export function statusOf(
  states: States,
  { now, seq, gone }: { readonly now: number; readonly seq: number; readonly gone: ReadonlySet<string> },
): StatusView {
  const grants = activeGrants(states.reservations, now);
  return {
    at: now,
    seq,
    sessions: liveSessions(states.sessions).map((s) => ({
      id: s.id,
      kind: s.kind,
      tree: s.tree,
      pid: s.process?.pid ?? null,
      since: s.since,
      lastSeen: s.lastSeen,
      gone: gone.has(s.id),
      agents: Object.keys(s.agents),
      holds: grants
        .filter((g) => g.session === s.id)
        .map(({ target, tree, agent, mode, since, until }) => ({
          target: formatTarget(target),
          kind: target.kind,
          tree,
          agent: agent ?? null,
          mode,
          since,
          until,
        })),
      claims: claimsOf(states.claims, s.id).map(({ task, since }) => ({ task, since })),
      indexes: Object.values(states.indexes.indexes)
        .filter((index) => index.session === s.id)
        .map(({ gitdir, base, healedAt, heals, conflicted }) => ({
          gitdir,
          base,
          healedAt: healedAt ?? null,
          heals,
          conflicted,
        })),
    })),
    waiters: states.waiters.queue.map(({ session, agent, tree, targets, mode, since, until }) => ({
      session,
      agent: agent ?? null,
      tree,
      targets: targets.map(formatTarget),
      mode,
      since,
      until,
    })),
    queue: Object.values(states.rebaseQueue.queue).map(({ session, tree, target, notBefore }) => ({
      session,
      tree,
      target,
      notBefore,
    })),
    handoffs: Object.values(states.handoffs.open).map(({ from, to, task, targets, until }) => ({
      from,
      to,
      until,
      what: task ?? (targets ?? []).map(formatTarget).join(", "),
    })),
    heads: Object.entries(states.commits.heads).map(([tree, { commit, branch }]) => ({
      tree,
      commit,
      branch: branch ?? null,
    })),
    commits: states.commits.recent.slice(-COMMITS_SHOWN).map(({ commit, subject, session, at, total }) => ({
      commit,
      subject,
      session: session ?? null,
      at,
      total,
    })),
    incidents: states.guard.incidents,
    counts: states.guard.counts,
  };
}
