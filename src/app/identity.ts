/** Session ids become file names and ref names, so they are plain: letters, digits, dot, dash, underscore. */
export function isSessionId(text: string): boolean {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}$/.test(text);
}

type Env = Readonly<Record<string, string | undefined>>;

/** The session that runs this process, by the environment it was given; `undefined` is a person. */
export function sessionOf(env: Env): string | undefined {
  const id = env["CLAUDE_CODE_SESSION_ID"] || env["SIGNALBOX_SESSION"];
  return id !== undefined && isSessionId(id) ? id : undefined;
}

/** The process a session lives in: what the client says, else the parent of the hook. */
export function processOf(env: Env): number | undefined {
  const pid = Number(env["CLAUDE_PID"] || env["SIGNALBOX_PID"] || env["SIGNALBOX_PPID"]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/** How a session is named to others: the first part of a UUID, else the whole id. */
export function shortName(session: string): string {
  return /^[0-9a-f]{8}-[0-9a-f]{4}-/.test(session) ? session.slice(0, 8) : session;
}
