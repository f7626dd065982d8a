import { type ArgsDef, type CommandContext, type CommandDef, defineCommand } from "citty";
import { type ExitCode, usageError } from "./exit.ts";

/** A command's body; it answers with an exit code, or nothing for 0. */
type Run<T extends ArgsDef> = (context: CommandContext<T>) => ExitCode | void | Promise<ExitCode | void>;

interface Definition<T extends ArgsDef> {
  readonly name: string;
  readonly description: string;
  readonly hidden?: boolean;
  readonly args: T;
  /** How many words beside options it takes at most. */
  readonly words?: number;
  readonly run: Run<T>;
}

/** Options that every reading command has. */
export const JSON_OPTION = { json: { type: "boolean", description: "machine-readable output" } } as const;

/** A command. Options it does not have are an error, which citty alone would let pass. */
export function command<const T extends ArgsDef>({
  name,
  description,
  hidden,
  args,
  words,
  run,
}: Definition<T>): CommandDef<T> {
  return defineCommand<T>({
    meta: { name, description, hidden: hidden ?? false },
    args,
    run: (context) => {
      checkWords(name, args, context, words);
      return run(context);
    },
  });
}

function checkWords<T extends ArgsDef>(
  name: string,
  defs: T,
  { args, rawArgs }: CommandContext<T>,
  words?: number,
): void {
  const known = new Set(["_", "--"]);
  for (const [key, def] of Object.entries(defs)) {
    for (const one of [key, ...[("alias" in def && def.alias) || []].flat()])
      known.add(one).add(camel(one)).add(kebab(one));
  }
  const unknown = Object.keys(args).find(
    (key) => !known.has(key) && !(key.startsWith("no") && known.has(key.replace(/^no-?/, ""))),
  );
  if (unknown !== undefined)
    throw usageError(
      `${name} has no option ${unknown.length === 1 ? "-" : "--"}${unknown}; see signalbox ${name} --help`,
    );
  const given = (args as { _: string[] })._;
  if (words !== undefined && given.length > words)
    throw usageError(`${name} does not take ${JSON.stringify(given[words])}; see signalbox ${name} --help`);
  const missing =
    rawArgs.length === 0
      ? undefined
      : Object.entries(defs).find(
          ([key, def]) => def.type === "string" && (args as Record<string, unknown>)[key] === "",
        );
  if (missing !== undefined) throw usageError(`--${missing[0]} needs a value; see signalbox ${name} --help`);
}

const camel = (text: string) => text.replaceAll(/-(\w)/g, (_, c: string) => c.toUpperCase());
const kebab = (text: string) => text.replaceAll(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
