/** Whoever can hold something: a session, or one subagent of it. */
export interface Holder {
  readonly session: string;
  readonly agent?: string | undefined;
}

/** The same holder: same session and same subagent, or neither has one. */
export function sameHolder(a: Holder, b: Holder): boolean {
  return a.session === b.session && a.agent === b.agent;
}

/**
 * Whether what one holds stands in the other's way. A session and its own subagents are one family and do not;
 * two subagents of one session do: they know nothing of each other.
 */
export function rivals(a: Holder, b: Holder): boolean {
  if (a.session !== b.session) return true;
  return a.agent !== undefined && b.agent !== undefined && a.agent !== b.agent;
}

/** A holder's fields alone, for an event. */
export function holderOf({ session, agent }: Holder): { session: string; agent?: string } {
  return agent === undefined ? { session } : { session, agent };
}
