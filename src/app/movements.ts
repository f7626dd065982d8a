import { event, type EventNamed } from "../../events/mod.ts";
import { headOf } from "../domain/commits.ts";
import { findSession } from "../domain/sessions.ts";
import { type Box, decide } from "./box.ts";
import type { Committer } from "./commit-gate.ts";
import type { Git } from "./ports.ts";

type How = EventNamed<"head.moved">["how"];

/** Records that HEAD of a working tree is not where the log last saw it. Nothing moved, nothing recorded. */
export function recordHead(box: Box, committer: Committer, git: Git, how: How): void {
  const head = git.headCommit();
  if (head === undefined) return;
  const { tree } = committer;
  decide(box, committer.session, ({ states }) => {
    const last = headOf(states.commits, tree);
    if (last?.commit === head.commit && last.branch === head.branch) return { events: [], result: undefined };
    const from = last?.commit;
    const session =
      committer.session === undefined
        ? undefined
        : (findSession(states.sessions, committer.session)?.id ?? committer.session);
    const moved = event("head.moved", {
      tree,
      to: head.commit,
      how,
      branch: head.branch,
      from,
      session,
    });
    return { events: [moved], result: undefined };
  });
}

/** Records which commits amend or rebase replaced, from the lines that git gives post-rewrite (githooks(5)). */
export function recordRewrite(box: Box, session: string | undefined, how: string, lines: string): void {
  const pairs = lines.split("\n").flatMap((line) => {
    const [from, to] = line.split(" ");
    return from === undefined || to === undefined ? [] : [{ from, to }];
  });
  if (pairs.length === 0) return;
  decide(box, session, () => ({
    events: [event("commit.rewritten", { how, session, pairs: pairs.slice(0, 200) })],
    result: undefined,
  }));
}

/** Records what is about to be pushed, from the lines that git gives pre-push (githooks(5)). */
export function recordPush(box: Box, session: string | undefined, remote: string, lines: string): void {
  const refs = lines.split("\n").flatMap((line) => {
    const [local, to, remoteRef, from] = line.split(" ");
    return local === undefined || to === undefined || remoteRef === undefined || from === undefined
      ? []
      : [{ local, to, remote: remoteRef, from }];
  });
  if (refs.length === 0) return;
  decide(box, session, () => ({
    events: [event("push.recorded", { remote, refs, session })],
    result: undefined,
  }));
}
