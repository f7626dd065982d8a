import { execa } from "execa";
import { join } from "node:path";
import { actorOf } from "../app/actors.ts";
import { arriveSession, leaveSession } from "../app/attendance.ts";
import { isSessionId } from "../app/identity.ts";
import { isolate, retire } from "../app/isolation.ts";
import { gitdirsOf, treeAt } from "../adapters/git/gitdirs.ts";
import { command } from "./command.ts";
import { boxHere } from "./context.ts";
import { CommandError, type ExitCode, usageError } from "./exit.ts";
import { say } from "./output.ts";

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

export const runCommand = command({
  name: "run",
  description: "run any other agent or script as a session: signalbox run [--name NAME] -- COMMAND [ARGS]",
  args: {
    name: {
      type: "string",
      valueHint: "NAME",
      description: "the session's id; letters, digits, dots, dashes",
    },
    kind: { type: "string", valueHint: "KIND", description: "what kind of agent it is", default: "other" },
  },
  async run({ args }) {
    const [file, ...rest] = args._;
    if (file === undefined) throw usageError("run takes a command: signalbox run -- COMMAND [ARGS]");
    const session = args.name ?? `run-${Date.now().toString(36)}-${process.pid}`;
    if (!isSessionId(session))
      throw usageError(`--name takes letters, digits, dots and dashes, not ${JSON.stringify(session)}`);
    const { repo, box } = boxHere();
    const note = arriveSession(
      box,
      { session, kind: args.kind, tree: repo.tree, cwd: process.cwd(), pid: process.pid },
      "startup",
    );
    if (note !== "") say(note);
    const gitdirs = repo.top === undefined ? undefined : gitdirsOf(treeAt({ ...repo, top: repo.top }));
    if (gitdirs !== undefined) isolate(box, session, repo.tree, gitdirs);
    try {
      const env = {
        SIGNALBOX_SESSION: session,
        SIGNALBOX_PID: String(process.pid),
        ...(box.settings["claims.tracker"] === "none"
          ? {}
          : { BEADS_ACTOR: actorOf(session, process.env["BEADS_ACTOR"] || process.env["USER"] || "") }),
        PATH: `${join(box.dir, "shim")}:${join(box.dir, "bin")}:${process.env["PATH"] ?? ""}`,
        CLAUDE_CODE_SESSION_ID: undefined,
        CLAUDE_PID: undefined,
      };
      // Before the child is there: whoever sees it may signal us at once. The terminal sends its signals to the
      // child itself; what others send us is passed on.
      let send = (_: NodeJS.Signals): void => {};
      const forward = FORWARDED.map((signal) => [signal, () => send(signal)] as const);
      for (const [signal, handler] of forward) process.on(signal, handler);
      const child = execa(file, rest, { stdio: "inherit", env, reject: false, cleanup: true });
      send = (signal) => void child.kill(signal);
      const result = await child;
      for (const [signal, handler] of forward) process.off(signal, handler);
      if (result.exitCode === undefined && result.signal === undefined)
        throw new CommandError(result.shortMessage ?? `${file} could not be run`);
      return (result.exitCode ?? 128) as ExitCode;
    } finally {
      leaveSession(box, session, "exit");
      if (gitdirs !== undefined) retire(box, session, gitdirs);
    }
  },
});
