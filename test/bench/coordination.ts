/** What sessions cost each other: refreshes and messages a commit, against a plan that tells and refreshes everybody. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Event } from "../../events/mod.ts";
import { type Row, run } from "./measure.ts";
import { Place, ROOT } from "./place.ts";

/** Files that each session has reserved when the others commit. */
const HELD = 3;

/**
 * Sessions that work as agents do: each in turn reads what another one works on, edits files of its own and commits
 * one of them.
 */
export function benchCoordination(dir: string, sessions: readonly number[], rounds: number): Row[] {
  return sessions.flatMap((n) => {
    const place = new Place(join(dir, String(n)), 20);
    try {
      const envs = Array.from({ length: n }, (_, i) => place.session(`s${i}`));
      const call = (i: number, hook: string, tool: string, file: string) =>
        place.tell(envs[i]!, `s${i}`, hook.startsWith("pre") ? "PreToolUse" : "PostToolUse", hook, {
          tool_name: tool,
          tool_input: { file_path: join(place.dir, file) },
        });
      for (let round = 0; round < rounds; round += 1)
        for (const [i, env] of envs.entries()) {
          call(i, "pre-read", "Read", `own${(i + 1) % n}-0.txt`);
          for (let j = 0; j < HELD; j += 1) {
            const file = `own${i}-${j}.txt`;
            call(i, "pre-edit", "Edit", file);
            writeFileSync(join(place.dir, file), `${round}\n`);
            call(i, "post-edit", "Edit", file);
          }
          place.git(env, "add", `own${i}-0.txt`);
          place.git(env, "commit", "-qm", `${i} ${round}`);
        }
      return rowsOf(n, eventsIn(place.dir));
    } finally {
      place.end();
    }
  });
}

function rowsOf(n: number, events: readonly Event[]): Row[] {
  const count = (type: Event["type"]) => events.filter((e) => e.type === type).length;
  const commits = count("commit.recorded");
  const refreshes = count("index.refreshed") + count("index.conflicted");
  const messages = events.reduce((sum, e) => sum + (e.type === "commit.announced" ? e.to.length : 0), 0);
  const per = (total: number) => (total / commits).toFixed(2);
  return [
    {
      what: `refreshes per commit: ${n} sessions`,
      value: per(refreshes),
      ratio: `refreshing everybody: ${n - 1}`,
    },
    {
      what: `messages per commit: ${n} sessions`,
      value: per(messages),
      ratio: `telling everybody: ${n - 1}; sessions x reservations: ${n * HELD}`,
    },
  ];
}

function eventsIn(repo: string): Event[] {
  const lines = run(process.execPath, [join(ROOT, "dist/signalbox.cjs"), "log", "--json"], {
    cwd: repo,
    maxBuffer: 1 << 28,
  });
  return lines
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Event);
}
