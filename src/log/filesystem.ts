/** Which file systems cannot carry a log: those that only emulate O_APPEND between writers. */

/** `f_type` of statfs(2), Linux. A network client appends by asking for the size and writing there. */
const UNSUPPORTED = new Map([
  [0x6969, "NFS"],
  [0x517b, "SMB"],
  [0xff534d42, "CIFS"],
  [0xfe534d42, "SMB2"],
  [0x65735546, "FUSE"],
  [0x01021997, "9p"],
  [0x5346414f, "AFS"],
  [0x00c36400, "Ceph"],
]);

/**
 * Why the file system under `dir` is unsupported, as a sentence; undefined where nothing is known against it.
 * `type` stands in for the system's answer.
 */
export function filesystemProblem(dir: string, type = kind(dir)): string | undefined {
  const name = type === undefined ? undefined : UNSUPPORTED.get(type >>> 0);
  return (
    name &&
    `${dir} is on ${name}, where appends of several machines can overwrite each other: use a clone on a local disk.`
  );
}

function kind(dir: string): number | undefined {
  try {
    return process.getBuiltinModule("node:fs").statfsSync(dir).type;
  } catch {
    return undefined;
  }
}
