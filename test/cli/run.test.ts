/** `signalbox run -- CMD`: any other agent or script as a session. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { builtCommand, makeScratch, type ScratchRepo } from "../support/repo/mod.ts";

/** `signalbox run`, whose child prints a line when it is there. */
async function running(repo: ScratchRepo, name: string, script: string) {
  const args = [builtCommand(), "run", "--name", name, "--", "sh", "-c", script];
  const child = spawn(process.execPath, args, {
    cwd: repo.top,
    env: repo.env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  const ended = once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>;
  return { child, line: line.toString().trim(), ended };
}

const liveIds = async (repo: ScratchRepo): Promise<string[]> => {
  const { sessions } = JSON.parse((await repo.signalbox("status", "--json")).stdout) as {
    sessions: { id: string; gone: boolean }[];
  };
  return sessions.filter((s) => !s.gone).map((s) => s.id);
};

test("the command runs as a session: it can hold, commit, and lets go at its end", async (t) => {
  const repo = await makeScratch(t);
  const script = `printf %s "$SIGNALBOX_SESSION" && signalbox reserve a.txt && echo x >>a.txt && git commit -qam m && signalbox reserve b.txt && git signalbox who b.txt`;
  const { code, stdout, stderr } = await repo.signalbox(
    "run",
    "--name",
    "worker",
    "--kind",
    "script",
    "--",
    "sh",
    "-c",
    script,
  );
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(
    stdout,
    /^workerreserved until .*: a\.txt\nreserved until .*: b\.txt\nb\.txt is reserved by session worker/,
  );
  assert.equal(repo.eventsOf("session.started")[0]?.kind, "script");
  assert.deepEqual(
    repo.eventsOf("commit.recorded").map((e) => e.session),
    ["worker"],
  );
  assert.deepEqual(
    repo.eventsOf("reservation.released").map((e) => e.reason),
    ["committed", "ended"],
  );
  assert.deepEqual(
    repo.eventsOf("session.ended").map((e) => [e.session, e.reason]),
    [["worker", "exit"]],
  );
});

test("exit code, arguments, stdin and streams are the command's own", async (t) => {
  const repo = await makeScratch(t);
  const { code, stdout, stderr } = await repo.signalbox(
    "run",
    "--",
    "sh",
    "-c",
    'printf "%s|" "$@"; echo err >&2; exit 42',
    "sh",
    "--json",
    "a b",
    "",
    "--",
    "-x",
  );
  assert.deepEqual([code, stdout, stderr], [42, "--json|a b||--|-x|", "err\n"]);
  assert.match(repo.eventsOf("session.started")[0]?.session ?? "", /^run-/);
});

test("its caller's own session is not its session", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  const { stdout } = await repo.signalboxAs(
    { env: ada.env },
    "run",
    "--name",
    "w",
    "--",
    "sh",
    "-c",
    'echo "$SIGNALBOX_SESSION/$CLAUDE_CODE_SESSION_ID/$CLAUDE_PID"',
  );
  assert.equal(stdout, "w//\n");
});

test("others here are named to it; a session that is refused hears of it", async (t) => {
  const repo = await makeScratch(t);
  const ada = await repo.startSession("ada");
  await ada.edit("a.txt");
  const { code, stderr } = await repo.signalbox("run", "--", "signalbox", "reserve", "a.txt");
  assert.equal(code, 3);
  assert.match(stderr, /another session works in this repository: session ada \(has a\.txt\)/);
  assert.match(stderr, /a\.txt is reserved by session ada/);
});

test("a child killed by a signal ends the session; the exit code says so", async (t) => {
  const repo = await makeScratch(t);
  const { ended } = await running(repo, "w", "signalbox reserve a.txt; kill -9 $$");
  const [code] = await ended;
  assert.ok(code !== null && code >= 128, `exit ${code}`);
  assert.deepEqual(await liveIds(repo), []);
  assert.deepEqual(
    repo.eventsOf("session.ended").map((e) => e.session),
    ["w"],
  );
});

test("a signal to it reaches its child, and it waits for the child's own answer", async (t) => {
  const repo = await makeScratch(t);
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    const trap = signal.slice(3);
    const { child, ended } = await running(
      repo,
      `w-${trap}`,
      `trap 'exit 7' ${trap}; echo ready; while :; do sleep 0.05; done`,
    );
    child.kill(signal);
    assert.deepEqual(await ended, [7, null], signal);
  }
  assert.deepEqual(await liveIds(repo), []);
});

test("killed outright, its session lapses: what it held is free at once", async (t) => {
  const repo = await makeScratch(t);
  const { child, ended, line } = await running(repo, "w", "signalbox reserve a.txt; exec sleep 600");
  assert.match(line, /^reserved/);
  const orphan = await childOf(child.pid!);
  t.after(() => void (orphan !== undefined && process.kill(orphan, "SIGKILL")));
  child.kill("SIGKILL");
  // The child keeps the pipe open; only the session's own process counts.
  await once(child, "exit");
  const bob = await repo.startSession("bob");
  assert.equal((await bob.ask("a.txt")).denied, undefined);
  assert.deepEqual(
    repo.eventsOf("session.lapsed").map((e) => [e.session, e.reason]),
    [["w", "process-gone"]],
  );
  void ended;
});

async function childOf(pid: number): Promise<number | undefined> {
  const { readFileSync } = await import("node:fs");
  try {
    const [first] = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim().split(" ");
    return first ? Number(first) : undefined;
  } catch {
    return undefined;
  }
}

test("what cannot be run, and what is no name, is said", async (t) => {
  const repo = await makeScratch(t);
  const missing = await repo.signalbox("run", "--", "no-such-program-here");
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^signalbox: .*no-such-program-here/);
  assert.deepEqual(await liveIds(repo), []);
  assert.equal((await repo.signalbox("run")).code, 2);
  for (const name of ["a b", "../x", ""])
    assert.equal((await repo.signalbox("run", "--name", name, "--", "true")).code, 2, name);
});

test("two at once under one name are one session while both last, and nobody loses what the other holds", async (t) => {
  const repo = await makeScratch(t);
  const one = await running(repo, "twin", "echo ready; read line < /dev/null; exec sleep 600");
  const other = await repo.signalbox("run", "--name", "twin", "--", "signalbox", "reserve", "a.txt");
  assert.equal(other.code, 0);
  const group = await childOf(one.child.pid!);
  if (group !== undefined) process.kill(group, "SIGKILL");
  const [code] = await one.ended;
  assert.ok(code !== null);
});
