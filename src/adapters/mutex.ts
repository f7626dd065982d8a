/**
 * One holder at a time among the processes of several sessions on one machine: no daemon, no flock, first come,
 * first served. For speed, and for git's verbs without compare-and-swap; it is not what keeps work safe.
 *
 *     <dir>/order-<n>   append-only: one line per claim, in the order of arrival; "sealed" ends it, order-<n+1> goes on
 *     <dir>/c-<nonce>   a claim: "w" (waits) or "h" (holds), then who; empty or not there: finished
 *
 * To take: write the own claim, append its line, then wait until every claim ahead of it is finished: released
 * (truncated by a shell's `true >file`, or removed), or proven dead. While it waits a claim lives as long as the
 * process that waits, after that as long as the one that holds. All that is relied on:
 *
 * - Appends to one file have one order, and everybody sees the same lines ahead of a line.
 * - "Finished" never becomes untrue, because a nonce is used once and the dead stay dead. A process found dead may
 *   have written before it died, so its claim is read once more after the proof.
 * - Of two claims one is ahead of the other, so it was finished when the other entered: never two, and no robbery
 *   to race for. Nobody overtakes, so nobody starves. Age and clocks play no part.
 * - Only a holder seals, so whatever is ahead of a sealed list was finished before it. A line below "sealed" does
 *   not count. Somebody who slept through several lists may make a deleted one anew: the higher one gives it away.
 *   The last three lists are kept, so that no directory listing, taken while one ends, can miss all of them.
 */
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import type { Processes } from "../app/ports.ts";
import type { ProcessId } from "../domain/sessions.ts";
import { nonce } from "../log/record.ts";

export interface Claimant {
  readonly session: string;
  /** The process that will hold it: the shim's shell, not the one that waits for it. */
  readonly process: ProcessId;
  /** What it is for: "commit". */
  readonly what: string;
}

export interface Holder extends Claimant {
  /** When it entered (ms since 1970, by the file system's clock): to be shown, nothing is decided by it. */
  readonly since: number;
  /** Truncating this releases it. */
  readonly file: string;
}

export type Taken =
  /** Truncate `file` to nothing to release it. In a shell `true >file`: `: >file` ends the shell if it fails. */
  | { readonly kind: "taken"; readonly file: string; readonly waitedMs: number }
  /** The caller, or a git command that it runs for, holds it already; nothing is to be released. */
  | { readonly kind: "held"; readonly file: ""; readonly waitedMs: 0 }
  | { readonly kind: "timeout"; readonly waitedMs: number; readonly holder?: Holder }
  /** The disk is full, read-only or somebody else's. The caller goes on without. */
  | { readonly kind: "unavailable"; readonly why: string };

export interface TakeOptions {
  /** 0: try once. */
  readonly waitMs: number;
  /** The `file` of a lock that the caller was started under: SIGNALBOX_LOCK, which the shim gives its children. */
  readonly inherited?: string | undefined;
  /** A clock that never steps (ms). */
  readonly now?: () => number;
  readonly pause?: (ms: number) => void;
}

/**
 * Takes the mutex of a directory, which is made when it is missing. Order of several: see `takeMutexes`.
 * Never throws for what the disk says.
 */
