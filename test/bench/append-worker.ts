/** One contender: `<log|sqlite> <dir> <data|never> <appends> <better-sqlite3>`; starts on a line of stdin. */
import { readSync, writeSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { openLog, type Projection } from "../../src/log/mod.ts";

const [engine = "", dir = "", sync = "", times = "0", sqlite = ""] = process.argv.slice(2);

/** The decision of both: a path is free if nobody holds it; take it, and let go of it the next time. */
type Held = Record<string, number>;
const pathOf = (i: number) => `p${process.pid}-${i % 8}`;

const append = engine === "log" ? logEngine() : sqliteEngine();
if (times !== "0") {
  writeSync(1, "ready\n");
  readSync(0, Buffer.alloc(8));
}
for (let i = 0; i < Number(times); i += 1) append(pathOf(i));

function logEngine(): (path: string) => void {
  const held: Projection<Held> = {
    name: "held",
    version: 1,
    initial: () => ({}),
    apply(state, { e, s }) {
      for (const { path, free } of e as unknown as { path: string; free: boolean }[]) {
        if (free) delete state[path];
        else state[path] = s;
      }
    },
  };
  const log = openLog({
    dir: join(dir, "log"),
    projections: [held as Projection<unknown>],
    create: true,
    sync: sync as "data" | "never",
  });
  return (path) => {
    log.append((view) => ({
      result: undefined,
      draft: { events: [{ path, free: path in view.state(held) }], by: "bench" },
    }));
  };
}

function sqliteEngine(): (path: string) => void {
  type Statement = { run: (...args: unknown[]) => void; get: (...args: unknown[]) => unknown };
  type Database = {
    pragma: (text: string) => void;
    exec: (text: string) => void;
    prepare: (text: string) => Statement;
  };
  const open = createRequire(join(dir, "x.js"))(sqlite) as new (file: string, options: object) => Database;
  const db = new open(join(dir, "log.db"), { timeout: 60_000 });
  db.pragma("journal_mode = WAL");
  db.pragma(`synchronous = ${sync === "data" ? "FULL" : "OFF"}`);
  db.exec(
    "CREATE TABLE IF NOT EXISTS events (s INTEGER PRIMARY KEY, body TEXT); CREATE TABLE IF NOT EXISTS held (path TEXT PRIMARY KEY, s INTEGER)",
  );
  const head = db.prepare("SELECT coalesce(max(s), 0) AS s FROM events");
  const find = db.prepare("SELECT s FROM held WHERE path = ?");
  const add = db.prepare("INSERT INTO events VALUES (?, ?)");
  const take = db.prepare("INSERT INTO held VALUES (?, ?)");
  const free = db.prepare("DELETE FROM held WHERE path = ?");
  const [begin, commit] = [db.prepare("BEGIN IMMEDIATE"), db.prepare("COMMIT")];
  return (path) => {
    begin.run();
    const s = (head.get() as { s: number }).s + 1;
    const isHeld = find.get(path) !== undefined;
    add.run(s, JSON.stringify({ s, t: Date.now(), by: "bench", e: [{ path, free: isHeld }] }));
    if (isHeld) free.run(path);
    else take.run(path, s);
    commit.run();
  };
}
