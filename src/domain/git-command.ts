/** A call of git, read as far as its verb. */
export interface GitCommand {
  readonly kind: "command";
  /** What stands before the verb, as given. */
  readonly globals: readonly string[];
  readonly verb: string;
  readonly args: readonly string[];
  /** Where it runs, relative to the caller's directory: every `-C` together; "" for right there. */
  readonly directory: string;
  /** It names its own repository or working tree. */
  readonly gitDir: string | undefined;
  readonly workTree: string | undefined;
  readonly bare: boolean;
  /** Settings for this call alone; keys in lower case but for a subsection. The value of `--config-env` is a variable's name. */
  readonly config: readonly { readonly key: string; readonly value: string }[];
  /** `--literal-pathspecs`: no wildcard and no `:(magic)` means anything. */
  readonly literal: boolean;
  /** Aliases that led here, outermost first. */
  readonly aliases: readonly string[];
}

/** A call without a verb that can be judged: it is left to git. */
export interface NoCommand {
  readonly kind: "none";
  readonly why: "information" | "unknown option" | "shell alias" | "broken alias";
}

/** Text of `alias.<word>`, if there is one. Asked only for words that are no command of git's. */
export type AliasOf = (word: string) => string | undefined;

const FLAGS = new Set([
  "-p",
  "--paginate",
  "-P",
  "--no-pager",
  "--no-replace-objects",
  "--no-lazy-fetch",
  "--no-optional-locks",
  "--no-advice",
  "--bare",
  "--literal-pathspecs",
  "--no-literal-pathspecs",
  "--glob-pathspecs",
  "--noglob-pathspecs",
  "--icase-pathspecs",
]);
const WITH_VALUE = [
  "--git-dir",
  "--work-tree",
  "--namespace",
  "--config-env",
  "--attr-source",
  "--super-prefix",
];
const INFORMATION = new Set([
  "-h",
  "--help",
  "-v",
  "--version",
  "--exec-path",
  "--html-path",
  "--man-path",
  "--info-path",
]);

/** Aliases may lead to aliases; git itself stops only at a circle. */
const MAX_ALIASES = 20;

/**
 * Reads a command line of git's up to its verb and resolves aliases, as git.c does. `argv` begins after `git`.
 *
 * @param isBuiltin whether git has a command of that name: it cannot be an alias
 */
export function parseGitCommand(
  argv: readonly string[],
  aliasOf: AliasOf = () => undefined,
  isBuiltin: (verb: string) => boolean = () => false,
): GitCommand | NoCommand {
  let command = parseOnce(argv);
  while (command.kind === "command" && !isBuiltin(command.verb)) {
    const { verb } = command;
    const text = aliasOf(verb)?.trimStart();
    if (text === undefined || text === "") break;
    if (text.startsWith("!")) return { kind: "none", why: "shell alias" };
    const words = splitAlias(text);
    if (words === undefined || command.aliases.includes(verb) || command.aliases.length >= MAX_ALIASES)
      return { kind: "none", why: "broken alias" };
    const aliases: readonly string[] = [...command.aliases, verb];
    const next = parseOnce([...command.globals, ...words, ...command.args]);
    command = next.kind === "command" ? { ...next, aliases } : next;
  }
  return command;
}

function parseOnce(argv: readonly string[]): GitCommand | NoCommand {
  let directory = "";
  let literal = false;
  const config: { key: string; value: string }[] = [];
  const named = new Map<string, string>();
  let i = 0;
  for (; i < argv.length && argv[i]!.startsWith("-"); i += 1) {
    const word = argv[i]!;
    const option = WITH_VALUE.find((name) => word === name || word.startsWith(`${name}=`));
    if (word === "-C" || word === "-c" || word === option || word === "--shallow-file") {
      i += 1;
      const value = argv[i];
      if (value === undefined) return { kind: "none", why: "information" };
      if (word === "-C") directory = within(directory, value);
      else if (word === "-c") config.push(setting(value, "true"));
      else if (word === "--config-env") config.push(setting(value, ""));
      else named.set(word, value);
    } else if (option !== undefined) {
      const value = word.slice(option.length + 1);
      if (option === "--config-env") config.push(setting(value, ""));
      else named.set(option, value);
    } else if (FLAGS.has(word)) {
      if (word === "--literal-pathspecs") literal = true;
      if (word === "--no-literal-pathspecs") literal = false;
      if (word === "--bare") named.set(word, "");
    } else if (INFORMATION.has(word) || word.startsWith("--list-cmds=")) {
      return { kind: "none", why: "information" };
    } else if (!word.startsWith("--exec-path=")) return { kind: "none", why: "unknown option" };
  }
  const verb = argv[i];
  if (verb === undefined) return { kind: "none", why: "information" };
  return {
    kind: "command",
    globals: argv.slice(0, i),
    verb,
    args: argv.slice(i + 1),
    directory,
    gitDir: named.get("--git-dir"),
    workTree: named.get("--work-tree"),
    bare: named.has("--bare"),
    config,
    literal,
    aliases: [],
  };
}

function within(directory: string, next: string): string {
  if (next === "") return directory;
  return next.startsWith("/") || directory === "" ? next : `${directory.replace(/\/+$/, "")}/${next}`;
}

function setting(text: string, otherwise: string): { key: string; value: string } {
  const equals = text.indexOf("=");
  const name = equals < 0 ? text : text.slice(0, equals);
  const first = name.indexOf(".");
  const last = name.lastIndexOf(".");
  const key =
    first === last
      ? name.toLowerCase()
      : name.slice(0, first).toLowerCase() + name.slice(first, last) + name.slice(last).toLowerCase();
  return { key, value: equals < 0 ? otherwise : text.slice(equals + 1) };
}

/** Words of an alias, with quotes and backslashes as git's split_cmdline has them; undefined if a quote stays open. */
function splitAlias(text: string): string[] | undefined {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i]!;
    if (quote === "" && /[ \t\n\r]/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else if (quote === "" && (char === "'" || char === '"')) {
      quote = char;
      word ??= "";
    } else if (char === quote) quote = "";
    else if (char === "\\" && quote !== "'") {
      i += 1;
      if (i >= text.length) return undefined;
      word = (word ?? "") + text[i]!;
    } else word = (word ?? "") + char;
  }
  if (quote !== "") return undefined;
  if (word !== undefined) words.push(word);
  return words;
}
