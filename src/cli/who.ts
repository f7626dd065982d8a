import { resolve } from "node:path";
import { locate } from "../adapters/locate.ts";
import { look } from "../app/box.ts";
import { clock, duration, who } from "../app/messages.ts";
import { formatTarget } from "../domain/pattern.ts";
import { holdersOf } from "../domain/reservations.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { usageError } from "./exit.ts";
import { out, outJson, printable } from "./output.ts";

export const whoCommand = command({
  name: "who",
  description: "who holds a file, since when and until when",
  args: { path: { type: "positional", description: "the file", required: true }, ...JSON_OPTION },
  words: 1,
  run({ args }) {
    const { repo, box } = boxHere();
    const where = locate(resolve(args.path), box);
    if (where.kind !== "tracked-tree" || where.repo.commonDir !== repo.commonDir)
      throw usageError(`${args.path} is not a file of this repository`);
    const { states, now, gone } = look(box);
    const holders = holdersOf(states.reservations, where.repo.tree, where.path, now).filter(
      (g) => !gone.has(g.session),
    );
    if (args.json) return outJson("who", 1, { path: where.path, tree: where.repo.tree, at: now, holders });
    if (holders.length === 0) return out(`${printable(where.path)} is free`);
    for (const grant of holders) {
      const as = formatTarget(grant.target) === where.path ? "" : ` as ${formatTarget(grant.target)}`;
      out(
        `${printable(where.path)} is reserved by ${who(grant)}${as}, since ${clock(grant.since)} (${duration(now - grant.since)} ago), until ${clock(grant.until)}`,
      );
    }
  },
});
