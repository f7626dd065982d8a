import { execa } from "execa";
import { gitdirsOf, treeAt } from "../adapters/git/gitdirs.ts";
import { saveRescue } from "../adapters/git/rescue.ts";
import { dirtyPaths } from "../adapters/git/work-tree.ts";
import { bypassGuard } from "../app/bypass.ts";
import { sessionOf } from "../app/identity.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { CommandError, type ExitCode, usageError } from "./exit.ts";
import { say } from "./output.ts";

export const bypassCommand = command({
  name: "bypass",
  description: "run a command without the guard: bypass --reason WHY -- COMMAND; others' work is saved first",
  args: {
    reason: { type: "string", valueHint: "WHY", description: "why; it is put on record and shown in status" },
  },
  async run({ args }) {
    const [file, ...rest] = args._;
    if (file === undefined)
      throw usageError("bypass takes a command: signalbox bypass --reason WHY -- COMMAND [ARGS]");
    if (args.reason === undefined || args.reason.trim() === "")
      throw usageError('bypass needs a reason: signalbox bypass --reason "why" -- COMMAND [ARGS]');
    const { repo, box } = boxHere();
    const { top } = repo;
    if (top === undefined) throw usageError("bypass needs a working tree: go to one");
    const at = { cwd: top };
    const native = { cwd: top, gitDir: repo.gitDir, workTree: top };
    const { ref, paths } = bypassGuard(box, {
      session: sessionOf(process.env),
      tree: repo.tree,
      command: args._.join(" "),
      reason: args.reason,
      dirty: () => dirtyPaths(at, { ignored: false }).map(({ path }) => path),
      save: (session, reason, files) => saveRescue(at, { session, reason, files, index: native }),
    });
    if (ref !== undefined)
      say(
        `signalbox: ${paths.length} file${paths.length === 1 ? "" : "s"} not yours saved first; to bring back: git signalbox rescue restore ${ref.replace("refs/signalbox/rescue/", "")}`,
      );
    const result = await execa(file, rest, {
      stdio: "inherit",
      reject: false,
      env: { SIGNALBOX_BYPASS: args.reason, SIGNALBOX_BYPASSED: "1" },
    });
    if (result.exitCode === undefined && result.signal === undefined)
      throw new CommandError(result.shortMessage ?? `${file} could not be run`);
    // What the command did to HEAD is carried into the index that people use.
    gitdirsOf(treeAt({ ...repo, top })).heal(repo.gitDir);
    return (result.exitCode ?? 128) as ExitCode;
  },
});
