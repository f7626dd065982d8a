import { existsSync } from "node:fs";
import { join } from "node:path";
import { branchesOf } from "../adapters/git/sync.ts";
import { treeAt } from "../adapters/git/gitdirs.ts";
import { sessionOf } from "../app/identity.ts";
import { sync } from "../app/sync.ts";
import { synced } from "../app/sync-messages.ts";
import { command, JSON_OPTION } from "./command.ts";
import { boxHere } from "./context.ts";
import { EXIT, usageError } from "./exit.ts";
import { out, outJson, say } from "./output.ts";

export const syncCommand = command({
  name: "sync",
  description: "bring this branch up to the one it is based on, if that goes without a conflict",
  words: 0,
  args: {
    onto: { type: "string", description: "the branch to come up to (default: setting sync.base)" },
    fetch: { type: "boolean", description: "git fetch first" },
    now: { type: "boolean", description: "do not wait for the cooldown, the batch or the back-off" },
    "dry-run": { type: "boolean", description: "only say what would happen" },
    ...JSON_OPTION,
  },
  run({ args }) {
    const { repo, box } = boxHere();
    if (repo.top === undefined) throw usageError("there is no working tree here; go to one");
    const session = sessionOf(process.env);
    const shim = join(box.dir, "shim", "git");
    const branches = branchesOf(
      treeAt({ ...repo, top: repo.top }),
      session !== undefined && existsSync(shim) ? shim : undefined,
    );
    if (args.fetch === true && !branches.fetch())
      say("signalbox: git fetch failed; going on with what is here");
    const result = sync(box, branches, {
      session,
      tree: repo.tree,
      base: args.onto ?? box.settings["sync.base"],
      dryRun: args["dry-run"] === true,
      now: args.now === true,
    });
    const isFine = ["nothing", "forward", "rebased", "would"].includes(result.kind);
    if (args.json) outJson("sync", 1, result);
    else (isFine ? out : say)(synced(result, box.ports.now()).replace(/^signalbox: /, isFine ? "" : "$&"));
    return isFine ? EXIT.ok : EXIT.failed;
  },
});
