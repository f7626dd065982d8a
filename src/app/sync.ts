/**
 * Bringing a branch up to the one it is based on (SYS-4; `src/policy/rebase.ts` says when). Sessions in one tree
 * share a branch, and have nothing to rebase; sessions in linked worktrees, or with an upstream, fall behind.
 */
import { event, type Event } from "../../events/mod.ts";
import { queuedFor } from "../domain/rebase-queue.ts";
import { findSession, liveSessions } from "../domain/sessions.ts";
import { afterConflict, dequeueRebase, mayRebase, queueRebase } from "../policy/mod.ts";
import { type Box, decide, look } from "./box.ts";
import type { Branches, Obstacle, Prediction, Standing } from "./ports.ts";
import { policySettings } from "./settings.ts";
import { behindBase, synced } from "./sync-messages.ts";

type Branch = Extract<Standing, { kind: "branch" }>;

export type Synced =
  /** Nothing to do: it is where its base is, or there is no base. */
  | { readonly kind: "nothing"; readonly why?: string; readonly standing?: Branch }
  | { readonly kind: "forward" | "rebased"; readonly standing: Branch; readonly to: string }
  /** Nothing was changed. `until`: when it is tried again (ms). */
  | {
      readonly kind: "conflict";
      readonly standing: Branch;
      readonly paths: readonly string[];
      readonly until?: number;
    }
  | {
      readonly kind: "wait";
      readonly standing: Branch;
      readonly until: number;
      readonly why: "cooldown" | "batch" | "conflict" | "turn";
    }
  | {
      readonly kind: "blocked";
      readonly standing: Branch;
      readonly why:
        | Obstacle
        | { readonly kind: "shared"; readonly sessions: readonly string[] }
        | { readonly kind: "merges" | "published" }
        | { readonly kind: "git"; readonly message: string };
    }
  /** It was only looked. */
  | { readonly kind: "would"; readonly standing: Branch; readonly prediction: Prediction };

export interface SyncOptions {
  /** Who asks, in which working tree; without a session it is a person, whom no queue holds up. */
  readonly session?: string | undefined;
  readonly tree: string;
  readonly base: string;
  readonly dryRun?: boolean;
  /** Do not wait for cooldown, batch or back-off. */
  readonly now?: boolean;
}

/** How often somebody else's commits may come before it. */
const TRIES = 10;

export function sync(box: Box, branches: Branches, options: SyncOptions): Synced {
  for (let attempt = 1; ; attempt += 1) {
    const result = attempted(box, branches, options, attempt === 1);
    if (!("overtaken" in result)) return result;
    const { overtaken: message, standing } = result;
    if (attempt === TRIES) return { kind: "blocked", standing, why: { kind: "git", message } };
  }
}

function attempted(
  box: Box,
  branches: Branches,
  options: SyncOptions,
  isFirst: boolean,
): Synced | { readonly overtaken: string; readonly standing: Branch } {
  const standing = branches.standing(options.base);
  if (standing.kind === "none") return { kind: "nothing", why: standing.why };
  const at = asked(box, options, standing);
  if (standing.behind === 0) {
    if (at !== undefined)
      decide(box, at.session, ({ states }) => ({ events: dequeueRebase(states, at), result: undefined }));
    return { kind: "nothing", standing };
  }
  if (options.dryRun === true) return { kind: "would", standing, prediction: branches.predict(standing) };
  if (at !== undefined && options.now !== true) {
    const waits = mayGo(box, at);
    if (waits !== undefined) return { kind: "wait", standing, ...waits };
  }
  const obstacle = branches.obstacle();
  if (obstacle !== undefined) return { kind: "blocked", standing, why: obstacle };
  const prediction = branches.predict(standing);
  if (prediction.kind === "current") return { kind: "nothing", standing };
  if (prediction.kind === "merges" || prediction.kind === "published")
    return { kind: "blocked", standing, why: { kind: prediction.kind } };
  if (prediction.kind === "conflict") return conflicted(box, at, standing, prediction.paths);
  // A rebase takes the whole tree through other commits; going forward takes back nothing. A person decides alone.
  const sharing = at === undefined ? [] : othersIn(box, options);
  if (prediction.kind === "clean" && sharing.length > 0)
    return { kind: "blocked", standing, why: { kind: "shared", sessions: sharing } };

  if (at !== undefined && isFirst) record(box, at.session, [event("rebase.started", at)]);
  const outcome = branches.bringUp(standing, prediction);
  if (outcome.kind === "overtaken") return { overtaken: outcome.why, standing };
  if (outcome.kind === "conflict") return conflicted(box, at, standing, outcome.paths);
  // It stays queued.
  if (outcome.kind === "failed")
    return { kind: "blocked", standing, why: { kind: "git", message: outcome.why } };
  if (at !== undefined) {
    const { session, tree } = at;
    record(box, session, [event("rebase.succeeded", { session, tree, to: outcome.to })]);
  }
  return { kind: prediction.kind === "forward" ? "forward" : "rebased", standing, to: outcome.to };
}

