import { existsSync } from "node:fs";
import type { Repo } from "../adapters/locate.ts";
import { trackerOf } from "../adapters/tasks/mod.ts";
import { type Box, look } from "../app/box.ts";
import {
  answerHandoff,
  type Answered,
  type HandoffView,
  listHandoffs,
  requestHandoff,
  viewOf,
  withdrawHandoff,
} from "../app/handoff.ts";
import { clock, quoted, who } from "../app/messages.ts";
import { tellTracker } from "../app/tracking.ts";
import { findClaim } from "../domain/claims.ts";
import type { Matter } from "../domain/handoffs.ts";
import { formatTarget } from "../domain/pattern.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, type ExitCode, usageError } from "./exit.ts";
import { out, outJson, printable } from "./output.ts";
import { callerHere, TARGET_OPTIONS, targetsOf } from "./targets.ts";

interface Given {
  readonly words: readonly string[];
  readonly repo: Repo;
  readonly box: Box;
  readonly reason?: string | undefined;
  readonly only?: string | undefined;
  readonly literal?: boolean | undefined;
  readonly json?: boolean | undefined;
}

const ACTIONS: Readonly<Record<string, (given: Given) => ExitCode>> = {
  request: ask,
  accept: (given) => answered(given, true),
  reject: (given) => answered(given, false),
  withdraw: ({ words, repo, box, json }) =>
    report(withdrawHandoff(box, callerHere(repo), words[0]), "withdrawn", json),
  list: ({ box, json }) => {
    const requests = listHandoffs(box);
    if (json) outJson("handoffs", 1, { requests });
    else if (requests.length === 0) out("no request is open");
    else for (const one of requests) out(line(one));
    return EXIT.ok;
  },
};

export const handoffCommand = command({
  name: "handoff",
  description: "request TASK or FILES of whoever has them; accept, reject or withdraw a request; list",
  args: {
    reason: { type: "string", valueHint: "WHY", description: "why it is asked for, or why not" },
    only: {
      type: "string",
      valueHint: "PATH",
      description: "with accept: of the files only these",
    },
    ...TARGET_OPTIONS,
    ...JSON_OPTION,
  },
  run({ args }) {
    const [action = "list", ...words] = args._;
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (act === undefined)
      throw usageError(`handoff can ${Object.keys(ACTIONS).join(", ")}, not ${JSON.stringify(action)}`);
    const { only } = args;
    if (words.length > 1 && action !== "request" && only === undefined)
      throw usageError(`handoff ${action} takes one request, not ${words.length}`);
    const { reason, literal, json } = args;
    return act({ words, reason, only, literal, json, ...boxHere() });
  },
});

function ask({ words, repo, box, reason, literal, json }: Given): ExitCode {
  if (words.length === 0) throw usageError("handoff request takes a task, or files");
  if (reason === undefined || reason.trim() === "")
    throw usageError('handoff request needs a reason: --reason "why you need it"');
  const caller = callerHere(repo);
  const matter = matterOf(words, { repo, box, literal });
  const answer = requestHandoff(box, caller, matter, reason);
  const what = words.map((word) => printable(word)).join(", ");
  if (answer.kind !== "asked") {
    // A name that is no file may well be a task that nobody has claimed.
    const next = words.length === 1 && !existsSync(words[0] ?? "") ? "claim" : "reserve";
    throw usageError(
      answer.kind === "own"
        ? `${what} is yours already`
        : `${what} is free: git signalbox ${next} ${words.map(quoted).join(" ")}`,
    );
  }
  if (json) {
    const requests = answer.requests.map((one) => viewOf({ ...one, at: look(box).now }));
    outJson("handoff", 1, { requests });
  } else
    for (const { handoff, to, until } of answer.requests)
      out(
        `${handoff}: asked ${who({ session: to })} for ${what}. You are told the answer; without one by ${clock(until)} it stays where it is if its holder works on it`,
      );
  return EXIT.ok;
}

/** A word that is claimed is a task; all else are files. */
function matterOf(
  words: readonly string[],
  { repo, box, literal }: Pick<Given, "repo" | "box" | "literal">,
): Matter {
  const [word = ""] = words;
  if (words.length === 1 && findClaim(look(box).states.claims, word) !== undefined) return { task: word };
  return { tree: repo.tree, targets: targetsOf(words, { repo, box, literal }) };
}

function answered({ words, repo, box, reason, only, literal, json }: Given, accept: boolean): ExitCode {
  const [first, ...rest] = words;
  // Behind --only there may be several files, and in front of it no id.
  const isId = only === undefined || listHandoffs(box).some((one) => one.id === first);
  const id = isId ? first : undefined;
  if (!accept && (reason === undefined || reason.trim() === ""))
    throw usageError('handoff reject needs a reason: --reason "why you keep it"');
  const files =
    only === undefined ? undefined : targetsOf([only, ...(isId ? rest : words)], { repo, box, literal });
  const verdict = accept ? { accept, only: files } : { accept, reason: reason ?? "" };
  const result = answerHandoff(box, callerHere(repo), id, verdict);
  const tracker = accept ? trackerOf(repo, box.settings) : undefined;
  if (tracker !== undefined) tellTracker(box, tracker);
  return report(result, accept ? "handed over" : "kept", json);
}

function report(result: Answered, done: string, json: boolean | undefined): ExitCode {
  if (result.kind === "none") {
    const open = result.open.map(({ handoff }) => handoff);
    throw usageError(
      open.length === 0
        ? "no request waits here; git signalbox handoff list shows all"
        : `which one? ${open.join(", ")}`,
    );
  }
  const { request, targets } = result;
  const view = viewOf(request);
  if (json) outJson("handoff", 1, { id: view.id, done, what: view.what, moved: targets });
  else {
    const files =
      request.task === undefined || targets.length === 0
        ? ""
        : ` with ${targets.map(formatTarget).join(", ")}`;
    out(`${view.id}: ${printable(view.what + files)} ${done}`);
  }
  return EXIT.ok;
}

function line({ id, from, to, what, reason, until }: HandoffView): string {
  return `${id}: ${who({ session: from })} asks ${who({ session: to })} for ${printable(what)}: ${printable(reason)} (until ${clock(until)})`;
}
