/** A year of a busy repository under a fake clock: what there is of everything, and what a hook costs, as it goes by. */
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Plan, type Size, Years } from "../support/year.ts";
import { race, type Row, run } from "./measure.ts";
import { makeRepo, Place } from "./place.ts";

export function benchYear(dir: string, plan: Plan, days: readonly number[], rounds: number): Row[] {
  mkdirSync(dir, { recursive: true });
  const top = makeRepo(join(dir, "repo"), true);
  const years = new Years(top, plan);
  const rows: Row[] = [];
  for (let day = 1; day <= plan.days; day += 1) {
    const { before, after } = years.day();
    if (!days.includes(day)) continue;
    rows.push(...hooks(top, join(dir, "copy"), day, rounds), sizes(day, before, after));
    console.error(`day ${day}: ${after.records} records`);
  }
  const lived = `${years.sessions} sessions, ${years.kills} processes killed in the middle of something`;
  return [...rows, { what: "year: lived through", value: `${plan.days} d`, ratio: lived }];
}

/** In a copy, by the machine's own clock: real hooks beside another session. */
function hooks(top: string, copy: string, day: number, rounds: number): Row[] {
  cpSync(top, copy, { recursive: true });
  const empty = join(copy, ".git/empty.cjs");
  writeFileSync(empty, "");
  const place = new Place(copy);
  const [env] = [place.session("ada"), place.session("bob")];
  const edit = (file: string) => ({
    env,
    cwd: copy,
    input: JSON.stringify({
      session_id: "ada",
      cwd: copy,
      hook_event_name: "PreToolUse",
      tool_name: "Edit",
      tool_input: { file_path: join(copy, file), old_string: "a", new_string: "b" },
      tool_use_id: "t",
    }),
  });
  let n = 0;
  const [bare = 1, ...others] = race(rounds, [
    { name: "bare runtime", run: () => run(process.execPath, [empty]) },
    { name: "gate, new file", run: () => run(place.hook, ["claude", "pre-edit"], edit(`n${(n += 1)}.txt`)) },
    { name: "gate, own file", run: () => run(place.hook, ["claude", "pre-edit"], edit("n1.txt")) },
    { name: "pre-bash, in the shell", run: () => run(place.hook, ["claude", "pre-bash"], { ...edit("x") }) },
  ]).values();
  place.end();
  rmSync(copy, { recursive: true, force: true });
  return ["gate, new file", "gate, own file", "pre-bash, in the shell"].map((name, i) => ({
    what: `year, day ${day}: ${name}`,
    value: `${others[i]!.toFixed(1)} ms`,
    ratio: `x${(others[i]! / bare).toFixed(2)} of a bare runtime's ${bare.toFixed(1)} ms`,
  }));
}

function sizes(day: number, before: Size, after: Size): Row {
  const kb = (bytes: number) => `${Math.round(bytes / 1000)} kB`;
  return {
    what: `year, day ${day}: what there is`,
    value: `${after.files} files`,
    ratio: [
      `${before.files} before the night, ${after.live} sessions live`,
      `${kb(after.bytes)}, of it snapshots ${kb(after.snapshotBytes)}`,
      `${after.gitdirs} gitdirs`,
      `${after.refs} refs, ${after.unsaved} of them work that nobody has committed`,
      `${after.records} records, ${after.archives} archives of ${kb(after.archiveBytes)}`,
    ].join("; "),
  };
}
