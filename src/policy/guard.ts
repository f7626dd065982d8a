import type { Operation, Selection } from "../domain/git-command-operation.ts";
import { isHead } from "../domain/git-command-tree.ts";
import type { DirtyPath, Facts, Needs, OwnedCommit, StashEntry, Verdict } from "./guard-facts.ts";
import { isHit, isMine, mayTake, namedBy, nameOf, offerFor, pathOf, scoped } from "./guard-paths.ts";
import { commandText, commitOwnerText, listedWithOwners, whoIsHere, whoText } from "./guard-words.ts";

/**
 * The guard's policy (docs/guard.md): what a git command may do to others' work in one working tree. Pure: what it
 * rests on is asked for by `needsOf` and handed to `judge`.
 */

const GO: Verdict = { kind: "go" };

type Of<K extends Operation["kind"]> = Extract<Operation, { kind: K }>;

/** What has to be known before a verdict. */
export function needsOf(operation: Operation): Needs {
  if (hooksOff(operation)) return {};
  return { ...needsOfKind(operation), ...(writesIndex(operation) ? { moving: true } : {}) };
}

function needsOfKind(operation: Operation): Needs {
  switch (operation.kind) {
    case "stage":
      return {
        dirty: dirtyOf(operation.selection, { untracked: operation.untracked, ignored: operation.ignored }),
      };
    case "index":
      return operation.removes ? { dirty: dirtyOf(operation.selection, { clean: true }) } : {};
    case "commit":
      return {
        ...(operation.amend ? { head: true } : {}),
        ...(takesFromDisk(operation) ? { dirty: dirtyOf(selectedBy(operation), {}) } : {}),
      };
    case "discard":
      return {
        dirty: dirtyOf(operation.selection, {
          ...operation.hits,
          untracked: operation.hits.untracked || operation.from !== undefined,
          exact: operation.exact,
        }),
        ...(operation.from === undefined ? {} : { touched: { by: "tree", tree: operation.from } }),
      };
    case "write":
      return {
        dirty: dirtyOf(undefined, { untracked: true }),
        ...(operation.patch === undefined ? {} : { touched: { by: "patch", args: operation.patch } }),
      };
    case "reset":
      return needsOfReset(operation);
    case "merge":
      return {
        dirty: dirtyOf(undefined, { untracked: true }),
        settings: ["merge.autostash", "pull.rebase", "merge.ff", "pull.ff"],
        ...(operation.verb === "merge" && operation.commits !== undefined
          ? { forward: operation.commits }
          : {}),
        ...(operation.commits === undefined
          ? {}
          : { touched: { by: operation.verb === "merge" ? "merge" : "pick", commits: operation.commits } }),
      };
    case "step":
      return {
        inProgress: true,
        ...(takesTree(operation) ? { dirty: dirtyOf(undefined, {}) } : {}),
        ...(takesTree(operation) && operation.of === "rebase" ? { moved: { rebase: true } } : {}),
      };
    case "switch":
      return staysOn(operation) === undefined ? {} : { branch: true };
    case "ref":
      return operation.refs === undefined ? {} : { branch: true, branches: true };
    case "stash":
      return needsOfStash(operation);
    case "maintenance":
      return operation.removesTree === undefined ? {} : { liveThere: operation.removesTree };
    default:
      return {};
  }
}

