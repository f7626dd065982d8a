/** The exit codes of every command. */
export const EXIT = {
  ok: 0,
  /** Drift was found, or the command failed. */
  failed: 1,
  usage: 2,
  /** Refused by a holder. */
  refused: 3,
  /** The log is damaged. */
  corrupt: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends a command with a message and an exit code; anything else that is thrown is a bug or a broken world. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  readonly code: ExitCode;
  constructor(message: string, code: ExitCode = EXIT.failed) {
    super(message);
    this.code = code;
  }
}

/** The command's words are off. */
export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
