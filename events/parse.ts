import { safeParse } from "valibot";
import { CATALOGUE, type Catalogue, type Event } from "./catalogue.ts";
import { schemaOf, type StoredEvent } from "./define.ts";

/**
 * What a stored value is.
 * - `known`: valid at its stored version; `event` is it at the current version.
 * - `unknown`: a name or a version this build does not have, written by a newer one; carry it through untouched.
 * - `invalid`: no event, or it breaks its own schema; `why` says where.
 */
export type Parsed =
  | { readonly kind: "known"; readonly event: Event; readonly stored: StoredEvent }
  | { readonly kind: "unknown"; readonly stored: StoredEvent }
  | { readonly kind: "invalid"; readonly why: string; readonly stored: unknown };

/** Validates a stored value and brings it to the current version. Never throws. */
export function parseEvent(stored: unknown, catalogue: Catalogue = CATALOGUE): Parsed {
  try {
    if (!isStoredEvent(stored)) return { kind: "invalid", why: "not an event: no type and version", stored };
    const definition = catalogue.get(stored.type);
    if (definition === undefined || stored.v > definition.version) return { kind: "unknown", stored };
    const checked = safeParse(schemaOf(definition, stored.v), stored);
    if (!checked.success) {
      const [issue] = checked.issues;
      const where = (issue.path ?? []).map((item) => String(item.key)).join(".");
      return { kind: "invalid", why: where === "" ? issue.message : `${where}: ${issue.message}`, stored };
    }
    return { kind: "known", event: upcast(stored, catalogue)!, stored };
  } catch (error) {
    return { kind: "invalid", why: error instanceof Error ? error.message : String(error), stored };
  }
}

/**
 * The event at its current version without validation, for the hot path: what is in the log was validated when
 * it was appended. `undefined` for what this build does not know.
 */
export function upcast(stored: unknown, catalogue: Catalogue = CATALOGUE): Event | undefined {
  if (!isStoredEvent(stored)) return undefined;
  const definition = catalogue.get(stored.type);
  if (definition === undefined || stored.v > definition.version) return undefined;
  let current = stored;
  for (const { upcast: step } of definition.past.slice(stored.v - 1)) {
    current = { ...step(current), type: stored.type, v: current.v + 1 };
  }
  return current as unknown as Event;
}

/**
 * Checks an event that is about to be appended.
 *
 * @throws TypeError naming the event and the field: a bug of the caller, never of the user
 */
export function assertEvent(event: StoredEvent): void {
  const parsed = parseEvent(event);
  if (parsed.kind === "known") return;
  const why = parsed.kind === "invalid" ? parsed.why : "not in the catalogue";
  throw new TypeError(`Cannot append ${event.type}: ${why}`);
}

function isStoredEvent(value: unknown): value is StoredEvent {
  if (typeof value !== "object" || value === null) return false;
  const { type, v } = value as Partial<StoredEvent>;
  return typeof type === "string" && Number.isSafeInteger(v) && v! >= 1;
}