/** Decides; asked only while other sessions are live in the tree (for refs and trees: in the repository). */
export function judge(operation: Operation, facts: Facts): Verdict {
  if (hooksOff(operation))
    return refuse(
      "core.hooksPath on the command line would switch off the hooks that keep sessions apart",
      [],
      ["Leave it out; `git signalbox bypass --reason WHY -- COMMAND` where it has to be"],
    );
  const moving = facts.moving ?? null;
  if (moving !== null && moving.owner.kind !== "mine" && writesIndex(operation))
    return refuse(
      `a ${moving.what} that is not this session's (${whoText(moving.owner)}) is in progress in this tree, and what is staged or committed now would become part of it`,
      [],
      ["Files can be edited meanwhile; stage and commit when it has ended (`git status` tells)"],
    );
  switch (operation.kind) {
    case "stage":
      return judgeStage(operation, facts);
    case "index":
      return operation.removes
        ? refuseFor(need(facts.dirty).filter(isForeign), "would be removed by the next commit")
        : GO;
    case "commit":
      return judgeCommit(operation, facts);
    case "discard":
      return judgeDiscard(operation, facts);
    case "write":
      return judgeTouched(need(facts.dirty), facts, []);
    case "reset":
      return judgeReset(operation, facts);
    case "switch":
      return judgeSwitch(operation, facts);
    case "merge":
      return judgeMerge(operation, facts);
    case "rebase":
      return refuse(
        `${whoIsHere(facts)}, and ${operation.verb} takes the whole tree through other commits`,
        [],
        worktreeOffers(undefined, undefined),
      );
    case "step":
      return judgeStep(operation, facts);
    case "ref":
      return judgeRef(operation, facts);
    case "stash":
      return judgeStash(operation, facts);
    case "maintenance":
      return (facts.liveThere ?? []).length === 0
        ? GO
        : refuse(whoIsHere({ others: facts.liveThere ?? [] }, "that tree"), [], ["Wait until it has ended"]);
    default:
      return GO;
  }
}

/** While the tree is taken through commits there is one index for all: the one that these take from. */
function writesIndex({ kind }: Operation): boolean {
  return ["stage", "index", "commit", "merge", "reset"].includes(kind);
}

function refuse(reason: string, paths: readonly string[], offers: readonly string[]): Verdict {
  return { kind: "refuse", reason, paths, offers };
}

/** The branch that a switch goes to, if it does nothing more: whoever is on it stays there. */
function staysOn({ to, create, detach, force }: Of<"switch">): string | undefined {
  return create === undefined && !detach && !force ? to : undefined;
}

function judgeSwitch(operation: Of<"switch">, facts: Facts): Verdict {
  const same = staysOn(operation);
  if (same !== undefined && same === facts.branch) return GO;
  return refuse(
    `${whoIsHere(facts)}, and a switch would put another branch under its files`,
    [],
    worktreeOffers(operation.create, operation.to),
  );
}

function worktreeOffers(create: string | undefined, to: string | undefined): string[] {
  const start = to === undefined || to === "-" || isHead(to) ? [] : [to];
  const branch = create ?? start[0] ?? "NEW-BRANCH";
  const words = [`../${branch.replaceAll("/", "-")}`];
  if (create !== undefined || start.length === 0) words.push("-b", branch);
  return [`${commandText("worktree", "add", ...words, ...start)}   # a working tree of its own`];
}

function need<T>(fact: T | undefined): T {
  if (fact === undefined) throw new Error("a fact that the judgement needs is missing");
  return fact;
}

function dirtyOf(
  selection: Selection | undefined,
  what: { untracked?: boolean; ignored?: boolean; clean?: boolean; exact?: readonly string[] },
): NonNullable<Needs["dirty"]> {
  const { untracked = false, ignored = false, clean = false, exact = [] } = what;
  return { pathspecs: selection?.pathspecs ?? [], file: selection?.file, exact, untracked, ignored, clean };
}

/** The hooks are the last gate: a command that commits must not go round them. */
function hooksOff({ kind, command }: Operation): boolean {
  if (!["commit", "merge", "rebase", "step"].includes(kind)) return false;
  return command?.config.some(({ key }) => key === "core.hookspath") === true;
}

/** What is not known may be anything. */
const isIn = (touched: readonly string[] | undefined, { path }: DirtyPath): boolean =>
  touched === undefined || touched.includes(path);
const isForeign = ({ owner }: DirtyPath): boolean => owner.kind === "session";
const notMine = (path: DirtyPath): boolean => !isMine(path);

/** Refuses for these paths, if there are any. */
function refuseFor(paths: readonly DirtyPath[], what: string, offers: readonly string[] = []): Verdict {
  if (paths.length === 0) return GO;
  return refuse(
    `${listedWithOwners(paths)} ${what}`,
    paths.map(({ path }) => path),
    [...offers, "`git signalbox who PATH` tells when it is free"],
  );
}

