/** Opening a log, and appending to it: decide on what is so now, write, and read back who won. */

import { type CompactOptions, type CompactReport, compact } from "./compact.ts";
import { type Core, openCore } from "./core.ts";
import { createLog, readFormat } from "./create.ts";
import { type Disk, nodeDisk, typed } from "./disk.ts";
import { LogBusy, LogError, LogUnreadable, LogUnsynced } from "./errors.ts";
import { filesOf } from "./files.ts";
import type { Projection } from "./folds.ts";
import { pause } from "./pause.ts";
import type { Head, Json, LogRecord } from "./record.ts";
import { seal, type SealReport } from "./seal.ts";

/** What a decision sees: everything committed up to `head`, and nothing else. */
export interface View {
  readonly head: Head;
  /** Milliseconds since 1970: the clock, but never before the head's time. A record appended now gets it. */
  readonly now: number;
  /** The state of a fold at `head`. Only to be looked at. */
  state<S>(projection: Projection<S>): S;
}

/** What a decision wants to append. */
export interface Draft {
  readonly events: readonly Json[];
  readonly by?: string | undefined;
  readonly k?: string | undefined;
  /** False for telemetry: acknowledged without waiting for the disk. Default true. */
  readonly sync?: boolean | undefined;
}

/** Called again, on a newer view, each time somebody else was faster. */
export type Decide<R> = (view: View) => { readonly draft?: Draft | undefined; readonly result: R };

export interface Appended<R> {
  readonly result: R;
  /** The committed record; absent where the decision had nothing to append. */
  readonly record?: LogRecord;
  /** How often the decision was made. */
  readonly attempts: number;
  /** Whether the record survives power loss, as far as the disk tells. */
  readonly durable: boolean;
}

/** An append-only history that several processes share. Nothing here says how it is stored. */
export interface Log {
  /** Random id of the log. */
  readonly id: string;
  /** Where this instance has read to. */
  readonly head: Head;
  /** A fold's state at `head`. Only to be looked at. */
  state<S>(projection: Projection<S>): S;
  /** Reads what others have appended. */
  catchUp(): Head;
  /**
   * Decides and appends in one linearizable step: the record is committed only if nothing was committed after
   * the view it was decided on. Otherwise the decision is made again.
   */
  append<R>(decide: Decide<R>): Appended<R>;
  /** Committed records up to `head`, oldest first, in constant memory. Both ends inclusive. */
  records(range?: { from?: number; to?: number }): Iterable<LogRecord>;
  /** Saves the folds' states, so that the next opening is quick. Happens by itself now and then. */
  snapshot(): void;
  /** Ends the current segment, so that it can be compacted. */
  seal(): SealReport;
  /** Moves sealed history into archives. Any number of processes may compact and append meanwhile. */
  compact(options?: CompactOptions): CompactReport;
  close(): void;
}

export interface OpenOptions {
  /** The log's directory. */
  readonly dir: string;
  /** The folds that are kept. */
  readonly projections: readonly Projection[];
  readonly disk?: Disk | undefined;
  /** The clock, milliseconds since 1970. */
  readonly now?: (() => number) | undefined;
  /**
   * `data` (default): a record is acknowledged when the disk has confirmed it. `never`: at once; it survives
   * kill -9, and power loss may take acknowledged records from the end, never from the middle.
   */
  readonly sync?: "data" | "never" | undefined;
  /** Make the log where there is none. Default false: opening creates nothing. */
  readonly create?: boolean | undefined;
  /** Appenders leave a snapshot about every so many records; 0 for never. Default 64. */
  readonly snapshotEvery?: number | undefined;
}

/** Appends give up after so many lost races, each with a pause. */
const MAX_ATTEMPTS = 2000;

/**
 * Opens the log in `dir`. Costs the newest snapshot and the records since, whatever the log's length.
 *
 * @throws LogMissing, LogNewer, LogCorrupt, LogUnreadable
 */
export function openLog(options: OpenOptions): Log {
  const { dir, now = Date.now, sync = "data", snapshotEvery = 64 } = options;
  const files = filesOf(typed(options.disk ?? nodeDisk), dir);
  if (options.create && !exists(() => files.disk.readFile(files.format))) createLog(files);
  const format = readFormat(files);
  const core = openCore(files, format.genesis, options.projections, now);
  core.catchUp();
  const head = (): Head => {
    const { seq, crc, t } = core.place().head;
    return { seq, crc, t };
  };
  return {
    id: format.log,
    get head() {
      return head();
    },
    state: (projection) => stateOf(core, projection),
    catchUp() {
      core.catchUp();
      return head();
    },
    append: (decide) => append(core, decide, sync, snapshotEvery),
    *records({ from = 1, to = Infinity } = {}) {
      const last = Math.min(to, core.place().head.seq);
      for (const { record } of core.history(from, last)) yield record;
    },
    snapshot() {
      core.catchUp();
      core.snapshot(false);
    },
    seal: () => seal(core),
    compact: (compactOptions) => compact(core, compactOptions),
    close: () => core.close(),
  };
}

function exists(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (error instanceof LogUnreadable) throw error;
    return false;
  }
}

function stateOf<S>(core: Core, projection: Projection<S>): S {
  return core.folds.state(projection, core.place().head.seq) as S;
}

function append<R>(core: Core, decide: Decide<R>, policy: "data" | "never", every: number): Appended<R> {
  for (let attempts = 1; attempts <= MAX_ATTEMPTS; attempts++) {
    core.catchUp();
    const { head } = core.place();
    const { draft, result } = decide({
      head: { seq: head.seq, crc: head.crc, t: head.t },
      now: Math.max(core.now(), head.t),
      state: (projection) => stateOf(core, projection),
    });
    if (!draft) return { result, attempts, durable: false };
    const { by, k, events, sync = true } = draft;
    const won = core.attempt({ ...(by !== undefined && { by }), ...(k !== undefined && { k }), e: events });
    if (won) {
      const { record } = won;
      const durable = policy === "data" && sync;
      if (durable) confirm(() => won.sync(), record);
      saveNowAndThen(core, record, every);
      return { result, record, attempts, durable };
    }
    pause(attempts);
  }
  throw new LogBusy(
    `Cannot append to the log in ${core.files.dir}: others won ${MAX_ATTEMPTS} races in a row. Try again.`,
  );
}

function confirm(sync: () => void, record: LogRecord): void {
  try {
    sync();
  } catch (error) {
    if (!(error instanceof LogError)) throw error;
    throw new LogUnsynced(
      `Record ${record.s} is committed, but may be lost by a power failure: ${error.message} Do not append it again.`,
      { cause: error },
    );
  }
}

/** One appender in `every` writes the snapshot, or whoever finds that nobody has done so for twice as long. */
function saveNowAndThen(core: Core, record: LogRecord, every: number): void {
  if (every <= 0) return;
  const due = (record.s % every === 0 && core.unsaved() >= every / 2) || core.unsaved() >= 2 * every;
  if (!due) return;
  try {
    core.snapshot(false);
  } catch {
    // The record is committed; a snapshot that cannot be written costs the next opening some time.
  }
}
