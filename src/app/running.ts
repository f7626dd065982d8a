import type { States } from "../domain/mod.ts";
import { findSession } from "../domain/sessions.ts";
import type { Ports, Running } from "./ports.ts";

/**
 * Sessions that run a shell command, and since when (ms); only those that need it: a lease of theirs has run out since
 * the command began. In the foreground it runs until its end is told. In the background, and where that has not come
 * for longer than a command usually may take, it runs as long as a process of it lives.
 */
export function runningSessions(
  { sessions, reservations }: Pick<States, "sessions" | "reservations">,
  now: number,
  ports: Pick<Ports, "spool" | "processes">,
): ReadonlyMap<string, number> {
  const running = new Map<string, number>();
  if (!reservations.grants.some((g) => g.until <= now)) return running;
  for (const command of ports.spool.commands()) {
    const session = findSession(sessions, command.session);
    const needed = reservations.grants.some(
      (g) => g.session === session?.id && g.until <= now && g.until > command.begin,
    );
    const since = Math.min(running.get(session?.id ?? "") ?? Infinity, command.begin);
    if (session !== undefined && needed && lives(command, session, ports)) running.set(session.id, since);
  }
  return running;
}

function lives(
  { begin, background }: Running,
  { process }: NonNullable<ReturnType<typeof findSession>>,
  { processes }: Pick<Ports, "processes">,
): boolean {
  if (!background) return true;
  return process !== undefined && processes.hasChildSince(process, begin) === true;
}
