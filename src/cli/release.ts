import { releaseTargets } from "../app/reserve.ts";
import { look } from "../app/box.ts";
import { sessionOf } from "../app/identity.ts";
import { formatTarget } from "../domain/pattern.ts";
import { liveSessions } from "../domain/sessions.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { usageError } from "./exit.ts";
import { out, outJson } from "./output.ts";
import { TARGET_OPTIONS, targetsOf } from "./targets.ts";

export const releaseCommand = command({
  name: "release",
  description: "give reservations back: those named, or all of them",
  args: {
    all: { type: "boolean", description: "everything the session holds" },
    session: {
      type: "string",
      valueHint: "ID",
      description: "another session's, when it cannot do it itself; put on record",
    },
    ...TARGET_OPTIONS,
    json: { type: "boolean", description: "machine-readable output" },
  },
  run({ args }) {
    const words = args._;
    if (words.length === 0 && !args.all) throw usageError("release takes the files to give back, or --all");
    if (words.length > 0 && args.all) throw usageError("release takes files or --all, not both");
    const { repo, box } = boxHere();
    const own = sessionOf(process.env);
    const session =
      args.session === undefined ? own : fullId(Object.keys(look(box).states.sessions.live), args.session);
    if (session === undefined)
      throw usageError(`this shell is not in a session; name one with --session: ${ids(box)}`);
    const targets = args.all ? {} : { targets: targetsOf(words, { repo, box, literal: args.literal }) };
    const released = releaseTargets(
      box,
      session,
      { tree: repo.tree, ...targets },
      session === own ? undefined : "person",
    );
    if (args.json) outJson("release", 1, { session, released });
    else
      out(
        released.length === 0 ? "nothing to release" : `released: ${released.map(formatTarget).join(", ")}`,
      );
  },
});

function fullId(live: readonly string[], start: string): string {
  const found = live.filter((id) => id.startsWith(start));
  if (found.length !== 1)
    throw usageError(`${found.length === 0 ? "no" : "more than one"} live session is called ${start}`);
  return found[0]!;
}

function ids(box: Parameters<typeof look>[0]): string {
  return liveSessions(look(box).states.sessions)
    .map((s) => s.id)
    .join(", ");
}
