/** What has to change on disk: a pure function of what is there. */
import { dirname, join, relative, resolve } from "node:path";
import { mentionsUs, withHooks, withoutHooks } from "./claude-settings.ts";
import { renderEntry, renderLauncher, renderShim, type Runtime } from "./entry.ts";
import { configLines, withConfig, withoutConfig } from "./git-config.ts";
import { type HookPart, type HookPlace, planHook, stripHook } from "./git-hook.ts";
import { split, withBlock, withoutBlock } from "./marked-block.ts";
import {
  ABSENT,
  type Bytes,
  type Change,
  file,
  type FileState,
  type GitHookSpec,
  type HookTable,
  type Role,
  sameState,
  utf8,
} from "./model.ts";
import {
  type ClaudeMode,
  type GitMode,
  hashOf,
  type InstallRecord,
  keep,
  RECORD_FORMAT,
  renderRecord,
  restored,
  type Skipped,
  type Touched,
} from "./record.ts";

/** The repository as it is. Paths are absolute. */
export interface World {
  readonly commonDir: string;
  /** Working trees that are there. */
  readonly worktrees: readonly Worktree[];
  /** Folders that git takes hooks from, each once. */
  readonly hookDirs: readonly HookDir[];
  /** Git runs hooks from config (2.54). */
  readonly configHooks: boolean;
  /** Somebody's alias `signalbox` that is not ours. */
  readonly foreignAlias: boolean;
  readonly record: InstallRecord | undefined;
  /** Follows links except for git hooks, which may be links themselves. */
  readonly read: (path: string) => FileState;
  readonly isFolder: (path: string) => boolean;
}

export interface Worktree {
  readonly top: string;
  /** Real path of its settings.local.json and settings.json. */
  readonly local: string;
  readonly shared: string;
  /** What git thinks of settings.local.json. */
  readonly localIs: "ignored" | "tracked" | "visible";
}

export interface HookDir {
  readonly dir: string;
  /** `default`: the repository's own. `unseen`: in a working tree, ignored by git. */
  readonly kind: "default" | "unseen" | "tracked" | "outside" | "off";
  readonly worktrees: readonly string[];
}

export interface Wish {
  readonly version: string;
  readonly claude: ClaudeMode;
  readonly trackedHooks: boolean;
  readonly runtime: Runtime;
  readonly hooks: HookTable;
  /** Contents of hooks/hook.sh, of hooks/shim.sh and of the bundles. */
  readonly template: string;
  readonly shim: string;
  readonly hookBundle: Bytes;
  readonly commandBundle: Bytes;
}

export interface Plan {
  /** In the order in which they can be made, one by one, with git working in between. */
  readonly changes: readonly Change[];
  readonly folders: readonly string[];
  readonly record: InstallRecord;
  readonly skipped: readonly Skipped[];
}

/** Folders of the signal box that shell hooks write to or look into. */
export const BOX_FOLDERS = [
  "bin",
  "runtime",
  "log",
  "spool/seen",
  "spool/wrote",
  "spool/read",
  "spool/wake",
  "spool/checked",
  "spool/bash",
  "views/live",
  "views/home",
  "views/in/main",
  "shim",
];

/** A file of the user's with a part that is ours. */
interface Item {
  readonly path: string;
  readonly role: Role;
  readonly install: (current: FileState) => Installed;
  readonly strip: (current: FileState) => FileState;
}

interface Installed {
  readonly after: FileState;
  readonly chained?: { readonly path: string; readonly state: FileState };
  readonly skipped?: string;
}

export function boxPath(world: Pick<World, "commonDir">, ...names: string[]): string {
  return join(world.commonDir, "signalbox", ...names);
}

export function recordPath(world: Pick<World, "commonDir">): string {
  return boxPath(world, "runtime", "install.json");
}

