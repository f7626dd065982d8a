/** Our part of a git hook file, beside whatever is there already. */
import { basename, dirname, join } from "node:path";
import { block, split } from "./marked-block.ts";
import { ABSENT, type Bytes, file, type FileState, type GitHookSpec } from "./model.ts";

/** Hook files in the repository's own hooks folder find the entry beside it; elsewhere they ask git. */
export type HookPlace = "default" | "elsewhere";

export interface HookPlan {
  readonly after: FileState;
  /** What was there is kept under this name, and our file runs it. */
  readonly chained?: { readonly path: string; readonly state: FileState };
  /** Why it was left alone. */
  readonly skipped?: string;
}

const SHELLS = new Set(["sh", "bash", "dash", "ash", "ksh", "ksh93", "mksh", "zsh"]);

/**
 * Sets `signalbox_entry` without knowing where the repository is: no process in a main working tree, one
 * `git rev-parse` elsewhere.
 */
export function portableEntry(separator: string): string {
  return [
    "signalbox_entry=.git/signalbox/bin/hook",
    `[ -z "\${GIT_DIR-}" ] && [ -x "$signalbox_entry" ] || signalbox_entry=$(git rev-parse --git-common-dir 2>/dev/null)/signalbox/bin/hook || :`,
  ].join(separator);
}

/** `call`: our hook runs first; `clean`: it runs by itself (git's config names it), and only the way is cleared. */
export type HookPart = "call" | "clean";

/** The lines between the marks. Correct under -e and -u, in every POSIX shell; exits only to refuse. */
function hookLines({ name, stdin }: GitHookSpec, place: HookPlace, part: HookPart): Bytes {
  const entry = place === "default" ? "signalbox_entry=${0%/*}/../signalbox/bin/hook" : portableEntry("\n");
  const call = `SIGNALBOX_GIT_PID=$PPID "$signalbox_entry" git ${name} "$@" || [ $? -ne 1 ] || exit 1`;
  const head = "# Added by `signalbox init`, taken out by `signalbox uninstall`.\n";
  if (part === "clean") return `${head}${entry}\n${CLEAN_ENV}`;
  if (!stdin) return `${head}${entry}\n[ ! -x "$signalbox_entry" ] || ${call}\n${CLEAN_ENV}`;
  // Both our entry and what follows read git's lines: $( ) drops newlines at the end, so a dot guards them; a
  // here-document ends in a newline of its own, so one is taken off.
  return `${head}${entry}
if [ -x "$signalbox_entry" ]; then
signalbox_stdin=$(cat; echo .)
signalbox_stdin=\${signalbox_stdin%.}
printf %s "$signalbox_stdin" | ${call}
if [ -n "$signalbox_stdin" ]; then
signalbox_stdin=\${signalbox_stdin%
}
exec <<SIGNALBOX_STDIN
$signalbox_stdin
SIGNALBOX_STDIN
else exec </dev/null; fi
fi
${CLEAN_ENV}`;
}

/**
 * What comes after our lines runs as in the main working tree: with a session's GIT_DIR and a GIT_WORK_TREE of "."
 * a hook's `cd sub && git add gen.txt` would add gen.txt at the top, and `git -C ../other` would not leave at all.
 */
const CLEAN_ENV = `case \${GIT_DIR-} in */worktrees/sb-*)
[ "\${GIT_INDEX_FILE-}" != "$GIT_DIR/index" ] || unset GIT_INDEX_FILE
PATH=\${signalbox_entry%/bin/hook}/shim:$PATH
unset GIT_DIR GIT_WORK_TREE
esac
`;

/** The hook file as it shall be. `chained` reads what is under a kept name. */
export function planHook(
  path: string,
  hook: GitHookSpec,
  place: HookPlace,
  current: FileState,
  chained: (path: string) => FileState,
  part: HookPart = "call",
): HookPlan {
  const lines = hookLines(hook, place, part);
  if (current.kind === "absent")
    return { after: part === "clean" ? ABSENT : file(`#!/bin/sh\n${block(lines)}`, 0o755) };
  if (current.kind === "other") return { after: current, skipped: "it is not a file" };
  if (current.kind === "file") {
    const { before, inside, after } = split(current.bytes);
    if (inside !== undefined) return { after: file(before + block(lines) + after, current.mode) };
    if (takesBlock(current)) return { after: file(withBlockOnTop(current.bytes, lines), current.mode) };
  }
  const keep = keptPath(path, current);
  const there = chained(keep);
  if (there.kind !== "absent" && !sameKept(there, keptState(path, keep, current)))
    return { after: current, skipped: `${keep} is in the way` };
  return {
    after: file(dispatcher(relativeKept(path, keep), lines), 0o755),
    chained: { path: keep, state: keptState(path, keep, current) },
  };
}

