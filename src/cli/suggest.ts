import { trackerOf } from "../adapters/tasks/mod.ts";
import { look } from "../app/box.ts";
import { sessionOf, shortName } from "../app/identity.ts";
import { kindOf, suggestAgents, type Suggestion, suggestTasks } from "../app/suggest.ts";
import { findSession } from "../domain/sessions.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { usageError } from "./exit.ts";
import { out, outJson, printable } from "./output.ts";

export const suggestCommand = command({
  name: "suggest",
  description: "who should take a task, by what was seen of them; without one: what this session should take",
  args: {
    task: { type: "positional", description: "the task", required: false },
    kind: { type: "string", valueHint: "KIND", description: "the kind of task, if it is not known" },
    ...JSON_OPTION,
  },
  words: 1,
  run({ args }) {
    const { repo, box } = boxHere();
    const tracker = trackerOf(repo, box.settings);
    const { task } = args;
    if (task !== undefined || args.kind !== undefined) {
      const kind = args.kind ?? kindOf(box, task ?? "", tracker);
      const agents = suggestAgents(box, kind);
      if (args.json) return outJson("suggest", 1, { task: task ?? null, kind, agents });
      return print(agents, "no session is here", shortName);
    }
    const session = sessionOf(process.env);
    if (session === undefined)
      throw usageError("this shell is not in a session; name a task or a --kind to see who should take it");
    const id = findSession(look(box).states.sessions, session)?.id ?? session;
    const tasks = suggestTasks(box, id, tracker);
    if (args.json) return outJson("suggest", 1, { session: id, tasks });
    return print(tasks, "no open task is known, and none was ever ended here");
  },
});

function print(all: readonly Suggestion[], none: string, named = (name: string) => name): void {
  if (all.length === 0) out(none);
  for (const [i, { name, why }] of all.entries())
    out(`${i + 1}. ${printable(named(name))}: ${printable(why)}`);
}
