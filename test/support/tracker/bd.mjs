// A stand-in for Beads' `bd`, as far as signalbox uses it (FIELD.md 36). What it reproduces:
// - `update ID --claim` is an atomic compare-and-swap on the assignee, by BEADS_ACTOR, else the one user's name: without
//   BEADS_ACTOR for each session all of them are one actor, and every claim succeeds;
// - the storage is one locked file: while it is locked a command waits (BD_BUSY_MS: as if by somebody else for so long);
// - `--json` prints an array, or with BD_JSON_ENVELOPE=1 an object with the array in it; BD_ARRAYS=1: an array all the same.
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from "node:fs";
import { join, dirname } from "node:path";

const sleep = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
const fail = (text) => {
  process.stderr.write(`Error: ${text}\n`);
  process.exit(1);
};

let home = process.cwd();
while (!existsSync(join(home, ".beads"))) {
  if (home === dirname(home)) fail("no beads database found");
  home = dirname(home);
}
const file = join(home, ".beads", "issues.json");
const lock = join(home, ".beads", "lock");
const busy = join(home, ".beads", "busy");
const actor = process.env.BEADS_ACTOR || process.env.USER || "somebody";

const given = process.argv.slice(2);
const at = given.findIndex((word) => !word.startsWith("-"));
const verb = given[at];
const args = given.filter((_, i) => i !== at);
const VALUES = new Set(["--status", "-s", "--assignee", "-a", "--limit", "-n", "--type", "-t", "--reason"]);
const options = new Map();
const words = [];
for (let i = 0; i < args.length; i += 1) {
  const [name, value] = args[i].split(/=(.*)/s);
  if (!name.startsWith("-")) words.push(args[i]);
  else if (VALUES.has(name)) options.set(name, value ?? args[(i += 1)]);
  else options.set(name, true);
}

function locked(act) {
  // A folder is made by one process only. What the tests call busy is somebody else who has it.
  for (;;) {
    if (!existsSync(busy)) {
      try {
        mkdirSync(lock);
        break;
      } catch {
        // Somebody else's.
      }
    }
    sleep(5);
  }
  try {
    const issues = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : [];
    const before = JSON.stringify(issues);
    const result = act(issues);
    if (JSON.stringify(issues) !== before) {
      writeFileSync(`${file}.new`, JSON.stringify(issues, undefined, 1));
      renameSync(`${file}.new`, file);
    }
    return result;
  } finally {
    rmdirSync(lock);
  }
}

function print(issues) {
  if (!options.has("--json"))
    return process.stdout.write(issues.map((i) => `${i.id} ${i.status} ${i.title}\n`).join(""));
  const enveloped = process.env.BD_JSON_ENVELOPE === "1" && process.env.BD_ARRAYS !== "1";
  process.stdout.write(
    `${JSON.stringify(enveloped ? { schema_version: 1, data: issues } : issues, undefined, 2)}\n`,
  );
}

const find = (issues, id) => issues.find((issue) => issue.id === id);
const now = () => new Date().toISOString();
const VERBS = {
  create: () =>
    locked((issues) => {
      const title = words[0] ?? "untitled";
      const issue = {
        id: `bd-a${issues.length + 1}`,
        title,
        status: "open",
        issue_type: options.get("--type") ?? options.get("-t") ?? "task",
        updated_at: now(),
      };
      issues.push(issue);
      print([issue]);
    }),
  show: () =>
    locked((issues) => {
      const found = words.map((id) => find(issues, id) ?? id);
      const missing = found.find((each) => typeof each === "string");
      if (missing !== undefined) return { error: `issue ${missing} not found` };
      print(found);
    }),
  list: () =>
    locked((issues) =>
      print(issues.filter((i) => !options.has("--status") || i.status === options.get("--status"))),
    ),
  ready: () => locked((issues) => print(issues.filter((i) => i.status === "open" && !i.assignee))),
  update: () =>
    locked((issues) => {
      for (const id of words) {
        const issue = find(issues, id);
        if (issue === undefined) return { error: `issue ${id} not found` };
        if (options.has("--claim")) {
          if (issue.assignee && issue.assignee !== actor)
            return { error: `${id} is already claimed by ${issue.assignee}` };
          Object.assign(issue, { status: "in_progress", assignee: actor, started_at: now() });
        }
        const status = options.get("--status") ?? options.get("-s");
        const assignee = options.get("--assignee") ?? options.get("-a");
        if (status !== undefined) issue.status = status;
        if (assignee !== undefined) issue.assignee = assignee;
        issue.updated_at = now();
      }
      process.stdout.write(`updated ${words.join(" ")}\n`);
    }),
  comment: () => undefined,
  dep: () => undefined,
  close: () =>
    locked((issues) => {
      for (const id of words) {
        const issue = find(issues, id);
        if (issue === undefined) return { error: `issue ${id} not found` };
        Object.assign(issue, { status: "closed", closed_at: now(), updated_at: now() });
      }
    }),
};
if (!Object.hasOwn(VERBS, verb ?? "")) fail(`unknown command ${verb}`);
// Only once the lock is free again: process.exit would leave it.
const failed = VERBS[verb]();
if (failed?.error !== undefined) fail(failed.error);