export function takeMutex(
  dir: string,
  claimant: Claimant,
  processes: Processes,
  options: TakeOptions,
): Taken {
  const { pause = sleep } = options;
  const disk = diskOf(dir);
  try {
    if (holdsAlready(dir, claimant, processes, options.inherited)) {
      return { kind: "held", file: "", waitedMs: 0 };
    }
    const waiter = processes.identify(process.pid);
    if (waiter === undefined) return { kind: "unavailable", why: "this process cannot be identified" };
    const steps = taking(disk, { ...claimant, waiter }, processes, options);
    for (;;) {
      const { done, value } = steps.next();
      if (!done) {
        if (value > 0) pause(value);
      } else if (value.kind === "taken") return { ...value, file: join(dir, value.file) };
      else if (value.kind !== "timeout") return value;
      else {
        const holder = mutexHolder(dir, processes);
        return holder === undefined ? value : { ...value, holder };
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    return { kind: "unavailable", why: (error as Error).message };
  }
}

/** Releases what `takeMutex` gave; "" and what is released already are let be. */
export function releaseMutex(file: string): void {
  if (file === "") return;
  try {
    truncateSync(file);
    rmSync(file, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}

/** Who holds it now; `undefined` if nobody does. Only reads. */
export function mutexHolder(dir: string, processes: Processes): Holder | undefined {
  const disk = { ...diskOf(dir), remove: () => undefined };
  try {
    for (const claim of queue(disk)) {
      if (disk.read(claim.file)?.[0] !== HOLDS || finish(disk, claim, processes)) continue;
      const { session, holder, what, file } = claim;
      const { mtimeMs } = statSync(join(dir, file));
      return { session, process: holder, what, since: mtimeMs, file: join(dir, file) };
    }
  } catch (error) {
    // Released while we looked, or not ours to read.
    if ((error as NodeJS.ErrnoException).code === undefined) throw error;
  }
  return undefined;
}

/** Removes claims that nobody waits on any more; what is released, or whose process lives, is let be. */
export function sweepMutex(dir: string, processes: Processes): void {
  const disk = diskOf(dir);
  for (const claim of queue(disk)) finish(disk, claim, processes);
  const listed = new Set(queue(disk).map(({ file }) => file));
  for (const name of disk.list())
    if (name.startsWith("c-") && !listed.has(name) && disk.age(name) > STRAY_MS) disk.remove(name);
}

/** Claims, and those of them whose process is proven gone. Only reads. */
export function mutexClaims(
  dir: string,
  processes: Processes,
): { readonly there: number; readonly dead: readonly string[] } {
  const disk = { ...diskOf(dir), remove: () => undefined };
  const claims = queue(disk);
  return {
    there: claims.length,
    dead: claims.filter((one) => finish(disk, one, processes)).map(({ file }) => file),
  };
}

/**
 * Takes several, all or none: for sets of files, one directory each. Everybody takes them in the order of their
 * resolved names, so whoever waits holds only lower ones than it waits for: there is no circle, hence no deadlock.
 * (A holder that asks for more later breaks the order; it is then `waitMs` that ends a deadlock.)
 */
export function takeMutexes(
  dirs: readonly string[],
  claimant: Claimant,
  processes: Processes,
  options: TakeOptions,
): { readonly files: readonly string[]; readonly failed?: Exclude<Taken, { kind: "taken" | "held" }> } {
  const { now = monotonic } = options;
  const began = now();
  const files: string[] = [];
  for (const dir of [...new Set(dirs.map(resolved))].sort()) {
    const taken = takeMutex(dir, claimant, processes, {
      ...options,
      waitMs: Math.max(0, options.waitMs - (now() - began)),
    });
    if (taken.kind === "taken") files.push(taken.file);
    else if (taken.kind !== "held") {
      for (const file of files.reverse()) releaseMutex(file);
      return { files: [], failed: taken };
    }
  }
  return { files };
}

/** One name for a directory that may not be there yet. */
function resolved(dir: string): string {
  try {
    makeDirectory(dir);
    return realpathSync(dir);
  } catch {
    return dir;
  }
}

// --- the protocol: every access to the disk is a step of its own, so that a test can put any other in between

const WAITS = "w";
const HOLDS = "h";
const SEALED = "sealed";
/** A list is sealed when it is as long as this (characters): about 150 claims. */
const LISTS: Lists = { limit: 1 << 16, kept: 3 };
/** Waiting: first pause, longest pause, and how often death is looked for: that costs a process on some systems. */
const PAUSE_MS = 2;
const LONGEST_PAUSE_MS = 20;
const PROVE_EVERY_MS = 40;
/** More lists than this never end while one waits to get into one. */
const TRIES = 1000;
const STRAY_MS = 24 * 3600_000;

export interface MutexDisk {
  /** Names in the directory; none if there is no directory. */
  readonly list: () => string[];
  /** `undefined` if it is not there. */
  readonly read: (name: string) => string | undefined;
  /** Makes a file, and the directory. False if it is there. */
  readonly create: (name: string, text: string) => boolean;
  /** At the end, in one piece. False if it is not there. */
  readonly append: (name: string, text: string) => boolean;
  /** Replaces the first character. False if it is not there. */
  readonly mark: (name: string, char: string) => boolean;
  readonly remove: (name: string) => void;
  /** Ms since the last change. */
  readonly age: (name: string) => number;
}

export interface Claim extends Omit<Claimant, "process"> {
  readonly waiter: ProcessId;
}

interface Queued extends Claim {
  readonly file: string;
  readonly holder: ProcessId;
}

/** Yields before each step how long to pause before it (ms). `file` in the answer is the claim's name alone. */
export type Steps<T> = Generator<number, T, undefined>;

function* step<T>(act: () => T): Steps<T> {
  yield 0;
  return act();
}

/** How long lists get, and how many are kept. */
export interface Lists {
  readonly limit: number;
  readonly kept: number;
}

/** Takes the mutex, a step at a time. Exported for the test that explores all orders of steps. */
export function* taking(
  disk: MutexDisk,
  claim: Claimant & Claim,
  processes: Processes,
  { waitMs, now = monotonic }: TakeOptions,
  lists: Lists = LISTS,
): Steps<Taken> {
  const began = now();
  for (;;) {
    const file = `c-${nonce()}`;
    const text = textOf(claim);
    yield* step(() => disk.create(file, WAITS + text));
    try {
      const ahead = yield* enqueue(disk, file, text);
      if (ahead === undefined) return { kind: "unavailable", why: "the list of claims cannot be written" };
      let pauseMs = PAUSE_MS;
      let proveAt = now();
      // The nearest first: until that one is finished nothing else matters.
      for (let next = ahead.at(-1); next !== undefined; next = ahead.at(-1)) {
        const prove = now() >= proveAt;
        if (yield* finished(disk, next, processes, prove)) {
          ahead.pop();
          pauseMs = PAUSE_MS;
          proveAt = now();
          continue;
        }
        if (prove) proveAt = now() + PROVE_EVERY_MS;
        const left = began + waitMs - now();
        if (left <= 0) {
          yield* step(() => disk.remove(file));
          return { kind: "timeout", waitedMs: now() - began };
        }
        yield Math.min(left, pauseMs * (0.5 + Math.random()));
        pauseMs = Math.min(pauseMs * 1.5, LONGEST_PAUSE_MS);
      }
      // False: somebody has removed our claim. It counts no longer, so we begin again.
      if (yield* step(() => disk.mark(file, HOLDS))) {
        yield* turnOver(disk, file, lists);
        return { kind: "taken", file, waitedMs: now() - began };
      }
    } catch (error) {
      try {
        disk.remove(file);
      } catch {
        // The first error says why.
      }
      throw error;
    }
  }
}

/** Gets into a list that counts; answers with the claims ahead there. */
function* enqueue(disk: MutexDisk, file: string, text: string): Steps<Queued[] | undefined> {
  for (let i = 0; i < TRIES; i += 1) {
    const numbers = listsIn(yield* step(() => disk.list()));
    const number = numbers.at(-1) ?? 1;
    if (numbers.length === 0) yield* step(() => disk.create(listName(1), ""));
    // The leading newline ends whatever half a line a crash left.
    if (!(yield* step(() => disk.append(listName(number), `\n${file} ${text}\n`)))) continue;
    const place = yield* look(disk, number, file);
    if (typeof place === "object") return place;
    if (place === "sealed") yield* step(() => disk.create(listName(number + 1), ""));
  }
  return undefined;
}

/** Where the own line in a list is: the claims ahead of it, if it counts. */
function* look(disk: MutexDisk, number: number, own: string): Steps<Queued[] | "sealed" | "void"> {
  // After the append: whoever is ahead has made its claim before its line.
  const names = yield* step(() => disk.list());
  const list = linesOf(yield* step(() => disk.read(listName(number))));
  const place = list.findIndex(([name]) => name === own);
  const seal = list.findIndex(([name]) => name === SEALED);
  if (place < 0) return "void";
  if (seal >= 0 && seal < place) return "sealed";
  if (seal < 0 && (listsIn(names).at(-1) ?? 0) > number) {
    // Deleted long ago, and made anew by somebody who had slept.
    yield* step(() => disk.remove(listName(number)));
    return "void";
  }
  const present = new Set(names.filter((name) => name.startsWith("c-") && name !== own));
  const ahead = claimsOf(list.slice(0, place), present);
  for (const [name] of list) present.delete(name);
  if (present.size === 0) return ahead;
  const former = linesOf(number > 1 ? yield* step(() => disk.read(listName(number - 1))) : "");
  const formerEnd = former.findIndex(([name]) => name === SEALED);
  const before = claimsOf(formerEnd < 0 ? former : former.slice(0, formerEnd), present);
  for (const { file } of before) present.delete(file);
  // A list that lost lines must not cost a holder its lock.
  for (const name of present) {
    const content = yield* step(() => disk.read(name));
    if (content?.[0] === HOLDS) before.push(...claimsOf([[name, content.slice(1)]], present));
  }
  return [...before, ...ahead];
}

/** Whether a claim is released, withdrawn or, if it is to be proven, dead. What is finished is removed. */
function* finished(disk: MutexDisk, claim: Queued, processes: Processes, prove: boolean): Steps<boolean> {
  for (;;) {
    const content = yield* step(() => disk.read(claim.file));
    if (content === undefined) return true;
    const state = content[0];
    if (state !== undefined) {
      if (!prove) return false;
      for (const process of suspects(claim, state)) {
        if (!(yield* step(() => processes.isGone(process)))) return false;
      }
      // It may have entered, and its waiter ended, between the two.
      if ((yield* step(() => disk.read(claim.file)))?.[0] !== state) continue;
    }
    yield* step(() => disk.remove(claim.file));
    return true;
  }
}

function suspects({ waiter, holder }: Queued, state: string): ProcessId[] {
  if (state === WAITS) return [waiter];
  // Anything but the two is not of our writing: both have to be gone.
  return state === HOLDS ? [holder] : [waiter, holder];
}

/** By the holder alone: begins a new list when this one is long, and removes what nobody will read again. */
function* turnOver(disk: MutexDisk, own: string, { limit, kept }: Lists): Steps<void> {
  const names = yield* step(() => disk.list());
  const numbers = listsIn(names);
  const number = numbers.at(-1) ?? 1;
  const text = yield* step(() => disk.read(listName(number)));
  if (text === undefined || text.length < limit) return;
  const lines = linesOf(text);
  // It may have been sealed since, and our own line be in the one before.
  if (!lines.some(([name]) => name === own) || lines.some(([name]) => name === SEALED)) return;
  yield* step(() => disk.append(listName(number), `\n${SEALED}\n`));
  for (const old of numbers.slice(0, -kept)) yield* step(() => disk.remove(listName(old)));
  // Left by who was killed between claim and line; they hold nobody up.
  const listed = new Set(lines.map(([name]) => name));
  for (const name of names) {
    if (name.startsWith("c-") && !listed.has(name) && disk.age(name) > STRAY_MS) {
      yield* step(() => disk.remove(name));
    }
  }
}

function listName(number: number): string {
  return `order-${number}`;
}

/** Numbers of the lists among names, ascending. */
function listsIn(names: readonly string[]): number[] {
  return names
    .filter((name) => /^order-[1-9]\d{0,14}$/.test(name))
    .map((name) => Number(name.slice("order-".length)))
    .sort((a, b) => a - b);
}

/** Name and rest of each line. */
function linesOf(text = ""): [name: string, rest: string][] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const space = line.indexOf(" ");
      return space < 0 ? [line, ""] : [line.slice(0, space), line.slice(space + 1)];
    });
}

/** The claims of lines whose file is there; half a line claims nothing, for its writer had not been told. */
function claimsOf(lines: readonly (readonly [string, string])[], present: ReadonlySet<string>): Queued[] {
  return lines.flatMap(([file, rest]) => {
    if (!present.has(file)) return [];
    const claim = parse(rest);
    return claim === undefined ? [] : [{ ...claim, file }];
  });
}

function textOf({ session, what, waiter, process: holder }: Claim & Claimant): string {
  return JSON.stringify({ session, what, waiter, holder });
}

function parse(text: string): Omit<Queued, "file"> | undefined {
  try {
    const claim = JSON.parse(text) as Omit<Queued, "file">;
    return isProcess(claim.waiter) && isProcess(claim.holder) ? claim : undefined;
  } catch {
    return undefined;
  }
}

function isProcess(value: unknown): value is ProcessId {
  const { pid, start, boot } = (value ?? {}) as Partial<ProcessId>;
  return typeof pid === "number" && typeof start === "string" && typeof boot === "string";
}

// --- the edges

/** Every claim there is, in order: of the last lists, whatever is in them. */
function queue(disk: MutexDisk): Queued[] {
  const names = disk.list();
  const present = new Set(names.filter((name) => name.startsWith("c-")));
  if (present.size === 0) return [];
  return listsIn(names)
    .slice(-LISTS.kept)
    .flatMap((number) => claimsOf(linesOf(disk.read(listName(number))), present));
}

/** `finished` at one go. */
function finish(disk: MutexDisk, claim: Queued, processes: Processes): boolean {
  const steps = finished(disk, claim, processes, true);
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
  }
}

