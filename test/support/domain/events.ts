/** Events as tests speak of them: a session, a file and a minute, the rest as it usually is. */
import { event, type Event, type EventNamed } from "../../../events/mod.ts";
import type { Mode, Via } from "../../../src/domain/reservations.ts";
import type { Target } from "../../../src/domain/pattern.ts";
import type { ProcessId } from "../../../src/domain/sessions.ts";
import { min } from "./given.ts";

/** A commit id made of one letter. */
export const sha = (letter: string): string => letter.repeat(40);

/** "src/" is a directory, "src/*.ts" a glob, all else a path. */
export function target(word: string): Target {
  if (word.includes("*")) return { kind: "glob", glob: word };
  return word.endsWith("/")
    ? { kind: "dir", path: word.replace(/^\.?\/|\/$/g, "") }
    : { kind: "path", path: word };
}

/** "a" is a session, "a/1" its subagent 1. */
export function holder(name: string): { session: string; agent?: string } {
  const [session, agent] = name.split("/");
  return agent === undefined ? { session: session! } : { session: session!, agent };
}

export const proc = (pid: number, start = "100", boot = "boot-1"): ProcessId => ({ pid, start, boot });

export function started(
  session: string,
  more: { process?: ProcessId; tree?: string } = {},
): EventNamed<"session.started"> {
  return event("session.started", { session, kind: "claude-code", tree: "", cwd: "/repo", ...more });
}

/** Sessions that are coordinated: the second one has come. */
export const together = (...names: string[]): readonly Event[] => [
  ...names.map((name) => started(name)),
  event("policy.switched", {
    policy: "coordination",
    from: "alone",
    to: "together",
    rate: names.length,
    perMs: 0,
  }),
];

export function continued(
  from: string,
  session: string,
  more: { reason?: string; process?: ProcessId; tree?: string } = {},
): EventNamed<"session.continued"> {
  return event("session.continued", { session, from, reason: "clear", tree: "", cwd: "/repo", ...more });
}

export const ended = (session: string): Event =>
  event("session.ended", { session, reason: "prompt_input_exit" });
export const lapsed = (session: string): Event =>
  event("session.lapsed", { session, reason: "process-gone", lastSeen: 0 });
export const agentStarted = (session: string, agent: string): Event =>
  event("agent.started", { session, agent, kind: "Explore" });
export const agentStopped = (session: string, agent: string): Event =>
  event("agent.stopped", { session, agent });

/** @param until minute at which the lease runs out */
export function granted(
  who: string,
  words: string | readonly string[],
  until: number,
  { mode = "exclusive", via = "edit", tree = "" }: { mode?: Mode; via?: Via; tree?: string } = {},
): EventNamed<"reservation.granted"> {
  const targets = [words].flat().map((word) => target(word));
  return event("reservation.granted", { ...holder(who), tree, targets, mode, via, until: min(until) });
}

export function renewed(who: string, words: string | readonly string[], until: number): Event {
  const targets = [words].flat().map((word) => target(word));
  return event("reservation.renewed", { ...holder(who), tree: "", targets, until: min(until) });
}

export function reclaimed(who: string, words: string | readonly string[], until: number): Event {
  return { ...renewed(who, words, until), type: "reservation.reclaimed" } as Event;
}

export function extended(who: string, words: string | readonly string[], until: number): Event {
  const targets = [words].flat().map((word) => target(word));
  const reason = "a command runs";
  return event("reservation.extended", { ...holder(who), tree: "", targets, until: min(until), reason });
}

/** @param until minute until which the place is kept */
export function joined(
  who: string,
  words: string | readonly string[],
  until = 30,
  { mode = "exclusive", tree = "" }: { mode?: Mode; tree?: string } = {},
): Event {
  const targets = [words].flat().map((word) => target(word));
  return event("waiter.joined", { ...holder(who), tree, targets, mode, until: min(until) });
}

export function left(
  who: string,
  words: string | readonly string[],
  reason: EventNamed<"waiter.left">["reason"],
): Event {
  const targets = [words].flat().map((word) => target(word));
  return event("waiter.left", { ...holder(who), tree: "", targets, reason });
}

export function expired(who: string, word: string, until: number, successor?: string): Event {
  const targets = [target(word)];
  return event("reservation.expired", { ...holder(who), tree: "", targets, until: min(until), successor });
}

export function released(
  who: string,
  words: string | readonly string[],
  reason: EventNamed<"reservation.released">["reason"],
  tree = "",
): Event {
  const targets = [words].flat().map((word) => target(word));
  return event("reservation.released", { ...holder(who), tree, targets, reason });
}

/** Somebody in the way, as a refusal names them. */
export function blocker(
  who: string,
  word: string,
  since: number,
  until: number,
  mode: Mode = "exclusive",
): EventNamed<"reservation.refused">["blockers"][number] {
  return { ...holder(who), target: target(word), since: min(since), until: min(until), mode };
}

export function refused(
  who: string,
  words: string | readonly string[],
  blockers: EventNamed<"reservation.refused">["blockers"],
  mode: Mode = "exclusive",
): Event {
  const targets = [words].flat().map((word) => target(word));
  return event("reservation.refused", { ...holder(who), tree: "", targets, mode, blockers });
}

export function committed(
  commit: string,
  paths: readonly string[],
  more: { session?: string; tree?: string; branch?: string; subject?: string } = {},
): Event {
  return event("commit.recorded", {
    commit: sha(commit),
    parents: [],
    tree: "",
    paths: [...paths],
    total: paths.length,
    subject: `change ${commit}`,
    ...more,
  });
}