export function planInstall(world: World, wish: Wish): Plan {
  const git: GitMode = world.configHooks ? "config" : "files";
  const skipped: Skipped[] = [];
  const changes: Change[] = [];
  const touched: Touched[] = [];
  const items = itemsOf(world, wish, git, skipped);

  for (const item of items) {
    const { entry, changes: own, skipped: why } = settle(world, item);
    if (why !== undefined) skipped.push({ path: item.path, why });
    if (entry !== undefined) touched.push(entry);
    changes.push(...own);
  }
  const wanted = new Set(items.map((item) => item.path));
  const old = (world.record?.touched ?? []).filter(({ path }) => !wanted.has(resolve(world.commonDir, path)));
  const loose = looseParts(world, wish.hooks).filter(({ path }) => !wanted.has(path));
  changes.unshift(
    ...old.flatMap((entry) => revert(world, entry)),
    ...loose.flatMap(({ path, role }) => stripped(world, path, role, false)),
  );

  const made = newFolders(world, changes);
  const record: InstallRecord = {
    format: RECORD_FORMAT,
    version: wish.version,
    claude: wish.claude,
    git,
    trackedHooks: wish.trackedHooks,
    runtime: wish.runtime,
    touched,
    folders: [...new Set([...(world.record?.folders ?? []), ...made.map((dir) => short(world, dir))])],
    skipped,
  };
  const box = [
    own(world, ["runtime", "hook.cjs"], wish.hookBundle, 0o644),
    own(world, ["runtime", "signalbox.cjs"], wish.commandBundle, 0o644),
    own(world, ["bin", "hook"], renderEntry(wish.template, wish.hooks, wish.runtime), 0o755),
    own(world, ["bin", "signalbox"], renderLauncher(wish.runtime), 0o755),
    own(world, ["shim", "git"], renderShim(wish.shim, wish.runtime), 0o755),
    own(world, ["runtime", "install.json"], utf8(renderRecord(record)), 0o644, "record"),
  ];
  const boxFolders = BOX_FOLDERS.map((name) => boxPath(world, name)).filter((dir) => !world.isFolder(dir));
  return {
    changes: [...box, ...changes].filter(({ before, after }) => !sameState(before, after)),
    folders: [...boxFolders, ...made],
    record,
    skipped,
  };
}

function own(world: World, names: readonly string[], bytes: Bytes, mode: number, role: Role = "own"): Change {
  const path = boxPath(world, ...names);
  return { path, role, before: world.read(path), after: file(bytes, mode) };
}

function itemsOf(world: World, wish: Wish, git: GitMode, skipped: Skipped[]): Item[] {
  return [
    ...excludeItem(world, wish),
    configItem(world, git === "config" ? wish.hooks.git : []),
    ...hookItems(world, wish, git === "files" ? "call" : "clean", skipped),
    ...settingsItems(world, wish, skipped),
  ];
}

const EXCLUDED = "/.claude/settings.local.json\n";

/** A settings.local.json that git would show as new is hidden the way it hides nothing of the repository's own. */
function excludeItem(world: World, { claude }: Wish): Item[] {
  const { commonDir, worktrees } = world;
  const path = join(commonDir, "info", "exclude");
  const current = world.read(path);
  // Once hidden it reads as ignored: that is our doing, and stays.
  const hidden = hasOurs(current, "exclude");
  const needed =
    claude === "local" &&
    worktrees.some(({ localIs }) => localIs === "visible" || (hidden && localIs === "ignored"));
  return needed ? [lineItem(path, "exclude", (bytes) => withBlock(bytes, EXCLUDED), withoutBlock)] : [];
}

function configItem(world: World, hooks: readonly GitHookSpec[]): Item {
  const lines = configLines({ alias: !world.foreignAlias, hooks });
  return lineItem(
    join(world.commonDir, "config"),
    "config",
    (bytes) => withConfig(bytes, lines),
    withoutConfig,
  );
}

function hookItems(world: World, { hooks, trackedHooks }: Wish, part: HookPart, skipped: Skipped[]): Item[] {
  return world.hookDirs.flatMap(({ dir, kind, worktrees }) => {
    const why = whyNot(kind, trackedHooks);
    if (why !== undefined) {
      if (part === "call")
        skipped.push({ path: dir, why: `${why}; git hooks are not installed for ${worktrees.join(", ")}` });
      return [];
    }
    const place: HookPlace = kind === "default" ? "default" : "elsewhere";
    return hooks.git.map((hook) => hookItem(world, join(dir, hook.name), hook, place, part));
  });
}

function whyNot(kind: HookDir["kind"], trackedHooks: boolean): string | undefined {
  if (kind === "off") return "core.hooksPath names no folder: git runs no hooks at all";
  if (trackedHooks) return undefined;
  const how = "to install there all the same: signalbox init --tracked-hooks";
  if (kind === "tracked")
    return `this hooks folder is part of the working tree and would be committed; ${how}`;
  if (kind === "outside") return `this hooks folder belongs to other repositories too; ${how}`;
  return undefined;
}

