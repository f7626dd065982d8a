import { existsSync } from "node:fs";
import { join } from "node:path";
import { boxDirOf } from "../../src/adapters/box.ts";
import { type HookInput, tell } from "../../src/adapters/claude.ts";
import { gitdirsOf, treeAt } from "../../src/adapters/git/gitdirs.ts";
import { cleanLocks } from "../../src/adapters/git/locks.ts";
import { survey } from "../../src/adapters/git/survey.ts";
import { findRepo, type Repo } from "../../src/adapters/locate.ts";
import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { attributeCommand, type Ground } from "../../src/app/attribution.ts";
import { type Box, look } from "../../src/app/box.ts";
import { indexesOf } from "../../src/domain/indexes.ts";
import { deliverNews } from "../../src/app/turn.ts";
import { findSession } from "../../src/domain/sessions.ts";
import { callerOf, type ClaudeHandler } from "./call.ts";
import { followTasks } from "./tasks.ts";

/** What a hook of the Bash tool is given beside the rest. */
interface BashInput extends HookInput {
  readonly tool_use_id?: string;
  readonly duration_ms?: number;
  readonly tool_input?: HookInput["tool_input"] & {
    readonly command?: string;
    readonly run_in_background?: boolean;
  };
  readonly tool_response?: { readonly backgroundTaskId?: string };
}

/**
 * PostToolUse and PostToolUseFailure of Bash, while others are here: what the command changed on disk is the
 * session's. Silent unless it changed others' work, or may have.
 */
export const postBash: ClaudeHandler = ({ input, box }) => {
  const { tool_use_id: id = "", duration_ms, tool_input, tool_response } = input as BashInput;
  const call = /^[\w-]+$/.test(id) ? id : "";
  const caller = callerOf(input);
  const command = tool_input?.command ?? "";
  const ground = groundOf(box, input.cwd, caller.session);
  if (ground === undefined) {
    if (call !== "") attributionFiles(box.dir).end(caller.session, call);
    return "";
  }
  const note = attributeCommand(
    box,
    {
      caller,
      call,
      command,
      durationMs: duration_ms,
      // A command that runs for too long is sent there by the client.
      background: tool_input?.run_in_background === true || tool_response?.backgroundTaskId !== undefined,
    },
    ground,
  );
  const tasks = followTasks(box, caller, command);
  const news = caller.agent === undefined ? deliverNews(box, caller.session) : "";
  const notes = [note, tasks, news].filter(Boolean);
  return notes.length === 0 ? "" : tell(input.hook_event_name, notes.join("\n"));
};

/** The working tree a session is in, seen through its own index; `undefined` if it is not this box's. */
export function groundOf(box: Box, cwd: string, session: string): Ground | undefined {
  const repo = findRepo(cwd);
  const { top } = repo ?? {};
  if (repo === undefined || top === undefined || boxDirOf(repo.commonDir) !== box.dir) return undefined;
  // Of a command that was killed a lock may be left that people's git would stumble over.
  if (existsSync(join(repo.gitDir, "index.lock")))
    cleanLocks({ commonDir: repo.commonDir, gitDir: repo.gitDir, workTree: top });
  const gitDir = privateGitDir(box, { ...repo, top }, session) ?? repo.gitDir;
  return {
    files: attributionFiles(box.dir),
    survey: (known) => survey({ top, gitDir, ignoreCase: box.ignoreCase }, known),
  };
}

function privateGitDir(box: Box, repo: Repo & { readonly top: string }, session: string): string | undefined {
  const { states } = look(box);
  const id = findSession(states.sessions, session)?.id ?? session;
  const index = indexesOf(states.indexes, id).find(({ tree }) => tree === repo.tree);
  return index === undefined ? undefined : gitdirsOf(treeAt(repo)).find(index.gitdir);
}
