/**
 * Everything the log can refuse, each with a `code`. Messages say what could not be done, where, why, and what
 * to do. A lost race is no error; an error means that the world around the log is broken.
 */

export type LogErrorCode =
  | "ELOGCORRUPT"
  | "ELOGUNREADABLE"
  | "ELOGREADONLY"
  | "ELOGFULL"
  | "ELOGNEWER"
  | "ELOGMISSING"
  | "ELOGBUSY"
  | "ELOGTOOLARGE"
  | "ELOGUNSYNCED"
  | "ELOGPROOF"
  | "ELOGPRUNED"
  | "ELOGEXPORT";

/** Base of all errors of the log. */
export abstract class LogError extends Error {
  abstract readonly code: LogErrorCode;
  override get name(): string {
    return this.code;
  }
}

/** A place in a file of the log. */
export interface Place {
  readonly file: string;
  /** Byte offset in the file; in an archive, in its uncompressed text. */
  readonly offset: number;
  /** The sequence number that was expected there. */
  readonly seq: number;
  readonly why: string;
}

/** Stored bytes are not what was written: a damaged record, a gap, a fork, a missing file. */
export class LogCorrupt extends LogError implements Place {
  readonly code = "ELOGCORRUPT";
  readonly file: string;
  readonly offset: number;
  readonly seq: number;
  readonly why: string;
  constructor({ file, offset, seq, why }: Place) {
    super(`Cannot read record ${seq} in ${file} at byte ${offset}: ${why}. Repair the log to go on.`);
    this.file = file;
    this.offset = offset;
    this.seq = seq;
    this.why = why;
  }
}

/** The bytes may be fine, but the system does not give them (EACCES, EIO, ENOTDIR…). Never the same as empty. */
export class LogUnreadable extends LogError {
  readonly code = "ELOGUNREADABLE";
}

/** Reading works, writing does not (EROFS, EACCES, EPERM). */
export class LogReadOnly extends LogError {
  readonly code = "ELOGREADONLY";
}

/** No space (ENOSPC, EDQUOT, EFBIG, a short write). Nothing has been committed. */
export class LogFull extends LogError {
  readonly code = "ELOGFULL";
}

/** The log's format is newer than this program. */
export class LogNewer extends LogError {
  readonly code = "ELOGNEWER";
}

/** There is no log here. */
export class LogMissing extends LogError {
  readonly code = "ELOGMISSING";
}

/** Other writers won every attempt. */
export class LogBusy extends LogError {
  readonly code = "ELOGBUSY";
}

/** One record would be longer than a line may be. */
export class LogTooLarge extends LogError {
  readonly code = "ELOGTOOLARGE";
}

/** Committed and visible to everybody, but the disk did not confirm it. Never retry it as new. */
export class LogUnsynced extends LogError {
  readonly code = "ELOGUNSYNCED";
}

/** Compaction could not prove that what it would delete isn't needed. Nothing was deleted. */
export class LogProof extends LogError {
  readonly code = "ELOGPROOF";
}

/** The asked-for history was deleted by archive retention. */
export class LogPruned extends LogError {
  readonly code = "ELOGPRUNED";
}

/** An exported file is not as it was written. The log that it was taken from is another matter. */
export class LogExport extends LogError {
  readonly code = "ELOGEXPORT";
  constructor({ file, offset, seq, why }: Place) {
    super(`Cannot read record ${seq} of the export ${file} at byte ${offset}: ${why}. Export it anew.`);
  }
}

/** The system's error code, such as `ENOENT`; undefined for anything that isn't one. */
export function errno(error: unknown): string | undefined {
  const code =
    error instanceof Error && !(error instanceof LogError) && "code" in error ? error.code : undefined;
  return typeof code === "string" && /^E[A-Z0-9]+$/.test(code) ? code : undefined;
}

/** A system error of a disk operation as the typed error it means. ENOENT and EEXIST are answers: unchanged. */
export function translate(error: unknown, verb: string, path: string): unknown {
  const code = errno(error);
  const what = `Cannot ${verb} ${path}`;
  switch (code) {
    case undefined:
    case "ENOENT":
    case "EEXIST":
      return error;
    case "ENOSPC":
    case "EDQUOT":
    case "EFBIG":
      return new LogFull(`${what}: disk is full (${code}). Free some space and try again.`, { cause: error });
    case "EROFS":
      return new LogReadOnly(`${what}: the file system is read-only.`, { cause: error });
    case "EACCES":
    case "EPERM": {
      const kind = verb.startsWith("read") || verb.startsWith("list") ? LogUnreadable : LogReadOnly;
      return new kind(`${what}: permission denied (${code}).`, { cause: error });
    }
    default:
      return new LogUnreadable(`${what}: the system answers ${code}.`, { cause: error });
  }
}
