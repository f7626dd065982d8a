/**
 * Beads (`bd` 1.0 and later). `bd update ID --claim` is a compare-and-swap of its own; what a claim came to is never
 * seen from the command or its exit code but read back with `bd show ID --json`. Its storage may be locked for
 * seconds: no answer in time is no answer.
 */
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import type { Touched, Tracker } from "../../app/ports.ts";
import type { TrackedTask } from "../../domain/tracked.ts";
import { childProcess } from "../child-process.ts";
import type { TrackerPlace } from "./mod.ts";

const TIMEOUT_MS = 2000;
const READY_AT_MOST = "50";

/** Beads, where a `.beads` folder is at a tree's top and `bd` on PATH. */
export function beads({ tops, env }: TrackerPlace): Tracker | undefined {
  const top = tops.find((each) => existsSync(join(each, ".beads")));
  if (top === undefined || !onPath("bd", env)) return undefined;

  const bd = (args: readonly string[], actor = "signalbox") =>
    childProcess().spawnSync("bd", args, {
      cwd: top,
      env: { ...env, BD_JSON_ENVELOPE: "1", BEADS_ACTOR: actor },
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
      maxBuffer: 64 * 1024 * 1024,
    });
  /** `undefined`: it did not say. That there is no such task is an answer. */
  const tasks = (args: readonly string[]): TrackedTask[] | undefined => {
    const { status, stdout, stderr } = bd(args);
    if (status === 0) return parseTasks(stdout);
    return status !== null && /not found|no (?:such )?issue/i.test(stdout + stderr) ? [] : undefined;
  };

  return {
    name: "beads",
    user: env["BEADS_ACTOR"] || env["USER"] || "",
    touchedBy,
    read(ids) {
      if (ids.length === 0) return [];
      const all = tasks(["show", ...ids, "--json"]);
      // One that it does not know makes the whole answer an error: then one by one.
      if (all === undefined || all.length > 0 || ids.length === 1) return all;
      const each = ids.map((id) => tasks(["show", id, "--json"]));
      return each.some((found) => found === undefined) ? undefined : each.flatMap((found) => found ?? []);
    },
    taken: () => tasks(["list", "--status", "in_progress", "--limit", "0", "--json"]),
    ready: () => tasks(["ready", "--limit", READY_AT_MOST, "--json"]),
    claim(id, actor) {
      bd(["update", id, "--claim"], actor);
    },
    write(id, status, actor) {
      const args = {
        open: ["update", id, "--status", "open", "--assignee", ""],
        taken: ["update", id, "--status", "in_progress", "--assignee", actor],
        closed: ["close", id],
      }[status];
      const { status: code, stderr, error } = bd(args, actor === "" ? undefined : actor);
      if (code !== 0) throw new Error((error?.message ?? stderr.trim()) || `bd ended with ${code}`);
    },
  };
}

function onPath(name: string, { PATH = "" }: TrackerPlace["env"]): boolean {
  return PATH.split(delimiter).some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return dir !== "";
    } catch {
      return false;
    }
  });
}

/** Verbs that change no task. */
const READS: ReadonlySet<string> = new Set(
  "blocked count graph help history info list prime ready search show stale stats status version where".split(
    " ",
  ),
);

/** `bd` as a command, however it is reached, with the first word behind it that is no option. */
const CALL = /(?:^|[\s("'`/])bd(?:\.exe)?(?:\s+-\S+)*\s+(?<verb>[\w-]*)/;
const ID = /(?<![\w./-])[A-Za-z]\w*(?:-[A-Za-z0-9]+)+(?:\.\d+)*(?![\w/-])/g;
const CLAIMS = /--claim|in_progress|--assignee|\s-a\b/;
/** What a variable, a pipe or a substitution holds is not to be seen. */
const HIDDEN = /[$`]|xargs/;
const NAMED_AT_MOST = 8;

function touchedBy(command: string): Touched | undefined {
  const calls = command
    .replaceAll("\\\n", " ")
    .split(/[;&|\n]+/)
    .flatMap((part) => {
      const call = CALL.exec(part);
      const verb = call?.groups?.["verb"];
      if (call === null || (verb !== undefined && READS.has(verb))) return [];
      return [{ text: part, named: part.slice(call.index).match(ID) ?? [] }];
    });
  if (calls.length === 0) return undefined;
  const tasks = new Set(calls.flatMap(({ named }) => named));
  const hidden = calls.some(({ text, named }) => named.length === 0 || HIDDEN.test(text));
  if (hidden || tasks.size > NAMED_AT_MOST) return { tasks: "any", claims: [] };
  return {
    tasks: [...tasks],
    claims: calls.flatMap(({ text, named }) => (CLAIMS.test(text) ? named : [])),
  };
}

/** An array, or an envelope with one in it, or one task alone. */
function parseTasks(text: string): TrackedTask[] | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  return arrayIn(json)?.flatMap((each) => taskOf(each) ?? []);
}

function arrayIn(json: unknown, depth = 0): unknown[] | undefined {
  if (Array.isArray(json)) return json;
  if (typeof json !== "object" || json === null || depth > 2) return undefined;
  if (typeof (json as { id?: unknown }).id === "string") return [json];
  for (const value of Object.values(json)) {
    const found = arrayIn(value, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function taskOf(json: unknown): TrackedTask | undefined {
  const {
    id,
    status,
    assignee,
    issue_type: kind,
    updated_at: updated,
  } = (json ?? {}) as Record<string, unknown>;
  if (typeof id !== "string" || id === "" || typeof status !== "string") return undefined;
  const actor = typeof assignee === "string" ? assignee : "";
  const at = typeof updated === "string" ? Date.parse(updated) : Number.NaN;
  return {
    id,
    status: statusOf(status, actor),
    actor,
    ...(typeof kind === "string" && kind !== "" ? { kind } : {}),
    ...(Number.isNaN(at) ? {} : { at }),
  };
}

function statusOf(status: string, actor: string): TrackedTask["status"] {
  if (status === "in_progress") return "taken";
  if (status === "closed") return "closed";
  // Promised to somebody who has not begun: nobody else's to take.
  return status === "open" && actor === "" ? "open" : "other";
}
