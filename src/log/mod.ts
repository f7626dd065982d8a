/**
 * An event log that several processes append to without a daemon and without a lock. A library by itself:
 * opaque records, `node:` builtins only, Node and Deno. docs/log.md tells how it is used and what it promises.
 *
 * @module
 */

export type { Archived, CompactOptions, CompactReport } from "./compact.ts";
export { type Disk, nodeDisk, type OpenMode } from "./disk.ts";
export {
  type LogErrorCode,
  LogBusy,
  LogCorrupt,
  LogError,
  LogExport,
  LogFull,
  LogMissing,
  LogNewer,
  LogProof,
  LogPruned,
  LogReadOnly,
  LogTooLarge,
  LogUnreadable,
  LogUnsynced,
  type Place,
} from "./errors.ts";
export { type Exported, type ExportFile, type ExportHeader, readExport, writeExport } from "./export.ts";
export { filesystemProblem } from "./filesystem.ts";
export type { Projection } from "./folds.ts";
export { follow, type FollowOptions } from "./follow.ts";
export { type Health, inspectLog } from "./inspect.ts";
export {
  type Appended,
  type Decide,
  type Draft,
  type Log,
  type OpenOptions,
  openLog,
  type View,
} from "./open.ts";
export type { FoldProof, Proof, Proven } from "./proof.ts";
export { type Head, type Json, type LogRecord, type Skip } from "./record.ts";
export { repairLog, type RepairOptions, type RepairReport } from "./repair.ts";
export type { Hole } from "./salvage.ts";
export type { SealReport } from "./seal.ts";
export { type Saved, type SavedFold, savedSnapshots } from "./snapshot.ts";
