import type { CommandDef, CommandMeta } from "citty";
import { command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { usageError } from "./exit.ts";
import { out } from "./output.ts";

interface Entry {
  readonly name: string;
  readonly description: string;
  readonly options: readonly string[];
}

export const completionCommand = command({
  name: "completion",
  description: "a completion script for bash, zsh or fish",
  args: { shell: { type: "positional", description: "bash, zsh or fish", required: true } },
  words: 1,
  async run({ args }) {
    const script = Object.hasOwn(SCRIPTS, args.shell)
      ? SCRIPTS[args.shell as keyof typeof SCRIPTS]
      : undefined;
    if (script === undefined)
      throw usageError(`completion knows bash, zsh and fish, not ${JSON.stringify(args.shell)}`);
    out(script(await entries()));
  },
});

async function entries(): Promise<Entry[]> {
  return Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => {
      const { args, meta } = (await load()) as CommandDef;
      const options = Object.entries(args ?? {}).flatMap(([key, def]) =>
        def.type === "positional" ? [] : [`--${key}`],
      );
      return { name, description: (meta as CommandMeta).description ?? "", options };
    }),
  );
}

const SCRIPTS = {
  bash: (all: readonly Entry[]) => `# eval "$(signalbox completion bash)"
_signalbox() {
  local cur=\${COMP_WORDS[COMP_CWORD]}
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "${all.map((e) => e.name).join(" ")}" -- "$cur"))
    return
  fi
  case \${COMP_WORDS[1]} in
${all.map((e) => `    ${e.name}) COMPREPLY=($(compgen -W "${e.options.join(" ")}" -- "$cur")) ;;`).join("\n")}
  esac
}
complete -o default -F _signalbox signalbox`,

  zsh: (all: readonly Entry[]) => `#compdef signalbox
# eval "$(signalbox completion zsh)"
_signalbox() {
  if (( CURRENT == 2 )); then
    local -a commands=(
${all.map((e) => `      ${shellQuoted(`${e.name}:${e.description}`)}`).join("\n")}
    )
    _describe command commands
    return
  fi
  case $words[2] in
${all.map((e) => `    ${e.name}) compadd -- ${e.options.join(" ")}; _files ;;`).join("\n")}
  esac
}
compdef _signalbox signalbox`,

  fish: (all: readonly Entry[]) =>
    [
      "# signalbox completion fish | source",
      ...all.map(
        (e) =>
          `complete -c signalbox -n __fish_use_subcommand -f -a ${e.name} -d ${shellQuoted(e.description)}`,
      ),
      ...all.flatMap((e) =>
        e.options.map(
          (o) => `complete -c signalbox -n '__fish_seen_subcommand_from ${e.name}' -l ${o.slice(2)}`,
        ),
      ),
    ].join("\n"),
};

function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
