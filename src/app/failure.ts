import { event } from "../../events/mod.ts";
import { type Box, decide } from "./box.ts";

/** What broke, in one line. */
export function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replaceAll(/\s+/g, " ").slice(0, 500);
}

/** Puts on record that the guard itself broke and let an operation through. @throws if the log is what broke */
export function recordFailure(box: Box, where: string, error: unknown, session?: string): void {
  decide(box, session, () => ({
    events: [event("guard.failed", { where, error: describe(error), session })],
    result: undefined,
  }));
}
