import { readFileSync, readlinkSync } from "node:fs";
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
};

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
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The command name is in parentheses and may hold anything, so count fields after the last one (proc(5)).
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie has died already; only its parent has not looked yet.
    return fields[0] === "Z" || fields[0] === "X" ? undefined : fields[19];
  } catch {
    return exists(pid) ? "" : undefined;
  }
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
