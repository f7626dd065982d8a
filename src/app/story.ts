import type { Event, EventNamed, EventType } from "../../events/mod.ts";
import { formatTarget, type Target } from "../domain/pattern.ts";
import { shortName } from "./identity.ts";
import { clock, duration, who } from "./messages.ts";

type Tellers = { readonly [T in EventType]: (e: Extract<Event, { type: T }>) => string };

/** Each event as a sentence of the story that `replay` and `log` tell. */
const TELL: Tellers = {
  "session.started": (e) => `${who(e)} started (${e.kind})${inTree(e.tree)}`,
  "session.continued": (e) =>
    `${who(e)} goes on after ${e.reason}${e.from === e.session ? "" : `, until now session ${shortName(e.from)}`}`,
  "session.cleared": (e) => `${who(e)} was cleared`,
  "session.seen": (e) => `${who(e)} was active at ${clock(e.at)}`,
  "session.ended": (e) => `${who(e)} ended (${e.reason})`,
  "session.lapsed": (e) =>
    `${who(e)} lapsed: ${e.reason === "process-gone" ? "its process is gone" : "silent"}, last seen ${clock(e.lastSeen)}`,
  "agent.started": (e) => `${who(e)} started${e.kind === undefined ? "" : ` (${e.kind})`}`,
  "agent.stopped": (e) => `${who(e)} stopped`,
  "index.created": (e) => `${who(e)} got an index of its own, based on ${short(e.base)}`,
  "index.refreshed": (e) => `${who(e)}'s index was carried from ${short(e.from)} to ${short(e.to)}`,
  "index.conflicted": (e) => `${who(e)}'s staged ${list(e.paths)} conflicts with ${short(e.to)}`,
  "index.recreated": (e) => `${who(e)}'s index was made anew (${e.reason})`,
  "index.removed": (e) =>
    `${who(e)}'s index was removed${e.rescue === undefined ? "" : `; staged work is in ${e.rescue}`}`,
  "reservation.granted": (e) =>
    `${who(e)} reserved ${targets(e)}${e.mode === "shared" ? " (shared)" : ""}, until ${clock(e.until)}`,
  "reservation.renewed": (e) => `${who(e)} renewed ${targets(e)}, until ${clock(e.until)}`,
  "reservation.extended": (e) =>
    `${who(e)} keeps ${targets(e)} longer, until ${clock(e.until)} (${e.reason})`,
  "reservation.reclaimed": (e) => `${who(e)} took ${targets(e)} back, until ${clock(e.until)}`,
  "reservation.refused": (e) =>
    `${who(e)} was refused ${targets(e)}, ${e.cap === undefined ? `held by ${unique(e.blockers.map(who))}` : `as ${e.cap} is the most it may hold`}`,
  "reservation.released": (e) => `${who(e)} released ${targets(e)} (${e.reason})`,
  "reservation.expired": (e) =>
    `${who(e)}'s reservation of ${targets(e)} ran out at ${clock(e.until)}${e.successor === undefined ? "" : `; session ${shortName(e.successor)} has it`}`,
  "waiter.joined": (e) => `${who(e)} waits for ${targets(e)}, until ${clock(e.until)}`,
  "waiter.left": (e) => `${who(e)} waits for ${targets(e)} no more (${e.reason})`,
  "claim.taken": (e) => `${who(e)} claimed ${e.task}`,
  "claim.refused": (e) => `${who(e)} was refused ${e.task}, claimed by session ${shortName(e.holder)}`,
  "claim.progressed": (e) => `${who(e)} made progress on ${e.task}`,
  "claim.stalled": (e) =>
    `${who(e)}'s claim of ${e.task} stalled${stallReason(e)}, no progress since ${clock(e.lastProgress)}`,
  "claim.released": (e) => `${who(e)} gave ${e.task} back (${e.reason})`,
  "claim.completed": (e) => `${who(e)} completed ${e.task}: ${e.outcome}`,
  "tracker.told": (e) =>
    e.error === undefined
      ? `${e.tracker} was told that ${e.task} is ${e.status}${e.session === undefined ? "" : ` by session ${shortName(e.session)}`}`
      : `${e.tracker} could not be told that ${e.task} is ${e.status}: ${e.error}`,
  "handoff.requested": (e) =>
    `session ${shortName(e.from)} asked session ${shortName(e.to)} for ${matter(e)}: ${e.reason}`,
  "handoff.accepted": (e) =>
    `session ${shortName(e.to)} handed ${matter(e)} over to session ${shortName(e.from)}`,
  "handoff.rejected": (e) => `request ${e.handoff} was rejected: ${e.reason}`,
  "handoff.lapsed": (e) => `request ${e.handoff} lapsed: ${e.reason}`,
  "commit.recorded": (e) =>
    `${person(e.session)} committed ${short(e.commit)} "${e.subject}" on ${branch(e.branch)}: ${list(e.paths, e.total)}${inTree(e.tree)}`,
  "commit.refused": (e) =>
    `${who(e)} was refused a commit of ${list(e.paths)}, held by ${unique(e.blockers.map(who))}`,
  "commit.warned": (e) =>
    `${person(e.session)} was let commit ${list(e.paths)}, though held by ${unique(e.blockers.map(who))}`,
  "commit.scoped": (e) => `${who(e)} left out ${list(e.paths, e.total)}, not its own${inTree(e.tree)}`,
  "commit.announced": (e) => `commit ${short(e.commit)} was announced to ${e.to.map(shortName).join(", ")}`,
  "commit.rewritten": (e) =>
    `${person(e.session)} replaced ${e.pairs.length === 1 ? short(e.pairs[0]!.from) : `${e.pairs.length} commits`} (${e.how})`,
  "head.moved": (e) =>
    `${branch(e.branch)} is at ${short(e.to)}${e.how === "found" ? "" : ` after ${e.how} by ${person(e.session)}`}${inTree(e.tree)}`,
  "push.recorded": (e) => `${person(e.session)} pushes ${list(e.refs.map((r) => r.local))} to ${e.remote}`,
  "rebase.queued": (e) => `${who(e)} is to rebase onto ${short(e.target)}, not before ${clock(e.notBefore)}`,
  "rebase.coalesced": (e) => `${who(e)}'s rebase goes onto ${short(e.target)} instead`,
  "rebase.started": (e) => `${who(e)} rebases onto ${short(e.target)}`,
  "rebase.succeeded": (e) => `${who(e)} stands on ${short(e.to)}`,
  "rebase.conflicted": (e) =>
    `${who(e)}'s rebase onto ${short(e.target)} would conflict in ${list(e.paths)}; again after ${clock(e.notBefore)}`,
  "policy.switched": (e) =>
    `${e.policy} went from ${e.from} to ${e.to} at ${Math.round(e.rate)}${e.perMs === 0 ? " sessions" : ` per ${duration(e.perMs)}`}`,
  "guard.refused": (e) => `${who(e)} was refused ${e.verb}: ${e.reason}`,
  "guard.bypassed": (e) =>
    `${person(e.session)} passed the guard by (${e.how})${e.reason === undefined ? "" : `: ${e.reason}`}`,
  "guard.failed": (e) => `the guard broke at ${e.where} and let it through: ${e.error}`,
  "file.written": (e) => `${who(e)} wrote ${e.path}${inTree(e.tree)}`,
  "work.attributed": (e) =>
    `${who(e)} changed ${list(e.paths)} by a command${e.certainty === "ambiguous" ? " (or somebody else did)" : ""}`,
  "work.stashed": (e) => `${who(e)} stashed work as ${short(e.entry)}${inTree(e.tree)}`,
  "work.rescued": (e) => `${who(e)}'s ${list(e.paths)} was saved in ${e.ref} (${e.reason})`,
  "notice.delivered": (e) => `${who(e)} was told what concerned it`,
  "log.compacted": (e) => `the log was compacted up to ${e.through}`,
  "log.repaired": (e) => `the log was repaired at ${e.at}: ${e.lost}`,
  "cleanup.swept": (e) => `${e.count} ${e.what} swept`,
};

