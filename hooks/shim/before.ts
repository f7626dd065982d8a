import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { guardGit } from "../../src/adapters/git/guard-git.ts";
import { cleanLocks } from "../../src/adapters/git/locks.ts";
import { isMoving } from "../../src/adapters/git/move.ts";
import { saveRescue } from "../../src/adapters/git/rescue.ts";
import { survey } from "../../src/adapters/git/survey.ts";
import { commitOf, dirtyPaths, operationIn, recordOperator } from "../../src/adapters/git/work-tree.ts";
import { releaseMutex } from "../../src/adapters/mutex.ts";
import { attributionFiles } from "../../src/adapters/survey-file.ts";
import { attributeSoFar } from "../../src/app/attribution.ts";
import { bypassGuard } from "../../src/app/bypass.ts";
import { shellQuoted } from "../../src/app/install/entry.ts";
import { saveLeftBehind } from "../../src/app/left-behind.ts";
import { branchLeft, operationRefused, staleConflict } from "../../src/app/messages.ts";
import { guardOperation, reachesFar } from "../../src/app/operation-gate.ts";
import type { GuardGit } from "../../src/app/ports.ts";
import { classify, isKnownVerb } from "../../src/domain/git-command-classify.ts";
import type { Operation } from "../../src/domain/git-command-operation.ts";
import { parseGitCommand } from "../../src/domain/git-command.ts";
import type { Verdict } from "../../src/policy/guard-facts.ts";
import { assignments, go, refusal, type ShimAnswer } from "./answer.ts";
import type { ShimCall } from "./call.ts";
import { carryForward } from "./carry-forward.ts";
import { checkStaged } from "./check-staged.ts";
import { takeTurn, waitsItsTurn } from "./queue.ts";
import { asCompareAndSwap } from "./reset.ts";
import { shellAlias } from "./shell-alias.ts";

/** Judges a command, and says where and how it is to run. */
export function before(call: ShimCall, argv: readonly string[]): ShimAnswer {
  const { at, own, cwd, env } = call;
  if (env["SIGNALBOX_LOCKED"] && !isMoving(at))
    cleanLocks({ commonDir: at.commonDir, gitDir: own || at.nativeGitDir, workTree: at.top });
  const git = guardGit({ cwd, gitDir: own || at.nativeGitDir, workTree: at.top }, at.nativeGitDir);
  const command = parseGitCommand(argv, git.aliasOf, isKnownVerb);
  if (command.kind === "none" && command.why === "shell alias" && call.others)
    return shellAlias(call, git, argv);
  const operation = classify(command, git);
  if (env["SIGNALBOX_BYPASS"] && !env["SIGNALBOX_BYPASSED"]) saveAndRecord(call, argv);
  const guarded = (call.others || reachesFar(operation)) && !env["SIGNALBOX_BYPASS"];
  if (!guarded || !waitsItsTurn(operation)) return decided(call, operation, { given: argv, git, guarded });

  // Whoever is ahead may move HEAD: what is judged before that is not what the command will meet.
  const turn = takeTurn(call, operation);
  if (turn.refused !== undefined) return refusal(turn.refused);
  let answer: ShimAnswer | undefined;
  try {
    answer = decided(call, operation, { given: argv, git, guarded, lock: turn.lock });
    return answer;
  } finally {
    if (answer?.code !== 0 && turn.lock !== undefined) releaseMutex(turn.lock);
  }
}

interface Circumstances {
  /** The arguments as they were. */
  readonly given: readonly string[];
  readonly git: GuardGit;
  readonly guarded: boolean;
  readonly lock?: string | undefined;
}

function decided(
  call: ShimCall,
  operation: Operation,
  { given, git, guarded, lock }: Circumstances,
): ShimAnswer {
  const { at, session, tree, prefix, box } = call;
  const { gitDir, healed, startedOn } = carryForward(call);
  if (startedOn !== undefined && concludes(operation)) {
    const native = guardGit({ cwd: call.cwd, gitDir: at.nativeGitDir, workTree: at.top }, at.nativeGitDir);
    return refusal(branchLeft(startedOn, native.branch()));
  }
  const say: string[] = [];
  if (healed?.kind === "healed" && healed.conflicted.length > 0) say.push(staleConflict(healed.conflicted));
  // What this very command line has changed already is the session's.
  if (call.others && looksAtWork(operation)) say.push(attributed(call, gitDir));
  const verdict: Verdict = guarded
    ? guardOperation(box, { session, tree, top: at.top, prefix, operation, git })
    : { kind: "go" };
  if (verdict.kind === "refuse") return refusal(operationRefused(verdict));
  say.push(verdict.note ?? "");
  if (call.others && !call.env["SIGNALBOX_BYPASS"])
    say.push(saveLeftBehind(box, { session, tree, operation, ...savingIn(at) }));

  const runsIn = runsInTree(operation, git) ? "" : gitDir;
  if (runsIn === "" && gitDir !== "") ownOperation(call);
  const lines: string[] = [];
  let after = [afterwards(operation, git), ...(guarded ? tipsAtRisk(operation, git) : [])]
    .filter(Boolean)
    .join(" ");
  let argv = verdict.kind === "scope" ? verdict.argv : undefined;
  if (guarded && operation.kind === "commit") {
    const checked = checkStaged(call, operation, runsIn);
    if (checked?.kind === "refused") return refusal(checked.reason);
    say.push(checked?.note ?? "");
    lines.push(`export SIGNALBOX_JUDGED=${checked?.head ?? 1}`);
    if (operation.amend)
      lines.push(
        `export SIGNALBOX_AMENDS=${commitOf({ cwd: at.top, gitDir: runsIn || at.nativeGitDir }, "HEAD") ?? ""}`,
      );
  }
  if (guarded && operation.kind === "reset" && runsIn !== "") {
    const safe = asCompareAndSwap(call, operation, git, runsIn);
    if (safe !== undefined) {
      argv = safe.argv;
      ({ after } = safe);
      lines.push(...assignments({ move: safe.move, why: safe.why }));
    }
  }
  const paths = verdict.kind === "scope" ? verdict.paths : undefined;
  return go([
    ...assignments({
      gd: runsIn,
      // Not the alias.
      verb: operation.command?.verb,
      lock,
      after: after || undefined,
      paths: paths === undefined ? undefined : listFile(call, paths),
      say: say.filter((text) => text !== "").join("\n") || undefined,
    }),
    ...lines,
    ...(argv === undefined ? [] : [...assignments({ given: words(given) }), `set -- ${words(argv)}`]),
  ]);
}

