import * as v from "valibot";
import { define } from "./define.ts";
import { process, text, time, tree } from "./fields.ts";

export const sessionStarted = define("session.started", "A session began in this repository.", () => ({
  session: text(),
  /** What runs it: "claude-code", or the name given to `signalbox run`. */
  kind: text(),
  tree: tree(),
  cwd: v.string(),
  process: v.optional(process()),
  model: v.optional(v.string()),
}));

export const sessionContinued = define(
  "session.continued",
  "The same session goes on: resumed, compacted, or under a new id after /clear. It keeps what it holds.",
  () => ({
    session: text(),
    /** Its id until now; the same as `session` when only the process or the context changed. */
    from: text(),
    reason: text(),
    tree: tree(),
    cwd: v.string(),
    process: v.optional(process()),
  }),
);

export const sessionCleared = define(
  "session.cleared",
  "The conversation ended but its process goes on, and will announce a new id.",
  () => ({ session: text() }),
);

export const sessionSeen = define(
  "session.seen",
  "Signs of life since the last event, drained from the spool.",
  () => ({
    session: text(),
    at: time(),
  }),
);

export const sessionEnded = define(
  "session.ended",
  "A session said goodbye; it holds nothing any more.",
  () => ({
    session: text(),
    reason: text(),
  }),
);

export const sessionLapsed = define(
  "session.lapsed",
  "A session is proven gone; it holds nothing any more.",
  () => ({
    session: text(),
    reason: v.picklist(["process-gone", "silent"]),
    lastSeen: time(),
  }),
);
