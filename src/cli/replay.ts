import { moments, statesAt, type Until, verify } from "../app/replay.ts";
import { sessionsIn } from "../app/story.ts";
import { statusOf } from "../app/status.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { renderMoment } from "./log.ts";
import { out, outJson, say } from "./output.ts";
import { renderStatus } from "./render-status.ts";

export const replayCommand = command({
  name: "replay",
  description: "the story so far, the state at a time, or proof that both agree",
  args: {
    at: {
      type: "string",
      valueHint: "TIME|SEQ",
      description: "the state then: a record's number, 14:05, or an ISO time",
    },
    session: { type: "string", valueHint: "ID", description: "only what this session did or was told" },
    verify: { type: "boolean", description: "check every record and fold the whole history again" },
    json: { type: "boolean", description: "one JSON object an event; with --at the status" },
  },
  words: 0,
  run({ args }) {
    const { box } = boxHere();
    if (args.verify) {
      const { records, events, differing } = verify(box);
      if (args.json) outJson("verify", 1, { records, events, differing, ok: differing.length === 0 });
      else out(`${records} records, ${events} events: chain and checksums hold`);
      if (differing.length === 0) return EXIT.ok;
      say(
        `signalbox: these folds differ from the full history: ${differing.join(", ")}; run: signalbox doctor --fix`,
      );
      return EXIT.corrupt;
    }
    if (args.at !== undefined) {
      const { states, seq, now } = statesAt(box, parseUntil(args.at));
      const view = statusOf(states, { now, seq, gone: new Set() });
      if (args.json) outJson("status", 1, view);
      else out(`as of record ${seq}, ${new Date(now).toISOString()}\n${renderStatus(view)}`);
      return EXIT.ok;
    }
    for (const moment of moments(box.log.records())) {
      if (args.session !== undefined && !sessionsIn(moment.event).some((id) => id.startsWith(args.session!)))
        continue;
      out(
        args.json ? JSON.stringify({ seq: moment.seq, t: moment.t, ...moment.event }) : renderMoment(moment),
      );
    }
    return EXIT.ok;
  },
});

/** A record's number, a time of today, or anything ISO 8601. */
function parseUntil(text: string): Until {
  if (/^\d+$/.test(text)) return { seq: Number(text) };
  const today = /^(\d{1,2}):(\d{2})(?::(\d{2}))?$/.exec(text);
  const time =
    today === null
      ? new Date(text)
      : new Date(new Date().setHours(Number(today[1]), Number(today[2]), Number(today[3] ?? 59), 999));
  if (Number.isNaN(time.getTime()))
    throw usageError(
      `--at takes a record's number, 14:05, or a time like 2026-01-31T14:05, not ${JSON.stringify(text)}`,
    );
  return { time: time.getTime() };
}
