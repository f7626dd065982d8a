/** The `signalbox` command: one error boundary, one table of exit codes. */
import { stripVTControlCharacters } from "node:util";
import { type CommandDef, defineCommand, renderUsage, runCommand } from "citty";
import { LogCorrupt, LogError, LogExport, LogMissing } from "../log/mod.ts";
import { COMMANDS } from "./commands.ts";
import { CommandError, EXIT, type ExitCode } from "./exit.ts";
import { out, say, styled } from "./output.ts";
import { VERSION } from "./version.ts";

/** Runs a command line and answers with its exit code. */
export async function main(argv: readonly string[]): Promise<ExitCode> {
  const [name, ...rest] = argv;
  try {
    if (name === undefined || name === "help" || name === "--help" || name === "-h") {
      out(asScreen(await renderUsage(await rootCommand())));
      return name === undefined ? EXIT.usage : EXIT.ok;
    }
    if (name === "--version") return (out(VERSION), EXIT.ok);
    if (!Object.hasOwn(COMMANDS, name))
      throw new CommandError(
        `there is no command ${JSON.stringify(name)}; see: signalbox --help`,
        EXIT.usage,
      );
    const chosen = (await COMMANDS[name as keyof typeof COMMANDS]()) as CommandDef;
    const own = rest.includes("--") ? rest.slice(0, rest.indexOf("--")) : rest;
    if (own.includes("--help") || own.includes("-h"))
      return (out(asScreen(await renderUsage(chosen, await rootCommand()))), EXIT.ok);
    const { result } = await runCommand(chosen, { rawArgs: rest });
    return (result as ExitCode | undefined) ?? EXIT.ok;
  } catch (error) {
    return explain(error);
  }
}

/** citty styles its help wherever it goes; we do where it is shown. */
function asScreen(text: string): string {
  return styled("bold", "") === "" ? stripVTControlCharacters(text) : text;
}

async function rootCommand(): Promise<CommandDef> {
  const loaded = await Promise.all(
    Object.entries(COMMANDS).map(async ([name, load]) => [name, await load()] as const),
  );
  return defineCommand({
    meta: {
      name: "signalbox",
      version: VERSION,
      description: "several coding-agent sessions, one git repository, nobody's work lost",
    },
    subCommands: Object.fromEntries(loaded),
  });
}

function explain(error: unknown): ExitCode {
  if (error instanceof CommandError) return (say(`signalbox: ${error.message}`), error.code);
  if (error instanceof LogCorrupt)
    return (say(`signalbox: ${error.message} Run: git signalbox doctor --fix`), EXIT.corrupt);
  if (error instanceof LogMissing)
    return (say("signalbox: there is no log here; run: signalbox init"), EXIT.failed);
  if (error instanceof LogExport) return (say(`signalbox: ${error.message}`), EXIT.corrupt);
  if (error instanceof LogError) return (say(`signalbox: ${error.message}`), EXIT.failed);
  const { code, message, stack } = error as { code?: unknown; message?: string; stack?: string };
  // citty's own errors are about the words of the command.
  if (code === "EARG" || code === "E_NO_COMMAND" || code === "E_UNKNOWN_COMMAND")
    return (say(`signalbox: ${message}`), EXIT.usage);
  say(`signalbox: ${process.env["SIGNALBOX_DEBUG"] ? stack : (message ?? String(error))}`);
  return EXIT.failed;
}

void main(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