function holdsAlready(
  dir: string,
  { process: holder }: Claimant,
  processes: Processes,
  inherited: string | undefined,
): boolean {
  // Inherited, but released since: a process that outlived the command it was started by.
  const ours =
    inherited !== undefined && inherited !== "" && resolved(dirname(inherited)) === resolved(dir)
      ? basename(inherited)
      : undefined;
  const now = mutexHolder(dir, processes);
  if (now === undefined) return false;
  return (
    basename(now.file) === ours ||
    (now.process.pid === holder.pid && now.process.start === holder.start && now.process.boot === holder.boot)
  );
}

function diskOf(dir: string): MutexDisk {
  const at = (name: string) => join(dir, name);
  return {
    list: () => unlessMissing(() => readdirSync(dir)) ?? [],
    read: (name) => unlessMissing(() => readFileSync(at(name), "utf8")),
    create(name, text) {
      try {
        writeFileSync(at(name), text, { flag: "wx" });
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        if (code === "EEXIST") return false;
        if (code !== "ENOENT") throw error;
        makeDirectory(dir);
        writeFileSync(at(name), text, { flag: "wx" });
      }
      return true;
    },
    append(name, text) {
      // Without O_CREAT: a list is made on purpose.
      return withFile(at(name), constants.O_WRONLY | constants.O_APPEND, (fd) => {
        const bytes = Buffer.from(text);
        if (writeSync(fd, bytes) < bytes.length) throw full(name);
      });
    },
    mark: (name, char) => withFile(at(name), constants.O_WRONLY, (fd) => writeSync(fd, char, 0)),
    remove: (name) => rmSync(at(name), { force: true }),
    age: (name) => {
      const stat = unlessMissing(() => statSync(at(name)));
      return stat === undefined ? 0 : Date.now() - stat.mtimeMs;
    },
  };
}

/** With its parents. Node's own `recursive` never returns where a parent is there and takes no directory (/proc). */
function makeDirectory(dir: string): void {
  try {
    mkdirSync(dir);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return;
    if (code !== "ENOENT" || existsSync(dirname(dir))) throw error;
    makeDirectory(dirname(dir));
    makeDirectory(dir);
  }
}

function withFile(path: string, flags: number, act: (fd: number) => void): boolean {
  const fd = unlessMissing(() => openSync(path, flags));
  if (fd === undefined) return false;
  try {
    act(fd);
  } finally {
    closeSync(fd);
  }
  return true;
}

function full(name: string): NodeJS.ErrnoException {
  return Object.assign(new Error(`ENOSPC: ${name} was written in part`), { code: "ENOSPC" });
}

function unlessMissing<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

const monotonic = () => performance.now();

let sleeper: Int32Array | undefined;
function sleep(ms: number): void {
  sleeper ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(sleeper, 0, 0, ms);
}
