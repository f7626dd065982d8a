import type { Claim } from "../domain/claims.ts";
import type { Notice } from "../domain/notices.ts";
import { formatTarget } from "../domain/pattern.ts";
import { type Capped, type Grant } from "../domain/reservations.ts";
import type { Following } from "../domain/tracked.ts";
import type { UncommittedEdit } from "../domain/work.ts";
import { listedWithOwners } from "../policy/guard-words.ts";
import { shortName } from "./identity.ts";

/**
 * All that signalbox says to sessions and people about each other: what is so, who, since when, until when, and
 * the one command that goes on. Neutral in tone, one line a matter.
 */

/** "12:03" in local time. */
export function clock(ms: number): string {
  const date = new Date(ms);
  return `${pad(date.getHours())}:${pad(date.getMinutes())}`;
}

/** "4 min", "2 h 5 min", "12 s". */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const rest = minutes % 60;
  return rest === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${rest} min`;
}

/** "session 3f2a91c0" or "subagent ae30 of session 3f2a91c0". */
export function who({
  session,
  agent,
}: {
  readonly session: string;
  readonly agent?: string | undefined;
}): string {
  const name = `session ${shortName(session)}`;
  return agent === undefined ? name : `subagent ${agent.slice(0, 8)} of ${name}`;
}

function pad(n: number): string {
  return String(n).padStart(2, "0");
}

/** A name that the shell takes as it is written. */
export function quoted(path: string): string {
  return /^[\w@%+=:,./-]+$/.test(path) && !path.startsWith("-")
    ? path
    : `'${path.replaceAll("'", String.raw`'\''`)}'`;
}

/** A name within a line: what would break the line, or pass for the end of it, is written out. */
function shown(path: string): string {
  return path.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
}

function span(grant: Grant, now: number): string {
  return `since ${clock(grant.since)} (${duration(now - grant.since)} ago), until ${clock(grant.until)} unless it edits again`;
}

/** Why an edit did not happen, and what to do. */
export function editRefused(
  paths: readonly string[],
  blockers: readonly Grant[],
  { now, graceMs }: { readonly now: number; readonly graceMs: number },
): string {
  const lines = blockers.map((grant) => heldLine(paths.join(", "), grant, now, graceMs));
  const words = paths.map(quoted);
  const next = `Nothing was written. Work on other files meanwhile; \`git signalbox who ${words[0] ?? ""}\` tells when it is free, \`git signalbox wait ${words.join(" ")}\` waits for it.`;
  return [`signalbox: ${lines[0]}`, ...lines.slice(1), next].join("\n");
}

/** "a.txt is reserved by session …", or that it is in grace. */
export function heldLine(path: string, grant: Grant, now: number, graceMs: number): string {
  const what = `${shown(path)} is reserved by ${who(grant)}${as(grant, path)}`;
  return grant.until > now
    ? `${what} ${span(grant, now)}.`
    : `${what} since ${clock(grant.since)}; that ran out at ${clock(grant.until)} and is in grace until ${clock(grant.until + graceMs)}: until then only that session can take it back.`;
}

/** It is not the session's turn yet: who is in the way, and how it goes on. */
export function stillWaiting(
  paths: readonly string[],
  turn: {
    readonly until: number;
    readonly ahead: number;
    readonly blockers: readonly Grant[];
    readonly capped?: Capped | undefined;
    readonly now: number;
  },
  graceMs: number,
): string {
  const words = paths.map(quoted).join(" ");
  const lines = turn.blockers.map((grant) => heldLine(formatTarget(grant.target), grant, turn.now, graceMs));
  if (lines.length === 0 && turn.capped === undefined) lines.push("Others who wait for it come first.");
  const before = turn.ahead === 0 ? "nobody" : turn.ahead === 1 ? "1 other" : `${turn.ahead} others`;
  return [
    turn.capped === undefined ? `signalbox: ${lines[0]}` : capRefused(turn.capped),
    ...lines.slice(1),
    `You wait for it with ${before} before you, and have it as soon as it is free; you are told then. ` +
      `The place is kept until ${clock(turn.until)}: \`git signalbox wait ${words}\` goes on waiting, \`git signalbox wait --leave ${words}\` gives it up.`,
  ].join("\n");
}