/** Makes a commit of what was merged, picked or staged. */
function concludes(operation: Operation): boolean {
  return operation.kind === "commit" || (operation.kind === "step" && operation.step === "continue");
}

function words(argv: readonly string[]): string {
  return argv.map(shellQuoted).join(" ");
}

/** Asked for by the variable alone: the same as by the command. */
function saveAndRecord({ box, session, tree, at, env }: ShimCall, argv: readonly string[]): void {
  bypassGuard(box, {
    session,
    tree,
    command: ["git", ...argv].join(" "),
    reason: env["SIGNALBOX_BYPASS"] ?? "",
    ...savingIn(at, { gitDir: at.nativeGitDir, workTree: at.top }),
  });
}

function savingIn(at: ShimCall["at"], index?: { readonly gitDir: string; readonly workTree: string }) {
  const here = { cwd: at.top };
  return {
    dirty: () => dirtyPaths(here).map(({ path }) => path),
    save: (session: string, reason: string, files: readonly string[]) =>
      saveRescue(here, { session, reason, files, index: index && { ...here, ...index } }),
  };
}

/**
 * What puts the working tree on another branch, or takes it through several commits, belongs to the tree: it runs
 * in the tree's own gitdir, where people see it, and the sessions' gitdirs follow.
 */
function runsInTree(operation: Operation, git: GuardGit): boolean {
  if (operation.kind === "switch" || operation.kind === "rebase") return true;
  if (operation.kind === "step") return operation.of === "rebase" || operation.of === "bisect";
  if (operation.kind === "stash") return operation.action === "branch";
  if (operation.kind !== "merge" || operation.verb !== "pull") return false;
  const branch = git.branch() ?? "";
  const configured = () => git.setting(`branch.${branch}.rebase`) ?? git.setting("pull.rebase") ?? "false";
  return operation.rebase ?? !/^(?:false|no|off|0)$/i.test(configured());
}

/** A rebase or bisect in the tree's own gitdir says whose it is. */
function ownOperation({ at, session }: ShimCall): void {
  if (operationIn(at.nativeGitDir) === undefined) recordOperator(at.nativeGitDir, session);
}

/** Whether whose a changed file is may matter. */
function looksAtWork({ kind }: Operation): boolean {
  return !["read", "unknown", "maintenance", "ref", "index"].includes(kind);
}

function attributed({ box, session, tree, at, cwd }: ShimCall, gitDir: string): string {
  const ground = {
    files: attributionFiles(box.dir),
    survey: (known: Iterable<string>) =>
      survey({ top: at.top, gitDir: gitDir || at.nativeGitDir, ignoreCase: box.ignoreCase }, known),
  };
  return attributeSoFar(box, { session, kind: "claude", tree, cwd }, ground);
}

function listFile({ box, env }: ShimCall, paths: readonly string[]): string {
  const file = join(box.dir, "spool", `paths.${env["SIGNALBOX_PPID"] ?? process.pid}`);
  writeFileSync(file, paths.map((path) => `${path}\0`).join(""));
  return file;
}

/** Of branches that are moved or deleted: others may have their work there. */
function tipsAtRisk(operation: Operation, git: GuardGit): string[] {
  if (operation.kind !== "ref") return [];
  return (operation.refs ?? []).flatMap((ref) => {
    const tip = ref === "HEAD" ? undefined : git.commitOf(ref);
    return tip === undefined ? [] : [`keep:${tip}`];
  });
}

/** What is to be done when the command has ended: `after.ts` knows the words. */
function afterwards(operation: Operation, git: GuardGit): string | undefined {
  if (operation.kind === "reset") return operation.mode === "soft" ? "moved soft" : "moved";
  if (operation.kind === "stash" && operation.action === "push") return `stash:${git.stash()[0] ?? ""}`;
  return ["merge", "rebase", "switch", "step", "ref"].includes(operation.kind) ? "moved" : undefined;
}
