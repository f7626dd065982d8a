/** All checks of `signalbox doctor`. A new one is one row here, one function beside it, and one row of docs/doctor.md. */
import type { Check } from "../../app/doctor.ts";
import { client, clockStep, fileSystem, gitVersion, runtime } from "./host.ts";
import { bundle, claudeHooks, gitHooks, schedule, settings } from "./installation.ts";
import { failures, records, snapshots, views } from "./log.ts";
import type { Patient } from "./patient.ts";
import { indexes, leftovers, locks, sharedConfig, staged } from "./repository.ts";

export type { Patient } from "./patient.ts";

/** In the order in which they run: what others need to be read comes first. */
export function checksOf(patient: Patient): readonly Check[] {
  return [
    {
      name: "git",
      means: "git is new enough (2.31)",
      fix: "",
      run: () => gitVersion(patient),
    },
    {
      name: "shared config",
      means: "core.bare and core.worktree are what this repository needs",
      fix: "takes them out; the config as it was is kept as config.broken",
      run: () => sharedConfig(patient),
    },
    {
      name: "runtime",
      means: "the runtime recorded at install starts, and is new enough",
      fix: "",
      run: () => runtime(patient),
    },
    {
      name: "client",
      means: "Claude Code, if it is on PATH, is new enough (2.1.214)",
      fix: "",
      run: client,
    },
    {
      name: "bundle",
      means: "the hook bundle is there, whole, and of this version",
      fix: "",
      run: () => bundle(patient),
    },
    {
      name: "git hooks",
      means: "git really runs our hooks, in every worktree",
      fix: "",
      run: () => gitHooks(patient),
    },
    {
      name: "claude hooks",
      means: "Claude Code's settings name our hooks, in every worktree",
      fix: "",
      run: () => claudeHooks(patient),
    },
    {
      name: "settings",
      means: "every setting can be used",
      fix: "",
      run: () => settings(patient),
    },
    {
      name: "schedule",
      means: "what the machine's scheduler was given is what it holds",
      fix: "gives it the entry again",
      run: () => schedule(patient),
    },
    {
      name: "log",
      means: "the log can be read from end to end",
      fix: "keeps what can be read, marks what is lost, copies the damaged files to log/broken",
      run: () => records(patient),
    },
    {
      name: "snapshots",
      means: "every snapshot of the log can be read",
      fix: "copies the damaged ones to log/broken; new ones are made from the records",
      run: () => snapshots(patient),
    },
    {
      name: "file system",
      means: "the log's file system keeps its promises",
      fix: "",
      run: () => fileSystem(patient),
    },
    {
      name: "failures",
      means: "the guard has not broken since doctor --fix last saw to it",
      fix: "notes that they were seen; errors.log becomes errors.log.old",
      run: () => failures(patient),
    },
    {
      name: "clock",
      means: "the clock has not stepped back",
      fix: "",
      run: () => clockStep(patient),
    },
    {
      name: "views",
      means: "the files that shell hooks read say what the log says",
      fix: "makes them anew from the log",
      run: () => views(patient),
    },
    {
      name: "locks",
      means: "no lock of git's is left that nobody holds",
      fix: "removes it, or makes it the index if git had moved HEAD already",
      run: () => locks(patient),
    },
    {
      name: "indexes",
      means: "every session's own index is there, and no other; no tree is half moved",
      fix: "removes those of dead sessions, what is staged under rescue refs; puts the tree back",
      run: () => indexes(patient),
    },
    {
      name: "staged",
      means: "what is staged anywhere is in the repository",
      fix: "writes it again, if the working tree has just that content",
      run: () => staged(patient),
    },
    {
      name: "leftovers",
      means: "nothing of dead sessions lies about",
      fix: "sweeps it",
      run: () => leftovers(patient),
    },
  ];
}
