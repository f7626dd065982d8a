/** A cron expression in other schedulers' words means the same: next times by a naive reading of each agree. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import * as fc from "fast-check";
import { fieldsOf, nextAfter } from "../../src/adapters/scheduler/expression.ts";
import { timesOf } from "../../src/adapters/scheduler/launchd.ts";
import { calendarOf } from "../../src/adapters/scheduler/systemd.ts";

process.env["TZ"] = "UTC";

const MINUTE = 60_000;

/** Expressions of five fields whose next time is never far: few kinds of month, hours and minutes in all kinds. */
const field = (low: number, high: number) =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant("*") },
    fc.integer({ min: low, max: high }).map(String),
    fc
      .uniqueArray(fc.integer({ min: low, max: high }), { minLength: 1, maxLength: 4 })
      .map((list) => list.join(",")),
    fc
      .tuple(fc.integer({ min: low, max: high }), fc.integer({ min: low, max: high }))
      .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`),
    fc.integer({ min: 2, max: 7 }).map((n) => `*/${n}`),
  );
const expressions = fc
  .tuple(field(0, 59), field(0, 23), field(1, 28), fc.constant("*"), field(0, 6))
  .map((fields) => fields.join(" "));
const moments = fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2027, 0) });

/** The first minute after `from` for which `matches`, by looking at each. */
function naive(from: number, matches: (date: Date) => boolean): number {
  const day = 24 * 60 * MINUTE;
  for (let at = Math.floor(from / MINUTE) * MINUTE + MINUTE; at < from + 40 * day; at += MINUTE)
    if (matches(new Date(at))) return at;
  return Number.NaN;
}

test("launchd: the dictionaries together are the expression", () => {
  fc.assert(
    fc.property(expressions, moments, (expression, from) => {
      let times;
      try {
        times = timesOf(expression);
      } catch (error) {
        assert.match((error as Error).message, /start times in launchd's words/);
        return;
      }
      const next = naive(from, (date) =>
        times.some(
          ({ Day, Weekday, Hour, Minute }) =>
            (Day ?? date.getUTCDate()) === date.getUTCDate() &&
            (Weekday ?? date.getUTCDay()) === date.getUTCDay() &&
            (Hour ?? date.getUTCHours()) === date.getUTCHours() &&
            (Minute ?? date.getUTCMinutes()) === date.getUTCMinutes(),
        ),
      );
      assert.equal(new Date(next).toISOString(), new Date(nextAfter(expression, from)).toISOString());
    }),
    { numRuns: 60 },
  );
});

test("systemd: its own reading of the calendar events is the expression", (t) => {
  if (spawnSync("systemd-analyze", ["--version"]).status !== 0) return t.skip("there is no systemd-analyze");
  fc.assert(
    fc.property(expressions, moments, (expression, from) => {
      const base = new Date(from).toISOString().slice(0, 19).replace("T", " ");
      const { stdout, stderr } = spawnSync(
        "systemd-analyze",
        ["calendar", `--base-time=${base}`, ...calendarOf(expression)],
        { encoding: "utf8", env: { ...process.env, TZ: "UTC", LC_ALL: "C" } },
      );
      const elapses = [...stdout.matchAll(/(?:Next elapse): \w+ (\S+) (\S+) UTC/g)].map(([, day, time]) =>
        Date.parse(`${day}T${time}Z`),
      );
      const seconds = Math.floor(from / 1000) * 1000;
      assert.equal(
        Math.min(...elapses),
        nextAfter(expression, seconds),
        `${expression} from ${base}: ${stdout}${stderr}`,
      );
    }),
    { numRuns: 60 },
  );
  return undefined;
});

test("what the cron package shortens wrongly is read right; presets, names and 7 for Sunday", () => {
  assert.equal(fieldsOf("0-58 * * * *").minute?.length, 59);
  assert.deepEqual(fieldsOf("@weekly"), {
    second: [0],
    minute: [0],
    hour: [0],
    dayOfMonth: undefined,
    month: undefined,
    dayOfWeek: [0],
  });
  assert.deepEqual(fieldsOf("0 0 * JAN,feb 7").month, [1, 2]);
  assert.deepEqual(fieldsOf("0 0 * JAN,feb 7").dayOfWeek, [0]);
  assert.deepEqual(calendarOf("*/20 * 13 * FRI"), ["Fri *-*-* *:0,20,40:0", "*-*-13 *:0,20,40:0"]);
});
