import { healIndex } from "../adapters/git/index-file.ts";
import { listGitdirs } from "../adapters/git/private-gitdir.ts";
import { dropRescue, listRescues, listTips, type Rescue, showRescue } from "../adapters/git/rescue.ts";
import { restoreRescue } from "../adapters/git/rescue-restore.ts";
import type { GitAt } from "../adapters/git/run.ts";
import type { Repo } from "../adapters/locate.ts";
import { sessionOf } from "../app/identity.ts";
import { clock, duration, who } from "../app/messages.ts";
import { command, JSON_OPTION } from "./command.ts";
import { repoHere } from "./context.ts";
import { CommandError, EXIT, usageError } from "./exit.ts";
import { out, outJson, printable, say } from "./output.ts";

const ACTIONS = ["list", "show", "restore", "drop"];

export const rescueCommand = command({
  name: "rescue",
  description: "work that was saved before something touched it: list, show NAME, restore NAME, drop NAME",
  args: {
    force: {
      type: "boolean",
      description: "restore over files that have other content (that is saved first)",
    },
    index: { type: "boolean", description: "stage again what was staged" },
    ...JSON_OPTION,
  },
  words: 2,
  run({ args }) {
    const [action = "list", name] = args._;
    if (!ACTIONS.includes(action))
      throw usageError(`rescue can ${ACTIONS.join(", ")}, not ${JSON.stringify(action)}`);
    const repo = repoHere();
    const at = placeOf(repo);
    const saved = listRescues(at);
    if (action === "list") {
      const tips = listTips(at);
      if (args.json) return outJson("rescue", 1, { rescues: saved, tips });
      if (saved.length + tips.length === 0) return out("nothing was ever saved here: nothing was at risk");
      const now = Date.now();
      for (const one of saved)
        out(
          `${nameOf(one)}  ${clock(one.at)} (${duration(now - one.at)} ago)  ${who(one)}, ${printable(one.reason)}: ${printable(one.paths.slice(0, 3).join(", "))}${one.paths.length > 3 ? ` and ${one.paths.length - 3} more` : ""}`,
        );
      for (const { commit, subject } of tips)
        out(`commit ${commit.slice(0, 12)}  on no branch any more: ${printable(subject)}`);
      if (saved.length > 0) say("to get one back: git signalbox rescue restore NAME");
      if (tips.length > 0) say("to get a commit back: git branch NEW COMMIT");
      return;
    }
    if (name === undefined) throw usageError(`rescue ${action} takes a name from: git signalbox rescue list`);
    const one = named(saved, name);
    if (action === "show") return out(shown(showRescue(at, one.ref)));
    if (action === "drop") {
      dropRescue(at, one.ref);
      return say(`dropped ${nameOf(one)}; until git collects it: git update-ref ${one.ref} ${one.commit}`);
    }
    if (repo.top === undefined) throw usageError("restore needs a working tree: go to one");
    if (args.index === true && at.gitDir !== undefined) healIndex({ gitDir: at.gitDir, workTree: repo.top });
    const result = restoreRescue(at, one.ref, { force: args.force === true, index: args.index === true });
    const { restored, kept } = result;
    if (args.json) outJson("rescue-restore", 1, { ref: one.ref, restored, kept, saved: result.saved });
    else {
      for (const path of restored) out(`restored ${printable(path)}`);
      for (const { path, why } of kept) out(`kept     ${printable(path)}: ${printable(why)}`);
      if (result.saved !== undefined) say(`what was there before is in ${result.saved}`);
      if (kept.length > 0 && args.force !== true)
        say("to restore over other content: add --force; what is there now is saved first");
    }
    return kept.length > 0 ? EXIT.failed : EXIT.ok;
  },
});

/** A session stages in its own index, a person in the tree's. */
function placeOf({ commonDir, top, tree }: Repo): GitAt {
  if (top === undefined) return { cwd: commonDir };
  const session = sessionOf(process.env);
  const own = listGitdirs(commonDir).find((one) => one.session === session && one.tree === tree);
  return own === undefined ? { cwd: top } : { cwd: top, gitDir: own.gitDir, workTree: top };
}

/** What a file holds may steer a terminal; a pipe gets it as it is. */
function shown(text: string): string {
  return process.stdout.isTTY ? text.replaceAll(/[^\P{Cc}\n\t]/gu, (char) => printable(char)) : text;
}

const nameOf = ({ ref }: Rescue): string => ref.replace("refs/signalbox/rescue/", "");

/** A rescue by its name or ref, or by the beginning of its session if that has just one. */
function named(saved: readonly Rescue[], name: string): Rescue {
  const exact = saved.find((one) => one.ref === name || nameOf(one) === name);
  if (exact !== undefined) return exact;
  const some = saved.filter((one) => name !== "" && nameOf(one).startsWith(name));
  if (some.length > 1)
    throw new CommandError(`${name} may be any of ${some.map(nameOf).join(", ")}`, EXIT.usage);
  if (some[0] === undefined)
    throw new CommandError(`nothing is saved as ${name}; git signalbox rescue list shows what is`);
  return some[0];
}
