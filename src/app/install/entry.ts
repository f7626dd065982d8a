/** The shell programs in `signalbox/bin/` and `signalbox/shim/`. */
import { type Bytes, type HookTable, utf8 } from "./model.ts";

/** What runs the bundles. */
export interface Runtime {
  readonly kind: "node" | "deno";
  /** Absolute path of the program. */
  readonly path: string;
  /** What it says its version is. */
  readonly version: string;
}

/** Arguments before the bundle's path. */
const FLAGS: Readonly<Record<Runtime["kind"], string>> = {
  node: "",
  deno: "run --allow-all --no-config --no-lock --quiet",
};

/** `bin/hook`: the template hooks/hook.sh with the table and the runtime filled in. */
export function renderEntry(template: string, { claude, git }: HookTable, runtime: Runtime): Bytes {
  const named = [
    ...claude.map((hook) => ({
      ...hook,
      word: `claude:${hook.name}`,
      edits: hook.matcher?.includes("Edit"),
    })),
    ...git.map((hook) => ({ ...hook, word: `git:${hook.name}`, edits: false })),
  ];
  const words = (keep: (hook: (typeof named)[number]) => unknown) =>
    named
      .filter((hook) => keep(hook))
      .map(({ word }) => word)
      .join(" | ") || "none";
  const values: Readonly<Record<string, string>> = {
    SPOOL: words(({ mode, edits }) => mode === "spool" && edits),
    SEEN: words(({ mode, edits }) => mode === "spool" && !edits),
    // Alone, the edit gate notes what it would have decided (`claude:pre-edit` in hook.sh).
    OTHERS: words(({ mode, when, edits }) => mode !== "spool" && when === "others" && !edits),
    LIVE: words(({ mode, when }) => mode !== "spool" && when === "live"),
  };
  return filled(template, { ...values, ...runtimeValues(runtime) });
}

/** `shim/git`: the template hooks/shim.sh with the runtime filled in. */
export function renderShim(template: string, runtime: Runtime): Bytes {
  return filled(template, runtimeValues(runtime));
}

function runtimeValues({ kind, path }: Runtime): Readonly<Record<string, string>> {
  return { RUNTIME: shellQuoted(path), FLAGS: FLAGS[kind] };
}

function filled(template: string, values: Readonly<Record<string, string>>): Bytes {
  return utf8(template.replaceAll(/@([A-Z]+)@/g, (whole, key: string) => values[key] ?? whole));
}

/** `bin/signalbox`: the command, also reached as `git signalbox`. */
export function renderLauncher(runtime: Runtime): Bytes {
  return utf8(`#!/bin/sh
# The signalbox command with the runtime recorded at install; also reached as \`git signalbox\`.
# What git sets for its children is about this repository only, and would mislead git in any other.
unset GIT_DIR GIT_WORK_TREE GIT_IMPLICIT_WORK_TREE GIT_INDEX_FILE GIT_OBJECT_DIRECTORY \\
  GIT_ALTERNATE_OBJECT_DIRECTORIES GIT_COMMON_DIR GIT_PREFIX GIT_NAMESPACE
# NODE_EXTRA_CA_CERTS alone makes Node 20 start 2.5 times slower; what is run as a session keeps it.
[ "\${1-}" = run ] || unset NODE_OPTIONS NODE_EXTRA_CA_CERTS
runtime=${shellQuoted(runtime.path)}
[ -x "$runtime" ] || {
  echo "signalbox: no runtime at $runtime; install again: ./install.sh" >&2
  exit 1
}
exec "$runtime" ${FLAGS[runtime.kind]} "\${0%/*}/../runtime/signalbox.cjs" "$@"
`);
}

/** A word for sh. */
export function shellQuoted(word: string): string {
  return `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