function hookItem(world: World, path: string, hook: GitHookSpec, place: HookPlace, part: HookPart): Item {
  return {
    path,
    role: "git-hook",
    install: (current) => planHook(path, hook, place, current, world.read, part),
    strip: (current) => stripHook(path, current, world.read)?.after ?? current,
  };
}

function settingsItems(world: World, { claude, hooks }: Wish, skipped: Skipped[]): Item[] {
  if (claude === "plugin") return [];
  const entry = boxPath(world, "bin", "hook");
  return world.worktrees.flatMap((tree) => {
    // Somebody else shared the hooks with all clones: a second copy would run everything twice.
    if (
      claude === "local" &&
      hasOurs(world.read(tree.shared), "settings") &&
      entryOf(world, tree.shared) === undefined
    ) {
      skipped.push({ path: tree.local, why: `${tree.shared} has the hooks already` });
      return [];
    }
    const portable = claude === "shared" || tree.localIs === "tracked";
    const path = claude === "shared" ? tree.shared : tree.local;
    const form = portable ? ({ kind: "portable" } as const) : ({ kind: "exec", entry } as const);
    return lineItem(
      path,
      "settings",
      (bytes) => withHooks(bytes, hooks.claude, form, path),
      (bytes) => withoutHooks(bytes, path),
    );
  });
}

/** A file that is ours when nothing but our part is in it. */
function lineItem(
  path: string,
  role: Role,
  install: (bytes: Bytes) => Bytes,
  strip: (bytes: Bytes) => Bytes,
): Item {
  return {
    path,
    role,
    install: (current) => {
      if (current.kind === "other") return { after: current, skipped: "it is not a file" };
      const mode = current.kind === "file" ? current.mode : 0o644;
      const bytes = install(current.kind === "file" ? current.bytes : "");
      return { after: current.kind === "absent" && bytes === "" ? current : file(bytes, mode) };
    },
    strip: (current) => (current.kind === "file" ? file(strip(current.bytes), current.mode) : current),
  };
}

/** What one file needs, and what is to be remembered of it. */
function settle(
  world: World,
  item: Item,
): { entry?: Touched; changes: Change[]; skipped?: string | undefined } {
  const current = world.read(item.path);
  const entry = entryOf(world, item.path);
  const mine = entry !== undefined && current.kind !== "absent" && entry.written.includes(hashOf(current));
  const isKept = entry?.before.kind === "moved";
  const base = mine && !isKept ? restored(entry.before, world.read) : item.strip(current);
  const { after, chained, skipped } = item.install(mine && !isKept ? base : current);
  if (skipped !== undefined) return { changes: [], skipped };
  const changes: Change[] = [
    ...(chained === undefined
      ? []
      : [
          {
            path: chained.path,
            role: "chained" as const,
            before: world.read(chained.path),
            after: chained.state,
            from: item.path,
          },
        ]),
    { path: item.path, role: item.role, before: current, after },
  ];
  if (sameState(after, current)) {
    const kept = entry ?? (sameState(base, current) ? undefined : touch(world, item, keep(base), [after]));
    return { ...(kept === undefined ? {} : { entry: kept }), changes: [] };
  }
  const before = beforeOf();
  const keptAs = chained === undefined ? entry?.chained : short(world, chained.path);
  const now = touch(world, item, before, [after], mine ? entry.written : []);
  return { entry: keptAs === undefined ? now : { ...now, chained: keptAs }, changes };

  function beforeOf(): Touched["before"] {
    if (chained === undefined) return isKept ? entry.before : keep(base);
    return chained.state.kind === "link" ? keep(current) : { kind: "moved", to: short(world, chained.path) };
  }
}

/** Hashes remembered of one file: enough for upgrades that were interrupted. */
const REMEMBERED = 8;

function touch(
  world: World,
  { path, role }: Item,
  before: Touched["before"],
  states: readonly FileState[],
  earlier: readonly string[] = [],
): Touched {
  const written = [...new Set([...earlier, ...states.map(hashOf)])].slice(-REMEMBERED);
  return { path: short(world, path), role, before, written };
}

function entryOf(world: World, path: string): Touched | undefined {
  return world.record?.touched.find((entry) => resolve(world.commonDir, entry.path) === path);
}

function short(world: World, path: string): string {
  return relative(world.commonDir, path);
}

