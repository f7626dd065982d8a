import { anyCommands } from "./arbitraries.ts";
import * as fc from "fast-check";
import { type Command, drive } from "./driver.ts";
import type { History } from "./history.ts";

/** A long history, always the same one: days of sessions that come, work, are renamed, crash and go. */
export function churn(commands: number): History {
  const parts = fc.sample(anyCommands({ maxLength: 200 }), { seed: 7, numRuns: Math.ceil(commands / 50) });
  const all: Command[] = [];
  for (const part of parts) {
    if (all.length >= commands) break;
    all.push(...part);
  }
  return drive(all.slice(0, commands));
}