interface Asked {
  readonly session: string;
  readonly tree: string;
  readonly target: string;
}

function asked(box: Box, { session, tree }: SyncOptions, { target }: Branch): Asked | undefined {
  if (session === undefined) return undefined;
  const { states } = look(box);
  return { session: findSession(states.sessions, session)?.id ?? session, tree, target };
}

function record(box: Box, session: string, events: readonly Event[]): void {
  decide(box, session, () => ({ events, result: undefined }));
}

/** Queues it, if it was not; then it goes, or has to wait. */
function mayGo(box: Box, at: Asked) {
  const settings = policySettings(box.settings);
  decide(box, at.session, ({ states, now }) => ({
    events: queueRebase(states, at, now, settings).events,
    result: undefined,
  }));
  const circumstances = look(box);
  const entry = queuedFor(circumstances.states.rebaseQueue, at.session, at.tree);
  if (entry === undefined) return undefined;
  const answer = mayRebase(circumstances.states, entry, circumstances, settings);
  return answer.kind === "go" ? undefined : { until: answer.until, why: answer.why };
}

function conflicted(box: Box, at: Asked | undefined, standing: Branch, paths: readonly string[]): Synced {
  if (at === undefined) return { kind: "conflict", standing, paths };
  const settings = policySettings(box.settings);
  const until = decide(box, at.session, ({ states, now }) => {
    const entry = queuedFor(states.rebaseQueue, at.session, at.tree);
    const notBefore = afterConflict(entry?.conflicts ?? 0, now, settings);
    const queued = entry === undefined ? queueRebase(states, at, now, settings).events : [];
    return {
      events: [...queued, event("rebase.conflicted", { ...at, paths: paths.slice(0, 200), notBefore })],
      result: notBefore,
    };
  });
  return { kind: "conflict", standing, paths, until };
}

/** Other live sessions in the same working tree. */
function othersIn(box: Box, { session, tree }: Pick<SyncOptions, "session" | "tree">): string[] {
  const { states, gone } = look(box);
  const self = session === undefined ? undefined : (findSession(states.sessions, session)?.id ?? session);
  return liveSessions(states.sessions)
    .filter((s) => s.tree === tree && s.id !== self && !gone.has(s.id))
    .map(({ id }) => id);
}

/**
 * A session's own pull point: its branch may have fallen behind. It is queued, and told of it once a target, or brought up
 * if the setting says so and nothing is in the way. Silent alone.
 */
export function pull(box: Box, branches: Branches, session: string, tree: string): string {
  const mode = box.settings["sync.mode"];
  const { states, gone } = look(box);
  const id = findSession(states.sessions, session)?.id;
  const others = liveSessions(states.sessions).some((s) => s.id !== id && !gone.has(s.id));
  if (mode === "off" || id === undefined || !others) return "";
  const standing = branches.standing(box.settings["sync.base"]);
  if (standing.kind === "none") return "";
  const at = { session: id, tree, target: standing.target };
  const settings = policySettings(box.settings);
  if (standing.behind === 0) {
    if (queuedFor(states.rebaseQueue, id, tree) !== undefined)
      decide(box, id, (now) => ({ events: dequeueRebase(now.states, at), result: undefined }));
    return "";
  }
  const tell = decide(box, id, (circumstances) => {
    const { events, tell: told } = queueRebase(circumstances.states, at, circumstances.now, settings);
    return { events, result: told };
  });
  if (mode === "auto") {
    const done = sync(box, branches, { session: id, tree, base: box.settings["sync.base"] });
    if (done.kind === "forward" || done.kind === "rebased") return synced(done, look(box).now);
  }
  return tell ? behindBase(standing) : "";
}