function leftOutNote(paths: readonly DirtyPath[]): string {
  const unknown = paths.filter(({ owner }) => owner.kind === "unknown");
  const how = unknown.length === 0 ? "" : "; what is nobody's on record can be added by name";
  return `signalbox: left out: ${listedWithOwners(paths)}${how}`;
}

function judgeStage(operation: Of<"stage">, facts: Facts): Verdict {
  const dirty = need(facts.dirty).filter((path) => takes(operation, path));
  const named = namedBy(operation.selection, operation.command, facts);
  const foreign = dirty.filter(isForeign);
  const asked = foreign.filter(({ path }) => named(path));
  const own = dirty.filter((path) => mayTake(path) || (path.owner.kind === "unknown" && named(path.path)));
  const offers = offerFor(["add"], own.map(nameOf), facts);
  if (asked.length > 0) return refuseFor(asked, "would be staged here", offers);
  const out = dirty.filter((path) => !own.includes(path));
  if (out.length === 0) return GO;
  if (operation.scope === undefined || operation.command === undefined || !operation.scope.listed)
    return refuseFor(out, "would be staged here", offers);
  const paths = own.map(nameOf);
  // `git add` of nothing is an error, of nothing in particular a warning: `--refresh` of nothing is neither.
  if (paths.length === 0)
    return {
      kind: "scope",
      argv: [...operation.command.globals, "update-index", "-q", "--refresh"],
      note: leftOutNote(out),
      leftOut: out.map(({ path }) => path),
    };
  return scopeTo(operation.command, operation.scope, ["add", "-A"], paths, out, facts);
}

function takes(operation: Of<"stage">, { state, unstaged }: DirtyPath): boolean {
  if (state === "untracked") return operation.untracked;
  if (state === "ignored") return operation.ignored;
  if (state === "deleted" && !operation.deleted) return false;
  return unstaged;
}

function scopeTo(
  command: Parameters<typeof scoped>[0],
  scope: Parameters<typeof scoped>[1],
  verb: readonly string[],
  paths: readonly string[],
  out: readonly DirtyPath[],
  facts: Facts,
): Verdict {
  const run = scoped(command, scope, verb, paths, facts);
  if (run === undefined) return refuseFor(out, "would be taken along");
  return { kind: "scope", ...run, note: leftOutNote(out), leftOut: out.map(({ path }) => path) };
}

/** Whether the commit takes more than what is staged. */
function takesFromDisk({ all, include, interactive, selection }: Of<"commit">): boolean {
  return all || include || interactive || selection.pathspecs.length > 0 || selection.file !== undefined;
}

function selectedBy({ all, selection }: Of<"commit">): Selection | undefined {
  return all ? undefined : selection;
}

function judgeCommit(operation: Of<"commit">, facts: Facts): Verdict {
  if (operation.amend && need(facts.head).kind !== "mine")
    return refuse(
      `the commit to be amended is not this session's: ${commitOwnerText(need(facts.head))}`,
      [],
      [`${commandText("commit")} makes a commit of its own`],
    );
  if (!takesFromDisk(operation)) return GO;
  // Git itself refuses that.
  if (operation.all && operation.selection.pathspecs.length > 0) return GO;
  const dirty = need(facts.dirty).filter(({ state }) => state !== "untracked" && state !== "ignored");
  const named = namedBy(operation.selection, operation.command, facts);
  const asked = dirty.filter((path) => isForeign(path) && !operation.all && named(path.path));
  if (asked.length > 0) return refuseFor(asked, "would be committed here");
  const own = dirty.filter(
    (path) => mayTake(path) || (path.owner.kind === "unknown" && !operation.all && named(path.path)),
  );
  const out = dirty.filter((path) => !own.includes(path));
  if (out.length === 0) return GO;
  if (operation.interactive || operation.command === undefined)
    return refuseFor(
      out,
      "would be offered for this commit",
      offerFor(["commit", "-p"], own.map(nameOf), facts),
    );
  const paths = own.map(nameOf);
  const note = leftOutNote(out);
  const leftOut = out.map(({ path }) => path);
  const besides = operation.all || operation.include;
  if (paths.length === 0) {
    // Nothing is left of what was named; what is staged already is committed by `-a` and `-i` alone.
    if (!besides) return refuseFor(out, "would be committed here");
    const plain = [...operation.command.globals, "commit", ...operation.scope.words];
    return { kind: "scope", argv: plain, note, leftOut };
  }
  const run = scoped(
    operation.command,
    operation.scope,
    ["commit", ...(besides ? ["-i"] : [])],
    paths,
    facts,
  );
  return run === undefined
    ? refuseFor(out, "would be committed here")
    : { kind: "scope", ...run, note, leftOut };
}