/** Why a session gets no more, and what to do. */
export function capRefused({ cap, held }: Capped): string {
  const oldest = held.slice(0, 5).map(({ target }) => quoted(formatTarget(target)));
  return (
    `signalbox: this session has reserved ${held.length} files, and ${cap} is the most that one may while others are here (lease.perSession); nothing was written. ` +
    `Commit what is done, or give back what you no longer work on, for longest not edited first: \`git signalbox release ${oldest.join(" ")}\`.`
  );
}

/** Before a session's next edit: what it held before, and does not now. */
export function leasesLapsed(lapsed: readonly Grant[]): string {
  if (lapsed.length === 0) return "";
  const names = listed(lapsed.map((g) => formatTarget(g.target)));
  return `signalbox: your reservation of ${names} ran out; the next edit takes it again if it is free.`;
}

/** At the start of a turn: what runs out soon, or has run out and is in grace. */
export function leasesEnding(ending: readonly Grant[], now: number, graceMs: number): string[] {
  const [graced, running] = [ending.filter((g) => g.until <= now), ending.filter((g) => g.until > now)];
  const line = (grants: readonly Grant[], when: (end: number) => string): string[] =>
    grants.length === 0
      ? []
      : [
          `- your reservation of ${listed(grants.map((g) => formatTarget(g.target)))} ${when(Math.min(...grants.map((g) => g.until)))}`,
        ];
  return [
    ...line(
      graced,
      (end) =>
        `ran out at ${clock(end)}; until ${clock(end + graceMs)} only you can take it, with the next edit`,
    ),
    ...line(running, (end) => `runs out at ${clock(end)}; editing it or a file related to it renews it`),
  ];
}

function as(grant: Grant, path: string): string {
  const target = formatTarget(grant.target);
  return target === path ? "" : ` (as ${shown(target)})`;
}

/** The edit goes on, but a run-out lease of somebody else gave way. */
export function tookOver(path: string, lapsed: readonly Grant[]): string {
  const [grant] = lapsed;
  if (grant === undefined) return "";
  return (
    `signalbox: ${shown(path)} was reserved by ${who(grant)} until ${clock(grant.until)}; that ran out and it is yours now. ` +
    `It may hold uncommitted changes that are not yours: look at \`git diff -- ${quoted(path)}\` before you commit it.`
  );
}

/** The edit goes on, but the file was last edited by a session that let go of it without committing it. */
export function leftBehind({ path, session, at }: UncommittedEdit): string {
  return (
    `signalbox: ${path} was edited by ${who({ session })} at ${clock(at)} and has not been committed since; it is yours now. ` +
    `It may hold changes that are not yours: look at \`git diff -- ${quoted(path)}\` before you commit it.`
  );
}

/** Why a commit did not happen, and what to do. */
export function commitRefused(
  inTheWay: readonly { grant: Grant; paths: readonly string[] }[],
  now: number,
): string {
  const lines = inTheWay.map(
    ({ grant, paths }) => `  ${listed(paths)}: reserved by ${who(grant)} ${span(grant, now)}`,
  );
  const paths = [...new Set(inTheWay.flatMap((each) => each.paths))];
  return [
    "signalbox: this commit holds files that another live session has reserved; nothing was committed:",
    ...lines,
    `  Leave them out (\`git restore --staged -- ${paths.slice(0, 5).map(quoted).join(" ")}${paths.length > 5 ? " …" : ""}\`) and commit again.`,
  ].join("\n");
}

/** What a commit left out, and how to take it all the same. */
export function commitScoped(leftOut: Parameters<typeof listedWithOwners>[0]): string {
  return `signalbox: left out of the commit: ${listedWithOwners(leftOut)}`;
}

/** Why there was no commit although something was to be committed. */
export function commitEmpty(leftOut: Parameters<typeof listedWithOwners>[0]): string {
  return leftOut.length === 0
    ? "signalbox: nothing to commit: what was staged has been committed meanwhile; `git log -3` shows by whom."
    : `signalbox: nothing of this session's to commit; left out: ${listedWithOwners(leftOut)}. \`git signalbox who PATH\` tells when it is free.`;
}

/** Why a commit on top of others' work has to wait: both changed the same. */
export function staleConflict(paths: readonly string[]): string {
  return [
    `signalbox: what is staged here and what has been committed meanwhile do not go together in ${listed(paths)}; nothing was committed.`,
    `  Both versions are in the index (\`git status\`). Resolve the file, \`git add\` it, and commit again.`,
  ].join("\n");
}

