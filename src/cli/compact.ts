import { join } from "node:path";
import { logFolder } from "../adapters/log-folder.ts";
import { releaseMutex, takeMutex } from "../adapters/mutex.ts";
import { compactable, compactLog } from "../app/compact.ts";
import { recordFailure } from "../app/failure.ts";
import { LogProof } from "../log/mod.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT } from "./exit.ts";
import { out, outJson, say } from "./output.ts";

export const compactCommand = command({
  name: "compact",
  description: "archive sealed history after proof that nothing is lost; replay still reads all of it",
  words: 0,
  args: {
    "dry-run": { type: "boolean", description: "only say what there is to do" },
    ...JSON_OPTION,
  },
  run({ args }) {
    const { box } = boxHere();
    if (args["dry-run"] === true) {
      const { bytes, archivedThrough } = logFolder(box.dir);
      const due = compactable(box, archivedThrough);
      if (args.json) outJson("compact", 1, { dryRun: true, bytes, ...due });
      else
        out(
          `${due.records} records to archive, ${due.leases} leases that ran out; the log takes ${size(bytes)}`,
        );
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
    if (process.stderr.isTTY) say("folding the whole history for the proof …");
    try {
      const done = compactLog(box, () => logFolder(box.dir).bytes);
      if (args.json) outJson("compact", 1, { dryRun: false, ...done });
      else
        out(
          `${done.archived} records archived, ${done.proven} proven; the log takes ${size(done.bytes.after)}, was ${size(done.bytes.before)}`,
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

function size(bytes: number): string {
  return bytes < 10_000
    ? `${bytes} bytes`
    : bytes < 10_000_000
      ? `${Math.round(bytes / 1000)} kB`
      : `${Math.round(bytes / 1e6)} MB`;
}
