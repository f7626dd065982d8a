/**
 * Explores the orders in which processes can take the mutex: the real protocol on a disk in memory, one access at a
 * time, with any process killed in between.
 */
import { type Lists, type MutexDisk, type Steps, taking, type Taken } from "../../src/adapters/mutex.ts";
import type { Processes } from "../../src/app/ports.ts";
import type { ProcessId } from "../../src/domain/sessions.ts";

export interface Setting {
  readonly processes: number;
  /** How often each one takes the mutex. */
  readonly rounds: number;
  /** How many kills there are at most. */
  readonly kills: number;
  /** How often a process is interrupted by another one that it does not wait for, at most; kills are not counted. */
  readonly interruptions?: number;
  readonly lists: Lists;
}

/** One thing that can happen next: a process goes on, or it is killed. */
interface Choice {
  readonly who: number;
  readonly what: "step" | "kill";
}

interface Actor {
  steps: Steps<Taken> | undefined;
  /** What it has seen since it began: with the disk, all that its next steps depend on. */
  seen: string;
  round: number;
  state: "takes" | "holds" | "done";
  /** It has nothing to do until something changes. */
  sleepsSince: number;
}

/** Threads of one run: a world that can be taken anywhere by a sequence of choices. */
export class World {
  readonly files = new Map<string, string>();
  readonly dead = new Set<number>();
  readonly actors: Actor[];
  /** Names of claims as their process and round, so that equal states are recognised. */
  readonly names: [string, string][] = [];
  entered: number[] = [];
  changes = 0;
  kills = 0;
  ticks = 0;
  interruptions = 0;
  last = -1;
  readonly setting: Setting;

  constructor(setting: Setting) {
    this.setting = setting;
    this.actors = Array.from({ length: setting.processes }, (_, i) => this.#begin(i, 0, ""));
  }

  #begin(who: number, round: number, seen: string): Actor {
    // A round has a waiter and a holder of its own, as each git call has its own shell.
    const id = (role: number): ProcessId => ({ pid: who * 100 + round * 10 + role, start: "1", boot: "" });
    const claim = { session: `s${who}`, what: "commit", process: id(2), waiter: id(1) };
    const processes: Processes = {
      identify: () => undefined,
      isGone: ({ pid }) => this.#see(who, this.dead.has(pid)),
      hasChildSince: () => undefined,
    };
    // It goes on by much at each look, so that death is looked for each time.
    const now = () => (this.ticks += 1000);
    const steps = taking(
      this.#disk(who, round),
      claim,
      processes,
      { waitMs: Infinity, now },
      this.setting.lists,
    );
    return { steps, seen, round, state: "takes", sleepsSince: -1 };
  }