/** An amend of a commit that is not HEAD any more; the shim knows these words and judges anew. */
export function headMoved(): string {
  return "signalbox: HEAD has moved to somebody else's commit since this was judged; nothing was committed. Run it again.";
}

/** Why what was picked or reverted is not committed; a session's git goes on by itself. */
export function pickOvertaken(): string {
  return "signalbox: HEAD has moved since this was merged: the commit would take back what was committed meanwhile. `git commit --no-edit` commits it on top.";
}

/** Why a commit that skipped pre-commit was refused. */
export function staleCommit(): string {
  return "signalbox: HEAD has moved since this was staged, and --no-verify keeps it from being carried forward: the commit would take back what others have committed. Commit without --no-verify, or run `git status` first.";
}

/** Why a git command did not run, and what goes on instead. */
export function operationRefused({
  reason,
  offers,
}: {
  readonly reason: string;
  readonly offers: readonly string[];
}): string {
  return [`signalbox: ${reason}; nothing was changed.`, ...offers.map((offer) => `  ${offer}`)].join("\n");
}

/** Before somebody alone in the tree throws it away. */
export function leftBehindSaved({
  session,
  ref,
  paths,
}: {
  readonly session: string;
  readonly ref: string;
  readonly paths: readonly string[];
}): string {
  const name = ref.replace("refs/signalbox/rescue/", "");
  return `signalbox: ${who({ session })} is gone and had not committed ${listed(paths)}: saved first, \`git signalbox rescue restore ${name}\` brings it back`;
}