/** The hook file without our part; `undefined` where it has none. */
export function stripHook(
  path: string,
  current: FileState,
  chained: (path: string) => FileState,
): { readonly after: FileState; readonly chained?: string } | undefined {
  if (current.kind !== "file") return undefined;
  const kept = keptBy(current.bytes);
  if (kept !== undefined) {
    const keep = join(dirname(path), kept);
    const state = chained(keep);
    if (state.kind === "absent") return { after: ABSENT };
    return { after: unkeptState(path, keep, state), chained: keep };
  }
  const { before, inside, after } = split(current.bytes);
  if (inside === undefined) return undefined;
  const rest = before + after;
  return { after: rest === "#!/bin/sh\n" ? ABSENT : file(rest, current.mode) };
}

/**
 * Whether our lines can go into the file itself: an executable POSIX-shell script. One that is not executable is
 * ignored by git and must stay so; one with a carriage return after its interpreter does not run and must stay
 * so; a payload behind the script counts lines or bytes.
 */
function takesBlock({ bytes, mode }: { readonly bytes: Bytes; readonly mode: number }): boolean {
  if ((mode & 0o111) === 0 || bytes.includes("\0") || bytes.startsWith("\u00EF\u00BB\u00BF")) return false;
  const [first = ""] = bytes.split("\n", 1);
  if (first.endsWith("\r")) return false;
  if (!bytes.startsWith("#!")) return true;
  const words = first
    .slice(2)
    .trim()
    .split(/[ \t]+/);
  if (basename(words[0] ?? "") === "env") {
    const program = words.slice(1).find((word) => !word.startsWith("-") && !word.includes("="));
    return SHELLS.has(basename(program ?? ""));
  }
  if (basename(words[0] ?? "") === "busybox") return SHELLS.has(words[1] ?? "");
  return SHELLS.has(basename(words[0] ?? ""));
}

/** First of all, so that no `exit` or `exec` of the user's comes before it. */
function withBlockOnTop(bytes: Bytes, lines: Bytes): Bytes {
  if (!bytes.startsWith("#!")) return block(lines) + bytes;
  const end = bytes.indexOf("\n");
  if (end < 0) return `${bytes}\n${block(lines)}`;
  return bytes.slice(0, end + 1) + block(lines) + bytes.slice(end + 1);
}

const FOLDER = "signalbox-chained";
const EXEC = /^exec "\$\{0%\/\*\}\/((?:signalbox-chained\/)?[a-z-]+(?:\.signalbox-chained)?)" "\$@"$/m;

function dispatcher(kept: string, lines: Bytes): Bytes {
  return `#!/bin/sh\n${block(lines)}# The hook that was here before.\n[ -x "\${0%/*}/${kept}" ] || exit 0\nexec "\${0%/*}/${kept}" "$@"\n`;
}

/** What a dispatcher of ours runs, relative to its folder. */
function keptBy(bytes: Bytes): string | undefined {
  const { inside, after } = split(bytes);
  return inside === undefined ? undefined : EXEC.exec(after)?.[1];
}

/**
 * Where a hook is kept. A link to a file of another name may be one program for many hooks, which tells by its
 * own name what to do: it keeps its name, in a folder.
 */
function keptPath(path: string, current: FileState): string {
  const name = basename(path);
  return current.kind === "link" && basename(current.target) !== name
    ? join(dirname(path), FOLDER, name)
    : `${path}.signalbox-chained`;
}

function relativeKept(path: string, keep: string): string {
  return dirname(path) === dirname(keep) ? basename(keep) : `${FOLDER}/${basename(keep)}`;
}

/** A relative link that moves down one folder points up one more. */
function keptState(path: string, keep: string, state: FileState): FileState {
  if (state.kind !== "link" || dirname(path) === dirname(keep) || state.target.startsWith("/")) return state;
  return { kind: "link", target: `../${state.target}` };
}

function unkeptState(path: string, keep: string, state: FileState): FileState {
  if (state.kind !== "link" || dirname(path) === dirname(keep) || !state.target.startsWith("../"))
    return state;
  return { kind: "link", target: state.target.slice(3) };
}

function sameKept(a: FileState, b: FileState): boolean {
  if (a.kind === "file" && b.kind === "file") return a.bytes === b.bytes;
  return a.kind === "link" && b.kind === "link" && a.target === b.target;
}
