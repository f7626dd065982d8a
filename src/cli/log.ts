import type { Box } from "../app/box.ts";
import { moments, type Moment } from "../app/replay.ts";
import { tell } from "../app/story.ts";
import { clock } from "../app/messages.ts";
import { follow } from "../log/mod.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { usageError } from "./exit.ts";
import { out, printable, styled } from "./output.ts";

export const logCommand = command({
  name: "log",
  description: "the last events, one a line",
  args: {
    follow: { type: "boolean", alias: "f", description: "go on as events arrive, until interrupted" },
    number: { type: "string", alias: "n", description: "how many records", default: "20" },
    json: { type: "boolean", description: "stored events, one JSON object a line" },
  },
  words: 0,
  async run({ args }) {
    const wanted = Number(args.number);
    if (!Number.isSafeInteger(wanted) || wanted < 0)
      throw usageError(`--number takes a count, not ${JSON.stringify(args.number)}`);
    const { box } = boxHere();
    const show = (moment: Moment) =>
      out(
        args.json ? JSON.stringify({ seq: moment.seq, t: moment.t, ...moment.event }) : renderMoment(moment),
      );
    const { seq } = box.log.catchUp();
    for (const moment of moments(box.log.records({ from: Math.max(1, seq - wanted + 1) }))) show(moment);
    if (!args.follow) return;
    await followed(box, seq + 1, show);
  },
});

/** Shows what arrives from that record on, until the process is told to stop. */
export async function followed(box: Box, from: number, show: (moment: Moment) => void): Promise<void> {
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  for await (const record of follow(box.log, { from, pollMs: 200, signal: stop.signal })) {
    for (const moment of moments([record])) show(moment);
  }
}

/** "  12  12:03  session 3f2a91c0 reserved a.txt, until 12:18" */
export function renderMoment({ seq, t, event }: Moment): string {
  return `${styled("dim", `${String(seq).padStart(6)}  ${clock(t)}`)}  ${printable(tell(event))}`;
}
