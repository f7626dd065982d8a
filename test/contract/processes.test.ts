/** Is that process still there? Only proof says no. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { processes } from "../../src/adapters/process.ts";
import type { ProcessId } from "../../src/domain/sessions.ts";

const linux = process.platform === "linux" ? false : "needs /proc";

function self(): ProcessId {
  const id = processes.identify(process.pid);
  assert.ok(id !== undefined);
  return id;
}

/** Our boot with one part changed. */
function otherBoot(change: { host?: string; bootId?: string; namespace?: string }): string {
  const [host = "", bootId = "", namespace = ""] = self().boot.split("/");
  const all = { host, bootId, namespace, ...change };
  return `${all.host}/${all.bootId}/${all.namespace}`;
}

test("a running process is there, under its pid, its start and its boot", () => {
  assert.equal(processes.isGone(self()), false);
  assert.deepEqual(processes.identify(process.pid), self(), "the same each time");
});

test("a process that ended is gone at once", async () => {
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  const id = processes.identify(child.pid!);
  assert.ok(id !== undefined);
  assert.equal(processes.isGone(id), false);
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(processes.isGone(id), true);
  assert.equal(processes.identify(child.pid!), undefined);
});

test("another process under the same pid is not it", () => {
  assert.equal(processes.isGone({ ...self(), start: "1" }), true);
});

test("a zombie is dead", { skip: linux }, async () => {
  // The shell's child ends; the sleep that the shell turns into never waits for it.
  const parent = spawn("sh", ["-c", "sleep 0.2 & echo $!; exec sleep 600"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const [chunk] = (await once(parent.stdout, "data")) as [Buffer];
    const pid = Number(chunk.toString().trim());
    const state = () => readFileSync(`/proc/${pid}/stat`, "latin1").split(") ")[1]?.[0];
    while (state() !== "Z") await new Promise((done) => setTimeout(done, 5));
    assert.equal(processes.identify(pid), undefined);
    assert.equal(processes.isGone({ ...self(), pid, start: "1" }), true);
  } finally {
    parent.kill("SIGKILL");
  }
});

test(
  "a command name full of parentheses and blanks does not confuse the start time",
  { skip: linux },
  async () => {
    const name = ") Z 1 2 (x";
    const child = spawn("sh", ["-c", `printf '%s' "$1" > /proc/self/comm; :; read line`, "sh", name], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    try {
      const comm = () => readFileSync(`/proc/${child.pid}/comm`, "utf8");
      for (let i = 0; i < 400 && !comm().startsWith(")"); i++)
        await new Promise((done) => setTimeout(done, 5));
      const id = processes.identify(child.pid!);
      assert.match(id?.start ?? "", /^\d+$/);
      assert.equal(processes.isGone(id!), false);
    } finally {
      child.kill("SIGKILL");
    }
  },
);

const DEAD_PID = 2 ** 22 + 1;

test("another host or another pid namespace proves nothing; another boot of this host does", () => {
  const gone = (boot: string, pid = DEAD_PID) => processes.isGone({ pid, start: "1", boot });
  assert.equal(gone(self().boot), true, "here, there is no such pid");
  assert.equal(gone(otherBoot({ host: "elsewhere" })), false);
  assert.equal(gone(otherBoot({ host: "elsewhere", bootId: "x" })), false);
  assert.equal(gone(otherBoot({ namespace: "pid:[1]" })), false, "a container's pids are its own");
  assert.equal(gone(otherBoot({ bootId: "before-the-reboot" })), true);
  assert.equal(
    gone(otherBoot({ bootId: "before-the-reboot" }), process.pid),
    true,
    "whatever has its pid now",
  );
});

test("whatever is ambiguous is alive: garbage, what does not say its start, another user's process", () => {
  for (const boot of ["", "/", "//", "garbage", "a/b/c/d"])
    assert.equal(processes.isGone({ pid: DEAD_PID, start: "1", boot }), false, boot);
  assert.equal(processes.isGone({ ...self(), start: "" }), false);
  assert.equal(processes.isGone({ pid: 1, start: "", boot: self().boot }), false);
});

test("no identity for what is no process", () => {
  for (const pid of [DEAD_PID, 0x7fff_ffff]) assert.equal(processes.identify(pid), undefined);
});

test("a child that a process has started since then, as long as it lives", { skip: linux }, async () => {
  const before = Date.now();
  assert.equal(processes.hasChildSince(self(), before + 60_000), false);
  const child = spawn("sleep", ["600"], { stdio: "ignore" });
  assert.equal(processes.hasChildSince(self(), before), true);
  assert.equal(processes.hasChildSince(self(), Date.now() + 60_000), false, "it began before that");
  child.kill("SIGKILL");
  await once(child, "exit");
  assert.equal(processes.hasChildSince(self(), before), false);
});

test(
  "of another host or namespace, it does not know; of a process that is gone, it does",
  { skip: linux },
  () => {
    for (const change of [{ host: "elsewhere" }, { namespace: "pid:[1]" }])
      assert.equal(processes.hasChildSince({ ...self(), boot: otherBoot(change) }, 0), undefined);
    assert.equal(processes.hasChildSince({ ...self(), start: "1" }, 0), false);
  },
);
