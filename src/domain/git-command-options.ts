/**
 * Options as git's own parser (parse-options.c) reads them: bundled short ones (`-am x`), unique abbreviations of
 * long ones (`--har`), `--no-` forms, values joined or apart, `--` and `--end-of-options`.
 */
export interface OptionSpec {
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly value: "none" | "required" | "optional";
}

/** One option as it was given. */
export interface GivenOption {
  /** The long name, or the short one of an option that has no other; as written if the verb is not known to have it. */
  readonly name: string;
  /** False for its `--no-` form. */
  readonly on: boolean;
  readonly value: string | undefined;
  /** The option in full and in one word, for a command line made anew. */
  readonly word: string;
}

export interface ParsedOptions {
  readonly options: readonly GivenOption[];
  readonly positional: readonly string[];
  /** How many of `positional` stand before `--`; undefined without one. */
  readonly dashDash: number | undefined;
}

/**
 * A table of options from one line: words `s,long`, `long` or `s`; `=` at the end for a value that has to be there,
 * `?` for one that is joined or left out.
 */
export function optionTable(line: string): readonly OptionSpec[] {
  return line
    .split(/\s+/)
    .filter((word) => word !== "")
    .map((word) => {
      const value = word.endsWith("=") ? "required" : word.endsWith("?") ? "optional" : "none";
      const names = word.replace(/[=?]$/, "").split(",");
      const short = names.find((name) => name.length === 1);
      return { short, long: names.find((name) => name.length > 1), value };
    });
}

/**
 * Reads the arguments of a verb. Never fails: what git would reject is read as an option without a value, and an
 * abbreviation of several options as each of them, so that a judgement errs to the careful side.
 *
 * @param stopAtFirst options end at the first word that is none, as for verbs with subcommands
 */
export function parseOptions(
  table: readonly OptionSpec[],
  args: readonly string[],
  stopAtFirst = false,
): ParsedOptions {
  const options: GivenOption[] = [];
  const positional: string[] = [];
  let dashDash: number | undefined;
  let open = true;
  for (let i = 0; i < args.length; i += 1) {
    const word = args[i]!;
    if (dashDash === undefined && word === "--") {
      dashDash = positional.length;
      open = false;
    } else if (!open || word === "-" || !word.startsWith("-")) {
      positional.push(word);
      if (stopAtFirst) open = false;
    } else if (word === "--end-of-options") open = false;
    else if (word.startsWith("--")) i += longOption(table, word, args[i + 1], options);
    else i += shortOptions(table, word, args[i + 1], options);
  }
  return { options, positional, dashDash };
}

/** Whether one of them is on, each by its last occurrence. */
export function isOn({ options }: ParsedOptions, ...names: string[]): boolean {
  return names.some((name) => options.findLast((o) => o.name === name)?.on === true);
}

/** Its last value, undefined if it is not given or taken back. */
export function valueOf({ options }: ParsedOptions, ...names: string[]): string | undefined {
  const given = options.findLast((o) => names.includes(o.name));
  return given?.on === true ? given.value : undefined;
}

/** The options in full, without the ones named. */
export function wordsWithout({ options }: ParsedOptions, names: readonly string[]): string[] {
  return options.filter((o) => !names.includes(o.name)).map((o) => o.word);
}

/** @returns how many words after this one it took */
function longOption(
  table: readonly OptionSpec[],
  word: string,
  next: string | undefined,
  into: GivenOption[],
): number {
  const equals = word.indexOf("=");
  const name = word.slice(2, equals < 0 ? undefined : equals);
  const joined = equals < 0 ? undefined : word.slice(equals + 1);
  const found = candidates(table, name);
  if (found.length === 0) into.push({ name: word, on: true, value: undefined, word });
  let taken = 0;
  for (const { spec, on } of found) {
    const apart = on && spec.value === "required" && joined === undefined;
    if (apart && next !== undefined) taken = 1;
    into.push(given(spec, on, apart ? next : joined));
  }
  return taken;
}

function candidates(table: readonly OptionSpec[], name: string): { spec: OptionSpec; on: boolean }[] {
  const all = table.flatMap((spec) => {
    if (spec.long === undefined) return [];
    const opposite = spec.long.startsWith("no-") ? spec.long.slice(3) : `no-${spec.long}`;
    return [
      { spec, on: true, text: spec.long },
      { spec, on: false, text: opposite },
    ];
  });
  // A table may hold an option and its opposite as two; the one that is written out wins.
  const exact = all.filter((c) => c.text === name);
  if (exact.length > 0) return [exact.find((c) => c.on) ?? exact[0]!];
  return name === "" ? [] : all.filter((c) => c.text.startsWith(name));
}

function shortOptions(
  table: readonly OptionSpec[],
  word: string,
  next: string | undefined,
  into: GivenOption[],
): number {
  for (let i = 1; i < word.length; i += 1) {
    const spec = table.find((each) => each.short === word[i]);
    const rest = word.slice(i + 1);
    if (spec === undefined) {
      into.push({ name: `-${word[i]}`, on: true, value: undefined, word: `-${word[i]}` });
    } else if (spec.value === "none" || (spec.value === "optional" && rest === "")) {
      into.push(given(spec, true, undefined));
    } else {
      into.push(given(spec, true, rest === "" ? next : rest));
      return rest === "" && next !== undefined ? 1 : 0;
    }
  }
  return 0;
}

function given(spec: OptionSpec, on: boolean, value: string | undefined): GivenOption {
  const { short, long } = spec;
  if (long === undefined) return { name: short!, on, value, word: `-${short}${value ?? ""}` };
  const opposite = long.startsWith("no-") ? long.slice(3) : `no-${long}`;
  const text = on ? long : opposite;
  return { name: long, on, value, word: value === undefined ? `--${text}` : `--${text}=${value}` };
}
