/**
 * Scenarios: scripts of several people in one repository, each played twice, on plain git, where it has to go wrong
 * ("the test is known to bite"), and with signalbox.
 *
 *     scenario("S01: what another has staged", {
 *       given: `A edits a.txt
 *               A$ git add a.txt`,
 *       when: `B$ git commit -qm B`,
 *       today: async (w) => assert.deepEqual(await w.log(), ["B: a.txt"]),
 *       must: async (w) => assert.deepEqual(await w.log(), []),
 *     });
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { World, type WorldOptions } from "./world.ts";

export { type Actor } from "./actor.ts";
export { World } from "./world.ts";

export interface Scenario extends Omit<WorldOptions, "guarded"> {
  /** Every step of it succeeds. */
  readonly given?: string;
  /** Steps of it may fail: that is what is looked at. */
  readonly when: string;
  /** Plain git's bad outcome; none where it has none. */
  readonly today?: (world: World) => Promise<void> | void;
  readonly must: (world: World) => Promise<void> | void;
  /** Why it is not there yet. */
  readonly todo?: string | undefined;
}

export function scenario(name: string, { today, must, todo, given = "", when, ...options }: Scenario): void {
  const play = async (world: World) => {
    await world.play(given, true);
    for (const letter of world.actors.keys()) await world.keep(letter);
    await world.play(when);
  };
  if (today !== undefined)
    test(`${name} (plain git: it goes wrong)`, async (t) => {
      const world = await World.make(t, { ...options, guarded: false });
      await play(world);
      await explained(world, today);
    });
  test(name, todo === undefined ? {} : { todo }, async (t) => {
    const world = await World.make(t, { ...options, guarded: true });
    await play(world);
    await explained(world, must);
  });
}

export interface Refusals extends Omit<WorldOptions, "guarded"> {
  readonly given: string;
  /** Whose work is in the way. */
  readonly of?: string;
  /** Each harms that work on plain git, and is refused here without a byte of it changed. */
  readonly verbs: readonly string[];
  /** Those of them that do no harm by themselves on plain git; refused all the same. */
  readonly harmless?: readonly string[];
  readonly todo?: string | undefined;
}

/** One situation, many commands of B's: each refused, one after another, in one repository. */
export function refusals(
  name: string,
  { given, of = "A", verbs, harmless = [], todo, ...options }: Refusals,
): void {
  for (const verb of verbs)
    test(`${name}: ${verb} (plain git: it goes wrong)`, async (t) => {
      const world = await World.make(t, { ...options, guarded: false });
      await world.play(given, true);
      await world.keep(of);
      await world.play(`B$ ${verb}`);
      assert.notDeepEqual(await world.harm(of), [], world.transcript);
    });
  test(`${name}: refused`, todo === undefined ? {} : { todo }, async (t) => {
    const world = await World.make(t, { ...options, guarded: true });
    await world.play(given, true);
    await world.keep(of);
    const failures: string[] = [];
    for (const verb of [...verbs, ...harmless]) {
      await world.play(`B$ ${verb}`);
      try {
        world.refused(of);
        await world.unharmed(of);
      } catch (error) {
        failures.push(`${verb}: ${(error as Error).message.split("\n")[0]}\n${world.last.stderr}`);
        // What it broke would make all that follow look bad.
        if ((await world.harm(of)).length > 0) break;
      }
    }
    assert.deepEqual(failures, []);
  });
}

async function explained(world: World, check: (world: World) => Promise<void> | void): Promise<void> {
  try {
    await check(world);
  } catch (error) {
    if (error instanceof Error && !error.message.includes(world.transcript))
      error.message += `\n\n${world.transcript}`;
    throw error;
  }
}
