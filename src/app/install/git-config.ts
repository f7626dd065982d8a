/** Our sections of the repository's `config`: the alias, and on git >= 2.54 the hooks. */
import { portableEntry } from "./git-hook.ts";
import { block, split, terminated } from "./marked-block.ts";
import { type Bytes, type GitHookSpec, utf8 } from "./model.ts";

/** The alias finds the command anew each time, so that a moved repository keeps it. */
export const ALIAS =
  '!s=$(git rev-parse --path-format=absolute --git-common-dir)/signalbox/bin/signalbox && cd "./${GIT_PREFIX-}" && exec "$s"';

/** The lines that go between the marks. `hooks` are those that git runs from config, [] where it cannot. */
export function configLines({
  alias,
  hooks,
}: {
  readonly alias: boolean;
  readonly hooks: readonly GitHookSpec[];
}): Bytes {
  const sections = alias ? [`[alias]\n\tsignalbox = ${quoted(ALIAS)}\n`] : [];
  for (const hook of hooks)
    sections.push(
      `[hook "signalbox-${hook.name}"]\n\tevent = ${hook.name}\n\tcommand = ${quoted(hookCommand(hook))}\n`,
    );
  return utf8(sections.join(""));
}

/**
 * Git appends ` "$@"` to the command and gives it to sh, and any exit code but 0 refuses; ours is 1 only where
 * the entry itself said so.
 */
function hookCommand({ name }: GitHookSpec): string {
  return `signalbox() { ${portableEntry("; ")}; [ ! -x "$signalbox_entry" ] || SIGNALBOX_GIT_PID=$PPID "$signalbox_entry" git ${name} "$@" || [ $? -ne 1 ]; }; signalbox`;
}

/** The config with our block at its end. */
export function withConfig(bytes: Bytes, lines: Bytes): Bytes {
  const { inside } = split(bytes);
  if (inside === lines) return bytes;
  const rest = withoutConfig(bytes);
  return lines === "" ? rest : terminated(rest) + block(lines);
}

/**
 * The config without what is ours. `git config` adds keys to whatever section of the name comes last, which may
 * be one between our marks: those stay.
 */
export function withoutConfig(bytes: Bytes): Bytes {
  const { before, inside, after } = split(bytes);
  if (inside === undefined) return bytes;
  return before + foreign(inside) + after;
}

function foreign(inside: Bytes): Bytes {
  const sections = inside.split(/^(?=\s*\[)/m);
  return sections
    .map((section) => {
      const [header = "", ...lines] = section.split(/(?<=\n)/);
      const ours = header.startsWith("[alias]")
        ? /^\s*signalbox\s*=/i
        : header.startsWith('[hook "signalbox-')
          ? /^\s*(event|command)\s*=/i
          : undefined;
      if (ours === undefined) return section;
      const kept = lines.filter((line) => !ours.test(line));
      return kept.every((line) => line.trim() === "") ? "" : header + kept.join("");
    })
    .join("");
}

/** A value as git-config(1) reads it back. */
function quoted(value: string): string {
  const escaped = value
    .replaceAll("\\", "\\\\")
    .replaceAll('"', '\\"')
    .replaceAll("\n", "\\n")
    .replaceAll("\t", "\\t");
  return `"${escaped}"`;
}
