import { join } from "node:path";
import { type Event, type EventNamed, type EventType, upcast } from "../../../events/mod.ts";
import { openLog } from "../../../src/log/mod.ts";

/** All events in a repository's log, oldest first, read as anybody may while others write. */
export function readEvents(boxDir: string): Event[] {
  const log = openLog({ dir: join(boxDir, "log"), projections: [] });
  try {
    log.catchUp();
    return [...log.records()].flatMap((record) =>
      record.e.flatMap((stored) => upcast(stored as never) ?? []),
    );
  } finally {
    log.close();
  }
}

/** Those of one type. */
export function ofType<T extends EventType>(events: readonly Event[], type: T): EventNamed<T>[] {
  return events.filter((event): event is EventNamed<T> => event.type === type);
}
