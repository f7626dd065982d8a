import { spawn, type StdioOptions } from "node:child_process";

/** What a process did. `all` is both streams as they came. */
export interface Done {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Written to stdin, which is then closed. Without it stdin is empty. */
  readonly input?: string | Buffer | undefined;
  /** Keeps stdin open until the process ends. */
  readonly holdStdin?: boolean;
  readonly stdio?: StdioOptions;
}

/** Longer than anything here takes; a process that reaches it hangs. */
const HANGS_MS = 240_000;

/** Runs a program to its end. Never rejects for what the program does; a hang is an error. */
export function run(file: string, args: readonly string[], options: RunOptions): Promise<Done> {
  const { cwd, env, input, holdStdin = false } = options;
  return new Promise((done, fail) => {
    const child = spawn(file, args, { cwd, env, stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    // A program that does not read its stdin closes it under our hands.
    child.stdin.on("error", () => undefined);
    if (input !== undefined) child.stdin.write(input);
    if (!holdStdin) child.stdin.end();
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      fail(new Error(`${file} ${args.join(" ")} hangs`));
    }, HANGS_MS);
    child.on("error", (error) => {
      clearTimeout(timer);
      fail(error);
    });
    child.on("close", (code, signal) => {
      clearTimeout(timer);
      done({
        code,
        signal,
        stdout: Buffer.concat(out).toString("utf8"),
        stderr: Buffer.concat(err).toString("utf8"),
      });
    });
  });
}

/** Runs a program that has to succeed, and answers with its stdout. */
export async function must(file: string, args: readonly string[], options: RunOptions): Promise<string> {
  const { code, signal, stdout, stderr } = await run(file, args, options);
  if (code !== 0)
    throw new Error(`${file} ${args.join(" ")} ended with ${code ?? signal}: ${stderr}${stdout}`);
  return stdout;
}
