import * as v from "valibot";

/** A stored event: what stands in a record's `e` array. Fields beside `type` and `v` are the event's own. */
export interface StoredEvent {
  readonly type: string;
  readonly v: number;
  readonly [field: string]: unknown;
}

type Fields = v.ObjectEntries;

/** A shape that is no longer written, and the pure step from it to the next version. */
export interface PastVersion {
  readonly fields: () => Fields;
  readonly upcast: (stored: StoredEvent) => Record<string, unknown>;
}

/** One event of the catalogue. Its version is 1 + the number of past versions. */
export interface EventDefinition<T extends string = string, F extends Fields = Fields> {
  readonly type: T;
  readonly doc: string;
  readonly version: number;
  readonly past: readonly PastVersion[];
  /** Made on demand: a hook that appends one event builds one schema. */
  readonly fields: () => F;
}

/** The event as TypeScript sees it, at its current version. */
export type EventOf<D> =
  D extends EventDefinition<infer T, infer F>
    ? { readonly type: T; readonly v: number } & Readonly<v.InferOutput<v.ObjectSchema<F, undefined>>>
    : never;

/**
 * Defines an event. Names are `noun.past-tense` and frozen once shipped: a new meaning is a new name, a new
 * shape is a new version with an upcast from the one before.
 */
export function define<const T extends `${string}.${string}`, F extends Fields>(
  type: T,
  doc: string,
  fields: () => F,
  past: readonly PastVersion[] = [],
): EventDefinition<T, F> {
  return { type, doc, version: past.length + 1, past, fields };
}

/**
 * The schema of one version of an event. Unknown fields pass through: a newer writer may add optional ones
 * without a new version.
 *
 * @throws RangeError if the event never had that version
 */
export function schemaOf(
  definition: EventDefinition,
  version: number,
): v.GenericSchema<unknown, StoredEvent> {
  const fields = version === definition.version ? definition.fields : definition.past[version - 1]?.fields;
  if (fields === undefined) throw new RangeError(`${definition.type} has no version ${version}`);
  return v.looseObject({ type: v.literal(definition.type), v: v.literal(version), ...fields() });
}
