import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { actorOf } from "../app/actors.ts";
import { childProcess } from "./child-process.ts";

/**
 * Writes the script that the client pastes before every command of a session (CLAUDE_ENV_FILE): the shim is the
 * first `git` on PATH, and Beads knows the session by a name of its own. The file is replaced whole, so that a resume does not add a second copy, and no command
 * ever reads half of it: a syntax error in it would break every command.
 *
 * @param file where; nothing is done without one
 * @param session absent: trackers are none of our business
 */
export function writeSessionEnv(file: string | undefined, boxDir: string, session?: string): void {
  if (file === undefined || file === "") return;
  const script = sessionEnv(join(boxDir, "shim")) + (session === undefined ? "" : actorEnv(session));
  const temporary = `${file}.signalbox-${process.pid}`;
  writeFileSync(temporary, script);
  const { status, stderr } = childProcess().spawnSync("sh", ["-n", temporary], { encoding: "utf8" });
  if (status !== 0) {
    rmSync(temporary, { force: true });
    throw new Error(`the script for ${file} is not valid sh: ${stderr}`);
  }
  renameSync(temporary, file);
}

/** Evaluated anew by every command, in whatever shell: once is as good as twice, and a shim that is gone is none. */
export function sessionEnv(shimDir: string): string {
  // In PATH a colon separates; such a folder cannot be on it.
  if (shimDir.includes(":") || shimDir.includes("\n"))
    return "# signalbox: this repository's path cannot be on PATH\n";
  const word = `'${shimDir.replaceAll("'", String.raw`'\''`)}'`;
  return `# signalbox: this session's git (git signalbox status)
if [ -x ${word}/git ]; then
  case $PATH in
    ${word}:*) ;;
    *) PATH=${word}:$PATH; export PATH ;;
  esac
fi
`;
}

/**
 * Without a name for each session all of a user's sessions are one to Beads, and each of them may claim what another
 * has. The user's own name stays in front; a session started from within another one's shell is not that one.
 */
function actorEnv(session: string): string {
  const own = actorOf(session, "");
  const mark = own.slice(own.indexOf("/"));
  return `BEADS_ACTOR=\${BEADS_ACTOR:-\${USER:-signalbox}}
BEADS_ACTOR=\${BEADS_ACTOR%%/sb-*}${mark}; export BEADS_ACTOR
`;
}
