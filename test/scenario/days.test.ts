/**
 * Three days of ten sessions under a fake clock, each with its own way of working, by the real deciders and the real
 * loops in the order in which the app appends them. What must hold is looked at after every record.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { assertEvent, event, type Event, type StoredEvent } from "../../events/mod.ts";
import { take } from "../../src/domain/claims.ts";
import { answer, request, requestsTo } from "../../src/domain/handoffs.ts";
import { rivals } from "../../src/domain/holder.ts";
import { undelivered } from "../../src/domain/notices.ts";
import { covers, type Target } from "../../src/domain/pattern.ts";
import { activeGrants, type Grant, release, reserve } from "../../src/domain/reservations.ts";
import { lapse, leave, liveSessions } from "../../src/domain/sessions.ts";
import { join } from "../../src/domain/waiters.ts";
import { endClaims, leaseTerms, leaseUntil, POLICY_DEFAULTS, settle } from "../../src/policy/mod.ts";
import { canonical } from "../support/domain/mod.ts";
import {
  evolve,
  FOLD_LIST,
  type History,
  initialStates,
  type Moment,
  run,
} from "../support/domain/history.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAYS = 3;
const { lease, wait, claim, handoff } = POLICY_DEFAULTS;

/** The same numbers each time (mulberry32). */
function random(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

class World {
  readonly states = initialStates();
  readonly history: Moment[] = [];
  readonly dice: () => number;
  readonly #dead = new Set<string>();
  readonly #running = new Map<string, number>();
  readonly counts = new Map<string, number>();
  readonly waits: { readonly session: string; readonly since: number; until?: number; how?: string }[] = [];
  now = 0;
  #seq = 0;

  constructor(seed: number) {
    this.dice = random(seed);
  }

  get gone(): ReadonlySet<string> {
    return new Set(liveSessions(this.states.sessions).flatMap(({ id }) => (this.#dead.has(id) ? [id] : [])));
  }

  get moment() {
    return { now: this.now, gone: this.gone, running: this.#running };
  }

  kill(session: string): void {
    this.#dead.add(session);
    this.#running.delete(session);
  }

  runs(session: string, runs: boolean): void {
    if (runs) this.#running.set(session, this.now);
    else this.#running.delete(session);
  }

  /** One record: what is due, what the dead leave, the decision, and what that makes due. */
  decide<R>(by: string, decideOn: () => { readonly events: readonly Event[]; readonly result: R }): R {
    this.#seq += 1;
    const before = this.history.length;
    this.#append(settle(this.states, this.moment, POLICY_DEFAULTS));
    this.#append(lapse(this.states.sessions, new Set([...this.gone].filter((id) => id !== by))));
    const { events, result } = decideOn();
    this.#append(events);
    this.#append(settle(this.states, this.moment, POLICY_DEFAULTS));
    if (this.history.length === before) this.#seq -= 1;
    else this.#check();
    return result;
  }

  #append(events: readonly Event[]): void {
    for (const e of events) {
      assertEvent(e as unknown as StoredEvent);
      const moment = { event: e, meta: { seq: this.#seq, t: this.now } };
      this.history.push(moment);
      evolve(this.states, moment);
      this.counts.set(e.type, (this.counts.get(e.type) ?? 0) + 1);
      if (e.type === "waiter.left") {
        const open = this.waits.find((w) => w.session === e.session && w.until === undefined);
        if (open !== undefined) Object.assign(open, { until: this.now, how: e.reason });
      }
    }
  }

  #check(): void {
    const { reservations, claims, handoffs, notices, waiters, sessions } = this.states;
    const running = activeGrants(reservations, this.now).filter((g) => !this.gone.has(g.session));
    const holders = new Map<string, Grant>();
    for (const grant of running) {
      // Here all targets are paths of one tree, and all leases exclusive.
      const path = grant.target.kind === "path" ? grant.target.path : "";
      const other = holders.get(path);
      assert.ok(
        other === undefined || !rivals(other, grant),
        `${other?.session} and ${grant.session} hold ${path}`,
      );
      holders.set(path, grant);
    }
    for (const each of Object.values(claims.claims)) {
      assert.ok(Object.hasOwn(sessions.live, each.session), `${each.task} is claimed by nobody that lives`);
      assert.ok(this.now - each.lastProgress <= claim.stallMs, `${each.task} should have stalled`);
    }
    for (const { from, to, until } of Object.values(handoffs.open)) {
      assert.ok(Object.hasOwn(sessions.live, from) && Object.hasOwn(sessions.live, to), "of a dead party");
      assert.ok(until > this.now, "a request is open past its time");
    }
    for (const w of waiters.queue) assert.ok(w.until > this.now, "a place is kept past its time");
    for (const inbox of Object.values(notices.inbox)) assert.ok(inbox.length <= 20);
    assert.deepEqual(
      settle(this.states, this.moment, POLICY_DEFAULTS),
      [],
      "asked again, nothing more is due",
    );
  }
}

/** A session, and what it can do. */
class Worker {
  readonly world: World;
  readonly name: string;
  id = "";
  #n = 0;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.start();
  }

  start(): void {
    this.#n += 1;
    this.id = `${this.name}-${this.#n}`;
    const process = { pid: this.#n, start: this.id, boot: "b" };
    this.world.decide(this.id, () => ({
      events: [
        event("session.started", { session: this.id, kind: "claude-code", tree: "", cwd: "/r", process }),
      ],
      result: undefined,
    }));
  }

  edit(path: string): boolean {
    const { world, id } = this;
    const { states } = world;
    return world.decide(id, () => {
      const asked = {
        holder: { session: id },
        tree: "",
        targets: [{ kind: "path" as const, path }],
        mode: "exclusive" as const,
        via: "edit" as const,
      };
      const terms = leaseTerms(states, asked, world.moment, lease);
      const given = reserve(states.reservations, asked, { ...world.moment, ...terms });
      if (given.kind === "granted") {
        const wrote = event("file.written", { session: id, tree: "", path, tool: "Edit", at: world.now });
        return { events: [...given.events, wrote], result: true };
      }
      if (given.capped === undefined) {
        // Nobody is refused what is free: somebody holds it, or may take it back.
        const held = states.reservations.grants.filter((g) => g.session !== id && covers(g.target, path));
        assert.ok(
          held.some((g) => g.until + lease.graceMs > world.now && !world.gone.has(g.session)),
          `${id} was refused ${path}, which is free`,
        );
      }
      return { events: given.events, result: false };
    });
  }

  commit(): void {
    const { world, id } = this;
    const mine = world.states.reservations.grants.filter((g) => g.session === id && g.target.kind === "path");
    if (mine.length === 0) return;
    const targets = mine.map((g) => g.target);
    const paths = targets.flatMap((t) => ("path" in t ? [t.path] : []));
    world.decide(id, () => ({
      events: [
        event("commit.recorded", {
          commit: world.history.length.toString(16).padStart(40, "0"),
          parents: [],
          tree: "",
          session: id,
          paths,
          total: paths.length,
          subject: "s",
        }),
        ...release(world.states.reservations, id, "committed", { tree: "", targets }),
      ],
      result: undefined,
    }));
  }

  waitFor(path: string): void {
    const { world, id } = this;
    const targets: Target[] = [{ kind: "path", path }];
    if (world.states.waiters.queue.some((w) => w.session === id)) return;
    world.waits.push({ session: id, since: world.now });
    const place = { session: id, tree: "", targets, mode: "exclusive" as const };
    world.decide(id, () => ({ events: join(place, world.now + wait.keepMs), result: undefined }));
  }

  claim(task: string): boolean {
    return this.world.decide(this.id, () => {
      const given = take(this.world.states.claims, { task, session: this.id }, this.world.gone);
      return { events: given.events, result: given.kind === "taken" };
    });
  }

  ask(task: string): void {
    const { world, id } = this;
    world.decide(id, () => {
      const wish = { from: id, reason: "r", now: world.now, until: world.now + handoff.answerMs };
      const asked = request(world.states, { task }, wish);
      return { events: asked.kind === "asked" ? asked.events : [], result: undefined };
    });
  }

  /** A turn begins: it hears what concerned it, and answers who asked. */
  turn(accepts: boolean): void {
    const { world, id } = this;
    world.decide(id, () => {
      const last = undelivered(world.states.notices, id, world.now).at(-1);
      const told = last === undefined ? [] : [event("notice.delivered", { session: id, through: last.seq })];
      const verdict = accepts
        ? { accept: true as const, until: leaseUntil(lease, world.now) }
        : { accept: false as const, reason: "busy" };
      const [first] = requestsTo(world.states.handoffs, id);
      const said =
        first === undefined ? undefined : answer(world.states.handoffs, first.handoff, id, verdict);
      return { events: [...told, ...(said === undefined ? [] : [said])], result: undefined };
    });
  }

  end(): void {
    const { world, id } = this;
    world.decide(id, () => ({
      events: [
        ...endClaims(world.states, id, world.gone),
        ...release(world.states.reservations, id, "ended"),
        ...leave(world.states.sessions, { session: id, reason: "exit", goesOn: false }),
      ],
      result: undefined,
    }));
  }
}

type Way = (worker: Worker, minute: number) => void;

/** What each does in a minute of its day. */
function ways(world: World): Readonly<Record<string, Way>> {
  const chance = (p: number) => world.dice() < p;
  const file = (folder: string, of = 6) => `${folder}/${Math.floor(world.dice() * of)}.ts`;
  const shared = () => file("shared", 4);
  const task = () => `t${Math.floor(world.dice() * 5)}`;
  return {
    steady(w) {
      if (chance(0.5)) w.edit(chance(0.2) ? shared() : file("steady"));
      if (chance(0.05)) w.commit();
    },
    thinker(w, minute) {
      if (minute % 35 < 2) w.edit(chance(0.5) ? shared() : file("thinker"));
      if (minute % 140 === 0) w.commit();
    },
    hoarder(w) {
      for (let i = 0; i < 4; i += 1) w.edit(`hoard/${Math.floor(world.dice() * 300)}.ts`);
      if (chance(0.004)) w.commit();
    },
    dying(w) {
      if (chance(0.3)) w.edit(chance(0.5) ? shared() : file("dying"));
      if (chance(0.01)) w.claim(task());
      if (chance(0.01)) {
        world.kill(w.id);
        w.start();
      }
    },
    testing(w, minute) {
      if (minute % 60 === 0) for (const i of [0, 1, 2]) w.edit(`testing/${i}.ts`);
      if (minute % 60 === 2) world.runs(w.id, true);
      if (minute % 60 === 50) {
        world.runs(w.id, false);
        w.commit();
      }
    },
    waiting(w) {
      const wanted = shared();
      if (chance(0.2) && !w.edit(wanted)) w.waitFor(wanted);
      if (chance(0.1)) w.commit();
    },
    stalling(w) {
      if (chance(0.05)) w.claim(task());
    },
    asking(w) {
      const wanted = task();
      if (chance(0.1) && !w.claim(wanted)) w.ask(wanted);
      if (chance(0.3)) w.edit(file("asking"));
    },
    working(w) {
      if (chance(0.1)) w.claim(task());
      if (chance(0.4)) w.edit(chance(0.3) ? shared() : file("working"));
      if (chance(0.1)) w.commit();
      if (chance(0.02))
        for (const each of Object.values(world.states.claims.claims))
          if (each.session === w.id)
            world.decide(w.id, () => ({
              events: [event("claim.completed", { task: each.task, session: w.id, outcome: "ok" })],
              result: undefined,
            }));
    },
    passing(w, minute) {
      if (minute % 2 === 0) w.end();
      else w.start();
    },
  };
}

test("three days of ten sessions: nobody is granted what another holds, nobody waits for ever, all drains", (t) => {
  const world = new World(20_261_123);
  const table = ways(world);
  const workers = Object.keys(table).map((name) => new Worker(world, name));
  let longest = 0;
  for (let minute = 1; minute <= DAYS * 24 * 60; minute += 1) {
    // At night only the one that passes by.
    const isDay = minute % (24 * 60) < 16 * 60;
    for (const worker of workers) {
      world.now = minute * MINUTE + Math.floor(world.dice() * 50 * SECOND);
      if (!isDay && worker.name !== "passing") continue;
      if (worker.name !== "passing") worker.turn(world.dice() < 0.5);
      table[worker.name]!(worker, minute);
    }
  }
  for (const { since, until } of world.waits)
    if (until !== undefined) longest = Math.max(longest, until - since);

  const open = world.waits.filter(({ until }) => until === undefined);
  // Somebody passes by each minute: nobody waits longer than a place is kept.
  assert.ok(longest <= wait.keepMs + 2 * MINUTE, `${longest / MINUTE} min`);
  for (const worker of workers) worker.end();
  world.now += HOUR + lease.maxMs;
  const last = new Worker(world, "last");
  last.edit("shared/0.ts");
  last.end();
  const { reservations, claims, waiters, handoffs, rebaseQueue } = world.states;
  assert.deepEqual(activeGrants(reservations, world.now), []);
  assert.deepEqual([claims.claims, waiters.queue, handoffs.open, rebaseQueue.queue], [{}, [], {}, {}]);

  const history: History = world.history;
  const cut = Math.floor(history.length / 2);
  for (const [name, fold] of FOLD_LIST) {
    const snapshot = JSON.parse(JSON.stringify(run(fold, history.slice(0, cut)))) as unknown;
    assert.equal(canonical(run(fold, history.slice(cut), snapshot)), canonical(world.states[name]), name);
    assert.ok(JSON.stringify(world.states[name]).length < 200_000, name);
  }

  const n = (type: string) => world.counts.get(type) ?? 0;
  const served = world.waits.filter(({ how }) => how === "granted");
  const times = served.map(({ since, until = since }) => until - since).sort((a, b) => a - b);
  const switches = history.filter(({ event: e }) => e.type === "policy.switched");
  assert.ok(n("reservation.refused") > 20 && n("reservation.reclaimed") > 0 && n("reservation.extended") > 0);
  assert.ok(
    n("claim.stalled") > 0 && n("handoff.accepted") > 0 && n("handoff.rejected") > 0 && served.length > 0,
  );
  // Each loop by its hysteresis: at most one switch either way in a window or a dwell time.
  assert.ok(switches.length <= 2 * DAYS * 24 * 6 * 3);
  t.diagnostic(
    `${history.length} events, ${(history.length / (10 * 16 * DAYS)).toFixed(1)} a session and hour of day; ` +
      `${n("reservation.refused")} refusals, ${n("reservation.reclaimed")} taken back in grace, ${n("reservation.extended")} kept by a command; ` +
      `${world.waits.length} waits, ${served.length} served, median ${Math.round((times[times.length >> 1] ?? 0) / MINUTE)} min, ${open.length} open at the end; ` +
      `${n("claim.stalled")} stalls; handoffs ${n("handoff.accepted")} accepted, ${n("handoff.rejected")} rejected, ${n("handoff.lapsed")} lapsed; ` +
      `${switches.length} switches of a mode`,
  );
});

test("on an empty log no loop has anything to do", () => {
  for (const now of [0, 1, HOUR, 400 * 24 * HOUR])
    assert.deepEqual(
      settle(initialStates(), { now, gone: new Set(), running: new Map() }, POLICY_DEFAULTS),
      [],
    );
});
