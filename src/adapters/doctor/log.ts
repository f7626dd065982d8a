/** The log and what is derived from it: records, snapshots, views; what went through unguarded. */
import { existsSync, readFileSync, renameSync } from "node:fs";
import { join } from "node:path";
import { event } from "../../../events/mod.ts";
import { ALL_PROJECTIONS, type Box, decide, look, showViews } from "../../app/box.ts";
import type { Finding } from "../../app/doctor.ts";
import { clock } from "../../app/messages.ts";
import { inspectLog, LogError, repairLog, savedSnapshots } from "../../log/mod.ts";
import { coordinationMode } from "../../policy/mod.ts";
import { BAD, OK, type Patient } from "./patient.ts";

export function records(patient: Patient): Finding {
  const dir = join(patient.boxDir, "log");
  try {
    const { ok, head, committed, voids, torn, corrupt, archives, segments, skipped, broken } = inspectLog({
      dir,
    });
    const holes = skipped.map(({ from, to }) => (from === to ? `${from}` : `${from} to ${to}`));
    const detail = [
      `${head.seq} records (${committed} on disk, ${voids} void, ${torn} torn), ${archives.length} archives, ${segments.length} segments`,
      holes.length === 0 ? "" : `lost before a repair: ${holes.join(", ")}`,
      broken.length === 0 ? "" : `${broken.length} copies of what was damaged in log/broken`,
    ];
    if (ok) return OK(detail.filter((part) => part !== "").join("; "));
    const where = corrupt.map(
      (place) => `${place.file} at ${place.offset} (record ${place.seq}): ${place.why}`,
    );
    return BAD(`damaged: ${where.join("; ")}`, () => repaired(patient));
  } catch (error) {
    if (error instanceof LogError) return BAD(error.message);
    throw error;
  }
}

export function snapshots(patient: Patient): Finding {
  const dir = join(patient.boxDir, "log");
  const all = savedSnapshots({ dir });
  // A newer one may have taken its place between the listing and the reading.
  const bad = all.filter(({ name, read }) => read() === undefined && existsSync(join(dir, name)));
  if (bad.length === 0) return OK(`${all.length}`);
  return BAD(`cannot be read: ${bad.map(({ name }) => name).join(", ")}`, () => repaired(patient));
}

/** What was damaged is copied, what it still holds is kept, what is lost is marked; and that is on record. */
function repaired({ boxDir, open }: Patient): string {
  const { broken, holes } = repairLog({ dir: join(boxDir, "log"), projections: ALL_PROJECTIONS });
  const box = open();
  const lost = holes.map(({ from, to }) => `records ${from} to ${to}`).join(", ") || "nothing";
  const kept = broken.join(", ") || "none";
  if (holes.length + broken.length > 0)
    decide(box, undefined, () => ({
      events: [event("log.repaired", { at: box.log.head.seq, lost, kept })],
      result: undefined,
    }));
  return `repaired, ${lost} lost; copies of what was damaged: ${kept}`;
}

/** The files that the shell reads instead of the log: one that is missing lets an edit through unguarded. */
export function views({ boxDir, open }: Patient): Finding {
  const box = open();
  const { states, gone } = look(box);
  const folder = join(boxDir, "views");
  const missing = Object.keys(states.sessions.live).filter(
    (id) => !gone.has(id) && !existsSync(join(folder, "live", id)),
  );
  const together = coordinationMode(states) === "together";
  const waiting = new Set(states.waiters.queue.map(({ session }) => session));
  const ills = [
    ...missing.map((id) => `session ${id} is live and not in views/live`),
    ...(existsSync(join(folder, "together")) === together
      ? []
      : [`views/together is ${together ? "missing" : "left"}`]),
    ...[...waiting]
      .filter((id) => !existsSync(join(folder, "waits", id)))
      .map((id) => `${id} waits, and is not in views/waits`),
  ];
  if (ills.length === 0) return OK("as the log has it");
  return BAD(ills.join("; "), () => {
    for (const id of missing) box.ports.views.addLive(id);
    showViews(box);
    return "made anew from the log";
  });
}

export function failures({ boxDir, open }: Patient): Finding {
  const file = join(boxDir, "errors.log");
  const lines = readIfThere(file)
    .split("\n")
    .filter((line) => line !== "");
  const failed = recordedFailures(open);
  const last = [...failed.map((i) => `${clock(i.at)} ${i.text}`), ...lines].at(-1);
  if (last === undefined) return OK("none");
  const count = lines.length + failed.length;
  return BAD(`${count} time(s) something went through unguarded; the last: ${last}`, () => {
    if (lines.length > 0) renameSync(file, `${file}.old`);
    if (failed.length > 0)
      decide(open(), undefined, () => ({
        events: [event("cleanup.swept", { what: "failures", count: failed.length })],
        result: undefined,
      }));
    return "noted; the old records are in errors.log.old and in the log";
  });
}

function recordedFailures(open: () => Box): { at: number; text: string }[] {
  try {
    return look(open()).states.guard.incidents.filter((i) => i.kind === "failed" && i.noted !== true);
  } catch (error) {
    if (error instanceof LogError) return [];
    throw error;
  }
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
