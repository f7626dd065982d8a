import { setTimeout as sleep } from "node:timers/promises";
import { clock, heldLine, quoted, stillWaiting } from "../app/messages.ts";
import { policySettings } from "../app/settings.ts";
import { joinQueue, leaveQueue, lookForTurn, type Turn, type Wanted } from "../app/wait.ts";
import type { Box } from "../app/box.ts";
import { formatTarget } from "../domain/pattern.ts";
import { deliverNews } from "../app/turn.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, type ExitCode, usageError } from "./exit.ts";
import { out, outJson, progress, say } from "./output.ts";
import { callerHere, TARGET_OPTIONS, targetsOf } from "./targets.ts";

/** Less than the two minutes after which Claude Code ends a command. */
const USUAL_SECONDS = 90;
const LOOK_EVERY_MS = 250;

export const waitCommand = command({
  name: "wait",
  description: "wait until files are free, first come first served, and reserve them then",
  args: {
    seconds: {
      type: "string",
      valueHint: "N",
      description: `how long to wait here (${USUAL_SECONDS}); the place in the queue is kept for longer`,
    },
    leave: { type: "boolean", description: "give the place up again; without files, every place" },
    shared: { type: "boolean", description: "others may share it; nobody may have it alone" },
    ...TARGET_OPTIONS,
    json: { type: "boolean", description: "machine-readable output" },
  },
  async run({ args }) {
    const words = args._;
    if (words.length === 0 && !args.leave) throw usageError("wait takes the files to wait for");
    const seconds = args.seconds === undefined ? USUAL_SECONDS : Number(args.seconds);
    if (!(seconds >= 0 && seconds <= 24 * 3600)) throw usageError("--seconds takes a number of seconds");
    const { repo, box } = boxHere();
    const targets = targetsOf(words, { repo, box, literal: args.literal });
    const caller = callerHere(repo);
    if (args.leave) {
      const left = leaveQueue(box, caller, words.length === 0 ? undefined : targets);
      if (args.json) outJson("wait", 1, { left });
      else
        out(
          left.length === 0
            ? "waited for nothing"
            : `waits no more for: ${left.map(formatTarget).join(", ")}`,
        );
      return EXIT.ok;
    }
    const wanted: Wanted = { caller, targets, mode: args.shared ? "shared" : "exclusive" };
    joinQueue(box, wanted);
    const turn = await wait(box, wanted, seconds * 1000);
    const news = turn.kind === "granted" ? deliverNews(box, caller.session, "yours") : "";
    if (news !== "") say(news);
    if (args.json) {
      const { kind, ...more } = turn;
      outJson("wait", 1, { granted: kind === "granted", targets, ...more });
    }
    return answer(box, wanted, turn, args.json === true);
  },
});

/** Looks again and again until the session's turn has come or the time is over. */
async function wait(box: Box, wanted: Wanted, forMs: number): Promise<Turn> {
  const end = Date.now() + forMs;
  const { graceMs } = policySettings(box.settings).lease;
  try {
    for (;;) {
      const turn = lookForTurn(box, wanted);
      if (turn.kind !== "waiting" || Date.now() >= end) return turn;
      const [first] = turn.blockers;
      const why =
        first === undefined
          ? "others come first"
          : heldLine(formatTarget(first.target), first, turn.now, graceMs);
      progress(`waiting, ${turn.ahead} ahead: ${why}`);
      await sleep(Math.min(LOOK_EVERY_MS, Math.max(1, end - Date.now())));
    }
  } finally {
    progress("");
  }
}

function answer(box: Box, { targets }: Wanted, turn: Turn, json: boolean): ExitCode {
  const names = targets.map(formatTarget);
  if (turn.kind === "granted") {
    if (!json) out(`reserved until ${clock(turn.until)}: ${names.join(", ")}`);
    return EXIT.ok;
  }
  if (json) return EXIT.refused;
  if (turn.kind === "left")
    say(
      `signalbox: the place in the queue is gone; \`git signalbox wait ${names.map(quoted).join(" ")}\` takes a new one`,
    );
  else say(stillWaiting(names, turn, policySettings(box.settings).lease.graceMs));
  return EXIT.refused;
}