function judgeDiscard(operation: Of<"discard">, facts: Facts): Verdict {
  const touched = operation.from === undefined ? [] : facts.touched;
  const exact = new Set(operation.exact.map((spec) => pathOf(spec, true, facts)));
  const hit = need(facts.dirty).filter(
    (path) => isHit(path, operation.hits) || isIn(touched, path) || exact.has(path.path),
  );
  const out = hit.filter(notMine).filter((path) => path.state !== "clean" || isForeign(path));
  if (out.length === 0) return GO;
  const own = hit.filter(isMine).map(nameOf);
  const words =
    operation.command === undefined ? [] : [operation.command.verb, ...(operation.scope?.words ?? [])];
  const offers = operation.scope === undefined ? [] : offerFor(words, own, facts);
  return refuseFor(out, "would be lost or overwritten", offers);
}

function judgeTouched(dirty: readonly DirtyPath[], facts: Facts, offers: readonly string[]): Verdict {
  const { touched } = facts;
  const out = dirty.filter((path) => notMine(path) && isIn(touched, path));
  return refuseFor(out, "would be changed under uncommitted work", offers);
}

function needsOfReset({ mode, target }: Of<"reset">): Needs {
  const moves = !isHead(target);
  return {
    ...(moves ? { moved: { target } } : {}),
    ...(mode === "soft" || mode === "mixed" ? {} : { dirty: dirtyOf(undefined, { untracked: moves }) }),
    ...(moves && mode !== "soft" && mode !== "mixed" ? { touched: { by: "tree", tree: target } } : {}),
  };
}

function judgeReset(operation: Of<"reset">, facts: Facts): Verdict {
  const { mode, target } = operation;
  if (!isHead(target)) {
    const { dropped, gained } = need(facts.moved);
    const foreign = dropped.filter(({ owner }) => owner.kind !== "mine");
    const [first] = foreign;
    if (first !== undefined)
      return refuse(
        `${commitsOfOthers(foreign)} would leave the branch`,
        [],
        [`${commandText("revert", first.commit.slice(0, 12))} takes a commit back without moving the branch`],
      );
    if (gained > 0 && mode === "soft")
      return refuse("the index would take back what the branch gains", [], [commandText("merge", target)]);
  }
  if (mode === "soft" || mode === "mixed") return GO;
  const touched = isHead(target) ? [] : facts.touched;
  const hit = need(facts.dirty).filter(
    (path) =>
      (path.state !== "untracked" && mode === "hard") ||
      // `--merge` takes what is staged back, on disk too.
      (path.staged && mode === "merge" && isForeign(path)) ||
      isIn(touched, path),
  );
  const own = hit.filter((path) => isMine(path) && path.state !== "untracked").map(nameOf);
  const offers = mode === "hard" && isHead(target) ? offerFor(["restore", "-SW"], own, facts) : [];
  return refuseFor(hit.filter(notMine), "would be lost", offers);
}

