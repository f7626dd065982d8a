/**
 * Every state of a path in the base, in what is staged and in HEAD, against a naive model that knows whole states,
 * not differences. First all combinations at once, each in a folder of its own, then random ones, one by one and
 * over several commits.
 */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import * as fc from "fast-check";
import { readBase, writeBase } from "../../src/adapters/git/index-file.ts";
import { type Lab, makeLab, nine } from "../support/heal-lab.ts";

/** "<mode> <hash>", or ITA: to be added, with nothing in it. */
type Entry = string;
type State = Readonly<Record<string, Entry>>;
type Flag = "" | "skip" | "ita";
interface Slot {
  readonly base: string;
  readonly mine: string;
  readonly flag: Flag;
  readonly theirs: string;
}

const TEXTS: Readonly<Record<string, string>> = {
  base: nine({}),
  top: nine({ 1: "top" }),
  bottom: nine({ 9: "bottom" }),
  both: nine({ 1: "top", 9: "bottom" }),
  otherwise: nine({ 1: "otherwise" }),
  otherwiseBottom: nine({ 1: "otherwise", 9: "bottom" }),
  binary: `\0${nine({ 9: "bottom" })}`,
  empty: "",
  target: "where/it/points",
  target2: "elsewhere",
};

/** What each name of a state is; hashes are filled in by `makeModel`. */
function statesOf(hash: (text: string) => string, commits: readonly string[]): Record<string, State> {
  const file = (text: string, mode = "100644") => `${mode} ${hash(text)}`;
  return {
    absent: {},
    base: { f: file("base") },
    top: { f: file("top") },
    bottom: { f: file("bottom") },
    otherwise: { f: file("otherwise") },
    exec: { f: file("base", "100755") },
    topExec: { f: file("top", "100755") },
    binary: { f: file("binary") },
    empty: { f: file("empty") },
    symlink: { f: file("target", "120000") },
    symlink2: { f: file("target2", "120000") },
    gitlink: { f: `160000 ${commits[0]}` },
    gitlink2: { f: `160000 ${commits[1]}` },
    folder: { "f/x": file("base") },
    folderTop: { "f/x": file("top"), "f/y": file("base") },
    deep: { "f/x/z": file("bottom") },
  };
}

interface Model {
  readonly lab: Lab;
  readonly states: Readonly<Record<string, State>>;
  readonly hash: (text: string) => string;
  readonly textOf: (hash: string) => string | undefined;
}

function makeModel(lab: Lab): Model {
  const hashes = new Map<string, string>();
  for (const [name, text] of Object.entries(TEXTS))
    hashes.set(name, lab.run({}, ["hash-object", "-w", "--stdin"], text).stdout.trim());
  const names = new Map([...hashes].map(([name, hash]) => [hash, name]));
  const tree = lab.a("write-tree");
  const commits = ["one", "two"].map((message) => lab.a("commit-tree", "-m", message, tree));
  const hash = (text: string) => hashes.get(text)!;
  const textOf = (of: string) => TEXTS[names.get(of) ?? ""];
  return { lab, states: statesOf(hash, commits), hash, textOf };
}

const PATHS = ["f", "f/x", "f/y", "f/x/z"];
const isThere = (state: State, path: string) => Object.hasOwn(state, path);
const related = (a: string, b: string) => a.startsWith(`${b}/`) || b.startsWith(`${a}/`);

/** Per line, where lines 1 and 9 are the only ones that differ. */
function mergeText(base: string, mine: string, theirs: string): string | undefined {
  if ([base, mine, theirs].some((text) => text.includes("\0") || text === "")) return undefined;
  const [b, m, t] = [base, mine, theirs].map((text) => text.split("\n"));
  const merged = b!.map((line, i) =>
    m![i] === t![i] || t![i] === line ? m![i] : m![i] === line ? t![i] : null,
  );
  return merged.includes(null) ? undefined : merged.join("\n");
}

/** Entries "<mode> <hash> <stage>" that a path is to have. */
function expected(model: Model, slot: Slot, path: string): string[] {
  const { states, hash, textOf } = model;
  const [base, mine, theirs] = [states[slot.base]!, states[slot.mine]!, states[slot.theirs]!];
  const [b, m, t] = [base[path], mine[path], theirs[path]];
  /** HEAD has put a file where this needs a folder, or the other way round. */
  const overThere = (path: string) =>
    PATHS.some((other) => related(other, path) && isThere(theirs, other) && theirs[other] !== base[other]);
  const ordinary = (entry: Entry | undefined) => (entry === undefined ? [] : [`${entry} 0`]);
  if (slot.flag === "ita") {
    // Nothing of it is to be kept, so HEAD's is taken whenever it changed anything here.
    const clash = t !== b || overThere(path);
    if (path === "f") return clash ? ordinary(t) : [`100644 ${hash("empty")} 0`];
    // The folder that was there gave way to it, if it stays.
    if (m === b) return ordinary(t);
  }
  if (m === b || m === t) return ordinary(t);
  const stages = [b, m, t].flatMap((entry, i) => (entry === undefined ? [] : [`${entry} ${i + 1}`]));
  if (t === b) {
    const clash = m !== undefined && overThere(path);
    return clash ? stages : ordinary(m);
  }
  if (b === undefined || m === undefined || t === undefined) return stages;
  const [[bm, bh], [mm, mh], [tm, th]] = [b, m, t].map((entry) => entry.split(" ")) as [string, string][] as [
    [string, string],
    [string, string],
    [string, string],
  ];
  if (![bm, mm, tm].every((mode) => mode.startsWith("100"))) return stages;
  const mode = mm === bm ? tm : mm;
  if (mh === bh || mh === th) return [`${mode} ${th} 0`];
  if (th === bh) return [`${mode} ${mh} 0`];
  const text = mergeText(textOf(bh)!, textOf(mh)!, textOf(th)!);
  const name = Object.keys(TEXTS).find((key) => TEXTS[key] === text);
  return text === undefined ? stages : [`${mode} ${hash(name!)} 0`];
}