  #see<T>(who: number, what: T): T {
    const actor = this.actors[who];
    if (actor !== undefined) actor.seen += `${JSON.stringify(what)};`;
    return what;
  }

  #disk(who: number, round: number): MutexDisk {
    const changed = <T>(result: T) => {
      this.changes += 1;
      return this.#see(who, result);
    };
    return {
      list: () => this.#see(who, [...this.files.keys()]),
      read: (name) => this.#see(who, this.files.get(name)),
      create: (name, text) => {
        if (this.files.has(name)) return this.#see(who, false);
        if (name.startsWith("c-")) this.names.push([name, `<${who}.${round}.${this.names.length}>`]);
        this.files.set(name, text);
        return changed(true);
      },
      append: (name, text) => {
        const before = this.files.get(name);
        if (before === undefined) return this.#see(who, false);
        this.files.set(name, before + text);
        return changed(true);
      },
      mark: (name, char) => {
        const before = this.files.get(name);
        if (before === undefined) return this.#see(who, false);
        this.files.set(name, char + before.slice(1));
        return changed(true);
      },
      remove: (name) => {
        this.files.delete(name);
        changed(true);
      },
      age: () => 0,
    };
  }

  choices(): Choice[] {
    return this.actors.flatMap(({ state, sleepsSince }, who) => {
      if (state === "done") return [];
      const kill: Choice[] = this.kills < this.setting.kills ? [{ who, what: "kill" }] : [];
      if (state === "takes" && sleepsSince === this.changes) return kill;
      const allowed = this.interruptions < (this.setting.interruptions ?? Infinity) || !this.#interrupts(who);
      return allowed ? [{ who, what: "step" }, ...kill] : kill;
    });
  }

  #interrupts(who: number): boolean {
    const last = this.actors[this.last];
    if (last === undefined || who === this.last || last.state === "done") return false;
    return last.state === "holds" || last.sleepsSince !== this.changes;
  }

  /** @throws if two hold it */
  take({ who, what }: Choice): void {
    const actor = this.actors[who]!;
    if (what === "step") {
      if (this.#interrupts(who)) this.interruptions += 1;
      this.last = who;
    }
    if (what === "kill") {
      this.kills += 1;
      // Waiting it is the waiter that is killed, holding the holder: the waiter has ended by then anyway.
      this.#ended(who, actor.round, 1);
      this.#ended(who, actor.round, 2);
      this.#next(who);
      return;
    }
    if (actor.state === "holds") {
      // As the shell does it: without looking.
      const mine = actor.seen.slice(actor.seen.lastIndexOf("!") + 1);
      if (this.files.has(mine)) this.files.set(mine, "");
      this.#ended(who, actor.round, 2);
      this.#next(who);
      return;
    }
    const { done, value } = actor.steps!.next();
    // Where it is in its code; what it did there is in what it has seen.
    actor.seen += ".";
    actor.sleepsSince = !done && value > 0 ? this.changes : -1;
    if (!done) return;
    if (value.kind !== "taken") throw new Error(`not taken: ${JSON.stringify(value)}`);
    actor.state = "holds";
    actor.seen = `!${value.file}`;
    this.entered.push(who);
    // The one that waited ends as soon as it has told.
    this.#ended(who, actor.round, 1);
    const holding = this.actors.filter(({ state }) => state === "holds");
    if (holding.length > 1) throw new Error("two hold it");
  }

  #ended(who: number, round: number, role: number): void {
    this.dead.add(who * 100 + round * 10 + role);
    this.changes += 1;
  }

  #next(who: number): void {
    const actor = this.actors[who]!;
    const round = actor.round + 1;
    if (round < this.setting.rounds) this.actors[who] = this.#begin(who, round, "");
    else Object.assign(actor, { state: "done", steps: undefined, seen: "" });
  }

  /** Lets one go on until something is so. */
  run(who: number, until: (actor: Readonly<Actor>) => boolean): void {
    while (!until(this.actors[who]!)) this.take({ who, what: "step" });
  }

  /** The same text for the same state. */
  key(): string {
    const actors = this.actors.map(({ seen, round, state, sleepsSince }) => [
      seen,
      round,
      state,
      sleepsSince === this.changes,
    ]);
    const bound = this.setting.interruptions === undefined ? [] : [this.interruptions, this.last];
    let text = JSON.stringify([[...this.files].sort(), [...this.dead].sort(), actors, this.kills, ...bound]);
    for (const [name, plain] of this.names) text = text.replaceAll(name, plain);
    return text.replace(/(<\d\.\d)\.\d+>/g, "$1>");
  }
}

export interface Explored {
  readonly states: number;
  readonly ends: number;
  /** False if the bound ended it. */
  readonly whole: boolean;
}

/**
 * Every order, depth first; a state is gone into once.
 *
 * @throws with the schedule, if two hold it or if all that are left wait for each other
 */
export function exploreAll(setting: Setting, most: number): Explored {
  const visited = new Set<string>();
  let ends = 0;
  const schedules: Choice[][] = [[]];
  for (let schedule = schedules.pop(); schedule !== undefined; schedule = schedules.pop()) {
    const world = replayed(setting, schedule);
    const key = world.key();
    if (visited.has(key)) continue;
    visited.add(key);
    if (visited.size >= most) return { states: visited.size, ends, whole: false };
    const choices = world.choices();
    if (choices.length === 0) ends += atEnd(world, schedule);
    for (const choice of choices) schedules.push([...schedule, choice]);
  }
  return { states: visited.size, ends, whole: true };
}

/** One order at random. @throws like `exploreAll` */
export function exploreOne(setting: Setting, random: () => number): World {
  const world = new World(setting);
  const schedule: Choice[] = [];
  // Some sleep long: that is what protocols are wrong about.
  const speed = world.actors.map(() => random() ** 4);
  for (;;) {
    const choices = world.choices().filter(({ what }) => what === "step" || random() < 0.03);
    if (choices.length === 0) break;
    const weights = choices.map(({ who }) => speed[who]! + 0.001);
    let at = random() * weights.reduce((a, b) => a + b, 0);
    const choice = choices[weights.findIndex((weight) => (at -= weight) < 0)] ?? choices[0]!;
    if (random() < 0.02) speed[choice.who] = random() ** 4;
    schedule.push(choice);
    taking_(world, choice, schedule);
  }
  atEnd(world, schedule);
  return world;
}

function replayed(setting: Setting, schedule: readonly Choice[]): World {
  const world = new World(setting);
  for (const choice of schedule) taking_(world, choice, schedule);
  return world;
}

function taking_(world: World, choice: Choice, schedule: readonly Choice[]): void {
  try {
    world.take(choice);
  } catch (error) {
    throw new Error(`${(error as Error).message}: ${told(schedule)}`, { cause: error });
  }
}

function atEnd(world: World, schedule: readonly Choice[]): number {
  if (world.actors.some(({ state }) => state !== "done")) {
    throw new Error(`nobody goes on: ${told(schedule)}`);
  }
  return 1;
}

function told(schedule: readonly Choice[]): string {
  return schedule.map(({ who, what }) => `${what === "kill" ? "†" : ""}${who}`).join(" ");
}
