import { fold } from "./fold.ts";

export interface GuardState {
  /** The last times the guard broke, was passed by, or refused, and repairs of the log; newest last. */
  incidents: {
    kind: "failed" | "bypassed" | "refused" | "repaired";
    at: number;
    session?: string | undefined;
    text: string;
    /** Somebody has seen that it broke, and said so (`doctor --fix`). */
    noted?: true;
  }[];
  /** How often, since the log began. */
  counts: { failed: number; bypassed: number; refused: number; repaired: number };
}

const INCIDENTS_KEPT = 20;
const TEXT_KEPT = 300;

export const guard = fold<GuardState>(
  "guard",
  3,
  () => ({ incidents: [], counts: { failed: 0, bypassed: 0, refused: 0, repaired: 0 } }),
  {
    "guard.failed": (state, e, { t }) =>
      note(state, { kind: "failed", at: t, session: e.session, text: `${e.where}: ${e.error}` }),
    "guard.bypassed": (state, e, { t }) =>
      note(state, { kind: "bypassed", at: t, session: e.session, text: e.reason ?? e.how }),
    "guard.refused": (state, e, { t }) =>
      note(state, { kind: "refused", at: t, session: e.session, text: `${e.verb}: ${e.reason}` }),
    "commit.refused": (state, e, { t }) =>
      note(state, { kind: "refused", at: t, session: e.session, text: `commit of ${e.paths.join(", ")}` }),
    "log.repaired": (state, { lost }, { t }) =>
      note(state, { kind: "repaired", at: t, text: `the log was damaged; lost: ${lost}` }),
    "cleanup.swept": (state, { what }) => {
      if (what !== "failures") return;
      for (const incident of state.incidents) if (incident.kind === "failed") incident.noted = true;
    },
  },
);

function note(state: GuardState, incident: GuardState["incidents"][number]): void {
  state.counts[incident.kind] += 1;
  state.incidents.push({ ...incident, text: incident.text.slice(0, TEXT_KEPT) });
  if (state.incidents.length > INCIDENTS_KEPT) state.incidents.shift();
}
