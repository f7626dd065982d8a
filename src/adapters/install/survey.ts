/** Looks at a repository for install and uninstall; changes nothing. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, relative, resolve, sep } from "node:path";
import { enabledPlugins } from "../../app/install/claude-settings.ts";
import { ALIAS } from "../../app/install/git-config.ts";
import { InstallProblem } from "../../app/install/model.ts";
import { type HookDir, recordPath, type World, type Worktree } from "../../app/install/plan.ts";
import { type InstallRecord, parseRecord } from "../../app/install/record.ts";
import { isFolder, readState, throughLinks } from "./files.ts";
import { askGit, commonDirAt, gitVersion, GitTrouble, mustGit, pathIn } from "./git.ts";

export interface Survey {
  readonly world: World;
  readonly git: string;
  /** Things worth saying. */
  readonly notes: readonly string[];
}

/** @throws GitTrouble, InstallProblem */
export function survey(cwd: string): Survey {
  const version = gitVersion();
  if (version.major < 2 || (version.major === 2 && version.minor < 31))
    throw new GitTrouble(`${version.text} is too old; install git 2.31 or newer`);
  const commonDir = realpathSync(commonDirAt(cwd));
  const notes: string[] = [];
  const tops = worktrees(commonDir, version.minor >= 36 || version.major > 2, notes);
  const world: World = {
    commonDir,
    worktrees: tops.map(worktreeAt),
    hookDirs: hookDirs(commonDir, tops),
    configHooks: (version.major > 2 || version.minor >= 54) && runsConfigHooks(),
    foreignAlias: hasForeignAlias(commonDir),
    record: readRecord(commonDir, notes),
    read: readState,
    isFolder,
  };
  return { world, git: version.text, notes: [...notes, ...pluginNotes(world)] };
}

/** Tops of all working trees that are there. Those inside the git dir are made by tools for themselves. */
function worktrees(commonDir: string, nulSeparated: boolean, notes: string[]): string[] {
  const args = ["worktree", "list", "--porcelain", ...(nulSeparated ? ["-z"] : [])];
  const [line, gap] = nulSeparated ? ["\0", "\0\0"] : ["\n", "\n\n"];
  const stanzas = mustGit(commonDir, args).toString("latin1").split(gap);
  return stanzas.flatMap((stanza) => {
    const fields = stanza.split(line);
    const named = fields.find((field) => field.startsWith("worktree "));
    if (named === undefined || fields.includes("bare")) return [];
    const path = pathIn(Buffer.from(named.slice("worktree ".length), "latin1"));
    if (!isFolder(path)) {
      notes.push(
        `working tree ${path} is not there (moved or removed: git worktree repair, or prune); left out`,
      );
      return [];
    }
    const top = realpathSync(path);
    return isWithin(commonDir, top) ? [] : [top];
  });
}

function worktreeAt(top: string): Worktree {
  const local = join(top, ".claude", "settings.local.json");
  const shared = join(top, ".claude", "settings.json");
  const tracked = askGit(top, ["ls-files", "--error-unmatch", "--", local]).status === 0;
  // --no-index: a tracked file is never "ignored", whatever the rules say.
  const ignored = askGit(top, ["check-ignore", "-q", "--no-index", "--", local]).status === 0;
  return {
    top,
    local: throughLinks(local),
    shared: throughLinks(shared),
    localIs: tracked ? "tracked" : ignored ? "ignored" : "visible",
  };
}

function hookDirs(commonDir: string, tops: readonly string[]): HookDir[] {
  const found = new Map<string, HookDir>();
  // A bare repository has hooks too.
  for (const top of tops.length === 0 ? [commonDir] : tops) {
    const named = pathIn(mustGit(top, ["rev-parse", "--path-format=absolute", "--git-path", "hooks"]));
    const dir = throughLinks(resolve(top, named));
    const known = found.get(dir);
    found.set(dir, {
      dir,
      kind: known?.kind ?? kindOf(dir, commonDir, tops),
      worktrees: [...(known?.worktrees ?? []), top],
    });
  }
  return [...found.values()];
}