/** Takes back what was done to a file: its exact bytes where it is as we left it, else only what is ours. */
export function revert(world: World, entry: Touched): Change[] {
  const path = resolve(world.commonDir, entry.path);
  const before = world.read(path);
  const kept = restored(entry.before, (moved) => world.read(resolve(world.commonDir, moved)));
  if (sameState(before, kept)) return leftoverOf(world, entry, path);
  if (before.kind !== "absent" && entry.written.includes(hashOf(before))) {
    const from =
      entry.before.kind === "moved" ? { from: resolve(world.commonDir, entry.before.to) } : undefined;
    // What was moved is gone: nothing to go back to but a hook that is not there.
    const change: Change = { path, role: entry.role, before, after: kept, ...from };
    return [change, ...leftoverOf(world, entry, path)];
  }
  return stripped(world, path, entry.role, entry.before.kind === "absent");
}

/** What was kept under another name is of no more use there once it stands in its place again. */
function leftoverOf(world: World, entry: Touched, path: string): Change[] {
  if (entry.role !== "git-hook") return [];
  const kept =
    entry.chained === undefined
      ? stripHook(path, world.read(path), world.read)?.chained
      : resolve(world.commonDir, entry.chained);
  if (kept === undefined || world.read(kept).kind === "absent") return [];
  return [{ path: kept, role: "chained", before: world.read(kept), after: ABSENT }];
}

/** Takes out what is ours from a file that others have changed since, or that nothing is remembered of. */
export function stripped(world: World, path: string, role: Role, wasAbsent: boolean): Change[] {
  const before = world.read(path);
  if (before.kind !== "file") return [];
  if (role === "git-hook") {
    const strip = stripHook(path, before, world.read);
    if (strip === undefined) return [];
    const { after, chained } = strip;
    if (chained === undefined) return [{ path, role, before, after }];
    return [
      { path, role, before, after, ...(after.kind === "file" ? { from: chained } : {}) },
      { path: chained, role: "chained", before: world.read(chained), after: ABSENT },
    ];
  }
  const bytes =
    role === "settings"
      ? withoutHooks(before.bytes, path)
      : role === "config"
        ? withoutConfig(before.bytes)
        : withoutBlock(before.bytes);
  if (bytes === before.bytes) return [];
  const empty = wasAbsent && /^\s*(\{\s*\})?\s*$/.test(bytes);
  return [{ path, role, before, after: empty ? ABSENT : file(bytes, before.mode) }];
}

/**
 * Parts of ours that the record does not know, say because it was lost. What is tracked may be a colleague's
 * doing and is left alone.
 */
function looseParts(world: World, { git }: HookTable): { path: string; role: Role }[] {
  const found = [
    ...world.worktrees.map(({ local }) => ({ path: local, role: "settings" as const })),
    ...world.hookDirs
      .filter(({ kind }) => kind === "default" || kind === "unseen")
      .flatMap(({ dir }) => git.map(({ name }) => ({ path: join(dir, name), role: "git-hook" as const }))),
    { path: join(world.commonDir, "config"), role: "config" as const },
    { path: join(world.commonDir, "info", "exclude"), role: "exclude" as const },
  ];
  return found.filter(
    ({ path, role }) => entryOf(world, path) === undefined && hasOurs(world.read(path), role),
  );
}

function hasOurs(state: FileState, role: Role): boolean {
  if (state.kind !== "file") return false;
  return role === "settings" ? mentionsUs(state.bytes) : split(state.bytes).inside !== undefined;
}

/** What uninstall changes of the user's, settings first: no hook is called that is gone already. */
export function planUninstall(world: World, hooks: HookTable): Change[] {
  const order: Role[] = ["settings", "git-hook", "chained", "config", "exclude"];
  const entries = world.record?.touched ?? [];
  const loose = looseParts(world, hooks);
  return [
    ...entries.flatMap((entry) => revert(world, entry)),
    ...loose.flatMap(({ path, role }) => stripped(world, path, role, false)),
  ]
    .filter(({ before, after }) => !sameState(before, after))
    .map((change, i) => ({ change, i }))
    .sort((a, b) => order.indexOf(a.change.role) - order.indexOf(b.change.role) || a.i - b.i)
    .map(({ change }) => change);
}

function newFolders(world: World, changes: readonly Change[]): string[] {
  const missing = new Set<string>();
  for (const { path, after } of changes) {
    if (after.kind === "absent") continue;
    const chain: string[] = [];
    for (let dir = dirname(path); !world.isFolder(dir) && dir !== dirname(dir); dir = dirname(dir))
      chain.unshift(dir);
    for (const dir of chain) missing.add(dir);
  }
  return [...missing];
}