/** Why a merge, cherry-pick or revert of this session cannot be concluded now. */
export function branchLeft(startedOn: string, branch: string | undefined): string {
  const [was, is] = [startedOn, branch].map((ref) => ref?.replace(/^refs\/heads\//, ""));
  return operationRefused({
    reason: `what you have to conclude was started on ${was}; since then the working tree was switched to ${is ?? "no branch"}`,
    offers: [
      `Conclude it once the tree is on ${was} again, or give it up and keep the files: git merge --quit (cherry-pick --quit, revert --quit)`,
    ],
  });
}

/** Why a command that moves the branch blindly was not run. */
export function busy(
  verb: string,
  holder: { readonly session: string; readonly what: string } | undefined,
): string {
  const by =
    holder === undefined ? "another session" : `${who({ session: holder.session })} (${holder.what})`;
  return `signalbox: git ${verb} waited for ${by} to finish with the branch, and was not run; nothing was changed. Run it again.`;
}

/** Why a commit that would undo others' work was refused. */
export function commitPhantoms(paths: readonly string[]): string {
  return [
    `signalbox: this commit would take back what others have committed in ${listed(paths)}, which this session has not changed; nothing was committed.`,
    `  Unstage them (\`git restore --staged -- ${paths.slice(0, 5).map(quoted).join(" ")}${paths.length > 5 ? " …" : ""}\`) and commit again.`,
  ].join("\n");
}

/** The commit is made; part of it was somebody's who did not come to commit it. */
export function commitOfLeft(edits: readonly UncommittedEdit[]): string {
  const [first] = edits;
  const whose = new Set(edits.map(({ session }) => session));
  const by = whose.size === 1 && first !== undefined ? who(first) : `${whose.size} sessions`;
  return `signalbox: committed with what ${by} had changed and left uncommitted: ${listed(edits.map(({ path }) => path))}`;
}

/** A person's commit went through; the one line they get. */
export function commitWarned(inTheWay: readonly { grant: Grant; paths: readonly string[] }[]): string {
  const all = inTheWay.map(({ grant, paths }) => `${listed(paths)} (${who(grant)})`);
  return `signalbox: committed, though a live session has reserved: ${all.join("; ")}`;
}

function listed(paths: readonly string[]): string {
  return paths.length <= 3
    ? paths.map(shown).join(", ")
    : `${paths.slice(0, 3).map(shown).join(", ")} and ${paths.length - 3} more`;
}

/** Why a task is not the session's, and how to ask for it. */
export function claimRefused({ task, session, since, lastProgress }: Claim, now: number): string {
  return [
    `signalbox: ${shown(task)} is claimed by ${who({ session })} since ${clock(since)} (${duration(now - since)} ago); its last edit was at ${clock(lastProgress)} (${duration(now - lastProgress)} ago).`,
    `  To ask for it: git signalbox handoff request ${quoted(task)} --reason "…"`,
  ].join("\n");
}

/** A tracker has given a task to somebody else than who has just tried to take it. */
export function trackerTook(tracker: string, refused: Following["refused"]): string {
  return refused
    .map(({ task, holder }) =>
      holder === undefined
        ? `signalbox: ${shown(task.id)} is ${shown(task.actor)}'s in ${tracker}, which is no session that is known here; it is not yours.`
        : `signalbox: ${shown(task.id)} is claimed by ${who({ session: holder })}; it is not yours. To ask for it: git signalbox handoff request ${quoted(task.id)} --reason "…"`,
    )
    .join("\n");
}

/** What a tracker did not say in time is not so. */
export function trackerSilent(tracker: string, tasks: readonly string[]): string {
  return `signalbox: ${tracker} did not answer in time; whether ${tasks.length === 0 ? "a task" : listed(tasks)} is yours is not known. Look again before you work on it: git signalbox claim --sync`;
}

/** What a session is told when it begins and others are here. */
export function welcome(
  others: readonly { readonly id: string; readonly holds: readonly string[] }[],
): string {
  const each = others.map(
    ({ id, holds }) => `${who({ session: id })}${holds.length === 0 ? "" : ` (has ${listed(holds)})`}`,
  );
  return (
    `signalbox: ${others.length === 1 ? "another session works" : `${others.length} other sessions work`} in this repository: ${each.join(", ")}. ` +
    "A file is reserved for whoever edits it first; you are told before a write if it is not free. Commit your own files by name."
  );
}

/** So many notices are told at once; of more, the number. */
const TOLD_AT_ONCE = 5;

/** What concerned a session since it was last told, one line each. */
export function digest(
  notices: readonly Notice[],
  lapsed: readonly Grant[],
  ending: readonly string[] = [],
): string {
  const lines = [...notices.slice(-TOLD_AT_ONCE).map((n) => `- ${clock(n.at)} ${noticeText(n)}`), ...ending];
  if (notices.length > TOLD_AT_ONCE)
    lines.unshift(`- ${notices.length - TOLD_AT_ONCE} earlier: \`git signalbox log\``);
  if (lapsed.length > 0) {
    lines.push(
      `- your reservation of ${listed(lapsed.map((g) => formatTarget(g.target)))} ran out; the next edit takes it again if it is free`,
    );
  }
  return lines.length === 0 ? "" : ["signalbox:", ...lines].join("\n");
}

const STALLED: Readonly<Record<string, string>> = {
  "no-edit": "you have edited nothing for it for too long",
  "by-hand": "it was given up by hand",
};

const NOTICE_TEXT: Readonly<
  Record<Notice["kind"], (by: string, what: string, detail: string, handoff: string) => string>
> = {
  wanted: (by, what) =>
    `${by} wanted ${what}, which you have reserved; commit or \`git signalbox release\` it when you are done`,
  taken: (by, what) => `your reservation of ${what} had run out and ${by} has it now`,
  yours: (_, what) => `${what}, which you waited for, is yours now`,
  changed: (by, what, detail) => `${by} committed ${what} (${detail}); what you have read of it may be old`,
  overridden: (by, what) => `${by} committed ${what}, which you have reserved`,
  asked: (by, what, detail, id) =>
    `${by} asks for ${what}: ${detail}; answer: \`git signalbox handoff accept ${id}\` or \`git signalbox handoff reject ${id} --reason …\``,
  accepted: (by, what) => `${by} handed ${what} over to you`,
  rejected: (by, what, detail) => `${by} keeps ${what}: ${detail}`,
  lapsed: (by, what, detail) => `your request to ${by} for ${what} is over: ${detail}`,
  stalled: (_, what, detail) =>
    `${what} is not claimed by you any more: ${STALLED[detail] ?? "its claim stalled"}. Your uncommitted changes are where they were, and yours; \`git signalbox claim ${quoted(what)}\` takes it again if it is free`,
  free: (by, what) => `${what}, which ${by} had claimed, is free: \`git signalbox claim ${quoted(what)}\``,
  done: (by, what, detail) => `${by} completed ${what}: ${detail}`,
};

function noticeText({ kind, by, what, detail, handoff }: Notice): string {
  return NOTICE_TEXT[kind](by === "" ? "a person" : who({ session: by }), what, detail ?? "", handoff ?? "");
}
