import type { Branches, Prediction } from "./ports.ts";
import { clock, quoted, who } from "./messages.ts";
import type { Synced } from "./sync.ts";

type Branch = Parameters<Branches["predict"]>[0];

/** What a session is told when its base has moved. */
export function behindBase({ branch, base, behind, ahead }: Branch): string {
  const own = ahead === 0 ? "" : `, which has ${commits(ahead)} of its own`;
  return `signalbox: ${base} is ${commits(behind)} ahead of ${branch}${own}; \`git signalbox sync\` brings it up when the tree is clean.`;
}

/** What became of it, in a line or two. */
export function synced(result: Synced, now: number): string {
  const { standing } = result;
  if (standing === undefined)
    return `signalbox: nothing to do: ${result.kind === "nothing" ? (result.why ?? "") : ""}`;
  const { branch, base, behind, ahead } = standing;
  switch (result.kind) {
    case "nothing":
      return `signalbox: ${branch} has all of ${base}`;
    case "forward":
      return `signalbox: ${branch} was brought forward by ${commits(behind)} to ${base} (${result.to.slice(0, 8)})`;
    case "rebased":
      return `signalbox: ${commits(ahead)} of ${branch} rebased onto ${base} (now ${result.to.slice(0, 8)}, was ${standing.head.slice(0, 8)})`;
    case "conflict":
      return [
        `signalbox: ${branch} and ${base} do not go together in ${listed(result.paths)}; nothing was changed.`,
        `  ${result.until === undefined ? "By" : `It is tried again after ${clock(result.until)}, or when ${base} moves on; by`} hand: git rebase ${quoted(base)}`,
      ].join("\n");
    case "wait":
      return `signalbox: not now: ${WAITS[result.why]}; after ${clock(Math.max(now, result.until))}, or at once with --now`;
    case "blocked":
      return `signalbox: not now: ${blocked(result, standing)}; nothing was changed.`;
    case "would":
      return `signalbox: ${would(result.prediction, standing)}`;
  }
}

const WAITS = {
  cooldown: "this session has rebased a moment ago",
  batch: "commits are many, and rebases go in batches",
  conflict: "it would have conflicted, and its base has not moved since",
  turn: "others are ahead in the queue",
} as const;

function blocked({ why }: Extract<Synced, { kind: "blocked" }>, { base }: Branch): string {
  switch (why.kind) {
    case "operation":
      return `a ${why.what} is in progress in this tree`;
    case "dirty":
      return `${listed(why.paths)} ${why.paths.length === 1 ? "has" : "have"} uncommitted changes; commit them first`;
    case "staged":
      return `${who({ session: why.session })} has staged ${listed(why.paths)}`;
    case "shared":
      return `${why.sessions.map((session) => who({ session })).join(", ")} ${why.sessions.length === 1 ? "works" : "work"} in this tree, and a rebase takes it through other commits; \`git merge ${quoted(base)}\` goes`;
    case "merges":
      return `the branch has merge commits of its own, which a rebase would take apart; \`git merge ${quoted(base)}\` goes`;
    case "published":
      return `a remote has commits of this branch, and others may build on them; \`git merge ${quoted(base)}\` goes`;
    case "git":
      return why.message;
  }
}

function would(prediction: Prediction, { branch, base, behind }: Branch): string {
  switch (prediction.kind) {
    case "current":
      return `${branch} has all of ${base}`;
    case "forward":
      return `${branch} would be brought forward by ${commits(behind)} to ${base}`;
    case "clean":
      return `${commits(prediction.commits)} of ${branch} would be rebased onto ${base}, ${commits(behind)} on`;
    case "merges":
      return `${branch} has merge commits of its own: it would not be rebased`;
    case "published":
      return `a remote has commits of ${branch}: it would not be rebased`;
    case "conflict":
      return `${branch} and ${base} would not go together in ${listed(prediction.paths)} (${prediction.commit.slice(0, 8)})`;
  }
}

function commits(n: number): string {
  return n === 1 ? "1 commit" : `${n} commits`;
}

function listed(paths: readonly string[]): string {
  return paths.length <= 3
    ? paths.join(", ")
    : `${paths.slice(0, 3).join(", ")} and ${paths.length - 3} more`;
}