function judgeMerge(operation: Of<"merge">, facts: Facts): Verdict {
  const settings = facts.settings ?? {};
  const on = (key: string) => /^(?:true|yes|on|1|merges|interactive|i|m)$/i.test(settings[key] ?? "");
  const rebases = operation.verb === "pull" && (operation.rebase ?? on("pull.rebase"));
  const offers =
    operation.verb === "pull" ? [commandText("fetch"), commandText("merge", "--ff-only", "@{u}")] : [];
  if (rebases)
    return refuse(`${whoIsHere(facts)}, and a rebase takes the whole tree through other commits`, [], offers);
  const foreign = need(facts.dirty).filter(notMine);
  if ((operation.autostash ?? on("merge.autostash")) && foreign.length > 0)
    return refuseFor(foreign, "would be stashed away for a while", offers);
  const verdict = judgeTouched(foreign, facts, offers);
  return verdict.kind !== "go" || forwardOnly(operation, facts) ? verdict : judgeThreeWay(facts, offers);
}

/** Whether git takes no merge strategy: the branch is brought forward, or there is nothing to do. */
function forwardOnly({ verb, ff }: Of<"merge">, { forward = false, settings = {} }: Facts): boolean {
  if (verb !== "merge" && verb !== "pull") return true;
  const set = (verb === "pull" ? settings["pull.ff"] : undefined) ?? settings["merge.ff"] ?? "";
  const how = ff ?? (/^only$/i.test(set) ? "only" : /^(?:false|no|off|0)$/i.test(set) ? "no" : "yes");
  return how === "only" || (how === "yes" && forward);
}

/**
 * Where its strategy refuses (something is staged, a file that it would change is dirty), git-merge(1) does not just
 * say so: it resets the whole tree to HEAD and applies a stash of what was there before; while others write, that
 * loses their work. So it is refused before git gets there.
 */
function judgeThreeWay(facts: Facts, offers: readonly string[]): Verdict {
  // With conflicts open git says so at once.
  const dirty = need(facts.dirty).filter(({ state }) => state !== "unmerged");
  const staged = dirty.filter((path) => path.staged);
  const { touched } = facts;
  const hit = touched === undefined ? [] : dirty.filter((path) => !path.staged && isIn(touched, path));
  if (staged.length > 0)
    return refuse(
      `${listed(staged)} ${staged.length === 1 ? "is" : "are"} staged, and git would put the whole tree back to HEAD for a moment before it refuses`,
      staged.map(({ path }) => path),
      [
        ...offers,
        commandText("commit"),
        `${commandText("restore", "--staged", "--", ":/")} takes it out of the index`,
      ],
    );
  if (hit.length === 0) return GO;
  return refuse(
    `${listed(hit)} would be changed under uncommitted work, and git would put the whole tree back to HEAD for a moment before it refuses`,
    hit.map(({ path }) => path),
    [...offers, commandText("commit", "--", ...hit.slice(0, 3).map(nameOf))],
  );
}

function listed(paths: readonly DirtyPath[]): string {
  const more = paths.length > 3 ? ` and ${paths.length - 3} more` : "";
  return paths.slice(0, 3).map(nameOf).join(", ") + more;
}

/** Whether it goes by `reset --hard`, which takes every change in the tree along. */
function takesTree({ of, step }: Of<"step">): boolean {
  return (of === "rebase" || of === "am") && (step === "abort" || step === "skip");
}

function judgeStep(operation: Of<"step">, facts: Facts): Verdict {
  const running = facts.inProgress;
  if (running === null || running === undefined) return GO;
  const { owner } = running;
  if (owner.kind !== "mine" && running.left !== true)
    return refuse(
      `the ${running.what} in progress is not this session's: ${whoText(owner)}`,
      [],
      ["Leave it to whoever began it"],
    );
  if (!takesTree(operation)) return GO;
  const lost = need(facts.dirty).filter(isForeign);
  if (lost.length > 0) return refuseFor(lost, "would be lost");
  const foreign =
    operation.of === "rebase"
      ? need(facts.moved).dropped.filter(({ owner }) => owner.kind === "session")
      : [];
  return foreign.length === 0
    ? GO
    : refuse(`${commitsOfOthers(foreign)} would leave the branch`, [], [commandText("rebase", "--continue")]);
}

/** "2 commits of others, the newest 3f2a91c0 (session …)" */
function commitsOfOthers(commits: readonly OwnedCommit[]): string {
  const [{ commit, owner }] = commits as readonly [OwnedCommit];
  const many =
    commits.length === 1 ? "a commit of others," : `${commits.length} commits of others, the newest`;
  return `${many} ${commit.slice(0, 8)} (${commitOwnerText(owner)}),`;
}

