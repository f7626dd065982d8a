import { resolve } from "node:path";
import { CLAUDE_HOOKS, GIT_HOOKS } from "../../hooks/manifest.ts";
import { boxDirOf } from "../adapters/box.ts";
import { findRepo } from "../adapters/locate.ts";
import { unschedule } from "../adapters/scheduler/mod.ts";
import { uninstall } from "../adapters/install/perform.ts";
import { command, JSON_OPTION } from "./command.ts";
import { EXIT } from "./exit.ts";
import { told } from "./init.ts";
import { out, outJson, printable, say } from "./output.ts";

export const uninstallCommand = command({
  name: "uninstall",
  description: "take everything back that init did; the log stays",
  args: {
    repo: {
      type: "positional",
      required: false,
      description: "a folder in the repository",
      valueHint: "REPO",
    },
    purge: { type: "boolean", description: "the log and the settings go too" },
    ...JSON_OPTION,
  },
  words: 1,
  run({ args }) {
    const hooks = { claude: CLAUDE_HOOKS, git: GIT_HOOKS };
    const unscheduled = takeOffSchedule(resolve(args.repo ?? "."));
    const done = told(() => uninstall({ cwd: resolve(args.repo ?? "."), hooks, purge: args.purge ?? false }));
    const { changes, removed, left, notes, commonDir, wasInstalled } = done;
    if (args.json) {
      const restored = changes.map(({ path, role, after }) => ({
        path,
        role,
        action: after.kind === "absent" ? "removed" : "restored",
      }));
      outJson("uninstall", 1, { commonDir, wasInstalled, changes: restored, removed, left, notes });
    } else {
      for (const { path, after } of changes)
        out(`${after.kind === "absent" ? "removed " : "restored"} ${printable(path)}`);
      for (const path of removed) out(`removed  ${printable(path)}`);
    }
    if (unscheduled !== undefined) say(`note: ${printable(unscheduled)}`);
    for (const note of notes) if (!note.startsWith("plugin enabled")) say(`note: ${printable(note)}`);
    for (const { path, why } of left) say(`left: ${printable(path)}: ${why}`);
    say(wasInstalled ? "signalbox is uninstalled" : "signalbox is not installed here; nothing to do");
    return EXIT.ok;
  },
});

/** What the machine's scheduler starts here goes first: the record of it goes with the rest. @returns what to say */
function takeOffSchedule(dir: string): string | undefined {
  const repo = findRepo(dir);
  if (repo === undefined) return undefined;
  try {
    const from = unschedule(boxDirOf(repo.commonDir));
    return from.length === 0 ? undefined : `taken out of ${from.join(", ")}`;
  } catch (error) {
    return `the scheduler still has its entry, which does nothing from now on: ${(error as Error).message}`;
  }
}
