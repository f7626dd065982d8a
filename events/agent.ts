import * as v from "valibot";
import { define } from "./define.ts";
import { text } from "./fields.ts";

export const agentStarted = define(
  "agent.started",
  "A subagent began; it is a holder within its session's family.",
  () => ({
    session: text(),
    agent: text(),
    kind: v.optional(v.string()),
  }),
);

export const agentStopped = define(
  "agent.stopped",
  "A subagent ended; what it held is its session's now.",
  () => ({
    session: text(),
    agent: text(),
  }),
);
