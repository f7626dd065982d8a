import { join, resolve } from "node:path";
import { logFolder } from "../adapters/log-folder.ts";
import type { Repo } from "../adapters/locate.ts";
import type { Box } from "../app/box.ts";
import {
  differences,
  exportHistory,
  type Filter,
  type History,
  historyIn,
  historyOf,
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
import { CommandError, EXIT, type ExitCode, usageError } from "./exit.ts";
import { followed, renderMoment } from "./log.ts";
import { out, outJson, percent, printable, progress, say } from "./output.ts";
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
    export: {
      type: "string",
      valueHint: "FILE",
      description: "write the records of --since and --until as one file, for another machine",
    },
    from: { type: "string", valueHint: "FILE", description: "read such a file, not the repository's log" },
    follow: { type: "boolean", alias: "f", description: "go on as events arrive, until interrupted" },
    json: { type: "boolean", description: "one JSON object an event; with --at the status" },
  },
  words: 0,
  async run({ args }) {
    const range = {
      since: args.since === undefined ? undefined : parseUntil(args.since),
      until: args.until === undefined ? undefined : parseUntil(args.until),
    };
    if (args.from !== undefined)
      for (const other of ["export", "follow"])
        if (Object.hasOwn(args, other))
          throw usageError(`--${other} goes with a repository's own log, not with --from`);
    const here = args.from === undefined ? boxHere() : undefined;
    const history = here === undefined ? historyIn(resolve(args.from ?? "")) : kept(here.box);
    if (args.verify)
      return here === undefined ? readThrough(history, args) : verified(here.box, history, args);
    if (args.export !== undefined && here !== undefined) {
      const other = ["session", "path", "type", "at", "diff", "follow"].find((name) =>
        Object.hasOwn(args, name),
      );
      if (other !== undefined)
        throw usageError(
          `--export takes whole records: --since and --until choose them, --${other} does not`,
        );
      return exported(here.box, watched(history), resolve(args.export), range);
    }
    if (args.at !== undefined) {
      const view = viewAt(watched(history), args.at);
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
      const changes = differences(viewAt(watched(history), from), viewAt(watched(history), to));
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
      path: args.path === undefined || here === undefined ? args.path : pathOf(args.path, here),
      type: args.type,
      ...range,
    };
    const show = (moment: Moment) => {
      if (!isAskedFor(moment, filter)) return;
      out(
        args.json ? JSON.stringify({ seq: moment.seq, t: moment.t, ...moment.event }) : renderMoment(moment),
      );
    };
    if (here === undefined) {
      for (const moment of moments(history.records())) show(moment);
      return EXIT.ok;
    }
    const { seq } = here.box.log.catchUp();
    for (const moment of moments(history.records({ to: seq }))) show(moment);
    if (args.follow === true) await followed(here.box, seq + 1, show);
    return EXIT.ok;
  },
});

/** What the log has kept. */
function kept(box: Box): History {
  const { first } = logFolder(box.dir);
  if (first > 1) say(`signalbox: history begins with record ${first}; what was before has been deleted`);
  return historyOf(box, first);
}

const TELL_EVERY = 20_000;

/** The same, and how far its reading has come is shown to whoever waits for the end of it. */
function watched(history: History): History {
  return {
    ...history,
    *records(range) {
      let count = 0;
      for (const record of history.records(range)) {
        count += 1;
        if (count % TELL_EVERY === 0) progress(`reading history: record ${record.s}`);
        yield record;
      }
      progress("");
    },
  };
}

function verified(box: Box, { first }: History, { json }: { json?: boolean | undefined }): ExitCode {
  progress("reading every file of the log …");
  const found = verify(box, join(box.dir, "log"), first, percent("folding the whole history again"));
  const { records, expected, events, snapshots, lost, differing, wrong } = found;
  const ok = lost.length + differing.length + wrong.length === 0;
  if (json === true) outJson("verify", 1, { ...found, ok });
  else if (ok)
    out(
      `${records} records, ${events} events: chain and checksums hold; ${snapshots === 0 ? "no snapshot yet to compare" : `${snapshots} snapshots are what they give`}`,
    );
  else out(`${records} of ${expected} records`);
  if (ok) return EXIT.ok;
  for (const { from, to } of lost) {
    const which = from === to ? `record ${from} is` : `records ${from} to ${to} are`;
    say(`signalbox: ${which} lost; a repair has marked the gap and gone on behind it`);
  }
  if (differing.length + wrong.length === 0) {
    say("signalbox: all the others are as they were written");
    return EXIT.corrupt;
  }
  for (const place of wrong) say(`signalbox: ${printable(place)}`);
  if (differing.length > 0)
    say(`signalbox: these folds differ from the full history: ${differing.join(", ")}`);
  say("signalbox: the history is not as it was written; run: signalbox doctor --fix");
  return EXIT.corrupt;
}

/** An export that can be read to its end is whole; what is not throws. */
function readThrough(history: History, { json }: { json?: boolean | undefined }): ExitCode {
  let [records, events] = [0, 0];
  for (const record of history.records()) {
    records += 1;
    events += record.e.length;
  }
  if (json === true) outJson("verify", 1, { records, events, first: history.first, ok: true });
  else
    out(
      `${records} records from ${history.first} on, ${events} events: the file is whole, chain and checksums hold`,
    );
  return EXIT.ok;
}

function exported(
  box: Box,
  history: History,
  file: string,
  range: Pick<Filter, "since" | "until">,
): ExitCode {
  const done = exportHistory(history, box.log.id, file, range);
  if (done === undefined) throw new CommandError("no record is in that range; nothing was written");
  const { records, sha256 } = done;
  say(
    `signalbox: ${records} records in ${printable(file)} (sha256 ${sha256}); to read them: signalbox replay --from FILE`,
  );
  return EXIT.ok;
}

function viewAt(history: History, when: string): StatusView {
  const { states, seq, now } = statesAt(history, parseUntil(when));
  return statusOf(states, { now, seq, gone: new Set() });
}

/** As the log names it, whether it is there or not any more. */
function pathOf(word: string, { repo, box }: { repo: Repo; box: Box }): string {
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
