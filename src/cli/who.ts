import { resolve } from "node:path";
import { locate } from "../adapters/locate.ts";
import { look } from "../app/box.ts";
import { clock, duration, heldLine, who } from "../app/messages.ts";
import { policySettings } from "../app/settings.ts";
import { covers, formatTarget } from "../domain/pattern.ts";
import { gracedGrants, holdersOf } from "../domain/reservations.ts";
import { waitersFor } from "../domain/waiters.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { usageError } from "./exit.ts";
import { out, outJson, printable } from "./output.ts";

export const whoCommand = command({
  name: "who",
  description: "who holds a file, since when and until when, and who waits for it",
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
    const { graceMs } = policySettings(box.settings).lease;
    const { path } = where;
    const { tree } = where.repo;
    const inGrace = gracedGrants(states.reservations, now, graceMs).filter(
      (g) => g.tree === tree && covers(g.target, path) && !gone.has(g.session),
    );
    const waiters = waitersFor(states.waiters, tree, { kind: "path", path });
    if (args.json) return outJson("who", 1, { path, tree, at: now, holders, inGrace, waiters });
    if (holders.length + inGrace.length === 0) out(`${printable(path)} is free`);
    for (const grant of holders) {
      const as = formatTarget(grant.target) === where.path ? "" : ` as ${formatTarget(grant.target)}`;
      out(
        `${printable(where.path)} is reserved by ${who(grant)}${as}, since ${clock(grant.since)} (${duration(now - grant.since)} ago), until ${clock(grant.until)}`,
      );
    }
    for (const grant of inGrace) out(heldLine(path, grant, now, graceMs));
    for (const waiter of waiters)
      out(`${who(waiter)} waits for it since ${clock(waiter.since)}, until ${clock(waiter.until)}`);
  },
});
