/** Hooks that run at the same time, as real processes, and die at any moment. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeScratch, payload, type FakeSession, type ScratchRepo } from "../support/repo/mod.ts";

const ROUNDS = 30;
const SESSIONS = 8;

test(`${ROUNDS} rounds of ${SESSIONS} edits of one file at once: one winner each, and every loser learns who`, async (t) => {
  const repo = await makeScratch(t);
  const sessions = await startMany(repo, SESSIONS);
  for (let round = 0; round < ROUNDS; round++) {
    const file = `file-${round}.txt`;
    const answers = await Promise.all(sessions.map((session) => session.ask(file)));
    const winners = sessions.filter((_, i) => answers[i]?.denied === undefined);
    assert.equal(winners.length, 1, `round ${round}: ${winners.map((s) => s.id).join(", ")}`);
    for (const { denied } of answers) {
      if (denied === undefined) continue;
      assert.match(denied, new RegExp(`reserved by session ${winners[0]?.id} `), `round ${round}`);
    }
  }
  assert.equal(repo.eventsOf("reservation.granted").length, ROUNDS);
  assert.equal(repo.eventsOf("reservation.refused").length, ROUNDS * (SESSIONS - 1));
  await sound(repo);
});

async function startMany(repo: ScratchRepo, count: number): Promise<FakeSession[]> {
  const sessions = Array.from({ length: count }, (_, i) => repo.session(`s${i}`));
  await Promise.all(sessions.map((session) => session.start()));
  return sessions;
}

/** The log verifies, nothing broke, and no two leases of different sessions ever stood on one file. */
async function sound(repo: ScratchRepo): Promise<void> {
  const verified = await repo.signalbox("replay", "--verify");
  assert.equal(verified.code, 0, verified.stderr);
  assert.deepEqual(repo.errors(), []);
  assert.deepEqual(repo.eventsOf("guard.failed"), []);
  const holders = new Map<string, string>();
  for (const event of repo.events()) {
    if (event.type === "reservation.granted") {
      for (const target of event.targets) {
        const path = target.kind === "path" ? target.path : "";
        const before = holders.get(path);
        assert.ok(
          before === undefined || before === event.session,
          `${path}: ${before} and ${event.session}`,
        );
        holders.set(path, event.session);
      }
    } else if (event.type === "reservation.released") {
      for (const target of event.targets) holders.delete(target.kind === "path" ? target.path : "");
    } else if (event.type === "session.ended" || event.type === "session.lapsed") {
      for (const [path, session] of holders) if (session === event.session) holders.delete(path);
    }
  }
}

test("sessions start, edit, commit and end at once, while the log is snapshot and read", async (t) => {
  const repo = await makeScratch(t, { env: { SIGNALBOX_LOG_SNAPSHOT_EVERY: "3" } });
  const sessions = Array.from({ length: 6 }, (_, i) => repo.session(`s${i}`));
  let reading = true;
  const reader = (async () => {
    while (reading) assert.equal((await repo.signalbox("status", "--json")).code, 0);
  })();
  await Promise.all(
    sessions.map(async (session, i) => {
      for (let round = 0; round < 3; round++) {
        await session.start(round === 0 ? "startup" : "resume");
        assert.equal((await session.edit(`own-${i}.txt`)).denied, undefined);
        await session.ask("shared.txt");
        await session.prompt();
        await session.end();
      }
    }),
  );
  reading = false;
  await reader;
  await sound(repo);
  assert.equal(repo.eventsOf("session.ended").length, 18);
  const { sessions: left } = JSON.parse((await repo.signalbox("status", "--json")).stdout) as {
    sessions: unknown[];
  };
  assert.deepEqual(left, []);
});

test("a storm of 200 calls, hooks killed at random moments: the log stands, nothing is granted twice", async (t) => {
  const repo = await makeScratch(t);
  const sessions = await startMany(repo, SESSIONS);
  const CALLS = 200;
  const began = Date.now();
  await sessions[7]!.ask("before-the-storm.txt");
  const takesMs = Date.now() - began;
  let next = 0;
  let killed = 0;
  const worker = async (session: FakeSession) => {
    for (let call = next++; call < CALLS; call = next++) {
      const input = payload.editPayload(session.who, "PreToolUse", repo.path(`f${call % 19}.txt`));
      // A process group of its own, so that the shell and its runtime die together.
      const child = spawn(repo.entry, ["claude", "pre-edit"], {
        cwd: repo.top,
        env: session.env,
        detached: true,
        stdio: ["pipe", "ignore", "ignore"],
      });
      const ended = new Promise((done) => child.on("close", done));
      child.stdin.on("error", () => undefined);
      child.stdin.end(JSON.stringify(input));
      if (call % 2 === 0) {
        await sleep(Math.random() * takesMs * 1.5);
        if (child.exitCode === null && child.pid !== undefined) {
          process.kill(-child.pid, "SIGKILL");
          killed++;
        }
      }
      await ended;
    }
  };
  await Promise.all(sessions.slice(0, 4).map(worker));
  assert.ok(killed > CALLS / 10, `only ${killed} were killed`);
  await sound(repo);
  const last = await sessions[7]!.ask("after-the-storm.txt");
  assert.equal(last.stdout, "", "the next hook works");
  const granted = repo.eventsOf("reservation.granted").flatMap((e) => e.targets);
  assert.equal(granted.length, 19 + 2, "every file, once");
});