/** The index of `env` holds just these slots. */
function fill(lab: Lab, env: Record<string, string>, slots: readonly State[]): void {
  const lines = slots.flatMap((state, i) =>
    Object.entries(state).map(([path, entry]) => `${entry} 0\ts${i}/${path}\0`),
  );
  const run = (args: string[], input = "") => {
    const { status, stderr } = lab.run(env, args, input);
    assert.equal(status, 0, stderr);
  };
  run(["read-tree", "--empty"]);
  run(["update-index", "-z", "--index-info"], lines.join(""));
}

function commitOf(lab: Lab, slots: readonly State[], parent?: string): string {
  const env = { GIT_INDEX_FILE: join(lab.dir, "scratch-index") };
  fill(lab, env, slots);
  const tree = lab.run(env, ["write-tree"]).stdout.trim();
  return lab.a("commit-tree", "-m", "c", ...(parent === undefined ? [] : ["-p", parent]), tree);
}

const inB = (lab: Lab) => ({ GIT_DIR: lab.gitDir, GIT_WORK_TREE: lab.top });

function stage(model: Model, slots: readonly Slot[]): void {
  const { lab, states } = model;
  fill(
    lab,
    inB(lab),
    slots.map(({ mine, flag }) => (flag === "ita" ? {} : states[mine]!)),
  );
  const skipped = slots.flatMap((slot, i) =>
    slot.flag === "skip" && isThere(states[slot.mine]!, "f") ? [`s${i}/f\0`] : [],
  );
  if (skipped.length > 0)
    assert.equal(
      lab.run(inB(lab), ["update-index", "-z", "--skip-worktree", "--stdin"], skipped.join("")).status,
      0,
    );
  const intended = slots.flatMap(({ flag }, i) => (flag === "ita" ? [`s${i}/f`] : []));
  for (const path of intended) {
    mkdirSync(dirname(join(lab.top, path)), { recursive: true });
    writeFileSync(join(lab.top, path), "not yet\n");
  }
  if (intended.length > 0)
    assert.equal(
      lab.run(inB(lab), ["add", "-N", "--pathspec-from-file=-"], `${intended.join("\n")}\n`).status,
      0,
    );
}

/** Entries by path, and which are skip-worktree, as git lists them. */
function listing(lab: Lab): { entries: Map<string, string[]>; skipped: Set<string> } {
  const entries = new Map<string, string[]>();
  const skipped = new Set<string>();
  for (const line of lab.run(inB(lab), ["ls-files", "-t", "-s", "-z"]).stdout.split("\0").filter(Boolean)) {
    const [, tag, entry, path] = /^(\S) (\S+ \S+ \d)\t(.*)$/s.exec(line)!;
    entries.set(path!, [...(entries.get(path!) ?? []), entry!]);
    if (tag === "S") skipped.add(path!);
  }
  return { entries, skipped };
}

function check(model: Model, slots: readonly Slot[]): void {
  const { lab, states } = model;
  const { entries, skipped } = listing(lab);
  for (const [i, slot] of slots.entries()) {
    const { base, mine, theirs } = slot;
    const found = (path: string) => entries.get(`s${i}/${path}`) ?? [];
    const what = () => `${JSON.stringify(slot)} ${JSON.stringify(PATHS.map((path) => [path, found(path)]))}`;
    for (const path of PATHS) {
      assert.deepEqual(found(path), expected(model, slot, path), `${path} of ${what()}`);
      const [b, m, t] = [states[base]![path], states[mine]![path], states[theirs]![path]];
      if (slot.flag === "ita") continue;
      // The two promises, told without the model: mine is there, theirs is not taken back.
      if (m !== undefined && m !== b && m !== t && t === b)
        assert.ok(
          found(path).some((entry) => entry.startsWith(m)),
          `mine is lost: ${path} of ${what()}`,
        );
      if (m === b) assert.deepEqual(found(path), t === undefined ? [] : [`${t} 0`], `theirs: ${what()}`);
    }
    if (slot.flag === "skip" && isThere(states[mine]!, "f") && found("f")[0]?.endsWith(" 0"))
      assert.ok(skipped.has(`s${i}/f`), `skip-worktree is lost: ${what()}`);
  }
}