function kindOf(dir: string, commonDir: string, tops: readonly string[]): HookDir["kind"] {
  if (dir === join(commonDir, "hooks")) return "default";
  if (readState(dir).kind === "other" ? !isFolder(dir) : readState(dir).kind !== "absent") return "off";
  if (isWithin(commonDir, dir)) return "unseen";
  const top = tops.filter((one) => isWithin(one, dir)).sort((a, b) => b.length - a.length)[0];
  if (top === undefined) return "outside";
  // The name of a hook that nobody has, so that the question is about the folder.
  const hook = join(dir, "pre-commit");
  const tracked = mustGit(top, ["ls-files", "--", dir]).length > 0;
  const ignored = askGit(top, ["check-ignore", "-q", "--", hook]).status === 0;
  return ignored && !tracked ? "unseen" : "tracked";
}

function isWithin(folder: string, path: string): boolean {
  const below = relative(folder, path);
  return below === "" || (below !== ".." && !below.startsWith(`..${sep}`) && !below.startsWith("/"));
}

/** Whether this git really runs hooks from config, by having it run one in a scratch repository. */
function runsConfigHooks(): boolean {
  const scratch = mkdtempSync(join(tmpdir(), "signalbox-git-"));
  const env = { GIT_CONFIG_NOSYSTEM: "1", GIT_CONFIG_GLOBAL: "/dev/null" };
  try {
    if (askGit(scratch, ["init", "-q", "."], env).status !== 0) return false;
    const config = [
      "-c",
      "hook.signalbox-probe.event=pre-commit",
      "-c",
      "hook.signalbox-probe.command=echo signalbox-ran >&2;:",
    ];
    const { status, stdout, stderr } = askGit(scratch, [...config, "hook", "run", "pre-commit"], env);
    return status === 0 && `${stdout.toString("utf8")}${stderr}`.includes("signalbox-ran");
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function hasForeignAlias(commonDir: string): boolean {
  const args = [
    "config",
    "--file",
    join(commonDir, "config"),
    "--includes",
    "-z",
    "--get-all",
    "alias.signalbox",
  ];
  const { stdout } = askGit(commonDir, args);
  return stdout
    .toString("utf8")
    .split("\0")
    .some((value) => value !== "" && value !== ALIAS && !value.includes("signalbox/bin/signalbox"));
}

function readRecord(commonDir: string, notes: string[]): InstallRecord | undefined {
  const path = recordPath({ commonDir });
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  try {
    return parseRecord(text);
  } catch (error) {
    if (/its format is/.test((error as Error).message))
      throw new InstallProblem(`${path}: ${(error as Error).message}`);
    notes.push(`${path} is damaged (${(error as Error).message}); going by what is found in the files`);
    return undefined;
  }
}

/** Settings of all levels add up, and a plugin's hooks come on top. */
function pluginNotes({ worktrees }: World): string[] {
  const files = [
    join(
      process.env["CLAUDE_CONFIG_DIR"] || join(process.env["HOME"] || homedir(), ".claude"),
      "settings.json",
    ),
    ...worktrees.flatMap(({ local, shared }) => [shared, local]),
  ];
  return files.flatMap((path) => {
    const state = readState(throughLinks(path));
    return state.kind === "file" && enabledPlugins(state.bytes).length > 0
      ? [`plugin enabled in ${path}`]
      : [];
  });
}

/** What a program says its version is; `undefined` if it does not run. */
export function versionOf(program: string): string | undefined {
  try {
    const env = { ...process.env };
    delete env["NODE_OPTIONS"];
    return execFileSync(program, ["--version"], {
      encoding: "utf8",
      env,
      stdio: ["ignore", "pipe", "ignore"],
    })
      .trim()
      .split("\n")[0];
  } catch {
    return undefined;
  }
}
