/**
 * The catalogue: every event, its schema, its versions, and how an old version becomes a new one. Pure data,
 * one source for Node and Deno, depending on valibot alone.
 *
 * @example
 * ```ts
 * import { event, parseEvent } from "signalbox/events";
 * const stored = event("session.ended", { session: "s1", reason: "exit" });
 * parseEvent(stored).kind; // "known"
 * ```
 */
export {
  CATALOGUE,
  type Catalogue,
  catalogueOf,
  event,
  type Event,
  type EventNamed,
  type EventType,
} from "./catalogue.ts";
export { define, type EventDefinition, type EventOf, schemaOf, type StoredEvent } from "./define.ts";
export { assertEvent, type Parsed, parseEvent, upcast } from "./parse.ts";
