import * as v from "valibot";
import { define } from "./define.ts";
import { commit, holder, path, text, time, tree } from "./fields.ts";

export const fileWritten = define("file.written", "An edit tool wrote a file.", () => ({
  ...holder(),
  tree: tree(),
  path: path(),
  tool: v.string(),
  /** When; the record may be later (ms). */
  at: time(),
}));

export const workAttributed = define(
  "work.attributed",
  "Changes found on disk after a command, and whose they are.",
  () => ({
    ...holder(),
    tree: tree(),
    paths: v.array(path()),
    certainty: v.picklist(["sure", "ambiguous"]),
  }),
);
export const workStashed = define(
  "work.stashed",
  "A stash entry was made, and whose it is: git has one stash for everybody.",
  () => ({
    session: text(),
    tree: tree(),
    /** The entry's commit. */
    entry: commit(),
  }),
);
export const workRescued = define(
  "work.rescued",
  "Work at risk was saved under a ref before anything touched it.",
  () => ({
    session: text(),
    ref: text(),
    paths: v.array(path()),
    reason: v.string(),
  }),
);
