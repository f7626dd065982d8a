import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Processes } from "../app/ports.ts";
import { childProcess } from "./child-process.ts";

/**
 * A process is known by pid, start time and boot: a pid alone is reused (on Linux within hours). `boot` is host,
 * boot id and pid namespace, because a container that shares the repository numbers its processes anew.
 */
export const processes: Processes = {
  identify(pid) {
    const start = startOf(pid);
    return start === undefined ? undefined : { pid, start, boot: boot() };
  },

  isGone(process) {
    const [host, bootId, namespace] = process.boot.split("/");
    const [ourHost, ourBootId, ourNamespace] = boot().split("/");
    if (host !== ourHost) return false;
    // A reboot ends every process; another pid namespace under the same boot tells us nothing.
    if (bootId !== ourBootId) return true;
    if (namespace !== ourNamespace) return false;
    const start = startOf(process.pid);
    if (start === undefined) return true;
    return process.start !== "" && start !== "" && start !== process.start;
  },

  hasChildSince(parent, since) {
    if (process.platform !== "linux") return undefined;
    if (parent.boot !== boot()) return undefined;
    if (processes.isGone(parent)) return false;
    const earliest = (since - SLACK_MS - bootedAt()) / TICK_MS;
    return readdirSync("/proc").some((name) => {
      const stat = /^\d+$/.test(name) ? statOf(name) : undefined;
      const isChild = stat?.[1] === String(parent.pid) && !isDead(stat);
      return isChild && Number(stat[19]) >= earliest;
    });
  },
};

/** In which `/proc` counts (`getconf CLK_TCK`: 100 a second on every Linux there is). */
const TICK_MS = 10;
/** What is said to have begun then may have begun so much earlier: clocks are read one after the other (ms). */
const SLACK_MS = 100;

function statOf(pid: number | string): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name is in parentheses and may hold anything, so count fields after the last one (proc(5)).
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined;
  }
}

/** A zombie has died already; only its parent has not looked yet. */
function isDead([state]: readonly string[]): boolean {
  return state === "Z" || state === "X";
}

/** When the system started (ms since the epoch). */
function bootedAt(): number {
  return Date.now() - Number(readFileSync("/proc/uptime", "latin1").split(" ")[0]) * 1000;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and somebody else's.
    return (error as NodeJS.ErrnoException).code !== "ESRCH";
  }
}

/** Start time in the system's own unit; "" if the process is there but does not say. */
function startOf(pid: number): string | undefined {
  if (process.platform !== "linux") return startByPs(pid);
  const fields = statOf(pid);
  if (fields === undefined) return exists(pid) ? "" : undefined;
  return isDead(fields) ? undefined : fields[19];
}

function startByPs(pid: number): string | undefined {
  const { status, stdout } = childProcess().spawnSync("ps", ["-o", "lstart=", "-p", String(pid)], {
    encoding: "utf8",
    env: { ...process.env, LC_ALL: "C" },
  });
  if (status === 0 && stdout.trim() !== "") return stdout.trim();
  return exists(pid) ? "" : undefined;
}

let bootText: string | undefined;
function boot(): string {
  bootText ??= `${hostName()}/${bootId()}/${pidNamespace()}`;
  return bootText;
}

function hostName(): string {
  return process.getBuiltinModule("node:os").hostname().replaceAll("/", "_");
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
  } catch {
    return "";
  }
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid");
  } catch {
    return "";
  }
}
