import { join } from "node:path";
import { logFolder } from "../adapters/log-folder.ts";
import type { Repo } from "../adapters/locate.ts";
import type { Box } from "../app/box.ts";
import {
  differences,
  type Filter,
  isAskedFor,
  type Moment,
  moments,
  statesAt,
  type Until,
  verify,
} from "../app/replay.ts";
import { statusOf, type StatusView } from "../app/status.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { followed, renderMoment } from "./log.ts";
import { out, outJson, printable, say } from "./output.ts";
import { targetsOf } from "./targets.ts";
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
    path: { type: "string", valueHint: "FILE", description: "only what concerned this file" },
    type: {
      type: "string",
      valueHint: "EVENT",
      description: "only these events: reservation.granted, claim",
    },
    since: { type: "string", valueHint: "TIME|SEQ", description: "not what was before" },
    until: { type: "string", valueHint: "TIME|SEQ", description: "not what came after" },
    diff: { type: "string", valueHint: "A..B", description: "what changed between two times or records" },
    verify: { type: "boolean", description: "check every file and record, and fold the whole history again" },
    follow: { type: "boolean", alias: "f", description: "go on as events arrive, until interrupted" },
    json: { type: "boolean", description: "one JSON object an event; with --at the status" },
  },
  words: 0,
  async run({ args }) {
    const { repo, box } = boxHere();
    const { first } = logFolder(box.dir);
    if (first > 1) say(`signalbox: history begins with record ${first}; what was before has been deleted`);
    if (args.verify) {
      const found = verify(box, join(box.dir, "log"), first);
      const { records, expected, events, snapshots, differing, wrong } = found;
      const ok = differing.length + wrong.length === 0;
      if (args.json) outJson("verify", 1, { ...found, ok });
      else if (ok)
        out(
          `${records} records, ${events} events: chain and checksums hold; ${snapshots} snapshots are what they give`,
        );
      else out(`${records} of ${expected} records`);
      if (ok) return EXIT.ok;
      for (const place of wrong) say(`signalbox: ${printable(place)}`);
      if (differing.length > 0)
        say(`signalbox: these folds differ from the full history: ${differing.join(", ")}`);
      say("signalbox: the history is not as it was written; run: signalbox doctor --fix");
      return EXIT.corrupt;
    }
    if (args.at !== undefined) {
      const view = viewAt(box, args.at);
      const { at: now, seq } = view;
      if (args.json) outJson("status", 1, view);
      else out(`as of record ${seq}, ${new Date(now).toISOString()}\n${renderStatus(view)}`);
      return EXIT.ok;
    }
    if (args.diff !== undefined) {
      const [, from, to] = /^(.+?)\.\.(.+)$/.exec(args.diff) ?? [];
      if (from === undefined || to === undefined)
        throw usageError(
          `--diff takes two times or records, like 12:00..12:30 or 5..9, not ${JSON.stringify(args.diff)}`,
        );
      const changes = differences(viewAt(box, from), viewAt(box, to));
      if (args.json) outJson("diff", 1, changes);
      else
        for (const [sign, facts] of [
          ["-", changes.gone],
          ["+", changes.come],
        ] as const)
          for (const fact of facts) out(`${sign} ${printable(fact)}`);
      return EXIT.ok;
    }
    const filter: Filter = {
      session: args.session,
      path: args.path === undefined ? undefined : pathOf(args.path, repo, box),
      type: args.type,
      since: args.since === undefined ? undefined : parseUntil(args.since),
      until: args.until === undefined ? undefined : parseUntil(args.until),
    };
    const show = (moment: Moment) => {
      if (!isAskedFor(moment, filter)) return;
      out(
        args.json ? JSON.stringify({ seq: moment.seq, t: moment.t, ...moment.event }) : renderMoment(moment),
      );
    };
    const { seq } = box.log.catchUp();
    for (const moment of moments(box.log.records({ from: first, to: seq }))) show(moment);
    if (args.follow === true) await followed(box, seq + 1, show);
    return EXIT.ok;
  },
});

function viewAt(box: Box, when: string): StatusView {
  const { states, seq, now } = statesAt(box, parseUntil(when));
  return statusOf(states, { now, seq, gone: new Set() });
}

/** As the log names it, whether it is there or not any more. */
function pathOf(word: string, repo: Repo, box: Box): string {
  const [target] = targetsOf([word], { repo, box, literal: true });
  return target === undefined || target.kind === "glob" ? word : target.path;
}

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
      `a time is a record's number, 14:05, or a time like 2026-01-31T14:05, not ${JSON.stringify(text)}`,
    );
  return { time: time.getTime() };
}
