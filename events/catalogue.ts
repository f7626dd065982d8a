import * as agent from "./agent.ts";
import * as claim from "./claim.ts";
import * as commit from "./commit.ts";
import type { EventDefinition, EventOf } from "./define.ts";
import * as gitIndex from "./git-index.ts";
import * as guard from "./guard.ts";
import * as handoff from "./handoff.ts";
import * as head from "./head.ts";
import * as policy from "./policy.ts";
import * as rebase from "./rebase.ts";
import * as reservation from "./reservation.ts";
import * as session from "./session.ts";
import * as upkeep from "./upkeep.ts";
import * as work from "./work.ts";

/** All events there are. A new family is one file and one line here. */
const FAMILIES = {
  ...session,
  ...agent,
  ...gitIndex,
  ...reservation,
  ...claim,
  ...handoff,
  ...commit,
  ...head,
  ...rebase,
  ...policy,
  ...guard,
  ...work,
  ...upkeep,
};

/** An event of the catalogue at its current version. */
export type Event = { [K in keyof typeof FAMILIES]: EventOf<(typeof FAMILIES)[K]> }[keyof typeof FAMILIES];
export type EventType = Event["type"];
/** The event with that name. */
export type EventNamed<T extends EventType> = Extract<Event, { readonly type: T }>;

export type Catalogue = ReadonlyMap<string, EventDefinition>;

/** A catalogue from definitions, by name. @throws TypeError if two have the same name */
export function catalogueOf(definitions: readonly EventDefinition[]): Catalogue {
  const catalogue = new Map<string, EventDefinition>();
  for (const definition of definitions) {
    if (catalogue.has(definition.type)) throw new TypeError(`Two events are named ${definition.type}`);
    catalogue.set(definition.type, definition);
  }
  return catalogue;
}

export const CATALOGUE: Catalogue = catalogueOf(Object.values(FAMILIES));

type Data<T extends EventType> = Omit<EventNamed<T>, "type" | "v">;

/**
 * Makes an event at its current version. Fields that are `undefined` are left out: stored events are JSON. A
 * `type` or `v` among the fields, from an event that was spread, changes nothing.
 */
export function event<T extends EventType>(type: T, data: Data<T>): EventNamed<T> {
  const fields = Object.entries(data).filter(
    ([name, value]) => value !== undefined && name !== "type" && name !== "v",
  );
  return {
    type,
    v: CATALOGUE.get(type)?.version ?? 1,
    ...Object.fromEntries(fields),
  } as unknown as EventNamed<T>;
}
