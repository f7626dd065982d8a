import { saveRescue } from "../adapters/git/rescue.ts";
import { dirtyPaths } from "../adapters/git/work-tree.ts";
import type { Repo } from "../adapters/locate.ts";
import { trackerOf } from "../adapters/tasks/mod.ts";
import { type Box, look } from "../app/box.ts";
import { claimTask, endClaim, type Ending, saveLastClaimants } from "../app/claim.ts";
import { sessionOf } from "../app/identity.ts";
import { claimRefused, clock, duration, trackerSilent, who } from "../app/messages.ts";
import { reconcile, tellTracker } from "../app/tracking.ts";
import { allClaims } from "../domain/claims.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { CommandError, EXIT, type ExitCode, usageError } from "./exit.ts";
import { out, outJson, printable, say } from "./output.ts";
import { callerHere } from "./targets.ts";

export const claimCommand = command({
  name: "claim",
  description: "claim a task for this session, or end the claim; without one: who works on what",
  args: {
    task: { type: "positional", description: "the task's id, here or in the tracker", required: false },
    kind: { type: "string", valueHint: "KIND", description: "what kind of task it is: bug, feature, docs …" },
    release: { type: "boolean", description: "give it back" },
    stuck: { type: "boolean", description: "give it up: it goes to whoever asked for it, or is free" },
    done: { type: "boolean", description: "it is done" },
    outcome: {
      type: "string",
      valueHint: "OUTCOME",
      description: "with --done: ok or failed",
      default: "ok",
    },
    reason: { type: "string", valueHint: "WHY", description: "with --release or --stuck" },
    sync: { type: "boolean", description: "follow the tracker first: what it says is being worked on" },
    ...JSON_OPTION,
  },
  words: 1,
  run({ args }) {
    const ending = endingOf(args);
    const { repo, box } = boxHere();
    const tracker = trackerOf(repo, box.settings);
    if (args.sync) {
      if (tracker === undefined) throw usageError("there is no tracker here to follow (docs/tasks.md)");
      const caller = sessionOf(process.env) === undefined ? undefined : callerHere(repo);
      if (!reconcile(box, caller, tracker))
        throw new CommandError(trackerSilent(tracker.name, []).replace(/^signalbox: /, ""));
    }
    const { task } = args;
    if (task === undefined) {
      if (ending !== undefined) throw usageError(`claim --${ending.how} takes the task`);
      return list(box, args.json);
    }
    if (task.trim() === "" || task.length > 200)
      throw usageError("a task has a name, of 200 characters at most");
    if (ending !== undefined) {
      const code = end(box, task, ending, args.json);
      if (tracker !== undefined) tellTracker(box, tracker);
      return code;
    }
    const verdict = claimTask(box, callerHere(repo), { task, kind: args.kind }, tracker);
    switch (verdict.kind) {
      case "refused": {
        const { session, since, lastProgress } = verdict.holder;
        if (args.json) outJson("claim", 1, { task, claimed: false, holder: session, since, lastProgress });
        else say(claimRefused(verdict.holder, verdict.now));
        return EXIT.refused;
      }
      case "elsewhere":
        if (args.json) outJson("claim", 1, { task, claimed: false, holder: null, why: verdict.why });
        else say(`signalbox: ${printable(task)} cannot be claimed: ${printable(verdict.why)}`);
        return EXIT.refused;
      case "unknown":
        throw new CommandError(
          trackerSilent(tracker?.name ?? "the tracker", [task]).replace(/^signalbox: /, ""),
        );
      default: {
        const { claim, before } = verdict;
        const saved = before === undefined ? undefined : saveBefore(box, repo, task, before);
        if (args.json)
          outJson("claim", 1, {
            task,
            claimed: true,
            since: claim.since,
            before: before ?? null,
            saved: saved ?? null,
          });
        else out(`${printable(task)} is yours since ${clock(claim.since)}`);
        if (saved !== undefined && before !== undefined)
          say(
            `signalbox: what ${who({ session: before })}, who had it before, has not committed here is saved: git signalbox rescue show ${saved.replace("refs/signalbox/rescue/", "")}`,
          );
        return EXIT.ok;
      }
    }
  },
});

interface EndingOptions {
  readonly release?: boolean | undefined;
  readonly stuck?: boolean | undefined;
  readonly done?: boolean | undefined;
  readonly outcome: string;
  readonly reason?: string | undefined;
}

function endingOf({ release, stuck, done, outcome, reason }: EndingOptions): Ending | undefined {
  if ([release, stuck, done].filter(Boolean).length > 1)
    throw usageError("claim takes one of --release, --stuck and --done");
  if (done && outcome !== "ok" && outcome !== "failed")
    throw usageError(`--outcome is ok or failed, not ${JSON.stringify(outcome)}`);
  if (release) return { how: "release", reason: reason ?? "given back" };
  if (stuck) return { how: "stuck", reason };
  return done ? { how: "done", outcome } : undefined;
}

function end(box: Box, task: string, ending: Ending, json: boolean | undefined): ExitCode {
  const verdict = endClaim(box, sessionOf(process.env), task, ending);
  if (verdict.kind === "refused") {
    const { session, since, lastProgress } = verdict.holder;
    if (json) outJson("claim", 1, { task, ended: false, holder: session, since, lastProgress });
    else say(claimRefused(verdict.holder, verdict.now));
    return EXIT.refused;
  }
  const ended = verdict.kind === "ended";
  const heir = ended ? verdict.heir : undefined;
  if (json) outJson("claim", 1, { task, ended, heir: heir ?? null });
  else if (!ended) out(`nobody has claimed ${printable(task)}`);
  else if (ending.how === "done") out(`${printable(task)} is done: ${ending.outcome}`);
  else if (heir === undefined) out(`${printable(task)} is free`);
  else out(`${printable(task)} is ${who({ session: heir })}'s, who had asked for it`);
  return EXIT.ok;
}

function saveBefore(box: Box, { top, gitDir, tree }: Repo, task: string, before: string): string | undefined {
  if (top === undefined) return undefined;
  const at = { cwd: top };
  return saveLastClaimants(box, {
    task,
    before,
    tree,
    dirty: () => dirtyPaths(at, { ignored: false }).map(({ path }) => path),
    save: (session, reason, files) =>
      saveRescue(at, { session, reason, files, index: { cwd: top, gitDir, workTree: top } }),
  })?.ref;
}

function list(box: Box, json: boolean | undefined): void {
  const { states, now } = look(box);
  const claims = allClaims(states.claims);
  if (json) return outJson("claims", 1, { at: now, claims, givenUp: states.claims.givenUp });
  if (claims.length === 0) out("no task is claimed");
  for (const { task, session, since, lastProgress, wanted } of claims)
    out(
      `${printable(task)}: ${who({ session })} since ${clock(since)} (${duration(now - since)} ago), last edit ${duration(now - lastProgress)} ago${wanted.length === 0 ? "" : `, wanted by ${wanted.length}`}`,
    );
}