/** An event as a sentence. */
export function tell(e: Event): string {
  return (TELL[e.type] as (event: Event) => string)(e);
}

/** The sessions an event is about. */
export function sessionsIn(e: Event): string[] {
  const { session, from, to } = e as { session?: string; from?: unknown; to?: unknown };
  return [
    session,
    e.type.startsWith("handoff.") || e.type === "session.continued" ? from : undefined,
    e.type.startsWith("handoff.") ? to : undefined,
  ].filter((id): id is string => typeof id === "string");
}

function targets({
  targets: all,
  tree,
}: {
  readonly targets: readonly Target[];
  readonly tree: string;
}): string {
  return list(all.map(formatTarget)) + inTree(tree);
}

const STALL_REASON = {
  "no-edit": "",
  "process-gone": ": its process is gone",
  "by-hand": " (by hand)",
} as const;

function stallReason({ why, reason }: EventNamed<"claim.stalled">): string {
  return `${STALL_REASON[why ?? "no-edit"]}${reason === undefined ? "" : `: ${reason}`}`;
}

function matter({
  task,
  targets: files,
}: {
  readonly task?: string | undefined;
  readonly targets?: readonly Target[] | undefined;
}): string {
  return [task, files === undefined || files.length === 0 ? undefined : list(files.map(formatTarget))]
    .filter((part) => part !== undefined)
    .join(" with ");
}

function list(items: readonly string[], total = items.length): string {
  if (items.length === 0) return "nothing";
  const shown = items.slice(0, 3).join(", ");
  return total <= 3 ? shown : `${shown} and ${total - 3} more`;
}

function unique(items: readonly string[]): string {
  return [...new Set(items)].join(" and ");
}

function short(commit: string): string {
  return commit.slice(0, 8);
}

function person(session: string | undefined): string {
  return session === undefined ? "a person" : who({ session });
}

function branch(name: string | undefined): string {
  return name === undefined ? "a detached HEAD" : name.replace("refs/heads/", "");
}

function inTree(tree: string): string {
  return tree === "" ? "" : ` [${tree}]`;
}
