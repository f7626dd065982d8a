import { capRefused, clock, editRefused } from "../app/messages.ts";
import { reserveTargets } from "../app/reserve.ts";
import { policySettings } from "../app/settings.ts";
import { formatTarget } from "../domain/pattern.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { out, outJson, say } from "./output.ts";
import { callerHere, TARGET_OPTIONS, targetsOf } from "./targets.ts";

export const reserveCommand = command({
  name: "reserve",
  description: "reserve files, directories (src/) or globs for this session: all of them or none",
  args: {
    shared: { type: "boolean", description: "others may share it; nobody may have it alone" },
    ...TARGET_OPTIONS,
    json: { type: "boolean", description: "machine-readable output" },
  },
  run({ args }) {
    const words = args._;
    if (words.length === 0) throw usageError("reserve takes the files to reserve");
    const { repo, box } = boxHere();
    const targets = targetsOf(words, { repo, box, literal: args.literal });
    const answer = reserveTargets(box, callerHere(repo), targets, args.shared ? "shared" : "exclusive");
    if (args.json) {
      const { kind, ...more } = answer;
      outJson("reserve", 1, { granted: kind === "granted", targets, ...more });
    }
    if (answer.kind === "refused") {
      const { blockers, capped, now } = answer;
      const { graceMs } = policySettings(box.settings).lease;
      if (!args.json)
        say(
          capped === undefined
            ? editRefused(targets.map(formatTarget), blockers, { now, graceMs })
            : capRefused(capped),
        );
      return EXIT.refused;
    }
    if (!args.json) out(`reserved until ${clock(answer.until)}: ${targets.map(formatTarget).join(", ")}`);
    return EXIT.ok;
  },
});