/** Base, staged state and HEAD of all slots; then the heal. */
function healSlots(model: Model, slots: readonly Slot[], heal: (lab: Lab) => void): void {
  const { lab, states } = model;
  const base = commitOf(
    lab,
    slots.map((slot) => states[slot.base]!),
  );
  const head = commitOf(
    lab,
    slots.map((slot) => states[slot.theirs]!),
    base,
  );
  lab.a("update-ref", "refs/heads/main", head);
  stage(model, slots);
  writeBase(lab.gitDir, base);
  heal(lab);
}

const NAMES = Object.keys(statesOf(String, ["1", "2"]));
const HEAL = (lab: Lab) => {
  const { kind } = lab.heal();
  assert.match(kind, /healed|current/);
  assert.equal(readBase(lab.gitDir), lab.head());
};

/** All combinations, with and without a flag on what is staged. */
function everySlot(flag: Flag): Slot[] {
  const mines = flag === "ita" ? ["absent"] : NAMES;
  return NAMES.flatMap((base) =>
    mines.flatMap((mine) => NAMES.map((theirs) => ({ base, mine, flag, theirs }))),
  );
}

for (const flag of ["", "skip", "ita"] as const)
  test(`every state of a path, thrice${flag && ` (${flag})`}: as modelled`, (t) => {
    const model = makeModel(makeLab(t));
    const slots = everySlot(flag);
    healSlots(model, slots, HEAL);
    check(model, slots);
  });

test("what is staged shows as the same difference after it, where nothing clashed", (t) => {
  const model = makeModel(makeLab(t));
  const { lab, states } = model;
  const clean = everySlot("").filter(({ base, mine, theirs }) => base === theirs || mine === base);
  const delta = () => lab.b("diff-index", "--cached", "--raw", "--no-renames", readBase(lab.gitDir)!);
  const base = commitOf(
    lab,
    clean.map((slot) => states[slot.base]!),
  );
  stage(model, clean);
  writeBase(lab.gitDir, base);
  const before = delta();
  assert.notEqual(before, "");
  lab.a(
    "update-ref",
    "refs/heads/main",
    commitOf(
      lab,
      clean.map((slot) => states[slot.theirs]!),
      base,
    ),
  );
  HEAL(lab);
  assert.equal(delta(), before);
  // As after a crash between the index and its base: once more does no harm.
  const entries = lab.b("ls-files", "-s", "-t");
  writeBase(lab.gitDir, base);
  HEAL(lab);
  assert.equal(lab.b("ls-files", "-s", "-t"), entries);
});

test("random ones, a few at a time, over an index that git refreshes in between", (t) => {
  const model = makeModel(makeLab(t));
  const name = fc.constantFrom(...NAMES);
  const slot = fc.record({
    base: name,
    mine: name,
    theirs: name,
    flag: fc.constantFrom<Flag>("", "", "skip", "ita"),
  });
  fc.assert(
    fc.property(fc.array(slot, { minLength: 1, maxLength: 4 }), (drawn) => {
      const slots = drawn.map((one) => (one.flag === "ita" ? { ...one, mine: "absent" } : one));
      healSlots(model, slots, (lab) => {
        lab.tryB("update-index", "-q", "--refresh");
        HEAL(lab);
      });
      check(model, slots);
    }),
    { numRuns: 40 },
  );
});

test("carried forward in several steps it is the same as in one, where nothing clashed", (t) => {
  const model = makeModel(makeLab(t));
  const { lab, states } = model;
  const name = fc.constantFrom(...NAMES.filter((one) => !one.startsWith("folder") && one !== "deep"));
  fc.assert(
    fc.property(
      fc.array(fc.tuple(name, name), { minLength: 1, maxLength: 6 }),
      fc.array(name, { minLength: 1, maxLength: 4 }),
      (mine, others) => {
        // Mine are in slots of their own; HEAD changes one slot more, and that again and again.
        const at = (other: string) => [...mine.map(([base]) => states[base]!), states[other]!];
        const base = commitOf(lab, at("base"));
        fill(lab, inB(lab), [...mine.map(([, staged]) => states[staged]!), states["base"]!]);
        writeBase(lab.gitDir, base);
        const delta = () => lab.b("diff-index", "--cached", "--raw", "--no-renames", readBase(lab.gitDir)!);
        const before = delta();
        let head = base;
        for (const other of others) {
          head = commitOf(lab, at(other), head);
          lab.a("update-ref", "refs/heads/main", head);
          HEAL(lab);
          assert.equal(delta(), before);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test("the model tells: what git has for it by itself fails", (t) => {
  const slots = everySlot("");
  for (const args of [
    ["read-tree", "HEAD"],
    ["read-tree", "-i", "-m", "BASE", "HEAD"],
    ["reset", "-q"],
  ]) {
    const model = makeModel(makeLab(t));
    const broken = (lab: Lab) => {
      lab.tryB(...args.map((arg) => (arg === "BASE" ? readBase(lab.gitDir)! : arg)));
    };
    healSlots(model, slots, broken);
    assert.throws(() => check(model, slots), assert.AssertionError, args.join(" "));
  }
});
