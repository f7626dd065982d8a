import { constants, setPriority } from "node:os";
import { join } from "node:path";
import { noteRun } from "../adapters/background.ts";
import { logFolder } from "../adapters/log-folder.ts";
import { releaseMutex, takeMutex } from "../adapters/mutex.ts";
import { worktreesOf } from "../adapters/git/worktrees.ts";
import { sweepGround } from "../adapters/sweep-ground.ts";
import { compactable, type Compacted, compactLog, isCompactionDue } from "../app/compact.ts";
import { recordFailure } from "../app/failure.ts";
import { CLEANUP, type Swept, sweepAll } from "../app/sweep.ts";
import { LogProof } from "../log/mod.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT } from "./exit.ts";
import { out, outJson, percent, printable, progress, say, styled } from "./output.ts";

export const compactCommand = command({
  name: "compact",
  description: "sweep what the dead have left; archive history after proof that nothing is lost",
  words: 0,
  args: {
    "dry-run": { type: "boolean", description: "only say what there is to do" },
    explain: { type: "boolean", description: "what is created, its bound, and when it may go" },
    due: { type: "boolean", description: "archive only if enough has come together" },
    full: {
      type: "boolean",
      description: "fold the whole history for the proof, not only what is new since the last one",
    },
    ...JSON_OPTION,
  },
  run({ args }) {
    const { repo, box } = boxHere();
    const ground = sweepGround(box, repo, worktreesOf(repo));
    if (args.explain === true) {
      const found = sweepAll(ground, { dryRun: true });
      if (args.json) outJson("cleanup", 1, { loops: explained(found) });
      else for (const loop of explained(found)) out(`${rendered(loop)}\n`);
      return EXIT.ok;
    }
    if (args["dry-run"] === true) {
      const { bytes, archivedThrough } = logFolder(box.dir);
      const due = compactable(box, archivedThrough);
      const swept = sweepAll(ground, { dryRun: true });
      if (args.json) outJson("compact", 1, { dryRun: true, bytes, ...due, swept });
      else {
        for (const { what, dead } of swept) if (dead > 0) out(`${dead} of ${what} to sweep`);
        out(
          `${due.records} records to archive, ${due.leases} leases that ran out; the log takes ${size(bytes)}`,
        );
      }
      return EXIT.ok;
    }
    const { processes } = box.ports;
    const self = processes.identify(process.pid);
    const turn =
      self === undefined
        ? undefined
        : takeMutex(
            join(box.dir, "locks", "compact"),
            { session: "", process: self, what: "compact" },
            processes,
            {
              waitMs: 0,
            },
          );
    if (turn?.kind === "timeout") {
      say("signalbox: another compaction is at work; nothing to do");
      return EXIT.ok;
    }
    try {
      noteRun(box.dir);
      // Nobody waits for it: whoever works goes first.
      if (args.due === true) setPriority(constants.priority.PRIORITY_LOW);
      progress("sweeping what the dead have left …");
      const swept = sweepAll(ground);
      if (!args.json) for (const loop of swept) sweptLine(loop);
      if (args.due === true && !isCompactionDue(box)) {
        if (args.json) outJson("compact", 1, { dryRun: false, swept });
        return EXIT.ok;
      }
      progress("archiving …");
      const done = compactLog(box, () => logFolder(box.dir).bytes, {
        full: args.full,
        onProgress: percent("folding history again for the proof"),
      });
      if (args.json) outJson("compact", 1, { dryRun: false, ...done, swept });
      else
        out(
          `${done.archived} records archived, ${provenText(done)}; the log takes ${size(done.bytes.after)}, was ${size(done.bytes.before)}`,
        );
      return EXIT.ok;
    } catch (error) {
      if (!(error instanceof LogProof)) throw error;
      recordFailure(box, "compact: the proof", error);
      say(`signalbox: ${error.message}; nothing was deleted; run: git signalbox doctor`);
      return EXIT.corrupt;
    } finally {
      if (turn?.kind === "taken") releaseMutex(turn.file);
    }
  },
});

function provenText({ proven, provenFrom }: Compacted): string {
  if (provenFrom === 0) return "none proven (the beginning of history is gone; the next proof begins here)";
  return provenFrom > 1 ? `${proven} more proven` : `${proven} proven`;
}

function explained(found: readonly Swept[]) {
  const now = new Map(found.map((each) => [each.what, each]));
  return CLEANUP.map(({ what, where, made, bound, dead, saved }) => ({
    what,
    where,
    made,
    bound,
    dead,
    saved,
    there: now.get(what)?.there ?? 0,
    due: now.get(what)?.dead ?? 0,
  }));
}

function rendered({
  what,
  where,
  made,
  bound,
  dead,
  saved,
  there,
  due,
}: ReturnType<typeof explained>[number]): string {
  const lines = [
    `${styled("bold", what)}  ${where}  ${there} now${due === 0 ? "" : `, ${due} to sweep`}`,
    `  made by     ${made}`,
    `  bound       ${bound}`,
    `  dead when   ${dead}`,
    ...(saved === "" ? [] : [`  saved       ${saved}`]),
  ];
  return lines.join("\n");
}

function sweptLine({ what, gone, dead, failed }: Swept): void {
  if (failed !== undefined) say(`signalbox: ${what} could not be swept: ${printable(failed)}`);
  else if (gone > 0) out(`${gone} of ${what} swept${gone < dead ? `; ${dead - gone} stay for now` : ""}`);
}

function size(bytes: number): string {
  return bytes < 10_000
    ? `${bytes} bytes`
    : bytes < 10_000_000
      ? `${Math.round(bytes / 1000)} kB`
      : `${Math.round(bytes / 1e6)} MB`;
}