function judgeRef({ refs = [] }: Of<"ref">, facts: Facts): Verdict {
  const used = new Set([...(facts.branches ?? []), ...(facts.branch === undefined ? [] : [facts.branch])]);
  const names = refs.map((ref) => ref.replace(/^refs\/heads\//, ""));
  const moved = names.filter((name) => name === "HEAD" || used.has(name));
  if (moved.length === 0) return GO;
  return refuse(
    `${whoIsHere(facts, "this repository")}, and ${moved.join(", ")} is checked out`,
    [],
    [`${commandText("branch", "NEW", "COMMIT")} makes a branch of its own`],
  );
}

function needsOfStash(operation: Of<"stash">): Needs {
  if (operation.action === "push") return { dirty: dirtyOf(operation.selection, operation.hits) };
  if (operation.action === "store") return {};
  return { stash: true };
}

function judgeStash(operation: Of<"stash">, facts: Facts): Verdict {
  if (operation.action === "push") return judgeStashPush(operation, facts);
  if (operation.action === "store") return GO;
  if (operation.action === "branch")
    return refuse(`${whoIsHere(facts)}, and stash branch switches`, [], [commandText("stash", "apply")]);
  const entries = need(facts.stash);
  if (operation.action === "clear") {
    const others = entries.filter((entry) => !isMine(entry));
    return others.length === 0
      ? GO
      : refuse(
          `${others.length} of the stash's entries: not yours`,
          [],
          [`${commandText("stash", "drop")} drops your newest entry`],
        );
  }
  const refused = (entry: StashEntry, name: string) =>
    refuse(`${name} is not this session's: ${whoText(entry.owner)}`, [], [commandText("stash", "list")]);
  const wanted = operation.entry;
  if (wanted !== undefined) {
    const foreign = meant(wanted, entries).find(({ owner }) => owner.kind === "session");
    return foreign === undefined ? GO : refused(foreign, `stash@{${foreign.n}}`);
  }
  const [newest] = entries;
  if (newest === undefined) return GO;
  const own = entries.find(isMine);
  if (own === undefined) return refused(newest, "no entry of the stash is yours; the newest");
  // Files with uncommitted changes git itself does not overwrite.
  if (own.n === 0 || operation.command === undefined) return GO;
  return {
    kind: "scope",
    argv: [
      ...operation.command.globals,
      "stash",
      operation.action,
      ...operation.scope.words,
      `stash@{${own.n}}`,
    ],
    note: `signalbox: ${operation.action} of your newest entry, stash@{${own.n}}`,
    leftOut: [],
  };
}

/** The entries that a word may mean: one by its number or commit; every one by a date and the like. */
function meant(word: string, entries: readonly StashEntry[]): readonly StashEntry[] {
  const name = word.replace(/^refs\//, "");
  const number = name === "stash" ? "0" : /^(?:stash@\{)?\+?(\d+)\}?$/.exec(name)?.[1];
  if (number !== undefined) return entries.filter(({ n }) => n === Number(number));
  const hex = /^[0-9a-f]{4,64}/i.exec(word)?.[0].toLowerCase();
  if (hex !== undefined) return entries.filter(({ commit }) => commit.startsWith(hex));
  return name.startsWith("stash") ? entries : [];
}

function judgeStashPush(operation: Of<"stash">, facts: Facts): Verdict {
  const hit = need(facts.dirty).filter((path) => isHit(path, operation.hits));
  const out = hit.filter(notMine);
  if (out.length === 0) return GO;
  const own = hit.filter(isMine).map(nameOf);
  const named = namedBy(operation.selection, operation.command, facts);
  if (
    operation.command === undefined ||
    !operation.scope.listed ||
    own.length === 0 ||
    out.some(({ path }) => named(path))
  )
    return refuseFor(out, "would be taken out of the tree", offerFor(["stash", "push"], own, facts));
  return scopeTo(operation.command, operation.scope, ["stash", "push"], own, out, facts);
}
